// The version word of a record in place: one thread changes the record with plain stores, any thread may copy it whole (a sequence lock
// around memory that is not its own).
//
// Always true: a copy that is reported as done is the record as it stood between two changes, of one life of it: versions are never used
// twice, so a place that was given back and taken again meanwhile is noticed. The writer is wait-free and never sees the readers: two
// stores a change. A try of a reader is wait-free, and fails while the writer is at work on that record.
//
//   1 version kChanging, relaxed; nothing of the change comes before it (release fence)
//   2 the record's own words, plain stores                            -> 5
//   3 version, release: nothing of the change comes after it          -> 4
//   4 version, acquire
//   5 the words, each loaded once                                     -> 2
//   6 version again; it cannot come before 5 (acquire fence). The same as in 4: no word of 5 came from a later change.
//
// 2 and 5 meet without being atomic operations: the C++ memory model calls that a race, whatever is done with what was read. Here a word
// that was read during a change is thrown away unseen, and each is read once (read_once.h). Making every member of a record atomic instead
// would forbid the writer's compiler to combine its stores, for every segment. So that ThreadSanitizer need not be told of each member, the
// functions that copy (5) are not instrumented, and they alone: Version::try_copy. What it is made of holds on every processor; the fences
// cost nothing on x86. ThreadSanitizer does not model fences, so they are compiler barriers in its builds; tests/model tries them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "finwait/base/read_once.h"

namespace finwait::base {

class Version {
 public:
  static constexpr std::uint64_t kNothing = 0;   ///< no record: never born, or given back
  static constexpr std::uint64_t kChanging = 1;  ///< the writer is at work

  /// A part of a record, in bytes from its beginning; both multiples of 8.
  struct Part {
    std::size_t from;
    std::size_t to;
  };

  // The writer's thread only. Wait-free.
  /// Before a change. False if one is going on already.
  [[nodiscard]] bool begin() noexcept {
    if (value_ == kChanging) return false;
    __atomic_store_n(&value_, kChanging, __ATOMIC_RELAXED);  // 1
    fence<std::memory_order_release>();
    return true;
  }
  /// After it. `version`: above kChanging, and never given before to any record of the same kind.
  void end(std::uint64_t version) noexcept { __atomic_store_n(&value_, version, __ATOMIC_RELEASE); }  // 3
  /// The record is given back: nothing is to be seen any more, whatever is stored into it.
  void vanish() noexcept {
    __atomic_store_n(&value_, kNothing, __ATOMIC_RELAXED);
    fence<std::memory_order_release>();
  }

  enum class Copy : std::uint8_t { kDone, kNothing, kChanging };

  /// Any thread. Wait-free. Copies these parts of the record at `record`, which begins on a multiple of 8, to the same places below `to`.
  /// This word must be in memory that stays mapped. When it is not kDone, what stands in `to` means nothing. `then(version)` is for what
  /// hangs on the record elsewhere: copy_words() of it, between the same two looks at the version; false: give up.
  template <class Then>
  [[nodiscard]] Copy try_copy(const void* record, void* to, std::span<const Part> parts, Then&& then) const noexcept {
    const std::uint64_t before = load();  // 4
    if (before == kNothing) return Copy::kNothing;
    if (before == kChanging) return Copy::kChanging;
    for (const Part& part : parts) {
      copy_words(static_cast<const std::byte*>(record) + part.from, static_cast<std::byte*>(to) + part.from, part.to - part.from);
    }
    const bool whole = then();
    return whole && load() == before ? Copy::kDone : Copy::kChanging;  // 6
  }
  [[nodiscard]] Copy try_copy(const void* record, void* to, std::span<const Part> parts) const noexcept {
    return try_copy(record, to, parts, [] { return true; });
  }

  /// What ThreadSanitizer does not see: `bytes`, a multiple of 8, from memory that may be changing to memory that is the caller's.
  __attribute__((no_sanitize("thread"), noinline)) static void copy_words(const void* from, void* to, std::size_t bytes) noexcept {
    const auto* source = static_cast<const Word*>(from);
    auto* target = static_cast<Word*>(to);
    for (std::size_t n = 0; n != bytes / sizeof(Word); ++n) target[n] = read_once(source + n);  // 5
    fence<std::memory_order_acquire>();
  }

 private:
  [[nodiscard]] __attribute__((no_sanitize("thread"), noinline)) std::uint64_t load() const noexcept {
    const std::uint64_t value = read_once(&value_);
    fence<std::memory_order_acquire>();
    return value;
  }

  template <std::memory_order Order>
  __attribute__((always_inline)) static void fence() noexcept {
#if defined(__SANITIZE_THREAD__)
    std::atomic_signal_fence(std::memory_order_seq_cst);
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
    std::atomic_signal_fence(std::memory_order_seq_cst);
#else
    std::atomic_thread_fence(Order);
#endif
#else
    std::atomic_thread_fence(Order);
#endif
  }

  std::uint64_t value_ = kNothing;  // not std::atomic: records are copied as bytes, and made anew in place
};
static_assert(std::is_trivially_copyable_v<Version> && sizeof(Version) == 8);

}  // namespace finwait::base

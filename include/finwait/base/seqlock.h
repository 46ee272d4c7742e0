// A value that one thread writes and any thread may copy whole (a sequence lock).
//
// Always true: a copy is a value the writer stored, never parts of two. The writer is wait-free and never sees the readers. try_load is
// wait-free and may fail while the writer writes; load repeats it, so it ends only when the writer pauses for the length of one copy.
//
// No stand-alone fences (ThreadSanitizer does not model them): the order hangs on the value's words, each stored with release and loaded
// with acquire, which costs nothing on x86. (Boehm, "Can seqlocks get along with programming language memory models?", 2012.)
//
//   1 sequence odd, relaxed store
//   2 each word, release store   -> 4: who sees a word of this store sees 1, or later
//   3 sequence even, release     -> 5: who sees it sees every word of this store, or later
//   4 each word, acquire load    -> 2
//   5 sequence, acquire load     -> 3
//   6 sequence again, relaxed; it cannot come before 4. The same even number as in 5: no word came from another store.
//
// Not here: several writers, values that are not trivially copyable or that are large (a copy is word by word).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>

namespace finwait::base {

template <class T>
class Seqlock {
  static_assert(std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T>);
  static_assert(sizeof(T) <= 4096, "copied word by word, between two looks at the sequence");
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

 public:
  /// Holds T{} at first.
  Seqlock() noexcept { store(T{}); }

  /// The writer's thread only. Wait-free.
  void store(const T& value) noexcept {
    Words words{};
    std::memcpy(words.data(), &value, sizeof value);
    const std::uint64_t sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);                                        // 1
    for (std::size_t i = 0; i != kWords; ++i) words_[i].store(words[i], std::memory_order_release);  // 2
    sequence_.store(sequence + 2, std::memory_order_release);                                        // 3
  }

  /// A copy, or nothing when the writer was at work. Any thread. Wait-free.
  [[nodiscard]] std::optional<T> try_load() const noexcept {
    Words words;
    const std::uint64_t sequence = sequence_.load(std::memory_order_acquire);  // 5
    if (sequence % 2 != 0) return std::nullopt;
    for (std::size_t i = 0; i != kWords; ++i) words[i] = words_[i].load(std::memory_order_acquire);  // 4
    if (sequence_.load(std::memory_order_relaxed) != sequence) return std::nullopt;                  // 6
    T value;
    std::memcpy(static_cast<void*>(&value), words.data(), sizeof value);
    return value;
  }

  /// A copy, as soon as one succeeds. Any thread.
  [[nodiscard]] T load() const noexcept {
    for (;;) {
      if (const std::optional<T> value = try_load()) return *value;
    }
  }

 private:
  static constexpr std::size_t kWords = (sizeof(T) + 7) / 8;
  using Words = std::array<std::uint64_t, kWords>;

  std::atomic<std::uint64_t> sequence_{0};
  std::array<std::atomic<std::uint64_t>, kWords> words_{};
};

}  // namespace finwait::base

// A pool of records of one type, named by index.
//
// Always true: the capacity never changes and records never move; an index given out is below capacity(); the index last released is the
// first given out again (its record is warm); records above the high-water mark were never touched, so a large pool costs only what is
// used.
//
// The free list stands beside the records, not inside them: a thread that looks at a record just released finds it as it was left.
// One thread allocates and releases; others may ask only where a record stands, and how many there ever were.
#pragma once

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "finwait/base/apart.h"
#include "finwait/base/counter.h"
#include "finwait/base/memory.h"

namespace finwait::base {

/// No index.
inline constexpr std::uint32_t kNone = 0xffff'ffff;

template <class T>
class Pool {
  static_assert(std::is_trivially_destructible_v<T>, "release runs no destructor");
  static_assert(std::is_nothrow_default_constructible_v<T>, "allocate cannot fail but for want of room");
  static_assert(alignof(T) <= 4096, "records stand on a page boundary, no better");
  /// A fresh one is quicker copied than made: g++ clears some hundred bytes by an instruction that takes longer to begin than that.
  static constexpr bool kCopied = std::is_trivially_copyable_v<T> && sizeof(T) > 128 && sizeof(T) <= 1024;

 public:
  /// Room for `capacity` records (less than kNone). Throws std::bad_alloc, std::invalid_argument.
  explicit Pool(std::uint32_t capacity)
      : records_(std::size_t{checked(capacity)} * sizeof(T)),
        free_(capacity, PageSize::kSmall),
        live_(std::size_t{capacity} / 64 + 1),
        capacity_(capacity) {}

  /// The index of a fresh T of these arguments, or kNone when all are in use. Wait-free.
  template <class... Arguments>
  requires(noexcept(T{std::declval<Arguments>()...})) [[nodiscard]] std::uint32_t allocate(Arguments&&... arguments) noexcept {
    std::uint32_t index = kNone;
    if (free_count_ != 0) {
      index = free_[--free_count_];
    } else if (high_water() != capacity_) {
      index = high_water();
      high_water_.add();
    } else {
      return kNone;
    }
    live_[index / 64] |= bit(index);
    ++in_use_;
    if constexpr (sizeof...(Arguments) == 0 && kCopied) {
      static constexpr T kBlank{};
      copy_words(kBlank, *reinterpret_cast<T*>(at(index)));
    } else {
      ::new (static_cast<void*>(at(index))) T{std::forward<Arguments>(arguments)...};
    }
    return index;
  }

  /// The index that allocate() would give; kNone if none.
  [[nodiscard]] std::uint32_t next() const noexcept {
    return free_count_ != 0 ? free_[free_count_ - 1] : high_water() != capacity_ ? high_water() : kNone;
  }

  /// Gives back a record in use. Wait-free.
  void release(std::uint32_t index) noexcept {
    assert(is_live(index));
    live_[index / 64] &= ~bit(index);
    --in_use_;
    free_[free_count_++] = index;
  }

  /// The same of a record whose place nobody will want: nothing is touched, and only in_use() knows of it. From the first one up to
  /// give_back() nothing is to be allocated or visited.
  void release_for_good() noexcept {
    assert(in_use_ != 0);
    --in_use_;
  }

  /// The record of an index given out and not released.
  [[nodiscard]] T& operator[](std::uint32_t index) noexcept {
    assert(index < high_water());
    return *std::launder(reinterpret_cast<T*>(at(index)));
  }
  [[nodiscard]] const T& operator[](std::uint32_t index) const noexcept {
    assert(index < high_water());
    return *std::launder(reinterpret_cast<const T*>(at(index)));
  }

  /// Fetches the first `lines` cache lines of a record; any index, also kNone.
  void prefetch(std::uint32_t index, unsigned lines = 1) const noexcept { prefetch_lines(at(index), std::size_t{lines} * kCacheLine); }

  [[nodiscard]] bool is_live(std::uint32_t index) const noexcept { return index < high_water() && (live_[index / 64] & bit(index)) != 0; }

  /// The memory of all records, of which none is in use: the pool is as new. Nobody looks on. Three system calls.
  void give_back() noexcept {
    assert(in_use_ == 0);
    records_.give_back();
    free_.give_back();
    live_.give_back();
    free_count_ = 0;
    high_water_.set(0);
  }

  /// Calls f(index) for each record in use, by rising index. f may release the record it is called for, and no other.
  template <class F>
  void for_each(F&& f) {
    for (std::uint32_t word = 0; std::uint64_t{word} * 64 < high_water(); ++word) {
      for (std::uint64_t left = live_[word]; left != 0; left &= left - 1) f(word * 64 + static_cast<std::uint32_t>(std::countr_zero(left)));
    }
  }

  [[nodiscard]] std::uint32_t in_use() const noexcept { return in_use_; }
  [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }

  /// Every index given out so far is below it. Any thread. Wait-free.
  [[nodiscard]] std::uint32_t high_water() const noexcept { return static_cast<std::uint32_t>(high_water_.value()); }
  /// Where record `index` stands, below high_water() or not: for who copies it while it changes. Any thread.
  [[nodiscard]] const std::byte* place(std::uint32_t index) const noexcept { return at(index); }

 private:
  static std::uint32_t checked(std::uint32_t capacity) {
    if (capacity == kNone) throw std::invalid_argument("a pool holds fewer than 2^32 - 1 records");
    return capacity;
  }
  [[nodiscard]] static std::uint64_t bit(std::uint32_t index) noexcept { return std::uint64_t{1} << (index % 64); }
  [[nodiscard]] std::byte* at(std::uint32_t index) const noexcept { return records_.data() + std::size_t{index} * sizeof(T); }

  Pages records_;
  FixedArray<std::uint32_t> free_;  // a stack of released indices: mostly little of it is ever touched
  FixedArray<std::uint64_t> live_;  // one bit a record: in use
  std::uint32_t capacity_;
  std::uint32_t free_count_ = 0;
  Counter high_water_;
  std::uint32_t in_use_ = 0;  // not beside free_count_: taken as one word, it would be read before what was last written of it is there
};

}  // namespace finwait::base

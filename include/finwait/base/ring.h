// A bounded queue of values from one thread to another.
//
// Always true: one thread pushes, one thread pops; values come out in the order they went in, each once. Both sides are wait-free: a full
// ring takes less than was offered, an empty one gives nothing, and nobody waits. Positions count up for ever and are reduced when used, so
// full and empty are never confused. Each side keeps the other's position as it last saw it, and looks again only when that is not enough:
// while neither runs full or empty, the lines they share move once for many values.
//
//   1 tail store, release (push)  -> 3: the popper sees the values below it
//   2 head store, release (pop)   -> 4: the pusher overwrites a place only after its value was read
//   3 tail load, acquire (pop)    -> 1
//   4 head load, acquire (push)   -> 2
//
// Not here: waiting, waking, several pushers or poppers.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <type_traits>

#include "finwait/base/memory.h"

namespace finwait::base {

template <class T>
class Ring {
  static_assert(std::is_trivially_copyable_v<T>, "values are moved as bytes");
  static_assert(alignof(T) <= 4096);

 public:
  /// Room for at least `capacity` values, rounded up to a power of two. Throws std::bad_alloc, std::invalid_argument above 2^32.
  explicit Ring(std::size_t capacity) : values_(rounded(capacity) * sizeof(T)), capacity_(rounded(capacity)) {}
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() = default;

  /// Appends as many of the values as there is room for, from the front, and returns how many. The pushing thread only.
  std::size_t push(std::span<const T> values) noexcept {
    const std::uint64_t tail = pusher_.own.load(std::memory_order_relaxed);
    if (capacity_ - (tail - pusher_.other) < values.size()) pusher_.other = popper_.own.load(std::memory_order_acquire);  // 4
    const std::size_t count = std::min<std::size_t>(values.size(), capacity_ - (tail - pusher_.other));
    const std::size_t straight = std::min(count, capacity_ - place(tail));
    if (straight != 0) std::memcpy(at(place(tail)), values.data(), straight * sizeof(T));
    if (count != straight) std::memcpy(at(0), values.data() + straight, (count - straight) * sizeof(T));
    pusher_.own.store(tail + count, std::memory_order_release);  // 1
    return count;
  }
  /// False when the ring is full.
  [[nodiscard]] bool push(const T& value) noexcept { return push(std::span<const T>(&value, 1)) == 1; }

  /// How many values could be pushed now, at least. The pushing thread only.
  [[nodiscard]] std::size_t room() noexcept {
    pusher_.other = popper_.own.load(std::memory_order_acquire);  // 4
    return capacity_ - (pusher_.own.load(std::memory_order_relaxed) - pusher_.other);
  }

  /// Moves the oldest values to `out`, as many as there are and fit, and returns how many. The popping thread only.
  std::size_t pop(std::span<T> out) noexcept {
    const std::uint64_t head = popper_.own.load(std::memory_order_relaxed);
    if (popper_.other - head < out.size()) popper_.other = pusher_.own.load(std::memory_order_acquire);  // 3
    const std::size_t count = std::min<std::size_t>(out.size(), popper_.other - head);
    const std::size_t straight = std::min(count, capacity_ - place(head));
    if (straight != 0) std::memcpy(out.data(), at(place(head)), straight * sizeof(T));
    if (count != straight) std::memcpy(out.data() + straight, at(0), (count - straight) * sizeof(T));
    popper_.own.store(head + count, std::memory_order_release);  // 2
    return count;
  }
  /// False when the ring is empty; `out` is then untouched.
  [[nodiscard]] bool pop(T& out) noexcept { return pop(std::span<T>(&out, 1)) == 1; }

  /// How many values could be popped now, at least. The popping thread only.
  [[nodiscard]] std::size_t size() noexcept {
    popper_.other = pusher_.own.load(std::memory_order_acquire);  // 3
    return static_cast<std::size_t>(popper_.other - popper_.own.load(std::memory_order_relaxed));
  }

  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  /// One side's position, written by that side only, and what it last saw of the other's. A pair of lines each: processors fetch in pairs.
  struct alignas(2 * kCacheLine) Side {
    std::atomic<std::uint64_t> own{0};
    std::uint64_t other = 0;
  };

  static std::size_t rounded(std::size_t capacity) {
    if (capacity > std::size_t{1} << 32) throw std::invalid_argument("a ring holds at most 2^32 values");
    return std::bit_ceil(std::max<std::size_t>(capacity, 1));
  }
  [[nodiscard]] std::size_t place(std::uint64_t position) const noexcept { return position & (capacity_ - 1); }
  [[nodiscard]] void* at(std::size_t place) const noexcept { return values_.data() + place * sizeof(T); }

  Pages values_;
  std::size_t capacity_;
  Side pusher_;
  Side popper_;
};

}  // namespace finwait::base

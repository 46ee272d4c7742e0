// A number that one thread counts up and any thread may read.
//
// Always true: only one thread writes a given counter, so counting is a load and a store, with no locked instruction. A reader sees a value
// the counter had, and never an earlier one after a later one. It says nothing about any other memory: two counters read together need not
// agree.
#pragma once

#include <atomic>
#include <cstdint>

namespace finwait::base {

class Counter {
 public:
  /// The writer's thread only. Wait-free.
  void add(std::uint64_t n = 1) noexcept { set(value() + n); }
  void subtract(std::uint64_t n = 1) noexcept { set(value() - n); }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }  // 1: read by 2

  /// Any thread. Wait-free.
  [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }  // 2: reads 1

 private:
  std::atomic<std::uint64_t> value_{0};
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
};

}  // namespace finwait::base

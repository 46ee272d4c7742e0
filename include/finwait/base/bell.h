// How a thread that has nothing to do sleeps until something may have changed.
//
// Whoever changes something rings; whoever waits looks at the bell first, then at what it waits for, and then waits on what it saw of the
// bell. So no change is missed: one that came after the look has rung since, and the wait ends at once. A bell says only that something
// may have changed; what it was stands in the waiter's own condition. Any number of ringers and waiters.
//
//   1 count increment, release (ring)  -> 2, 3: the ringer's writes before it are seen
//   2 count load, acquire (look)       -> 1
//   3 count load, acquire (wait)       -> 1
//
// look() and ring() are lock-free; ring() makes a system call only if somebody sleeps. wait() spins for a moment, then sleeps in the
// kernel (sleepers.h).
#pragma once

#include <atomic>
#include <cstdint>

#include "finwait/base/sleepers.h"

namespace finwait::base {

class Bell {
 public:
  [[nodiscard]] std::uint32_t look() const noexcept { return count_.load(std::memory_order_acquire); }  // 2

  void ring() noexcept {
    count_.fetch_add(1, std::memory_order_release);  // 1
    sleepers_.wake(count_);
  }

  /// Returns when the bell has rung since look() gave `seen`; 2^32 rings in between are missed.
  void wait(std::uint32_t seen) const noexcept {
    for (int spin = 0; spin != kSpins; ++spin) {
      if (count_.load(std::memory_order_acquire) != seen) return;  // 3
      __builtin_ia32_pause();
    }
    sleepers_.sleep(count_, seen);  // 3
  }

 private:
  static constexpr int kSpins = 20;  // less than a microsecond: there may be more threads than processors
  std::atomic<std::uint32_t> count_{0};
  mutable Sleepers sleepers_;
};

}  // namespace finwait::base

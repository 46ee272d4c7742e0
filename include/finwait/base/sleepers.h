// Threads that sleep in the kernel until a word is no longer what they saw: std::atomic's wait() and notify_all(), without what these cost
// where many threads wake each other thousands of times a second.
//
// GCC 12's count who sleeps in one of sixteen places that all atomics of the program share, so that they call the kernel in vain, and call
// it as if another process might sleep there, which makes it look for the page.
//
// A word that is changed before wake() and not what a sleeper saw lets nobody sleep on:
//
//   1 count addition, release (wake)   -> 2: who begins to sleep later finds the word changed
//   2 count addition, acquire (sleep)  -> 1
//
// Both are read-modify-writes of one variable, so one of them comes first: either wake() sees the sleeper, or the sleeper sees what came
// before wake(), and the kernel, which looks at the word again before it lets anybody sleep, sees it too. wake() is wait-free, and makes a
// system call only if somebody sleeps or is about to. Linux only.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>

namespace finwait::base {

class Sleepers {
 public:
  /// Returns when `word` is not `seen`, which it must not become again, and acquires what it is then. Lets others have the processor first:
  /// where there are more threads than processors, what it waits for may need this one.
  void sleep(const std::atomic<std::uint32_t>& word, std::uint32_t seen) noexcept {
    for (int n = 0; n != kYields; ++n) {
      std::this_thread::yield();
      if (word.load(std::memory_order_acquire) != seen) return;
    }
    count_.fetch_add(1, std::memory_order_acquire);  // 2
    while (word.load(std::memory_order_acquire) == seen) call(word, FUTEX_WAIT_PRIVATE, seen);
    count_.fetch_sub(1, std::memory_order_relaxed);
  }
  /// Wakes all that sleep. The word has been changed.
  void wake(const std::atomic<std::uint32_t>& word) noexcept {
    if (count_.fetch_add(0, std::memory_order_release) == 0) return;  // 1
    call(word, FUTEX_WAKE_PRIVATE, std::numeric_limits<std::int32_t>::max());
  }

 private:
  static constexpr int kYields = 4;
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free && sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

  /// What it returns does not matter: whoever sleeps looks again, and nobody may be there to be woken.
  static void call(const std::atomic<std::uint32_t>& word, int what, std::uint32_t value) noexcept {
    (void)::syscall(SYS_futex, &word, what, value, nullptr, nullptr, 0);
  }

  std::atomic<std::uint32_t> count_{0};
};

}  // namespace finwait::base

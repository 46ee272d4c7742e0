// For the model checker, which has no kernel: sleeping and waking are its own.
#pragma once

#include <atomic>
#include <cstdint>

namespace finwait::base {

class Sleepers {
 public:
  void sleep(const std::atomic<std::uint32_t>& word, std::uint32_t seen) noexcept { word.wait(seen, std::memory_order_acquire); }
  void wake(std::atomic<std::uint32_t>& word) noexcept { word.notify_all(); }
};

}  // namespace finwait::base

#include "finwait/capture/stop.h"

#include <atomic>

namespace finwait::capture {
namespace {

// A plain flag: nothing else is published with it, so relaxed order suffices. Lock-free, or a signal handler could not touch it.
std::atomic<bool> g_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free);

}  // namespace

void request_stop() noexcept { g_stop.store(true, std::memory_order_relaxed); }

bool stop_requested() noexcept { return g_stop.load(std::memory_order_relaxed); }

void withdraw_stop() noexcept { g_stop.store(false, std::memory_order_relaxed); }

}  // namespace finwait::capture

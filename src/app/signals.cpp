#include "signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "finwait/capture/stop.h"

namespace finwait::app {
namespace {

volatile std::sig_atomic_t g_stop = 0;
volatile std::sig_atomic_t g_counters = 0;
volatile std::sig_atomic_t g_reopen = 0;

std::atomic<void (*)()> g_restore{nullptr};
static_assert(std::atomic<void (*)()>::is_always_lock_free);

void restore() {
  if (void (*function)() = g_restore.load()) function();
}

extern "C" void on_stop(int signal) {
  if (g_stop != 0) {  // the second one: at once
    restore();
    _exit(128 + signal);
  }
  g_stop = 1;
  capture::request_stop();  // ends a wait for input as well
}
/// The handler is gone by then (SA_RESETHAND): the signal does what it would have done without it.
extern "C" void on_fault(int signal) {
  restore();
  raise(signal);
}
extern "C" void on_counters(int) { g_counters = 1; }
extern "C" void on_hangup(int) { g_reopen = 1; }

/// Cleared only when it was seen: a signal that comes between the look and the clearing is then one with that which is being taken, and
/// none is lost.
bool take(volatile std::sig_atomic_t& flag) noexcept {
  if (flag == 0) return false;
  flag = 0;
  return true;
}

}  // namespace

void before_sudden_end(void (*restore)()) {
  g_restore.store(restore);
  struct sigaction action {};
  action.sa_handler = on_fault;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT}) sigaction(signal, &action, nullptr);
}

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_stop;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = on_counters;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, nullptr);
  action.sa_handler = SIG_IGN;
  action.sa_flags = 0;
  sigaction(SIGPIPE, &action, nullptr);
}

void catch_hangup() {
  struct sigaction action {};
  action.sa_handler = on_hangup;
  action.sa_flags = SA_RESTART;
  sigaction(SIGHUP, &action, nullptr);
}

bool stop_requested() noexcept { return g_stop != 0; }

bool take_reopen_request() noexcept { return take(g_reopen); }

bool take_counters_request() noexcept { return take(g_counters); }

}  // namespace finwait::app

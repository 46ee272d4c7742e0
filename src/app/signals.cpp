#include "signals.h"

#include <unistd.h>

#include <csignal>

#include "finwait/capture/stop.h"

namespace finwait::app {
namespace {

volatile std::sig_atomic_t g_stop = 0;
volatile std::sig_atomic_t g_counters = 0;
volatile std::sig_atomic_t g_reopen = 0;

extern "C" void on_stop(int signal) {
  if (g_stop != 0) _exit(128 + signal);  // the second one: at once
  g_stop = 1;
  capture::request_stop();  // ends a wait for input as well
}
extern "C" void on_counters(int) { g_counters = 1; }
extern "C" void on_hangup(int) { g_reopen = 1; }

}  // namespace

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

bool take_reopen_request() noexcept {
  const bool asked = g_reopen != 0;
  g_reopen = 0;
  return asked;
}

bool take_counters_request() noexcept {
  const bool asked = g_counters != 0;
  g_counters = 0;
  return asked;
}

}  // namespace finwait::app

// Signals as flags: SIGINT and SIGTERM ask to stop (a second one ends the program at once), SIGUSR1 asks for the counters.
#pragma once

namespace finwait::app {

/// Installs the handlers, and makes a closed pipe an error of write(2) instead of a death.
void catch_signals();

[[nodiscard]] bool stop_requested() noexcept;
/// Whether the counters were asked for since the last call.
[[nodiscard]] bool take_counters_request() noexcept;

}  // namespace finwait::app

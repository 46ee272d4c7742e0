// Signals as flags: SIGINT and SIGTERM ask to stop (a second one ends the program at once), SIGUSR1 asks for the counters, SIGHUP, where it
// is caught, for new files.
#pragma once

namespace finwait::app {

/// `restore` is called before the process dies by a second stop, or by a fault of its own: for a terminal that must be left as it was.
/// Async-signal-safe; call once.
void before_sudden_end(void (*restore)());

/// Installs the handlers, and makes a closed pipe an error of write(2) instead of a death.
void catch_signals();

/// From now on SIGHUP asks for new files instead of ending the program: for input that has no end of its own.
void catch_hangup();

[[nodiscard]] bool stop_requested() noexcept;
/// Whether the counters were asked for since the last call.
[[nodiscard]] bool take_counters_request() noexcept;
/// Whether new files were asked for since the last call.
[[nodiscard]] bool take_reopen_request() noexcept;

}  // namespace finwait::app

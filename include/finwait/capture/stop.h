// Asking every input of the process to end early, as a person does with Ctrl-C.
//
// One flag for the process: whoever waits for bytes of a pipe looks at it, and takes the input as ended there. What a stop cuts off is no
// damage. Nothing here installs a signal handler.
#pragma once

namespace finwait::capture {

/// All inputs end at their next look, within a quarter of a second. Async-signal-safe; any thread.
void request_stop() noexcept;

/// Whether a stop was asked for. Any thread; costs a load.
[[nodiscard]] bool stop_requested() noexcept;

/// Takes the request back, so that a process can read on. Any thread.
void withdraw_stop() noexcept;

}  // namespace finwait::capture

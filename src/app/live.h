// One live run: interfaces opened, captured until a signal, a limit or the loss of them ends it.
#pragma once

#include "options.h"

namespace finwait::app {

/// Returns the exit status. Throws capture::CaptureError, report::OutputError.
[[nodiscard]] int analyse_live(const Options& options);

}  // namespace finwait::app

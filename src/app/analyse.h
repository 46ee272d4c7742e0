// One run: the options made into a source, a pipeline and sinks, and what came of it into an exit status.
#pragma once

#include "options.h"

namespace finwait::app {

/// Returns the exit status. Throws capture::CaptureError, report::OutputError, UsageError.
[[nodiscard]] int analyse(Options& options);

}  // namespace finwait::app

// --stats: packets, bytes, seconds, speed, and where every frame went.
#pragma once

#include <string>

#include "finwait/report/totals.h"

namespace finwait::report {

/// Some lines for a person, the last one ended.
[[nodiscard]] std::string stats_text(const Totals& totals);

}  // namespace finwait::report

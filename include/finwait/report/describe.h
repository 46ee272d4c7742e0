// --describe: what an opening, an ending or an anomaly means, its usual causes, what to do next.
#pragma once

#include <string>
#include <string_view>

namespace finwait::report {

/// For a person, lines of at most 80 columns; empty if nothing is called so. A name that is several things ("half-open") gives each.
[[nodiscard]] std::string describe(std::string_view kind);

}  // namespace finwait::report

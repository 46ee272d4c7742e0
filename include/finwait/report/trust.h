// Whether the capture is good enough to believe what is found in it.
//
// What a capture does to the truth is told in the order of how much it spoils: damage, loss, connections of which one end was never
// captured, drops, frames cut within their headers, stamps that go back, copies. Each has a share of all from where on findings must be
// doubted; below it, it is told and harms little.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "finwait/report/totals.h"

namespace finwait::report {

/// From where on findings are doubted: one in a hundred, and one in five of exact copies, which are recognised.
inline constexpr double kDoubtfulShare = 0.01;
inline constexpr double kDoubtfulCopies = 0.2;

/// A reason to doubt, and how much of the whole it touches (1 where it cannot be said).
struct Doubt {
  std::string_view name;  ///< "damage", "loss", "one-direction", "drops", "snap-length", "time", "duplicates"
  double share = 0.0;
};

/// Why findings must be doubted, the worst first; empty if they can be believed.
[[nodiscard]] std::vector<Doubt> doubts(const Totals& totals);

}  // namespace finwait::report

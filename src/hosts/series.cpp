#include "finwait/hosts/series.h"

namespace finwait::hosts {

/// Changes that come too late for the window still count for what follows.
void PeakWindow::add(base::Timestamp time, std::int32_t by) noexcept {
  constexpr auto kSize = static_cast<std::int64_t>(kBins);
  const std::int64_t bin = time >> kShift;
  if (!any) {
    any = true;
    high = bin;
  }
  const std::int64_t steps = std::min(bin - high, kSize);
  for (std::int64_t n = 1; n <= steps; ++n) leave_behind(high - kSize + n);
  high = std::max(high, bin);
  if (bin <= high - kSize) {
    level += by;
  } else {
    change[place(bin)] += by;
  }
}

void PeakWindow::leave_behind(std::int64_t bin) noexcept {
  level += change[place(bin)];
  change[place(bin)] = 0;
  peak = std::max(peak, level);
}

std::int64_t PeakWindow::greatest() const noexcept {
  PeakWindow rest = *this;
  for (std::size_t n = kBins; any && n-- != 0;) rest.leave_behind(high - static_cast<std::int64_t>(n));
  return rest.peak;
}

}  // namespace finwait::hosts

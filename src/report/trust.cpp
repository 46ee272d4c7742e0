#include "finwait/report/trust.h"

#include <algorithm>

namespace finwait::report {

std::vector<Doubt> doubts(const Totals& totals) {
  std::vector<Doubt> found;
  const auto of = [](std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  const auto doubt = [&](std::string_view name, double share, double limit = kDoubtfulShare) {
    if (share >= limit) found.push_back({name, share});
  };
  const FrameCounts& f = totals.frames;
  const std::uint64_t dropped = f.dropped_by_kernel + f.dropped_by_interface;
  doubt("damage", totals.capture.damage.empty() ? 0.0 : 1.0);
  doubt("loss", std::max(totals.loss_estimate(), totals.packet_loss_estimate()));
  doubt("one-direction", of(totals.counts.one_direction, totals.counts.connections));
  doubt("drops", of(dropped, f.read + dropped));
  doubt("snap-length", of(f.of(wire::Fate::kTruncated), f.read));
  doubt("time", of(totals.capture.time_went_back + totals.capture.time_disbelieved, f.read));
  doubt("duplicates", of(totals.counts.duplicates, totals.counts.packets), kDoubtfulCopies);
  return found;
}

}  // namespace finwait::report

#include "finwait/engine/unit.h"

namespace finwait::engine {

void Unit::clear() noexcept {
  piece.reset();
  failure = nullptr;
  frames = segment_count = replayed = 0;
  bytes = cut_short = selected = 0;
  first = last = 0;
  fates.fill(0);
  stamps.clear();
  clock = TraceClock{};
  for (auto& part : parts) part.clear();
  held.clear();
  held_bytes.clear();
  if (!filtered_types.in_order().empty()) filtered_types = capture::LinkTypes{};
  end = limited = false;
  share = -1.0;
  passed = now = 0;
  losses.clear();
  news.clear();
  stats = {};
  frames_before = bytes_before = 0;
  clock_after = 0;
}

}  // namespace finwait::engine

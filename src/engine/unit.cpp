#include "finwait/engine/unit.h"

namespace finwait::engine {

void Unit::clear() noexcept {
  piece.reset();
  failure = nullptr;
  frames = replayed = 0;
  bytes = cut_short = 0;
  first = last = 0;
  fates.fill(0);
  clock = TraceClock{};
  cargo->clear();
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

// When a connection that is over is given: its place in the order of the output.
//
// Time goes by ticks of the trace clock. With the first segment of a tick whatever was over before the tick is given, by time of release,
// then by id. Who has to make room in the midst of a tick, or is given early for it, is given at once, by frame. So the order follows from
// the segments alone: it depends neither on batches, nor on when the timer wheel turns, nor on how many trackers share the flows. Where
// nobody has to make room, it is that of time of release and id.
#pragma once

#include <cstdint>
#include <tuple>

#include "finwait/base/time.h"

namespace finwait::tcp {

struct Turn {
  std::int64_t tick = 0;    ///< number of the tick in which it is given
  std::uint64_t frame = 0;  ///< 0: as the tick begins; otherwise when this frame needed room
  base::Timestamp at = 0;   ///< of its release; kNever: remembered to the end of input
  std::uint64_t id = 0;

  /// Those given for one frame come out in the order in which their tracker gives them.
  [[nodiscard]] bool operator<(const Turn& other) const noexcept {
    if (tick != other.tick) return tick < other.tick;
    if (frame != 0 || other.frame != 0) return frame < other.frame;
    return std::tie(at, id) < std::tie(other.at, other.id);
  }
};

}  // namespace finwait::tcp

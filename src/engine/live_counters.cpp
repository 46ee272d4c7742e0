#include "finwait/engine/live_counters.h"

#include <algorithm>
#include <numeric>

namespace finwait::engine {

LiveCounters counters_at(const LiveMoment& at) {
  LiveCounters c;
  c.received = std::max(at.stats.received, at.frames.read + at.stats.dropped_by_kernel);  // the kernel is asked only now and then
  c.analysed = at.frames.read;
  c.bytes = at.bytes;
  c.dropped_by_kernel = at.stats.dropped_by_kernel;
  c.dropped_by_interface = at.stats.dropped_by_interface;
  c.freezes = at.stats.freezes;
  c.fates = at.frames.fates;
  c.clock = at.clock;
  c.now = at.now;
  c.created = at.tracker.created;
  c.opened = at.tracker.opened;
  c.ended = at.tracker.ended;
  c.failed = at.tracker.failed;
  c.entered = at.tracker.entered;
  c.segments = at.tracker.segments;
  c.strays = at.tracker.strays;
  c.evicted = std::accumulate(at.tracker.evicted.begin(), at.tracker.evicted.end(), std::uint64_t{0});
  c.table_full = at.tracker.table_full;
  c.remembered = at.remembered;
  c.most = at.most;
  c.ends = at.tracker.ends;
  c.reported = at.connections.connections;
  c.passed_over = at.connections.passed_over;
  c.openings = at.connections.openings;
  c.endings = at.connections.endings;
  c.anomalies = at.connections.anomalies;
  return c;
}

}  // namespace finwait::engine

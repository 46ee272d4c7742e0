// Whether a segment speaks of its sender's present: copies, stale segments, segments held up in the network (lifecycle, section 9, rules 2
// and 3).
#pragma once

#include "observation.h"

namespace finwait::tcp {

/// Sets copy, stale and sent_at, and remembers what the next segments must be compared with.
void judge_freshness(Observation& o) noexcept;

}  // namespace finwait::tcp

// An ordinary life at its end, told without the full record.
//
// Most lives that are over have one of seven shapes: a SYN that nobody answered, or that was refused, a SYN-ACK that nobody answered, or
// that was, open, closed by both ends, cut by a RST. For these it is known beforehand what classify() and detect_at_end() would say of the
// full record. Of any other shape, and where a threshold is so low that every connection is over it, nothing is said here. Always true:
// what is said is the same (tests/tcp/compact_brief_test.cpp).
#pragma once

#include <optional>

#include "attempt.h"
#include "compact.h"
#include "finwait/tcp/anomaly.h"
#include "finwait/tcp/brief.h"
#include "finwait/tcp/tracker.h"
#include "finwait/tcp/unopened.h"

namespace finwait::tcp {

/// What there is to say of a released life. `judged_at`: how far the trace clock has come, or its release; `dropped`: the capture says
/// that it lost frames meanwhile. True: `brief` and `found`, its one finding if it has any, are written. False: the full record is needed.
[[nodiscard]] bool tell_briefly(const Compact& c, const Timers& timers, base::Timestamp judged_at, bool dropped, Brief& brief,
                                std::optional<Anomaly>& found) noexcept;
/// Whether anything may be told so with these thresholds. If so, each attempt may: it has no finding.
[[nodiscard]] bool may_tell_briefly(const Timers& timers) noexcept;
/// What there is to say of an attempt that was released at that time.
void tell(const Attempt& a, const AttemptRest& rest, base::Timestamp released_at, Unopened& told) noexcept;
/// Whether a released life is an attempt that was answered, and no more; if so, what there is to say of it where no frames were lost
/// meanwhile. `judged_at`: as for tell_briefly().
[[nodiscard]] bool is_half_open(const Compact& c) noexcept;
void tell_half_open(const Compact& c, base::Timestamp judged_at, Unopened& told) noexcept;

}  // namespace finwait::tcp

// Whether a segment speaks of its sender's present: copies, stale segments, segments held up in the network (lifecycle, section 9, rules 2
// and 3).
#pragma once

#include "observation.h"

namespace finwait::tcp {

/// Sets copy, stale and sent_at, and remembers what the next segments must be compared with.
void judge_freshness(Observation& o) noexcept;

// Its parts, for the short cut of ordinary.cpp.
/// 32 bits that two different segments of an end hardly ever have in common; never 0.
[[nodiscard]] std::uint32_t fingerprint(const wire::Segment& s) noexcept;
/// One of the end's last segments had this fingerprint.
[[nodiscard]] bool was_seen(const Endpoint& x, std::uint32_t print) noexcept;
void remember_print(Endpoint& x, std::uint32_t print) noexcept;
/// Neither timestamp nor IP ID say that the end has sent later segments already.
[[nodiscard]] bool is_newest(const Endpoint& x, const wire::Segment& s) noexcept;
void remember_newest(Endpoint& x, const wire::Segment& s) noexcept;
/// When the segment passed on its normal way: one held up in the network is older than its capture time says. Learns the sender's clock.
[[nodiscard]] base::Timestamp time_of_sending(Endpoint& x, const wire::Segment& s) noexcept;

}  // namespace finwait::tcp

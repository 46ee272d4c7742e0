// Copies by fingerprint, age by timestamp and IP ID, delay by the sender's own clock.
#include "freshness.h"

#include <cstddef>

namespace finwait::tcp {

using wire::seq_diff;

namespace {

bool is_copy(Connection& c, const wire::Segment& s) noexcept {
  const std::uint32_t print = fingerprint(s);
  const bool found = was_seen(c, print);
  remember_print(c, print);
  return found && (s.ip_id != 0 || s.has(wire::present::kTimestamps));
}

/// New data just at SND.NXT cannot be old: an IP ID that says so does not count upwards.
void doubt_ip_id(Endpoint& x, const wire::Segment& s, bool id_older) noexcept {
  if (id_older && s.payload_length != 0 && x.knows(known::kNext) && s.seq == x.snd_nxt) x.learn(known::kIpIdErratic);
}

bool is_stale(Endpoint& x, const wire::Segment& s) noexcept {
  const bool stamped = s.has(wire::present::kTimestamps);
  const bool stamp_known = x.knows(known::kTimestamp);
  if (stamped && stamp_known && seq_diff(s.ts_val, x.newest_ts_val) < 0) return true;
  if (s.ip_id != 0 && x.knows(known::kIpId)) {
    const bool id_older = is_older_id(x, s);
    doubt_ip_id(x, s, id_older);
    const bool stamp_silent = !stamped || (stamp_known && s.ts_val == x.newest_ts_val);
    if (id_older && stamp_silent && !x.knows(known::kIpIdErratic)) return true;
  }
  remember_newest(x, x, s);
  return false;
}

}  // namespace

base::Timestamp time_of_sending(Endpoint& x, const wire::Segment& s) noexcept {
  if (!s.has(wire::present::kTimestamps)) return s.time;
  if (!x.knows(known::kClockFirst)) {
    x.learn(known::kClockFirst);
    x.clock_first_time = x.clock_base_time = s.time;
    x.clock_first_val = x.clock_base_val = s.ts_val;
    return s.time;
  }
  return time_by_clock(x, s, [&x] { return ClockFirst{x.clock_first_time, x.clock_first_val}; });
}

void judge_freshness(Observation& o) noexcept {
  o.copy = is_copy(o.c, o.segment);
  if (!o.segment.rst()) o.stale = is_stale(o.sender, o.segment);
  o.sent_at = time_of_sending(o.sender, o.segment);
}

}  // namespace finwait::tcp

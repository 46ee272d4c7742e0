// Copies by fingerprint, age by timestamp and IP ID, delay by the sender's own clock.
#include "freshness.h"

#include <cstddef>

namespace finwait::tcp {

using wire::seq_diff;

/// 32 bits that differ for two segments that differ in any of what a copy has in common. Folding three products is enough to tell the last
/// eight segments of one end apart: a chance agreement is one in five hundred million.
std::uint32_t fingerprint(const wire::Segment& s) noexcept {
  constexpr std::uint64_t kA = 0x9e37'79b9'7f4a'7c15;
  constexpr std::uint64_t kB = 0xc2b2'ae3d'27d4'eb4f;
  const std::uint64_t numbers = static_cast<std::uint64_t>(s.seq) << 32 | s.ack;
  const std::uint64_t stamps = static_cast<std::uint64_t>(s.ts_val) << 32 | s.ts_ecr;
  const std::uint64_t rest = static_cast<std::uint64_t>(s.payload_length) << 44 ^ static_cast<std::uint64_t>(s.ip_id) << 28 ^
                             static_cast<std::uint64_t>(s.flags) << 16 ^ s.window;
  std::uint64_t mixed = (numbers ^ kB) * kA;
  mixed = (mixed ^ mixed >> 29 ^ stamps) * kB;
  mixed = (mixed ^ mixed >> 31 ^ rest) * kA;
  return static_cast<std::uint32_t>(mixed >> 32) | 1U;  // 0 is an empty place
}

namespace {

bool is_copy(Endpoint& x, const wire::Segment& s) noexcept {
  const std::uint32_t print = fingerprint(s);
  const bool found = was_seen(x, print);
  remember_print(x, print);
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
  remember_newest(x, s);
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
  o.copy = is_copy(o.sender, o.segment);
  if (!o.segment.rst()) o.stale = is_stale(o.sender, o.segment);
  o.sent_at = time_of_sending(o.sender, o.segment);
}

}  // namespace finwait::tcp

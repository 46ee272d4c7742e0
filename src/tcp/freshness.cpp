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

bool was_seen(const Endpoint& x, std::uint32_t print) noexcept {
  bool found = false;
  for (const std::uint32_t known_print : x.prints) found |= known_print == print;
  return found;
}

void remember_print(Endpoint& x, std::uint32_t print) noexcept {
  x.prints[x.next_print] = print;
  x.next_print = static_cast<std::uint8_t>((x.next_print + 1) % x.prints.size());
}

namespace {
bool is_older_id(const Endpoint& x, const wire::Segment& s) noexcept {
  return static_cast<std::uint16_t>(s.ip_id - x.newest_ip_id) > 0x8000;
}
}  // namespace

bool is_newest(const Endpoint& x, const wire::Segment& s) noexcept {
  const bool stamp_older = s.has(wire::present::kTimestamps) && x.knows(known::kTimestamp) && seq_diff(s.ts_val, x.newest_ts_val) < 0;
  const bool dated = s.ip_id != 0 && x.knows(known::kIpId) && !x.knows(known::kIpIdErratic);
  return !stamp_older && !(dated && is_older_id(x, s));
}

void remember_newest(Endpoint& x, const wire::Segment& s) noexcept {
  if (s.has(wire::present::kTimestamps)) {
    x.newest_ts_val = s.ts_val;
    x.learn(known::kTimestamp);
  }
  if (s.ip_id != 0) {
    x.newest_ip_id = s.ip_id;
    x.learn(known::kIpId);
  }
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

/// Is the sender's timestamp clock 1 kHz, as far as its segments show? Less than 20 ms shows nothing against it; beyond, the ticks must be
/// the milliseconds to within a twentieth and the jitter of the link.
bool clock_is_1khz(const Endpoint& x, const wire::Segment& s) noexcept {
  const base::Duration span = base::elapsed(x.clock_first_time, s.time);
  const base::Duration ticks = static_cast<base::Duration>(seq_diff(s.ts_val, x.clock_first_val)) * base::kMillisecond;
  const base::Duration error = span > ticks ? span - ticks : ticks - span;
  return error <= 500 * base::kMillisecond && error <= span / 20 + 50 * base::kMillisecond;
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
  const base::Duration ticks = static_cast<base::Duration>(seq_diff(s.ts_val, x.clock_base_val)) * base::kMillisecond;
  const base::Duration behind = base::elapsed(base::after(x.clock_base_time, ticks), s.time);
  if (behind < 0) {
    x.clock_base_time = s.time;
    x.clock_base_val = s.ts_val;
    return s.time;
  }
  if (behind <= 2 * base::kMillisecond || behind >= 500 * base::kMillisecond || !clock_is_1khz(x, s)) return s.time;
  return s.time - behind + base::kMillisecond;
}

void judge_freshness(Observation& o) noexcept {
  o.copy = is_copy(o.sender, o.segment);
  if (!o.segment.rst()) o.stale = is_stale(o.sender, o.segment);
  o.sent_at = time_of_sending(o.sender, o.segment);
}

}  // namespace finwait::tcp

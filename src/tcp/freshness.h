// Whether a segment speaks of its sender's present: copies, stale segments, segments held up in the network (lifecycle, section 9, rules 2
// and 3).
#pragma once

#include "compact.h"
#include "observation.h"

namespace finwait::tcp {

/// Sets copy, stale and sent_at, and remembers what the next segments must be compared with.
void judge_freshness(Observation& o) noexcept;

// Its parts, for the short cuts. `End`: Endpoint or CompactEnd.

/// 32 bits that two different segments of an end hardly ever have in common; never 0.
[[nodiscard]] std::uint32_t fingerprint(const wire::Segment& s) noexcept;

/// One of the end's last segments had this fingerprint.
template <class End>
[[nodiscard]] bool was_seen(const End& x, std::uint32_t print) noexcept {
  bool found = false;
  for (const std::uint32_t known_print : x.prints) found |= known_print == print;
  return found;
}

template <class End>
void remember_print(End& x, std::uint32_t print) noexcept {
  x.prints[x.next_print] = print;
  x.next_print = static_cast<std::uint8_t>((x.next_print + 1) % x.prints.size());
}

template <class End>
[[nodiscard]] bool is_older_id(const End& x, const wire::Segment& s) noexcept {
  return static_cast<std::uint16_t>(s.ip_id - x.newest_ip_id) > 0x8000;
}

/// Neither timestamp nor IP ID say that the end has sent later segments already.
template <class End>
[[nodiscard]] bool is_newest(const End& x, const wire::Segment& s) noexcept {
  const bool stamp_older = s.has(wire::present::kTimestamps) && x.knows(known::kTimestamp) && wire::seq_diff(s.ts_val, x.newest_ts_val) < 0;
  const bool dated = s.ip_id != 0 && x.knows(known::kIpId) && !x.knows(known::kIpIdErratic);
  return !stamp_older && !(dated && is_older_id(x, s));
}

template <class End>
void remember_newest(End& x, const wire::Segment& s) noexcept {
  if (s.has(wire::present::kTimestamps)) {
    x.newest_ts_val = s.ts_val;
    x.learn(known::kTimestamp);
  }
  if (s.ip_id != 0) {
    x.newest_ip_id = s.ip_id;
    x.learn(known::kIpId);
  }
}

/// A sender's timestamp clock when first seen.
struct ClockFirst {
  base::Timestamp time;
  std::uint32_t val;

  /// Does it tick at 1 kHz, as far as the sender's segments show? Less than 20 ms shows nothing against it; beyond, the ticks must be the
  /// milliseconds to within a twentieth and the jitter of the link.
  [[nodiscard]] bool is_1khz(const wire::Segment& s) const noexcept {
    const base::Duration span = base::elapsed(time, s.time);
    const base::Duration ticks = static_cast<base::Duration>(wire::seq_diff(s.ts_val, val)) * base::kMillisecond;
    const base::Duration error = span > ticks ? span - ticks : ticks - span;
    return error <= 500 * base::kMillisecond && error <= span / 20 + 50 * base::kMillisecond;
  }
};

/// When the segment passed on its normal way: one held up in the network is older than its capture time says. Its sender's clock is known;
/// `first()` gives the ClockFirst of it. Learns that clock.
template <class End, class First>
[[nodiscard]] base::Timestamp time_by_clock(End& x, const wire::Segment& s, First&& first) noexcept {
  const base::Duration ticks = static_cast<base::Duration>(wire::seq_diff(s.ts_val, x.clock_base_val)) * base::kMillisecond;
  const base::Duration behind = base::elapsed(base::after(x.clock_base_time, ticks), s.time);
  if (behind < 0) {
    x.clock_base_time = s.time;
    x.clock_base_val = s.ts_val;
    return s.time;
  }
  if (behind <= 2 * base::kMillisecond || behind >= 500 * base::kMillisecond || !first().is_1khz(s)) return s.time;
  return s.time - behind + base::kMillisecond;
}

/// The same of any segment of an Endpoint.
[[nodiscard]] base::Timestamp time_of_sending(Endpoint& x, const wire::Segment& s) noexcept;

}  // namespace finwait::tcp

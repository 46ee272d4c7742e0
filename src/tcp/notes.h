// What any segment says, whatever it does: noted in the same way by the machine and by its short cuts.
//
// `Life`: Connection or Compact; `End`: Endpoint or CompactEnd.
#pragma once

#include <algorithm>

#include "observation.h"

namespace finwait::tcp {

/// The bits of Wireshark's tcp.completeness: 1 SYN, 2 SYN-ACK, 4 ACK, 8 data, 16 FIN, 32 RST.
[[nodiscard]] inline std::uint8_t completeness_bits(const wire::Segment& s) noexcept {
  const unsigned opening = s.syn() ? (s.acks() ? 2 : 1) : s.acks() && s.payload_length == 0 ? 4 : 0;
  const unsigned data = s.payload_length != 0 ? 8 : 0;
  const unsigned fin = s.fin() && s.acks() ? 16 : 0;
  return static_cast<std::uint8_t>(opening | data | fin | (s.rst() ? 32U : 0U));
}

/// What every frame says of the connection as a whole.
template <class Life>
inline void note_frame(Life& c, const wire::Segment& s) noexcept {
  c.end = std::max(c.end, s.time);
  c.last_clock = clock_of(s);
  c.last_frame = s.frame;
  c.completeness |= c.completeness_pending;
  const bool first = s.frame == c.id;
  if (!first || (s.syn() && !s.acks())) c.completeness_pending |= completeness_bits(s);
}

/// SND.NXT is now behind the segment.
template <class End>
void advance_next(End& x, const wire::Segment& s) noexcept {
  x.snd_nxt = s.end();
  x.learn(known::kNext);
  if (x.knows(known::kIss) && x.snd_nxt - x.iss > (1U << 30)) x.learn(known::kIssFar);
}

/// What was sent to `y` is timed, if nothing else is.
template <class End>
void time_sent(End& y, const wire::Segment& s) noexcept {
  if (y.knows(known::kTimed)) return;
  y.timed_end = s.end();
  y.timed_at = s.time;
  y.learn(known::kTimed);
}

/// The answer to the segment that is being timed. What takes longer than kLongest is no round trip.
template <class End>
void measure_rtt(End& x, const wire::Segment& s, bool copy) noexcept {
  if (!x.knows(known::kTimed) || wire::seq_diff(s.ack, x.timed_end) < 0) return;
  const base::Duration took = base::elapsed(x.timed_at, s.time);
  constexpr base::Duration kLongest = 600 * base::kSecond;
  if (!copy && took >= 0 && took <= kLongest) {
    x.least_rtt = x.knows(known::kRtt) ? std::min(x.least_rtt, took) : took;
    x.learn(known::kRtt);
  }
  x.forget(known::kTimed);
}

/// Kept with a segment without ACK, where its field means nothing: a number that no RST in reply carries.
inline constexpr std::uint32_t kUnlikelyAck = 0x9e37'79b9;

}  // namespace finwait::tcp

// What any segment says, whatever it does: noted in the same way by the machine and by its short cuts.
//
// `Life`: Connection or Compact; `End`: Endpoint or CompactEnd.
#pragma once

#include <algorithm>

#include "compact.h"
#include "finwait/tcp/brief.h"
#include "observation.h"

namespace finwait::tcp {

/// The bits of Wireshark's tcp.completeness.
namespace completeness {
inline constexpr std::uint8_t kSyn = 1;
inline constexpr std::uint8_t kSynAck = 2;
inline constexpr std::uint8_t kAck = 4;  ///< without payload
inline constexpr std::uint8_t kData = 8;
inline constexpr std::uint8_t kFin = 16;
inline constexpr std::uint8_t kRst = 32;
}  // namespace completeness

[[nodiscard, gnu::always_inline]] inline std::uint8_t completeness_bits(const wire::Segment& s) noexcept {
  using namespace completeness;
  const unsigned opening = s.syn() ? (s.acks() ? kSynAck : kSyn) : s.acks() && s.payload_length == 0 ? kAck : 0;
  const unsigned data = s.payload_length != 0 ? kData : 0;
  const unsigned fin = s.fin() && s.acks() ? kFin : 0;
  return static_cast<std::uint8_t>(opening | data | fin | (s.rst() ? kRst : 0U));
}

inline void note_time(Connection& c, const wire::Segment& s) noexcept {
  c.end = std::max(c.end, s.time);
  c.last_clock = clock_of(s);
}
/// Of a segment that is not stamped ahead of the trace clock.
[[gnu::always_inline]] inline void note_time(Compact& c, base::Timestamp time, base::Timestamp clock) noexcept {
  if (!c.ends_at_clock || time != clock) [[unlikely]] {
    c.latest = std::max(c.end(), time);
    c.ends_at_clock = c.latest == clock;
  }
  c.last_clock = clock;
}
[[gnu::always_inline]] inline void note_time(Compact& c, const wire::Segment& s) noexcept { note_time(c, s.time, s.clock); }

inline void set_last_frame(Connection& c, std::uint64_t frame) noexcept { c.last_frame = frame; }
inline void set_last_frame(Compact& c, std::uint64_t frame) noexcept { c.last_frame_since = c.since_syn(frame); }

/// What every frame says of the connection as a whole.
template <class Life>
[[gnu::always_inline]] inline void note_frame(Life& c, const wire::Segment& s) noexcept {
  note_time(c, s);
  set_last_frame(c, s.frame);
  c.completeness |= c.completeness_pending;
  const bool first = s.frame == c.id;
  if (!first || (s.syn() && !s.acks())) c.completeness_pending |= completeness_bits(s);
}

inline base::Timestamp end_of(const Connection& c) noexcept { return c.end; }
inline base::Timestamp end_of(const Compact& c) noexcept { return c.end(); }

/// Whose it was and when, of which both records tell under the same names.
template <class Life>
void write_place(const Life& c, Brief& brief) noexcept {
  brief.key = c.key;
  brief.id = c.id;
  brief.start = c.start;
  brief.end = end_of(c);
  brief.last_clock = c.last_clock;
  brief.released_at = c.released_at;
  brief.originator = c.originator;
}

/// What the options of a SYN or SYN-ACK tell, and what it tells without any: by the lowest bits of Segment::present.
inline constexpr auto kKnownByOptions = [] {
  namespace present = wire::present;
  std::array<std::uint32_t, 16> all{};
  static_assert((present::kMss | present::kWindowScale | present::kSackPermitted | present::kTimestamps) == all.size() - 1);
  for (std::uint32_t options = 0; options != all.size(); ++options) {
    const auto if_present = [options](std::uint16_t what, std::uint32_t bits) { return (options & what) != 0 ? bits : 0U; };
    all[options] = known::kTtl | known::kOptionsSeen | known::kIss | known::kSaid | known::kNext | if_present(present::kMss, known::kMss) |
                   if_present(present::kWindowScale, known::kWindowScale) | if_present(present::kSackPermitted, known::kSackPermitted) |
                   if_present(present::kTimestamps, known::kTimestamp | known::kClockFirst | known::kTimestampsOffered);
  }
  return all;
}();

/// What the sender of a SYN or SYN-ACK like any other is known by. `Syn`: a segment, or an attempt.
template <class Syn>
[[nodiscard, gnu::always_inline]] inline std::uint32_t known_by_syn(const Syn& s) noexcept {
  return kKnownByOptions[s.present % kKnownByOptions.size()] | (s.ip_id != 0 ? known::kIpId : 0U);
}

/// The other way round: the options a SYN like any other carried.
[[nodiscard]] inline std::uint8_t options_signature(const CompactEnd& x) noexcept {
  namespace present = wire::present;
  const auto if_known = [&x](std::uint32_t bit, std::uint16_t what) { return x.knows(bit) ? unsigned{what} : 0U; };
  return static_cast<std::uint8_t>(if_known(known::kMss, present::kMss) | if_known(known::kWindowScale, present::kWindowScale) |
                                   if_known(known::kSackPermitted, present::kSackPermitted) |
                                   if_known(known::kTimestampsOffered, present::kTimestamps));
}

/// SND.NXT is now behind a segment that ends there.
template <class End>
[[gnu::always_inline]] inline void advance_next(End& x, std::uint32_t end) noexcept {
  x.snd_nxt = end;
  x.learn(known::kNext);
  if (x.knows(known::kIss) && x.snd_nxt - x.iss > (1U << 30)) x.learn(known::kIssFar);
}

// Times of a CompactEnd are counted from the start of its life.
inline void set_timed_at(Endpoint& y, base::Timestamp at) noexcept { y.timed_at = at; }
inline void set_timed_at(CompactEnd& y, base::Duration at) noexcept {
  y.timed_at = static_cast<std::uint64_t>(at) & ((std::uint64_t{1} << kLifeBits) - 1);
}

/// What was sent to `y`, up to `end`, is timed, if nothing else is.
template <class End>
[[gnu::always_inline]] inline void time_sent(End& y, std::uint32_t end, base::Timestamp at) noexcept {
  if (y.knows(known::kTimed)) return;
  y.timed_end = end;
  set_timed_at(y, at);
  y.learn(known::kTimed);
}
inline void set_least_rtt(Endpoint& x, base::Duration rtt) noexcept { x.least_rtt = rtt; }
inline void set_least_rtt(CompactEnd& x, base::Duration rtt) noexcept {
  x.least_rtt = static_cast<std::uint64_t>(rtt) & ((std::uint64_t{1} << kTimeBits) - 1);
}

/// The answer to the segment that is being timed. What takes longer than kLongest is no round trip.
template <class End>
[[gnu::always_inline]] inline void measure_rtt(End& x, std::uint32_t ack, base::Timestamp at, bool copy) noexcept {
  if (!x.knows(known::kTimed) || wire::seq_diff(ack, x.timed_end) < 0) return;
  const base::Duration took = base::elapsed(static_cast<base::Timestamp>(x.timed_at), at);
  constexpr base::Duration kLongest = 600 * base::kSecond;
  if (!copy && took >= 0 && took <= kLongest) {
    set_least_rtt(x, x.knows(known::kRtt) ? std::min<base::Duration>(x.least_rtt, took) : took);
    x.learn(known::kRtt);
  }
  x.forget(known::kTimed);
}

/// It acknowledges something between the last acknowledgment and the peer's SND.NXT; the first one, all.
template <class End>
[[nodiscard, gnu::always_inline]] inline bool acknowledges_seen(const End& x, const End& y, std::uint32_t ack) noexcept {
  if (!x.knows(known::kAcked)) return ack == y.snd_nxt;
  const std::uint32_t outstanding = y.snd_nxt - x.rcv_nxt;
  const bool comparable = y.knows(known::kIssFar) || wire::seq_diff(ack, y.iss) >= 0;
  return comparable && outstanding < (1U << 30) && ack - x.rcv_nxt <= outstanding;
}

/// The window: open before and now, its right edge not drawn back, and the payload within what the peer offers.
template <class End>
[[nodiscard, gnu::always_inline]] inline bool respects_windows(const End& x, const End& y, const wire::Segment& s,
                                                               std::uint32_t edge) noexcept {
  const std::uint32_t before = x.knows(known::kRightEdge) ? x.right_edge : edge;
  if (s.window == 0 || before == x.rcv_nxt || wire::seq_lt(edge, before)) return false;
  return s.payload_length == 0 || !y.knows(known::kRightEdge) || wire::seq_diff(s.seq + s.payload_length, y.right_edge) <= 0;
}

/// The sum of a segment's payload, to know other bytes by; 0: unknown.
[[nodiscard, gnu::always_inline]] inline std::uint16_t sum_of(const wire::Segment& s) noexcept {
  constexpr std::uint16_t kOfOtherBytes = wire::present::kBadChecksum | wire::present::kOffloaded;
  return s.has(wire::present::kPayloadSum) && !s.has(kOfOtherBytes) && !s.fin() ? s.payload_sum : std::uint16_t{0};
}

/// Kept with a segment without ACK, where its field means nothing: a number that no RST in reply carries.
inline constexpr std::uint32_t kUnlikelyAck = 0x9e37'79b9;

}  // namespace finwait::tcp

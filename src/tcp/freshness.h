// Whether a segment speaks of its sender's present: copies, stale segments, segments held up in the network (lifecycle, section 9, rules 2
// and 3).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "compact.h"
#include "observation.h"

namespace finwait::tcp {

/// Sets copy, stale and sent_at, and remembers what the next segments must be compared with.
void judge_freshness(Observation& o) noexcept;

// Its parts, for the short cuts. `End`: Endpoint or CompactEnd; `Clock`: what is known of its timestamps, the Endpoint itself or a
// CompactExtra::Clock, which is not looked at for a segment that has none.

/// 32 bits that differ for two segments that differ in any of what a copy has in common, and surely if they differ in their direction;
/// never 0. Two folded products are enough to tell the last segments of a connection apart: a chance agreement is one in sixty
/// million.
///
/// In the words below, which of an attempt are put together (compact_machine.cpp).
[[nodiscard, gnu::always_inline]] inline std::uint32_t fingerprint_of(std::uint64_t numbers, std::uint64_t stamps, std::uint64_t lengths,
                                                                      std::uint32_t kind, std::uint16_t ip_id,
                                                                      unsigned direction) noexcept {
  __extension__ using Wide = unsigned __int128;
  constexpr std::uint64_t kA = 0x9e37'79b9'7f4a'7c15;
  constexpr std::uint64_t kB = 0xc2b2'ae3d'27d4'eb4f;
  const std::uint64_t rest = lengths << 44 ^ static_cast<std::uint64_t>(ip_id) << 28 ^ kind;
  const Wide product = static_cast<Wide>(numbers ^ kB) * (stamps ^ kA);
  const std::uint64_t mixed = (static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^ rest) * kA;
  constexpr std::uint32_t kOfDirection = 3;
  return (static_cast<std::uint32_t>(mixed >> 32) & ~kOfDirection) | 1U << direction;  // 0 is an empty place
}

[[nodiscard, gnu::always_inline]] inline std::uint32_t fingerprint(const wire::Segment& s) noexcept {
  using wire::Segment;
  static_assert(offsetof(Segment, seq) == offsetof(Segment, ack) + 4 && offsetof(Segment, ts_val) == offsetof(Segment, ts_ecr) + 4);
  static_assert(offsetof(Segment, flags) == offsetof(Segment, window) + 2);
  static_assert(offsetof(Segment, ip_length) == offsetof(Segment, payload_length) + 4);
  // Fields side by side are read at once, and from the segment, whatever else is known of them: of a length that GCC had put aside as four
  // bytes it reads eight, which waits for all that was stored before.
  const auto bytes_at = [&s]<class Word>(std::size_t offset, Word word) {
    std::memcpy(&word, reinterpret_cast<const std::byte*>(&s) + offset, sizeof word);
    return word;
  };
  return fingerprint_of(bytes_at(offsetof(Segment, ack), std::uint64_t{}), bytes_at(offsetof(Segment, ts_ecr), std::uint64_t{}),
                        bytes_at(offsetof(Segment, payload_length), std::uint64_t{}), bytes_at(offsetof(Segment, window), std::uint32_t{}),
                        s.ip_id, s.direction);
}

/// One of the last segments had this fingerprint. `Life`: Connection or Compact.
template <class Life>
[[nodiscard, gnu::always_inline]] inline bool was_seen(const Life& c, std::uint32_t print) noexcept {
  bool found = false;
  for (const std::uint32_t known_print : c.prints) found |= known_print == print;
  return found;
}

template <class Life>
[[gnu::always_inline]] inline void remember_print(Life& c, std::uint32_t print) noexcept {
  c.prints[c.next_print] = print;
  static_assert(std::has_single_bit(kPrints));
  c.next_print = (c.next_print + 1U) & (kPrints - 1);
}

template <class End>
[[nodiscard, gnu::always_inline]] inline bool is_older_id(const End& x, const wire::Segment& s) noexcept {
  return static_cast<std::uint16_t>(s.ip_id - x.newest_ip_id) > 0x8000;
}

/// Neither timestamp nor IP ID say that the end has sent later segments already.
template <class End, class Clock>
[[nodiscard, gnu::always_inline]] inline bool is_newest(const End& x, const Clock& clock, const wire::Segment& s) noexcept {
  const bool stamp_older =
      s.has(wire::present::kTimestamps) && x.knows(known::kTimestamp) && wire::seq_diff(s.ts_val, clock.newest_ts_val) < 0;
  const bool dated = s.ip_id != 0 && x.knows(known::kIpId) && !x.knows(known::kIpIdErratic);
  return !stamp_older && !(dated && is_older_id(x, s));
}

template <class End, class Clock, class Sent>
[[gnu::always_inline]] inline void remember_newest(End& x, Clock& clock, const Sent& s) noexcept {
  if (s.has(wire::present::kTimestamps)) {
    clock.newest_ts_val = s.ts_val;
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
template <class Clock, class First>
[[nodiscard]] base::Timestamp time_by_clock(Clock& clock, const wire::Segment& s, First&& first) noexcept {
  const base::Duration ticks = static_cast<base::Duration>(wire::seq_diff(s.ts_val, clock.clock_base_val)) * base::kMillisecond;
  const base::Duration behind = base::elapsed(base::after(clock.clock_base_time, ticks), s.time);
  if (behind < 0) {
    clock.clock_base_time = s.time;
    clock.clock_base_val = s.ts_val;
    return s.time;
  }
  if (behind <= 2 * base::kMillisecond || behind >= 500 * base::kMillisecond || !first().is_1khz(s)) return s.time;
  return s.time - behind + base::kMillisecond;
}

/// The same of any segment of an Endpoint.
[[nodiscard]] base::Timestamp time_of_sending(Endpoint& x, const wire::Segment& s) noexcept;

}  // namespace finwait::tcp

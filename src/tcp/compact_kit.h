// What any segment behind the SYNs of an ordinary life says: whether its numbers fit the short record, when it was sent, and what of it is
// kept until it is acknowledged. For the quiet segment (compact_quiet.cpp), the opening and the close (compact_machine.cpp).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#include "compact_machine.h"
#include "freshness.h"
#include "notes.h"

namespace finwait::tcp {
namespace compact {

namespace flag = wire::tcp_flag;
namespace present = wire::present;

inline constexpr std::uint16_t kKind = flag::kSyn | flag::kFin | flag::kRst | flag::kAck;
/// Options and remarks that change nothing once the connection stands.
inline constexpr std::uint16_t kHarmless = present::kTimestamps | present::kPayloadSum | present::kOffloaded;

/// The numbers of a compact record are short, and nothing in it is stamped ahead of the trace clock.
[[gnu::always_inline]] inline bool fits(const Compact& c, const CompactEnd& x, const wire::Segment& s) noexcept {
  const bool counters = (s.payload_length < s.ip_length) & (x.counters.ip_bytes + s.ip_length >= s.ip_length);
  const std::uint64_t behind = s.frame - c.id - 1;  // the SYN's
  const std::uint64_t since_start = static_cast<std::uint64_t>(c.since_start(s.time));
  const std::uint64_t beyond = (behind | (behind + 1)) >> 32 | since_start >> (kLifeBits - 1) | s.payload_length >> 16;
  return counters & (beyond == 0) & (s.time <= s.clock);
}

/// What of a segment is the same in all that may be quiet, as it lies there.
struct KindWord {
  std::uint16_t flags;
  std::uint16_t mss;
  std::uint8_t window_scale;
  std::uint8_t kind;
  std::uint16_t present;
};

}  // namespace compact

// Read at once, both the states and what the segment says.
[[gnu::always_inline]] inline bool CompactMachine::may_be_quiet(const Compact& c, const wire::Segment& s) noexcept {
  using compact::KindWord;
  using wire::Segment;
  static_assert(offsetof(Segment, kind) == offsetof(Segment, flags) + offsetof(KindWord, kind));
  static_assert(offsetof(Segment, present) == offsetof(Segment, flags) + offsetof(KindWord, present));
  constexpr auto kAsked = std::bit_cast<std::uint64_t>(
      KindWord{compact::kKind, 0, 0, 0xff, static_cast<std::uint16_t>(~unsigned{compact::kHarmless} & 0xffffU)});
  constexpr auto kQuiet =
      std::bit_cast<std::uint64_t>(KindWord{wire::tcp_flag::kAck, 0, 0, static_cast<std::uint8_t>(wire::SegmentKind::kTcp), 0});
  constexpr auto kBoth = std::bit_cast<std::uint16_t>(std::array{State::kEstablished, State::kEstablished});
  std::uint64_t word = 0;
  std::memcpy(&word, reinterpret_cast<const std::byte*>(&s) + offsetof(Segment, flags), sizeof word);
  return std::bit_cast<std::uint16_t>(c.states) == kBoth && (word & kAsked) == kQuiet;
}

/// When a segment with a timestamp passed on its normal way. How the clock began is hardly ever asked: it stands elsewhere than what is
/// written.
[[gnu::always_inline]] inline base::Timestamp CompactMachine::when_sent(const Compact& c, CompactExtra& extra,
                                                                        const wire::Segment& s) noexcept {
  return time_by_clock(extra.clocks[s.direction], s, [&] {
    const bool by_originator = s.direction == c.originator;
    return ClockFirst{by_originator ? c.start : c.syn_ack_time(), extra.syn_ts_vals[s.direction]};
  });
}

// Most of what is sent is acknowledged before its end sends more: the oldest has its place in the record.
[[gnu::always_inline]] inline void CompactMachine::keep_sent(Compact& c, CompactExtra& extra, const wire::Segment& s,
                                                             base::Duration since_start) noexcept {
  CompactEnd& x = c.ends[s.direction];
  CompactSent& oldest = c.in_flight;
  const unsigned end = s.direction;
  if (oldest.frames[end] != 0 || x.in_flight != kNoBlock) return keep_behind(c, s);
  oldest.frames[end] = c.since_syn(s.frame);
  oldest.ends[end] = x.snd_nxt;
  oldest.acks[end] = s.ack;
  oldest.lengths[end] = static_cast<std::uint16_t>(s.payload_length);
  oldest.sums[end] = sum_of(s);
  oldest.times[end].set(since_start);
  if (c.has_extra) extra.sent_ts_vals[end] = s.ts_val;
}

[[gnu::always_inline]] inline void CompactMachine::prune_sent(Compact& c, unsigned end, std::uint32_t acked) noexcept {
  CompactEnd& y = c.ends[end];
  CompactSent& oldest = c.in_flight;
  if (oldest.frames[end] != 0) {
    if (wire::seq_gt(oldest.ends[end], acked)) return;
    if (oldest.lengths[end] > y.largest_acked) y.largest_acked = oldest.lengths[end];
    oldest.frames[end] = 0;
  }
  if (y.in_flight != kNoBlock) blocks_.prune_sent(y, acked);
}

}  // namespace finwait::tcp

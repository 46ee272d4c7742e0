// One segment looked at as part of one connection: who sent it, who is to get it, and what it can be believed about.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "finwait/tcp/connection.h"
#include "finwait/wire/segment.h"
#include "finwait/wire/seq.h"

namespace finwait::tcp {

/// What a segment turned out to do, noted by the rules for the detectors.
namespace happened {
inline constexpr std::uint32_t kSynRepeated = 1U << 0;
inline constexpr std::uint32_t kSynAckRepeated = 1U << 1;
inline constexpr std::uint32_t kFinRepeated = 1U << 2;
inline constexpr std::uint32_t kFinMoved = 1U << 3;
inline constexpr std::uint32_t kHandshakeAckRefuted = 1U << 4;
inline constexpr std::uint32_t kFirstFinAckRefuted = 1U << 5;
inline constexpr std::uint32_t kFinalAckRefuted = 1U << 6;
inline constexpr std::uint32_t kResetRefuted = 1U << 7;     ///< the sender had been taken to have accepted a RST
inline constexpr std::uint32_t kOwnResetRefuted = 1U << 8;  ///< the sender goes on after a RST in its name
inline constexpr std::uint32_t kResetAccepted = 1U << 9;
inline constexpr std::uint32_t kResetRejected = 1U << 10;
inline constexpr std::uint32_t kReplyReset = 1U << 11;  ///< a RST that answers a segment of the peer
inline constexpr std::uint32_t kStray = 1U << 12;       ///< fits no incarnation
}  // namespace happened

struct Observation {
  Connection& c;
  std::uint32_t index;  ///< of c
  const wire::Segment& segment;
  Endpoint& sender;
  Endpoint& peer;
  unsigned side;                   ///< index of the sender
  bool moving = false;             ///< it may change what is known of either end
  bool copy = false;               ///< an exact copy of one of the sender's last segments
  bool stale = false;              ///< older than what the sender has said since
  std::uint32_t what = 0;          ///< happened:: bits
  bool challenged = false;         ///< the last thing before was a RST it should answer by an acknowledgment
  std::uint64_t reset_before = 0;  ///< frame of a RST that had closed the connection before this segment
  base::Timestamp reset_time = 0;
  std::int32_t taken_back_ack = 0;  ///< bytes an earlier acknowledgment lay beyond all that was sent, and that frame
  std::uint64_t taken_back_frame = 0;
  Evidence refuted{};                  ///< what a refutation took back
  State sender_was = State::kUnknown;  ///< states before the segment
  State peer_was = State::kUnknown;
  std::int32_t reset_distance = 0;  ///< of a rejected RST from the number expected
  base::Timestamp sent_at = 0;      ///< when it passed, or would have passed had it not been held up (rule 3)

  Observation(Connection& connection, std::uint32_t connection_index, const wire::Segment& s) noexcept
      : c(connection),
        index(connection_index),
        segment(s),
        sender(c.ends[s.direction]),
        peer(c.ends[1 - s.direction]),
        side(s.direction),
        sender_was(sender.state),
        peer_was(peer.state),
        sent_at(s.time) {}

  [[nodiscard]] bool did(std::uint32_t bits) const noexcept { return (what & bits) != 0; }
  /// It speaks of its sender's present (rule 2).
  [[nodiscard]] bool fresh() const noexcept { return !copy && !stale; }
  /// It carries an acknowledgment; a RST's acknowledgment number of 0 is none.
  [[nodiscard]] bool acknowledges() const noexcept { return segment.acks() && !(segment.rst() && segment.ack == 0); }
  [[nodiscard]] Evidence seen_now() const noexcept { return {segment.frame, segment.frame, segment.time}; }
  [[nodiscard]] Evidence caused_by(std::uint64_t cause) const noexcept { return {cause, segment.frame, segment.time}; }
};

/// The trace clock for this segment's timers. A stamp that runs ahead is not believed until others confirm it; if they do, the segment must
/// not have grown old in that moment.
[[nodiscard]] inline base::Timestamp clock_of(const wire::Segment& s) noexcept { return s.time > s.clock ? s.time : s.clock; }

/// The timestamp it echoes, if any (RFC 7323, 3.2: 0 without ACK, and from some stacks, says nothing).
[[nodiscard]] inline std::optional<std::uint32_t> echo_of(const wire::Segment& s) noexcept {
  return s.has(wire::present::kTimestamps) && s.ts_ecr != 0 ? std::optional(s.ts_ecr) : std::nullopt;
}

/// The first of the acknowledgments noted of an end that covers `number` (exclusive) and was captured after `frame`.
[[nodiscard]] inline const AckGrowth* noted_ack_beyond(const Endpoint& end, std::uint32_t number, std::uint64_t frame = 0) noexcept {
  const std::uint32_t kept = std::min<std::uint32_t>(end.growth_count, static_cast<std::uint32_t>(end.growth.size()));
  for (std::uint32_t n = end.growth_count - kept; n != end.growth_count; ++n) {
    const AckGrowth& seen = end.growth[n % end.growth.size()];
    if (wire::seq_gt(seen.ack, number) && seen.frame > frame) return &seen;
  }
  return nullptr;
}

/// What an end needs to answer, beyond which silence speaks: 1.5 x its least round trip + 2 ms, 50 ms for one that is unknown.
[[nodiscard]] inline base::Duration slack(const Endpoint& end) noexcept {
  constexpr base::Duration kUnknown = 50 * base::kMillisecond;
  const base::Duration rtt = end.knows(known::kRtt) ? end.least_rtt : kUnknown;
  constexpr base::Duration kMost = 600 * base::kSecond;
  return std::min(rtt, kMost) / 2 * 3 + 2 * base::kMillisecond;
}

/// Frame by frame: `at` is more than the end's slack after `then`.
[[nodiscard]] inline bool later(const Endpoint& end, base::Timestamp then, base::Timestamp at) noexcept {
  return base::elapsed(then, at) > slack(end);
}

}  // namespace finwait::tcp

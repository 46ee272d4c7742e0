// One segment looked at as part of one connection: who sent it, who is to get it, and what it can be believed about.
#pragma once

#include <cstdint>

#include "finwait/tcp/connection.h"
#include "finwait/wire/segment.h"
#include "finwait/wire/seq.h"

namespace finwait::tcp {

struct Observation {
  Connection& c;
  std::uint32_t index;           ///< of c
  const wire::Segment& segment;
  Endpoint& sender;
  Endpoint& peer;
  unsigned side;                 ///< index of the sender
  bool copy = false;             ///< an exact copy of one of the sender's last segments
  bool stale = false;            ///< older than what the sender has said since
  base::Timestamp sent_at = 0;   ///< when it passed, or would have passed had it not been held up (rule 3)

  Observation(Connection& connection, std::uint32_t connection_index, const wire::Segment& s) noexcept
      : c(connection), index(connection_index), segment(s), sender(c.ends[s.direction]), peer(c.ends[1 - s.direction]), side(s.direction), sent_at(s.time) {}

  /// It speaks of its sender's present (rule 2).
  [[nodiscard]] bool fresh() const noexcept { return !copy && !stale; }
  /// It carries an acknowledgment; a RST's acknowledgment number of 0 is none.
  [[nodiscard]] bool acknowledges() const noexcept { return segment.acks() && !(segment.rst() && segment.ack == 0); }
  [[nodiscard]] Evidence seen_now() const noexcept { return {segment.frame, segment.frame, segment.time}; }
  [[nodiscard]] Evidence caused_by(std::uint64_t cause) const noexcept { return {cause, segment.frame, segment.time}; }
};

/// What an end needs to answer, beyond which silence speaks: 1.5 x its least round trip + 2 ms, 50 ms for one that is unknown.
[[nodiscard]] inline base::Duration slack(const Endpoint& end) noexcept {
  constexpr base::Duration kUnknown = 50 * base::kMillisecond;
  const base::Duration rtt = end.knows(known::kRtt) ? end.least_rtt : kUnknown;
  return rtt + rtt / 2 + 2 * base::kMillisecond;
}

/// Frame by frame: `at` is more than the end's slack after `then`.
[[nodiscard]] inline bool later(const Endpoint& end, base::Timestamp then, base::Timestamp at) noexcept { return base::elapsed(then, at) > slack(end); }

}  // namespace finwait::tcp

// The ordinary segment, straight on: new data or a bare ACK in the middle of an established connection, in order, all seen; or the same of
// an end whose peer was never captured, since it takes another way: of that one there is nothing to see.
//
// A short cut and nothing else: Machine::apply leaves the same record behind, field by field (tests/tcp/ordinary_test.cpp holds the two
// against each other). Everything is asked before anything is written, so a segment that is not quite ordinary goes the long way untouched.
#include <algorithm>

#include "finwait/wire/seq.h"
#include "freshness.h"
#include "machine.h"
#include "notes.h"

namespace finwait::tcp {
namespace {

namespace flag = wire::tcp_flag;

/// Options and remarks that change nothing here.
constexpr std::uint16_t kHarmless = wire::present::kTimestamps | wire::present::kPayloadSum | wire::present::kOffloaded;

/// Both ends are established, have said all that the middle of a stream builds on, and nothing is under way.
bool is_settled(const Endpoint& x, const Endpoint& y) noexcept {
  constexpr std::uint32_t kSaid = known::kIss | known::kNext | known::kAcked | known::kSaid | known::kRightEdge | known::kTtl;
  constexpr std::uint32_t kHeard = known::kIss | known::kNext | known::kRightEdge;
  constexpr std::uint32_t kMoving = known::kFin | known::kChallenged;
  return x.state == State::kEstablished && y.state == State::kEstablished && (x.known & (kSaid | kMoving)) == kSaid &&
         (y.known & (kHeard | kMoving)) == kHeard;
}

/// The peer has not been captured at all, and what this end says can change nothing that is presumed of it: it has no facts, and that this
/// end received what it acknowledges has been established.
bool is_alone(const Endpoint& x, const Endpoint& y) noexcept {
  constexpr std::uint32_t kSaid = known::kNext | known::kAcked | known::kSaid | known::kRightEdge | known::kTtl;
  constexpr std::uint32_t kHeard = known::kAcked | known::kSaid | known::kRightEdge | known::kSynAck;
  constexpr std::uint32_t kMoving = known::kFin | known::kChallenged;
  return (x.state == State::kEstablished || x.state == State::kSynReceived) && (x.known & (kSaid | kMoving)) == kSaid &&
         y.state == State::kUnknown && (y.known & (known::kNext | kHeard | kMoving)) == known::kNext;
}

/// As far ahead as any window reaches, of numbers that nobody saw.
bool acknowledges_near(const Endpoint& x, const Endpoint& y, std::uint32_t ack, std::uint32_t far) noexcept {
  return ack - x.rcv_nxt <= 65535 && ack - y.snd_nxt <= far;
}

}  // namespace

bool Machine::apply_ordinary(Connection& c, std::uint32_t index, const wire::Segment& s) noexcept {
  Endpoint& x = c.ends[s.direction];
  Endpoint& y = c.ends[1 - s.direction];
  if ((s.flags & (flag::kSyn | flag::kFin | flag::kRst | flag::kAck)) != flag::kAck || (s.present & ~kHarmless) != 0) return false;
  if (s.seq != x.snd_nxt || y.stream_block != kNoBlock) return false;
  const bool alone = is_alone(x, y);
  if (!(alone ? acknowledges_near(x, y, s.ack, kFarUnseen) : is_settled(x, y) && acknowledges_seen(x, y, s.ack))) return false;
  const std::uint32_t window = static_cast<std::uint32_t>(s.window) << x.window_scale;
  const std::uint32_t edge = s.ack + window;
  if (!respects_windows(x, y, s, edge)) return false;
  const std::uint32_t print = fingerprint(s);
  if (!is_newest(x, x, s) || was_seen(c, print)) return false;

  remember_print(c, print);
  remember_newest(x, x, s);
  const base::Timestamp sent_at = time_of_sending(x, s);
  zeek_.see(index, s);
  ++x.counters.packets;
  x.counters.ip_bytes += s.ip_length;
  note_frame(c, s);
  x.max_window = std::max(x.max_window, window);
  x.right_edge = edge;
  x.forget(known::kHole);
  x.learn(known::kSpoke);
  x.spoke_at = sent_at;
  if (s.ack != x.rcv_nxt) grow(x, y, s);
  measure_rtt(x, s.ack, s.time, false);
  if (s.payload_length != 0) {
    x.counters.payload_bytes += s.payload_length;
    x.learn(known::kData);
    advance_next(x, s.end());
    keep_sent(x, y, s, s.ack);
  }
  if (y.in_flight_count != 0) blocks_.prune_sent(y, s.ack);
  return true;
}

}  // namespace finwait::tcp

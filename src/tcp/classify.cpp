// Openings and endings.
#include "finwait/tcp/classify.h"

#include <algorithm>
#include <limits>

#include "finwait/tcp/path.h"

namespace finwait::tcp {
namespace {

constexpr std::uint16_t kWellKnown = 1024;

Who who(const Connection& c, unsigned end) noexcept { return end == c.originator ? Who::kOriginator : Who::kResponder; }

Who join(Who a, Who b) noexcept { return a == Who::kNobody || a == b ? b : b == Who::kNobody ? a : Who::kBoth; }

bool own_reset(const Endpoint& e) noexcept { return e.facts.has(Fact::kReset) && e.knows(known::kOwnReset); }

std::uint16_t port(const Connection& c, unsigned end) noexcept { return end == 0 ? c.key.low_port : c.key.high_port; }

/// Two SYNs without ACK: they crossed (RFC 9293, figure 7), or the responder answered by a SYN instead of a SYN-ACK. On the wire the two
/// differ only if the responder never sends a SYN-ACK; then a listener's port says that nobody there was opening.
bool is_split(const Connection& c) noexcept {
  const unsigned responder = 1U - c.originator;
  const bool listener = port(c, responder) < kWellKnown && port(c, c.originator) >= kWellKnown;
  return !c.resp().knows(known::kSynAck) && listener;
}

Opening opening_after_syn(const Connection& c) noexcept {
  const Endpoint& a = c.orig();
  const Endpoint& b = c.resp();
  const bool answered = b.knows(known::kSynAck);
  const bool acknowledged = a.facts.has(Fact::kPeerSynAck);
  if (answered && acknowledged) {
    const bool refused_at_last = own_reset(b) && !b.facts.has(Fact::kSynAcked);  // rule 7
    // Its RST|ACK is all that shows the SYN-ACK received: no third segment completed the handshake.
    const bool only_by_reset = own_reset(a) && !b.facts.has(Fact::kSynAcked) && a.facts[Fact::kPeerSynAck].proof == a.own_reset.frame;
    if (refused_at_last || only_by_reset) return Opening::kAborted;
    return c.is(trait::kFastOpen) ? Opening::kFastOpen : Opening::kThreeWay;
  }
  if (acknowledged) return Opening::kThreeWay;  // its SYN-ACK was not captured
  if (answered) {
    if (c.is(trait::kFastOpen) && b.knows(known::kData)) return Opening::kFastOpen;
    return a.facts.has(Fact::kReset) || b.facts.has(Fact::kReset) || a.counters.rst != 0 ? Opening::kAborted : Opening::kHalfOpen;
  }
  if (c.is(trait::kUnreachable)) return Opening::kUnreachable;
  if (a.facts.has(Fact::kReset) && !own_reset(a)) return Opening::kRefused;
  if (b.knows(known::kSaid) && a.knows(known::kData)) return Opening::kMidstream;
  return Opening::kUnanswered;
}

Opening opening_of(const Connection& c) noexcept {
  const Endpoint& a = c.orig();
  const Endpoint& b = c.resp();
  if (a.knows(known::kPlainSyn) && b.knows(known::kPlainSyn)) return is_split(c) ? Opening::kSplit : Opening::kSimultaneous;
  if (a.knows(known::kPlainSyn)) return opening_after_syn(c);
  const bool shown_by_answer = b.knows(known::kSynAck) && c.handshake.ack_frame != 0;  // only its SYN was not captured
  if (shown_by_answer) return Opening::kThreeWay;
  const bool only_answers =
      !a.knows(known::kSaid) && (!b.knows(known::kSaid) || (b.knows(known::kSynAck) && !b.knows(known::kData) && !b.knows(known::kFin)));
  return only_answers ? Opening::kBackscatter : Opening::kMidstream;
}

std::optional<Ending> never_opened(Opening opening) noexcept {
  switch (opening) {
    case Opening::kUnanswered:
      return Ending::kUnanswered;
    case Opening::kRefused:
      return Ending::kRefused;
    case Opening::kUnreachable:
      return Ending::kUnreachable;
    case Opening::kHalfOpen:
      return Ending::kHalfOpen;
    case Opening::kAborted:
      return Ending::kAborted;
    case Opening::kBackscatter:
      return Ending::kBackscatter;
    default:
      return std::nullopt;
  }
}

base::Timestamp last_fin(const Connection& c) noexcept {
  base::Timestamp last = std::numeric_limits<base::Timestamp>::min();
  for (const Endpoint& e : c.ends) {
    if (e.facts.has(Fact::kFin)) last = std::max(last, e.facts[Fact::kFin].time);
  }
  return last;
}

/// The capture went on long enough after the last FIN for its acknowledgment, or the FIN was repeated.
bool waited_for_fin_ack(const Connection& c, base::Timestamp clock) noexcept {
  for (const Endpoint& e : c.ends) {
    if (e.knows(known::kFin) && !e.facts.has(Fact::kFinAcked) && e.counters.fin > 1 && e.fins.count > 1) return true;
  }
  return base::elapsed(last_fin(c), clock) > patience(c);
}

Ending ending_of(const Connection& c, Opening opening, base::Timestamp clock) noexcept {
  const Endpoint& a = c.ends[0];
  const Endpoint& b = c.ends[1];
  const bool fin_a = a.knows(known::kFin);
  const bool fin_b = b.knows(known::kFin);
  const bool acked_a = a.facts.has(Fact::kFinAcked);
  const bool acked_b = b.facts.has(Fact::kFinAcked);
  if (fin_a && fin_b && acked_a && acked_b) return Ending::kGraceful;
  if (const auto ending = never_opened(opening)) {
    const bool given_up = c.release == Release::kEvicted && (*ending == Ending::kUnanswered || *ending == Ending::kHalfOpen);
    return given_up ? Ending::kEvicted : *ending;
  }
  if (a.facts.has(Fact::kReset) || b.facts.has(Fact::kReset)) return fin_a || fin_b ? Ending::kResetAfterFin : Ending::kReset;
  if (c.release == Release::kEvicted) return Ending::kEvicted;
  if (fin_a && fin_b) return waited_for_fin_ack(c, clock) ? Ending::kFinalAckMissing : Ending::kClosing;
  if (c.is(trait::kSuperseded)) return Ending::kSuperseded;
  if (c.release == Release::kIdle) return Ending::kTimeout;
  if (fin_a || fin_b) return (fin_a ? acked_a : acked_b) ? Ending::kHalfClosed : Ending::kFinUnanswered;
  return Ending::kOpen;
}

Who first_fin_of(const Connection& c) noexcept {
  const bool fin0 = c.ends[0].knows(known::kFin);
  const bool fin1 = c.ends[1].knows(known::kFin);
  if (!fin0 && !fin1) return Who::kNobody;
  if (!fin1) return who(c, 0);
  if (!fin0) return who(c, 1);
  if (c.ends[0].knows(known::kFinCovers)) return who(c, 1);
  if (c.ends[1].knows(known::kFinCovers)) return who(c, 0);
  return Who::kBoth;
}

Who reset_by_of(const Connection& c) noexcept {
  if (c.is(trait::kUnreachable)) return Who::kNobody;
  Who by = Who::kNobody;
  for (unsigned end = 0; end != 2; ++end) {
    if (own_reset(c.ends[end])) by = join(by, who(c, end));
  }
  if (by != Who::kNobody) return by;
  for (unsigned end = 0; end != 2; ++end) {
    if (c.ends[end].facts.has(Fact::kReset)) by = join(by, who(c, 1 - end));
  }
  return by != Who::kNobody && c.is(trait::kForgedReset) ? Who::kThirdPartySuspected : by;
}

/// The other end's FIN, a RST, or how far the capture goes.
base::Timestamp half_close_end(const Connection& c, const Endpoint& open, base::Timestamp clock) noexcept {
  if (open.facts.has(Fact::kFin)) return open.facts[Fact::kFin].time;
  if (open.facts.has(Fact::kReset)) return open.facts[Fact::kReset].time;
  return c.is(trait::kSuperseded) ? c.end : std::max(c.end, clock);
}

std::optional<HalfClose> half_close_of(const Connection& c, base::Timestamp clock) noexcept {
  if (!c.is(trait::kHalfClose)) return std::nullopt;
  const unsigned end = c.is(trait::kHalfCloseHigh) ? 1 : 0;
  const Endpoint& open = c.ends[end];
  if (!open.facts.has(Fact::kPeerFin) || (open.knows(known::kFin) && !open.knows(known::kFinCovers))) return std::nullopt;
  HalfClose half;
  half.by = who(c, 1 - end);
  half.from = c.half_close_from;
  half.to = half_close_end(c, open, clock);
  half.bytes = c.half_close_bytes - (open.knows(known::kFin) && c.half_close_bytes != 0 ? 1 : 0);
  half.packets = c.half_close_packets;
  if (half.bytes == 0 && base::elapsed(half.from, half.to) <= base::kSecond) return std::nullopt;
  return half;
}

/// It takes both FINs and the acknowledgment of the own one, and not to be the end that closed second (RFC 9293, figure 5).
bool may_wait(const Endpoint& e) noexcept {
  return e.facts.has(Fact::kFin) && e.facts.has(Fact::kPeerFin) && e.facts.has(Fact::kFinAcked) && !e.knows(known::kFinCovers);
}

/// TIME-WAIT of one end, or nothing.
std::optional<TimeWait> time_wait_of_end(const Connection& c, unsigned end, base::Timestamp clock) noexcept {
  if (!may_wait(c.ends[end])) return std::nullopt;
  const Path path = derive(c.ends[end]);
  const int at = path.find(State::kTimeWait);
  if (at < 0) return std::nullopt;
  TimeWait wait;
  wait.owner = who(c, end);
  wait.from = path.steps[static_cast<std::size_t>(at)].why.time;
  wait.restarts = c.time_wait_restarts;
  wait.until = clock;
  if (at + 1 == path.size) return wait;
  const PathStep& left = path.steps[static_cast<std::size_t>(at + 1)];
  wait.until = left.why.time;
  wait.ended = left.fact == Fact::kTimer    ? TimeWaitEnd::kExpired
               : left.fact == Fact::kReused ? TimeWaitEnd::kReused
                                            : TimeWaitEnd::kAssassinated;
  return wait;
}

/// Of both ends: from the first that entered it to the last that left.
std::optional<TimeWait> time_wait_of(const Connection& c, base::Timestamp clock) noexcept {
  const auto a = time_wait_of_end(c, c.originator, clock);
  const auto b = time_wait_of_end(c, 1U - c.originator, clock);
  if (!a || !b) return a ? a : b;
  TimeWait both = b->until > a->until ? *b : *a;
  both.owner = Who::kBoth;
  both.from = std::min(a->from, b->from);
  return both;
}

}  // namespace

Verdict classify(const Connection& c, base::Timestamp clock) noexcept {
  Verdict v;
  v.opening = opening_of(c);
  const bool opened = v.opening == Opening::kThreeWay || v.opening == Opening::kFastOpen;
  v.completed_by = opened ? c.handshake.completed_by : CompletedBy::kNothing;
  v.ending = ending_of(c, v.opening, clock);
  v.first_fin = first_fin_of(c);
  v.reset_by = reset_by_of(c);
  v.replaced = c.replaced;
  v.role_evidence = c.role_evidence;
  v.completeness = c.completeness;
  v.half_close = half_close_of(c, clock);
  v.time_wait = time_wait_of(c, clock);
  return v;
}

}  // namespace finwait::tcp

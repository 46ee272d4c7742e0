// RST: what it says of its sender, and whether its target accepts it (RFC 9293, 3.10.7; RFC 5961, 3; lifecycle, section 9, rules 7, 10, 15
// to 22).
#include <algorithm>
#include <array>

#include "finwait/wire/seq.h"
#include "machine.h"

namespace finwait::tcp {
namespace {

using wire::seq_diff;
using wire::seq_gt;
using wire::seq_le;
using wire::seq_lt;

}  // namespace

// The sender of a RST is CLOSED, unless the RST only answers something unacceptable (rule 10).
void Machine::send_reset(Observation& o) noexcept {
  Endpoint& x = o.sender;
  const wire::Segment& s = o.segment;
  const auto close = [&](std::uint64_t cause) {
    x.facts.set(Fact::kReset, o.caused_by(cause), Proof::kProven);
    x.own_reset = {s.frame, s.time, s.seq, s.ttl};
    if (cause != s.frame) o.what |= happened::kReplyReset;
    x.learn(known::kOwnReset);
  };
  const bool accepted_one = x.facts.has(Fact::kReset) && !x.knows(known::kOwnReset);
  if (accepted_one && s.acks() && x.knows(known::kSaid) && base::elapsed(x.facts[Fact::kReset].time, s.time) < 2 * slack(x)) {
    close(s.frame);  // rule 19: they crossed
    const Endpoint& y = o.peer;
    const bool without_fin = x.facts.has(Fact::kPeerFin) && x.facts.presumed(Fact::kPeerFin) && !seq_gt(s.ack, y.fin_seq);
    if (without_fin) x.facts.erase(Fact::kPeerFin);  // presumed by rule 15; it had not come when x closed
    return;
  }
  const bool nothing_to_close = x.state == State::kClosed || (x.state == State::kUnknown && !x.knows(known::kSaid));
  if (x.facts.has(Fact::kReset) || nothing_to_close) return;
  if (x.state == State::kSynSent && seq_diff(s.seq, x.iss) != 1) return;
  if (x.state == State::kSynReceived && !s.acks() && x.knows(known::kIss) && seq_diff(s.seq, x.iss) != 1) return;
  const bool third_ack_refused = !s.acks() && x.state == State::kEstablished && x.facts.has(Fact::kSynAcked) &&
                                 x.facts.presumed(Fact::kSynAcked) && x.knows(known::kIss) && seq_diff(s.seq, x.iss) == 1 &&
                                 x.syns.count != 0 && x.snd_nxt == s.seq && !x.knows(known::kSpoke);
  const std::uint64_t cause = reset_cause(o);
  // Rule 7: the handshake's last ACK met no socket, or a full queue. A RST later than its answer would be answers what was sent behind it.
  if (third_ack_refused && (cause == s.frame || !later(x, x.facts[Fact::kSynAcked].time, o.sent_at))) {
    const std::uint64_t ack = x.facts[Fact::kSynAcked].cause;
    x.facts.erase(Fact::kSynAcked);
    close(ack);
    return;
  }
  if (acked_nobody(o, cause)) x.facts.erase(Fact::kFinAcked);
  close(cause);
}

// What acknowledged the FIN of the end that now sends a RST had not come when it closed: the RST answers it, so it met no socket (a live
// one acknowledges a FIN that is in order); or the RST|ACK says that it still waits for just that segment.
bool Machine::acked_nobody(const Observation& o, std::uint64_t cause) const noexcept {
  const Endpoint& x = o.sender;
  const Endpoint& y = o.peer;
  const wire::Segment& s = o.segment;
  if (!x.facts.has(Fact::kFinAcked)) return false;
  bool nobody = false;
  blocks_.for_each_sent(y, [&](const Sent& sent) {
    if (sent.frame != x.facts[Fact::kFinAcked].cause) return;
    const bool bare_fin = y.knows(known::kFin) && sent.seq == y.fin_seq && x.knows(known::kAcked) && sent.seq == x.rcv_nxt;
    nobody = s.acks() ? sent.seq == s.ack : bare_fin && cause == sent.frame;
  });
  return nobody;
}

// Rule 18: a bare RST is a reply; its cause is the oldest segment with ACK = SEQ that it had not acknowledged.
std::uint64_t Machine::reset_cause(const Observation& o) const noexcept {
  const Endpoint& x = o.sender;
  const wire::Segment& s = o.segment;
  if (s.acks() || x.state == State::kSynSent) return s.frame;
  const base::Duration least = x.knows(known::kRtt) ? x.least_rtt / 10 * 3 : 0;
  std::uint64_t cause = 0;
  blocks_.for_each_sent(o.peer, [&](const Sent& sent) {
    const bool unacknowledged = !x.knows(known::kAcked) || seq_gt(sent.end, x.rcv_nxt);
    if (cause == 0 && sent.ack == s.seq && sent.frame < s.frame && unacknowledged && base::elapsed(sent.time, s.time) > least)
      cause = sent.frame;
  });
  return cause != 0 ? cause : s.frame;
}

// What y expects next: its last acknowledgment, carried on over everything x sent in order, save what y later, a round trip on, showed it
// lacked.
std::uint32_t Machine::receive_next(const Observation& o) const noexcept {
  const Endpoint& y = o.peer;
  std::array<Sent, Blocks::kMaxInFlight> sent;
  std::size_t n = 0;
  blocks_.for_each_sent(o.sender, [&](const Sent& segment) { sent[n++] = segment; });
  std::uint32_t next = y.rcv_nxt;
  std::sort(sent.begin(), sent.begin() + static_cast<std::ptrdiff_t>(n), [base = y.rcv_nxt](const Sent& a, const Sent& b) {
    const auto da = seq_diff(a.seq, base);
    const auto db = seq_diff(b.seq, base);
    return da != db ? da < db : a.frame < b.frame;
  });
  for (std::size_t k = 0; k != n; ++k) {
    if (!seq_le(sent[k].seq, next) || !seq_gt(sent[k].end, next)) continue;
    const bool lacked = y.knows(known::kSpoke) && base::elapsed(sent[k].time, y.spoke_at) > slack(y);
    if (!lacked) next = sent[k].end;
  }
  return next;
}

// Rule 17.
bool Machine::accepts_reset(Observation& o) const noexcept {
  const Endpoint& x = o.sender;
  const Endpoint& y = o.peer;
  const wire::Segment& s = o.segment;
  if (y.state == State::kClosed || y.state == State::kListen || y.facts.has(Fact::kReset) || !y.knows(known::kSaid)) return false;
  if (y.state == State::kSynSent) {
    return s.acks() && y.knows(known::kIss) && seq_gt(s.ack, y.iss) && seq_diff(s.ack, y.snd_nxt) <= 0;
  }
  if (!y.knows(known::kAcked)) return true;
  if (y.state == State::kTimeWait) return s.seq == y.rcv_nxt;
  const std::uint32_t next = receive_next(o);
  o.reset_distance = seq_diff(s.seq, next);
  if (s.seq == next) return true;
  if (seq_gt(s.seq, next) && x.knows(known::kNext) && s.seq == x.snd_nxt) {  // the right edge of the highest data, beyond a hole (Linux)
    bool edge = false;
    blocks_.for_each_sent(x, [&](const Sent& sent) { edge = edge || sent.end == s.seq; });
    if (edge) return true;
  }
  return x.knows(known::kFin) && seq_diff(next, x.fin_seq) == 1 && s.seq == x.fin_seq;  // the FIN's own number (Linux)
}

void Machine::accept_reset(Observation& o) noexcept {
  Endpoint& x = o.sender;
  Endpoint& y = o.peer;
  const wire::Segment& s = o.segment;
  const State was = y.state;
  y.facts.set(Fact::kReset, o.seen_now(), Proof::kPresumed);
  y.forget(known::kOwnReset);
  // Rule 15: a FIN never acknowledged was received if a RST behind it is accepted, unless y later spoke without covering it.
  if (!x.knows(known::kFin) || y.facts.has(Fact::kPeerFin) || was == State::kSynSent || was == State::kUnknown) return;
  const std::int32_t beyond = seq_diff(s.seq, x.fin_seq);
  const bool waits_for_more = y.knows(known::kAcked) && seq_lt(receive_next(o), x.fin_seq);  // something before it
  if (beyond < 0 || beyond > 1 || waits_for_more) return;
  base::Timestamp last_fin = x.fins.first.time;
  blocks_.for_each_sighting(x.fins, [&](const Sighting& fin) { last_fin = fin.time; });
  if (y.knows(known::kNotCovering) && base::elapsed(last_fin, y.not_covering_at) > slack(y)) return;
  if (const auto received = pick(x.fins, y, std::nullopt, s.frame))
    y.facts.set(Fact::kPeerFin, o.caused_by(received->frame), Proof::kPresumed);
}

}  // namespace finwait::tcp

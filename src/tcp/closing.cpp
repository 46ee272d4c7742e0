// FINs, what acknowledges them, and which copy of one was received (RFC 9293, 3.6; lifecycle, section 9, rules 12 to 16).
#include <algorithm>

#include "finwait/wire/seq.h"
#include "machine.h"

namespace finwait::tcp {
namespace {

using wire::seq_diff;
using wire::seq_gt;
using wire::seq_le;
using wire::seq_lt;

/// An ACK without IP ID from an end that counts them: Linux acknowledges so from TIME-WAIT, not from CLOSING. The only copy of the FIN
/// that it acknowledges was overtaken, behind the tap, by the acknowledgment of its own.
bool answers_from_time_wait(const Observation& o) noexcept {
  const Endpoint& x = o.sender;
  const wire::Segment& s = o.segment;
  const bool counts = x.knows(known::kIpId) && !x.knows(known::kIpIdErratic);
  return s.ip_id == 0 && s.length() == 0 && counts && x.facts.has(Fact::kFinAcked) && o.peer.fins.count == 1;
}

}  // namespace

void Machine::send_fin(Observation& o) noexcept {
  Endpoint& x = o.sender;
  Endpoint& y = o.peer;
  const wire::Segment& s = o.segment;
  const std::uint32_t at = s.seq + s.payload_length;
  if (!x.knows(known::kFin)) {
    x.fin_seq = at;
    x.learn(known::kFin);
    x.facts.set(Fact::kFin, o.seen_now(), Proof::kProven);
    bool covers = s.acks() && x.facts.has(Fact::kPeerFin) && y.knows(known::kFin) && seq_gt(s.ack, y.fin_seq);
    // Rule 13: its first FIN, lost before the tap, was older than its first acknowledgment of the peer's: that one already stands one
    // further.
    if (covers && x.knows(known::kGap) && seq_diff(x.gap.seq, at) == 1 && x.gap.frame == x.facts[Fact::kPeerFin].proof) {
      std::uint32_t sent_before = 0;
      blocks_.for_each_sighting(y.fins, [&](const Sighting& fin) { sent_before += fin.frame < x.gap.frame && !fin.copy; });
      if (sent_before == 1) covers = false;
    }
    if (covers) x.learn(known::kFinCovers);
    // Rule 9: it left before the acknowledgment of its SYN arrived.
    if (o.c.is(trait::kFastOpen) && x.facts.has(Fact::kSynAcked) && x.knows(known::kSynAckedTs) && echo_of(s) &&
        seq_diff(s.ts_ecr, x.syn_acked_ts_val) < 0) {
      x.learn(known::kFastOpenEarly);
    }
    if (const AckGrowth* seen = noted_ack_beyond(y, at)) {  // captured after its acknowledgment
      x.facts.set(Fact::kFinAcked, {seen->frame, seen->frame, seen->time}, Proof::kPresumed);
      if (!y.facts.has(Fact::kPeerFin)) y.facts.set(Fact::kPeerFin, {s.frame, seen->frame, seen->time}, Proof::kProven);
    }
  } else if (at == x.fin_seq && !o.copy && y.state == State::kTimeWait) {
    ++o.c.time_wait_restarts;  // RFC 9293, 3.10.7.4: a retransmitted FIN restarts the 2 MSL
    o.c.time_wait_since = clock_of(s);
  }
  if (at != x.fin_seq) o.what |= happened::kFinMoved;
  if (at == x.fin_seq && x.fins.count != 0 && !o.copy) o.what |= happened::kFinRepeated;
  if (at == x.fin_seq) {
    blocks_.push_sighting(x.fins, {s.frame, s.time, s.ts_val, s.has(wire::present::kTimestamps), o.copy, false, s.acks()});
  }
}

void Machine::acknowledge_fin(Observation& o) noexcept {
  Endpoint& x = o.sender;
  const Endpoint& y = o.peer;
  if (!y.knows(known::kFin)) return;
  if (x.facts.has(Fact::kPeerFin)) {
    const wire::Segment& s = o.segment;  // presumed by rule 15, but it lies there and waits for what is before it
    const bool kept = s.has(wire::present::kSack) && seq_le(s.ack, y.fin_seq) && seq_gt(s.sack_right, y.fin_seq);
    if (kept && x.facts.presumed(Fact::kPeerFin)) x.facts.erase(Fact::kPeerFin);
    return;
  }
  const bool acceptable = !y.knows(known::kNext) || seq_diff(o.segment.ack, y.snd_nxt) <= 0;
  if (seq_gt(o.segment.ack, y.fin_seq)) {
    if (!acceptable) return;
    const std::uint64_t cause = frame_of_received_fin(o);
    x.facts.set(Fact::kPeerFin, o.caused_by(cause), Proof::kProven);
    if (answers_from_time_wait(o)) x.learn(known::kFinAckedFirst);
  } else if (!o.copy) {
    x.not_covering_at = x.knows(known::kNotCovering) ? std::max(x.not_covering_at, o.sent_at) : o.sent_at;
    x.learn(known::kNotCovering);
  }
}

// Rule 14: which segment brought the peer's FIN.
std::uint64_t Machine::frame_of_received_fin(Observation& o) const noexcept {
  const Endpoint& x = o.sender;
  const Endpoint& y = o.peer;
  const wire::Segment& s = o.segment;
  const auto picked = pick(y.fins, x, echo_of(s), s.frame);
  if (!picked) return s.frame;

  if (x.knows(known::kHole) && seq_lt(x.hole, y.fin_seq)) {  // (a) the FIN waited for what filled the hole
    std::uint64_t filled = 0;
    std::uint64_t by_echo = 0;
    blocks_.for_each_sent(y, [&](const Sent& sent) {
      if (!seq_le(sent.seq, x.hole) || !seq_gt(sent.end, x.hole) || sent.frame >= s.frame) return;
      filled = sent.frame;
      if (by_echo == 0 && s.has(wire::present::kTimestamps) && sent.ts_val == s.ts_ecr) by_echo = sent.frame;
    });
    if (by_echo != 0) return by_echo;
    return filled != 0 ? filled : picked->frame;
  }

  const Sighting& first = y.fins.first;
  const bool several = y.fins.count > 1;
  if (several && s.has(wire::present::kSack) && seq_lt(s.sack_left, s.ack) && seq_gt(s.sack_right, y.fin_seq))
    return first.frame;  // (b) D-SACK

  std::uint32_t in_time = 0;  // (c) copies that can have been answered by this segment
  Sighting oldest;
  Sighting newest;
  const base::Duration answer = x.knows(known::kRtt) ? x.least_rtt - x.least_rtt / 10 : 0;
  blocks_.for_each_sighting(y.fins, [&](const Sighting& fin) {
    if (fin.frame >= s.frame || base::elapsed(fin.time, s.time) < answer) return;
    if (in_time++ == 0) oldest = fin;
    newest = fin;
  });
  const bool time_wait_ack = x.knows(known::kFin) && s.ip_id == 0;
  if (in_time > 1 && x.knows(known::kSackPermitted) && !time_wait_ack && !newest.copy && later(x, oldest.time, s.time)) return newest.frame;

  if (echo_of(s) && picked->has_ts && seq_diff(s.ts_ecr, picked->ts_val) > 0) {  // it echoes something sent after that FIN, below it
    std::uint64_t echoed = 0;
    blocks_.for_each_sent(y, [&](const Sent& sent) {
      if (echoed == 0 && sent.frame > picked->frame && sent.frame < s.frame && sent.ts_val == s.ts_ecr && seq_lt(sent.seq, y.fin_seq))
        echoed = sent.frame;
    });
    if (echoed != 0) return echoed;
  }
  return picked->frame;
}

void Machine::accept_fin_ack(Observation& o) noexcept {
  Endpoint& y = o.peer;
  const std::uint32_t ack = o.segment.ack;
  if (!y.knows(known::kFin) || y.facts.has(Fact::kFinAcked) || !seq_gt(ack, y.fin_seq) || seq_diff(ack, y.snd_nxt) > 0) return;
  y.facts.set(Fact::kFinAcked, o.seen_now(), Proof::kPresumed);
}

// What the end that has not closed sends after it acknowledged the other's FIN.
void Machine::measure_half_close(Observation& o) noexcept {
  Connection& c = o.c;
  const Endpoint& x = o.sender;
  if (c.is(trait::kHalfClose)) {
    if (c.is(trait::kHalfCloseHigh) != (o.side == 1) || (x.state != State::kCloseWait && x.state != State::kLastAck)) return;
    c.half_close_packets += !o.copy;
    const std::int32_t grown = seq_diff(x.snd_nxt, c.half_close_next);
    if (grown > 0 && grown <= (1 << 30)) c.half_close_bytes += static_cast<std::uint32_t>(grown);
    c.half_close_next = x.snd_nxt;
  } else if (x.state == State::kCloseWait && x.knows(known::kNext)) {
    c.traits |= trait::kHalfClose | (o.side == 1 ? trait::kHalfCloseHigh : 0);
    c.half_close_from = x.facts[Fact::kPeerFin].time;
    c.half_close_next = x.snd_nxt;
  }
}

}  // namespace finwait::tcp

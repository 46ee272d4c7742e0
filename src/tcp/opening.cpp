// The handshake: SYN, SYN-ACK and the acknowledgment that completes it (RFC 9293, 3.5; lifecycle, section 9, rules 5 to 9).
#include <algorithm>

#include "finwait/wire/seq.h"
#include "machine.h"

namespace finwait::tcp {
namespace {

using wire::seq_diff;
using wire::seq_gt;

Sighting sighting_of(const Observation& o) noexcept {
  return {o.segment.frame, o.segment.time, o.segment.ts_val, o.segment.has(wire::present::kTimestamps), o.copy, false, o.segment.acks()};
}

}  // namespace

void Machine::learn_options(Observation& o) noexcept {
  Endpoint& x = o.sender;
  const wire::Segment& s = o.segment;
  if (s.has(wire::present::kWindowScale)) {
    x.window_scale = std::min<std::uint8_t>(s.window_scale, 14);  // RFC 7323, 2.3
    x.learn(known::kWindowScale);
  }
  x.options_signature = static_cast<std::uint8_t>(s.present);
  if (s.has(wire::present::kMss)) {
    x.mss = s.mss;
    x.learn(known::kMss);
  }
  if (s.has(wire::present::kTimestamps)) x.learn(known::kTimestampsOffered);
  if (!s.acks() && s.payload_length != 0 && s.has(wire::present::kFastOpen)) o.c.traits |= trait::kFastOpenAsked;
  if (!s.has(wire::present::kOptionsCut)) x.learn(known::kOptionsSeen);
  if (s.has(wire::present::kSackPermitted)) {
    x.learn(known::kSackPermitted);
  } else {
    x.forget(known::kSackPermitted);
  }
}

void Machine::send_syn(Observation& o) noexcept {
  Endpoint& x = o.sender;
  const wire::Segment& s = o.segment;
  if (!x.knows(known::kIss)) {
    x.iss = s.seq;
    x.learn(known::kIss);
    const bool astray = x.knows(known::kNext) && (seq_diff(x.snd_nxt, s.seq) < 0 || seq_diff(x.snd_nxt, s.seq) > (1 << 30));
    if (astray) x.forget(known::kNext);  // what was guessed from others' acknowledgments was wrong
  }
  if (s.seq != x.iss) return;
  const bool repeated = (s.acks() ? x.knows(known::kSynAck) : x.knows(known::kPlainSyn)) && !o.copy;
  blocks_.push_sighting(x.syns, sighting_of(o));
  if (repeated) o.what |= s.acks() ? happened::kSynAckRepeated : happened::kSynRepeated;
  Handshake& h = o.c.handshake;
  if (s.acks()) {
    h.syn_ack_retries += repeated;
    if (!x.knows(known::kSynAck)) send_syn_ack(o);
    return;
  }
  h.syn_retries += repeated;
  x.syn_ip_id = s.ip_id;
  if (x.knows(known::kPlainSyn)) return;
  x.learn(known::kPlainSyn);
  x.facts.set(Fact::kSyn, o.seen_now(), Proof::kProven);
  if (o.peer.knows(known::kSynAck)) meet_early_syn_ack(o);
  if (o.c.role_evidence != RoleEvidence::kSyn) {
    o.c.role_evidence = RoleEvidence::kSyn;
    o.c.originator = static_cast<std::uint8_t>(o.side);
    h.syn_frame = s.frame;
    h.syn_time = s.time;
  }
}

// The capture shows the SYN-ACK before the SYN that it answers: cause and proof fall into their places now.
void Machine::meet_early_syn_ack(Observation& o) noexcept {
  Endpoint& x = o.sender;
  Endpoint& y = o.peer;
  if (!y.facts.has(Fact::kPeerSyn) || y.facts.has(Fact::kSyn)) return;
  const Evidence& shown = y.facts[Fact::kPeerSyn];
  if (shown.cause == shown.proof) y.facts.set(Fact::kPeerSyn, {o.segment.frame, shown.proof, shown.time}, Proof::kProven);
  if (const AckGrowth* seen = noted_ack_beyond(x, y.iss)) {
    x.facts.set(Fact::kPeerSynAck, {shown.proof, seen->frame, seen->time}, Proof::kProven);
  }
}

void Machine::send_syn_ack(Observation& o) noexcept {
  Endpoint& x = o.sender;
  const Endpoint& y = o.peer;
  const wire::Segment& s = o.segment;
  x.learn(known::kSynAck);
  if (o.c.role_evidence > RoleEvidence::kSynAck) {
    o.c.role_evidence = RoleEvidence::kSynAck;
    o.c.originator = static_cast<std::uint8_t>(1 - o.side);
  }
  if (o.c.handshake.syn_ack_frame == 0) {
    o.c.handshake.syn_ack_frame = s.frame;
    o.c.handshake.syn_ack_time = s.time;
  }
  const auto received = pick(y.syns, x, echo_of(s), s.frame);
  const std::uint64_t cause = received ? received->frame : s.frame;
  if (x.facts.has(Fact::kSpoke)) x.facts.erase(Fact::kSpoke);
  x.facts.set(Fact::kPeerSyn, o.caused_by(cause), Proof::kProven);
  if (const AckGrowth* seen = noted_ack_beyond(y, x.iss, cause)) {  // rule 8: crossing SYN-ACKs
    x.facts.set(Fact::kSynAcked, {seen->frame, seen->frame, seen->time}, Proof::kPresumed);
    x.syn_acked_ts_val = seen->ts_val;
    x.learn(known::kSynAckedTs);
  }
  if (y.knows(known::kPlainSyn) && seq_diff(s.ack, y.iss) > 1) o.c.traits |= trait::kFastOpen;
}

// The first acknowledgment of an end nothing was seen of: its numbers begin there. If the sender was waiting for a SYN-ACK, one must have
// come.
void Machine::accept_syn_ack(Observation& o) noexcept {
  Endpoint& x = o.sender;
  Endpoint& y = o.peer;
  const wire::Segment& s = o.segment;
  y.snd_nxt = s.ack;
  y.learn(known::kNext);
  if (!x.knows(known::kPlainSyn) || s.syn() || x.state != State::kSynSent) return;
  y.iss = s.ack - 1;
  y.learn(known::kIss);
  x.facts.set(Fact::kPeerSynAck, o.seen_now(), Proof::kProven);
}

// An acknowledgment of the peer's SYN from an end that has sent a SYN and not answered the peer's: it received the SYN-ACK.
void Machine::acknowledge_syn(Observation& o) noexcept {
  Endpoint& x = o.sender;
  const Endpoint& y = o.peer;
  const wire::Segment& s = o.segment;
  Handshake& h = o.c.handshake;
  if (y.knows(known::kSynAck) && h.ack_frame == 0 && !s.syn() && !s.rst() && !y.knows(known::kIssFar) && seq_gt(s.ack, y.iss)) {
    h.ack_frame = s.frame;
    h.ack_time = s.time;
    h.completed_by = s.fin() ? CompletedBy::kFin : s.payload_length != 0 ? CompletedBy::kData : CompletedBy::kAck;
    // Its IP IDs count, and this is the next one after the SYN's: no bare ACK was sent before.
    if (s.ip_id != 0 && x.syn_ip_id != 0 && static_cast<std::uint16_t>(s.ip_id - x.syn_ip_id) == 1) o.c.traits |= trait::kNoBareAck;
  }
  if (!y.knows(known::kIss) || !x.knows(known::kIss) || !x.facts.has(Fact::kSyn)) return;
  if (s.rst() && seq_diff(s.seq, x.iss) != 1) return;  // rule 17: by its ACK, a RST|ACK just behind the SYN proves the SYN-ACK received
  if (x.facts.has(Fact::kPeerSyn) || x.facts.has(Fact::kPeerSynAck) || !seq_gt(s.ack, y.iss) || !seq_gt(s.seq, x.iss)) return;
  const auto received = pick(y.syns, x, echo_of(s), s.frame, Copies::kSynAck);
  if (!received) return;
  // Rule 8: a gap of one in its IP IDs between SYN and this segment says that its own SYN-ACK was sent and never passed the tap.
  if (y.knows(known::kPlainSyn) && x.syn_ip_id != 0 && s.ip_id != 0 && static_cast<std::uint16_t>(s.ip_id - x.syn_ip_id) == 2 &&
      y.syns.first.frame != 0 && !y.syns.first.with_ack) {
    x.facts.set(Fact::kPeerSyn, o.caused_by(y.syns.first.frame), Proof::kProven);
    x.facts.set(Fact::kSynAcked, o.caused_by(received->frame), Proof::kProven);
    return;
  }
  x.facts.set(Fact::kPeerSynAck, o.caused_by(received->frame), Proof::kProven);
}

// An end of which no handshake was seen and that speaks all the same has been established before.
void Machine::pick_up_midstream(Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  if (s.syn() || s.rst() || o.sender.facts.any() || !(s.acks() || s.payload_length != 0)) return;
  o.sender.facts.set(Fact::kSpoke, o.seen_now(), Proof::kPresumed);
}

}  // namespace finwait::tcp

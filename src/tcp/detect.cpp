// One small function a kind; the lists at the foot say which of them look at what.
#include "detect.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdlib>

#include "detect_kit.h"
#include "finwait/tcp/anomaly_text.h"
#include "finwait/wire/seq.h"

namespace finwait::tcp {
namespace {

using namespace detecting;
using wire::seq_diff;
using wire::seq_gt;
using wire::seq_lt;
namespace flag = wire::tcp_flag;

/// It opens, or did once: a SYN and nothing that would make it anything else.
bool plain_syn(const wire::Segment& s) noexcept { return (s.flags & (flag::kSyn | flag::kAck | flag::kFin | flag::kRst)) == flag::kSyn; }

/// The opening SYN comes from an end long past it. One that was refused and asks again is not: its SYN takes the refusal back.
bool long_past_syn(const Observation& o) noexcept {
  return synchronised(o.sender_was) || (o.sender_was == State::kClosed && !o.did(happened::kResetRefuted));
}

/// On which side of the tap something was lost when an end repeats itself, and the answer that it did not heed.
struct Loss {
  std::int64_t side = 0;
  std::uint64_t answer = 0;
};

/// An answer that had passed the tap long before was lost on the way to the end that repeats itself. If none had, the loss is on the other
/// side: of what it sent, or of the answer. One that comes at the same moment crossed the repetition and tells nothing.
Loss loss_behind(const Observation& o, std::uint64_t answer, base::Timestamp at) noexcept {
  if (answer == 0) return {lost::kBeyond, 0};
  return later(o.sender, at, o.sent_at) ? Loss{lost::kHere, answer} : Loss{};
}

// ---- handshake

Finding syn_retransmitted(const Observation& o) noexcept {
  if (!o.did(happened::kSynRepeated) || long_past_syn(o)) return {};
  const Sighting& first = o.sender.syns.first;
  const Handshake& h = o.c.handshake;
  const bool answered = o.peer.knows(known::kSynAck);
  const Loss loss = o.did(happened::kResetRefuted) ? Loss{lost::kHere, o.refuted.cause}  // refused before, and asks again
                                                   : loss_behind(o, answered ? h.syn_ack_frame : 0, h.syn_ack_time);
  return seen(o, K::kSynRetransmitted, o.side, {first.frame, o.segment.frame, loss.answer},
              {base::elapsed(first.time, o.segment.time), loss.side});
}

Finding syn_ack_retransmitted(const Observation& o) noexcept {
  if (!o.did(happened::kSynAckRepeated)) return {};
  const Handshake& h = o.c.handshake;
  const Loss loss = loss_behind(o, h.ack_frame, h.ack_time);
  return seen(o, K::kSynAckRetransmitted, o.side, {h.syn_ack_frame, o.segment.frame, loss.answer},
              {base::elapsed(h.syn_ack_time, o.segment.time), loss.side});
}

Finding handshake_ack_lost(const Observation& o) noexcept {
  if (!o.did(happened::kHandshakeAckRefuted)) return {};
  return seen(o, K::kHandshakeAckLost, 1 - o.side, {o.refuted.cause, o.segment.frame}, {1, lost::kBeyond});
}

Finding handshake_ack_invalid(const Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  if (o.copy || !s.acks() || s.syn() || s.rst()) return {};
  if (!is(o.peer, State::kSynReceived) || !(is(o.sender, State::kSynSent) || o.sender.state == State::kUnknown)) return {};
  return by_sender(o, K::kHandshakeAckInvalid, {seq_diff(s.ack, o.peer.iss + 1), 0});
}

/// A SYN-ACK acknowledges the peer's SYN, or some of its data with it; if that was not captured, what an earlier SYN-ACK acknowledged.
bool acknowledges_syn(const Observation& o) noexcept {
  const std::uint32_t least = o.peer.knows(known::kIss) ? o.peer.iss + 1 : o.peer.snd_nxt;
  return seq_diff(o.segment.ack, least) >= 0 && seq_diff(o.segment.ack, o.peer.snd_nxt) <= 0;
}

Finding syn_ack_invalid(const Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  if (!fresh_stray(o) || !s.syn() || !s.acks() || !o.peer.knows(known::kPlainSyn) || acknowledges_syn(o)) return {};
  return by_sender(o, K::kSynAckInvalid, {seq_diff(s.ack, o.peer.iss + 1), 0});
}

Finding syn_ack_isn_changed(const Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  if (!fresh_stray(o) || !s.syn() || !s.acks() || !o.sender.knows(known::kSynAck) || !acknowledges_syn(o)) return {};
  return seen(o, K::kSynAckIsnChanged, o.side, {o.c.handshake.syn_ack_frame, s.frame}, {o.sender.iss, s.seq});
}

Finding syn_with_data(const Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  if (!plain_syn(s) || s.payload_length == 0 || s.has(wire::present::kFastOpen)) return {};
  return by_sender(o, K::kSynWithData, {s.payload_length, 0});
}

Finding fast_open_refused(const Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  if (!s.syn() || !s.acks() || o.did(happened::kStray | happened::kSynAckRepeated) || !o.peer.knows(known::kPlainSyn)) return {};
  const std::uint32_t data = o.peer.snd_nxt - o.peer.iss - 1;
  if (!o.c.is(trait::kFastOpenAsked) || data == 0 || s.ack != o.peer.iss + 1) return {};
  return by_sender(o, K::kFastOpenRefused, {data, 0});
}

Finding old_copy_of_syn(const Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  const bool again = o.did(happened::kSynRepeated) || o.copy;  // the first one may only have been captured late
  if (!plain_syn(s) || !(o.did(happened::kStray) || (again && long_past_syn(o)))) return {};  // a mirror port's copy comes at once
  return by_sender(o, K::kOldDuplicateSyn, {s.seq, 0});
}

Finding syn_flags_illegal(const Observation& o) noexcept {
  const std::uint16_t f = o.segment.flags & 0x3f;
  const bool with_syn = (f & flag::kSyn) != 0 && (f & (flag::kFin | flag::kRst)) != 0;
  const bool without_ack = (f & (flag::kAck | flag::kRst | flag::kSyn)) == 0;  // null, FIN or Xmas scan
  return with_syn || without_ack ? by_sender(o, K::kSynFlagsIllegal, {o.segment.flags, 0}) : Finding();
}

// ---- close

Finding final_ack_lost(const Observation& o) noexcept {
  if (!o.did(happened::kFinalAckRefuted)) return {};
  return seen(o, K::kFinalAckLost, 1 - o.side, {o.refuted.cause, o.segment.frame}, {1, lost::kBeyond});
}

Finding fin_retransmitted(const Observation& o) noexcept {
  if (!o.did(happened::kFinRepeated)) return {};
  const Sighting& first = o.sender.fins.first;
  const bool refuted = o.did(happened::kFirstFinAckRefuted | happened::kFinalAckRefuted);
  const bool acked = o.sender.facts.has(Fact::kFinAcked);
  const Evidence ack = refuted ? o.refuted : acked ? o.sender.facts[Fact::kFinAcked] : Evidence{};
  const Loss loss = loss_behind(o, ack.cause, ack.time);
  return seen(o, K::kFinRetransmitted, o.side, {first.frame, o.segment.frame, loss.answer},
              {base::elapsed(first.time, o.segment.time), loss.side});
}

Finding fin_moved(const Observation& o) noexcept {
  if (!o.did(happened::kFinMoved)) return {};
  const wire::Segment& s = o.segment;
  return seen(o, K::kFinMoved, o.side, {o.sender.fins.first.frame, s.frame}, {seq_diff(s.seq + s.payload_length, o.sender.fin_seq), 0});
}

Finding data_after_fin(const Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  if (s.payload_length == 0 || s.rst() || o.copy || !o.sender.knows(known::kFin) || o.did(happened::kStray | happened::kFinMoved))
    return {};
  const std::int32_t beyond = seq_diff(s.seq + s.payload_length, o.sender.fin_seq);
  if (beyond <= 0) return {};
  return seen(o, K::kDataAfterFin, o.side, {o.sender.fins.first.frame, s.frame}, {beyond, 0});
}

Finding time_wait_assassinated(const Observation& o) noexcept {
  if (!o.did(happened::kResetAccepted) || o.peer_was != State::kTimeWait) return {};
  const Path path = derive(o.peer);
  const int at = path.find(State::kTimeWait);
  const base::Timestamp since = at >= 0 ? path.steps[static_cast<std::size_t>(at)].why.time : o.segment.time;
  return seen(o, K::kTimeWaitAssassinated, 1 - o.side, {o.segment.frame}, {base::elapsed(since, o.segment.time), 0});
}

Finding late_segment_in_time_wait(const Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  if (o.peer_was != State::kTimeWait || s.payload_length == 0 || s.syn() || s.rst() || o.copy) return {};
  return by_sender(o, K::kLateSegmentInTimeWait, {0, s.payload_length});
}

Finding closed_with_pending_data(const Observation& o) noexcept {
  if (!o.did(happened::kReplyReset) || !o.sender.knows(known::kFin)) return {};
  const std::int64_t pending =
      o.sender.knows(known::kAcked) ? std::int64_t{seq_diff(o.peer.snd_nxt, o.sender.rcv_nxt)} - (o.peer.knows(known::kFin) ? 1 : 0) : 0;
  if (pending <= 0) return {};
  return seen(o, K::kClosedWithPendingData, o.side,
              {o.sender.facts.has(Fact::kReset) ? o.sender.facts[Fact::kReset].cause : 0, o.segment.frame}, {pending, 0});
}

// ---- resets

/// The answer to what a live socket would not have refused: its end has forgotten (RFC 9293, figure 10).
Finding half_open_by_reply(const Observation& o) noexcept {
  constexpr std::uint32_t kObeyedReply = happened::kResetAccepted | happened::kReplyReset;
  if ((o.what & kObeyedReply) != kObeyedReply || o.sender.knows(known::kFin)) return {};
  const Facts& facts = o.sender.facts;
  const bool was_open = facts.has(Fact::kSynAcked) || facts.has(Fact::kPeerSynAck) || facts.has(Fact::kSpoke);  // rule 7: it never was
  if (!was_open) return {};
  return seen(o, K::kHalfOpenDiscovered, o.side, {o.sender.facts[Fact::kReset].cause, o.segment.frame});
}

/// A RST that did nothing, although its target was there to take it and its sender had not long been gone.
bool unheeded(const Observation& o) noexcept {
  return o.segment.rst() && !o.copy && synchronised(o.peer_was) && o.peer_was != State::kTimeWait && synchronised(o.sender_was);
}

/// In the window of its target and not exact, or out of it (RFC 5961, 3.2).
Finding reset_rejected(const Observation& o) noexcept {
  if (!unheeded(o) || !o.did(happened::kResetRejected | happened::kStray)) return {};
  const std::int32_t distance =
      o.did(happened::kStray) && o.peer.knows(known::kAcked) ? seq_diff(o.segment.seq, o.peer.rcv_nxt) : o.reset_distance;
  const bool in_window = distance > 0 && distance < static_cast<std::int32_t>(std::min<std::uint32_t>(o.peer.max_window, 1U << 30));
  return by_sender(o, in_window ? K::kResetInWindowNotExact : K::kResetOutOfWindow, {distance, 0});
}

Finding reset_ignored(const Observation& o) noexcept {
  if (!o.did(happened::kResetRefuted) || plain_syn(o.segment)) return {};  // some stacks ask again after a refusal
  return seen(o, K::kResetIgnored, o.side, {o.refuted.cause, o.segment.frame}, {base::elapsed(o.refuted.time, o.segment.time), 0});
}

/// The end in whose name the RST came goes on: the strongest sign there is.
Finding reset_forged(const Observation& o) noexcept {
  if (!o.did(happened::kOwnResetRefuted)) return {};
  const Noted& rst = o.sender.own_reset;
  const std::int64_t hops = static_cast<std::int64_t>(rst.ttl) - o.sender.ttl;
  Anomaly found = seen(o, K::kResetSuspectedForged, o.side, {rst.frame, o.segment.frame}, {forged::kWentOn, hops});
  if (hops != 0) found.values[0] |= forged::kTtl;
  found.severity = hops != 0 ? Severity::kAlert : Severity::kWarning;
  return found;
}

/// What a RST has that its sender never had. One TTL may be off by a hop when the path changes; a RST in reply has no IP ID on Linux, and
/// no options.
std::int64_t oddities_of_reset(const Observation& o) noexcept {
  constexpr int kHops = 2;
  constexpr std::uint16_t kRow = 2048;  // beyond what a busy sender counts within a round trip
  const Endpoint& x = o.sender;
  const wire::Segment& s = o.segment;
  std::int64_t odd = 0;
  if (std::abs(static_cast<int>(s.ttl) - x.ttl) >= kHops) odd |= forged::kTtl;
  const auto ahead = static_cast<std::uint16_t>(s.ip_id - x.newest_ip_id);
  const bool counts = s.ip_id != 0 && x.knows(known::kIpId) && !x.knows(known::kIpIdErratic);
  if (counts && ahead > kRow && ahead < 0x10000 - kRow) odd |= forged::kIpId;
  if (static_cast<std::uint32_t>(s.window) << x.window_scale > x.max_window) odd |= forged::kWindow;
  if (s.has(wire::present::kTimestamps) && !x.knows(known::kTimestamp)) odd |= forged::kOptions;
  if (s.acks() && x.knows(known::kNext) && seq_lt(s.seq, x.snd_nxt)) odd |= forged::kBehind;
  return odd;
}

/// A RST that was obeyed, but looks unlike its sender. Load balancers and firewalls that reset for their servers do too: never a warning.
Finding reset_unlike_its_sender(const Observation& o) noexcept {
  if (!o.did(happened::kResetAccepted) || o.copy || !synchronised(o.sender_was) || o.sender.counters.packets < 3) return {};
  const std::int64_t odd = oddities_of_reset(o);
  const bool other_path = (odd & forged::kTtl) != 0;
  const int others = std::popcount(static_cast<std::uint64_t>(odd & ~forged::kTtl));
  if (!other_path && others < 2) return {};
  Anomaly found = by_sender(o, K::kResetSuspectedForged, {odd, static_cast<std::int64_t>(o.segment.ttl) - o.sender.ttl});
  found.severity = other_path && others != 0 ? Severity::kNotice : Severity::kInfo;
  return found;
}

/// Data from an end for which the connection had been over for longer than a segment can be under way.
Finding data_after_reset(const Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  if (s.payload_length == 0 || s.rst() || !o.fresh() || o.reset_before == 0 || o.did(happened::kOwnResetRefuted | happened::kResetRefuted))
    return {};
  if (!later(o.sender, o.reset_time, o.sent_at)) return {};
  return seen(o, K::kDataAfterReset, o.side, {o.reset_before, s.frame}, {s.payload_length, 0});
}

bool near(std::uint32_t a, std::uint32_t b) noexcept { return std::abs(std::int64_t{seq_diff(a, b)}) <= 1 << 20; }

Finding ack_of_unsent_data(const Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  if (!o.peer.knows(known::kSaid)) return {};  // what an end sent that was not captured, nobody knows
  if (o.taken_back_ack != 0) return seen(o, K::kAckOfUnsentData, o.side, {o.taken_back_frame, s.frame}, {o.taken_back_ack, 0});
  if (!fresh_stray(o) || !s.acks() || s.rst() || s.syn() || !synchronised(o.sender.state)) return {};
  if (!near(s.seq, o.sender.snd_nxt)) return {};  // both numbers are foreign: of an incarnation that was not seen to begin
  const std::int32_t beyond = seq_diff(s.ack, o.peer.snd_nxt);
  return beyond > 0 ? by_sender(o, K::kAckOfUnsentData, {beyond, 0}) : Finding();
}

/// The target of a RST in its window that was not exact answers by a bare acknowledgment of what it has (RFC 5961, 3.2).
Finding challenge_ack(const Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  if (!o.challenged || s.syn() || s.fin() || s.rst() || s.payload_length != 0 || !s.acks()) return {};
  return s.ack == o.sender.rcv_nxt ? by_sender(o, K::kChallengeAck) : Finding();
}

// Every detector that looks at one segment.
constexpr std::array<OfSegment, 25> kOfSegments{
    syn_retransmitted,
    syn_ack_retransmitted,
    handshake_ack_lost,
    handshake_ack_invalid,
    syn_ack_invalid,
    syn_ack_isn_changed,
    syn_with_data,
    fast_open_refused,
    old_copy_of_syn,
    syn_flags_illegal,
    final_ack_lost,
    fin_retransmitted,
    fin_moved,
    data_after_fin,
    time_wait_assassinated,
    late_segment_in_time_wait,
    closed_with_pending_data,
    reset_rejected,
    reset_ignored,
    half_open_by_reply,
    data_after_reset,
    challenge_ack,
    ack_of_unsent_data,
    reset_forged,
    reset_unlike_its_sender,
};

// ---- a whole life

Finding half_open(const Life& life) noexcept {
  if (life.verdict.opening != Opening::kHalfOpen) return {};
  const Handshake& h = life.c.handshake;
  if (life.too_soon(h.syn_ack_time)) {
    life.undecided(K::kHalfOpen);
    return {};
  }
  const Endpoint& b = life.c.ends[life.responder()];
  return make(K::kHalfOpen, life.responder(), h.syn_ack_time, {h.syn_ack_frame},
              {b.counters.syn_ack, base::elapsed(life.c.end, life.clock)});
}

Finding handshake_ack_missing(const Life& life) noexcept {
  const Handshake& h = life.c.handshake;
  const bool not_bare = h.completed_by == CompletedBy::kData || h.completed_by == CompletedBy::kFin;
  const bool stepped_over = life.verdict.opening == Opening::kThreeWay && not_bare && !life.c.is(trait::kNoBareAck);
  if (!stepped_over) return {};
  Anomaly found = make(K::kHandshakeAckMissing, life.originator(), h.syn_ack_time, {h.syn_ack_frame, h.ack_frame});
  // Nobody repeated the SYN-ACK although there was time for it: the ACK did arrive, and the capture lost it.
  const bool time_enough = base::elapsed(h.syn_ack_time, h.ack_time) > base::kSecond;
  if (h.syn_ack_retries == 0 && time_enough) found.origins = origin::kCapture;
  return found;
}

Finding connection_refused(const Life& life) noexcept {
  if (life.verdict.opening != Opening::kRefused) return {};
  const Endpoint& a = life.c.ends[life.originator()];
  const Evidence& rst = a.facts[Fact::kReset];
  return make(K::kConnectionRefused, life.responder(), rst.time, {life.c.handshake.syn_frame, rst.cause},
              {base::elapsed(life.c.handshake.syn_time, rst.time), 0});
}

Finding simultaneous_open(const Life& life) noexcept {
  if (life.verdict.opening != Opening::kSimultaneous) return {};
  return make(K::kSimultaneousOpen, life.originator(), life.c.start, {life.c.orig().syns.first.frame, life.c.resp().syns.first.frame});
}

Finding split_handshake(const Life& life) noexcept {
  if (life.verdict.opening != Opening::kSplit) return {};
  return make(K::kSplitHandshake, life.responder(), life.c.ends[life.responder()].syns.first.time,
              {life.c.handshake.syn_frame, life.c.ends[life.responder()].syns.first.frame});
}

/// It provoked no retransmission. If there was time for one, it did arrive and the capture lost it (RFC 6298: a retransmission comes within
/// 1 s of the first round trip, 3 s at the worst).
void unprovoked(const Life& life, base::Timestamp since, Anomaly& found) noexcept {
  const bool time_enough = base::elapsed(since, life.clock) > std::max<base::Duration>(3 * base::kSecond, patience(life.c));
  found.origins = time_enough ? origin::kCapture : static_cast<std::uint8_t>(found.origins | origin::kCapture);
  found.severity = Severity::kInfo;
}

/// It repeated its FIN a few times and then no more, although the next repetition was long due: nobody gives up so early (RFC 9293, 3.8.3:
/// 100 s at the least), so an answer did arrive.
bool stopped_repeating(const Life& life, const Endpoint& e) noexcept {
  if (e.fins.count < 2 || e.fins.count > life.timers.thresholds.tries) return false;
  base::Timestamp last = e.fins.first.time;
  base::Duration gap = 0;
  life.blocks.for_each_sighting(e.fins, [&](const Sighting& fin) {
    gap = base::elapsed(last, fin.time);
    last = fin.time;
  });
  const base::Duration due = std::max<base::Duration>({3 * base::kSecond, patience(life.c), 4 * std::min(gap, 600 * base::kSecond)});
  return base::elapsed(last, life.clock) > due;
}

Finding final_ack_missing(const Life& life) noexcept {
  const Endpoint& a = life.c.orig();
  const Endpoint& b = life.c.resp();
  if (life.verdict.ending == Ending::kClosing) life.undecided(K::kFinalAckMissing);
  if (life.verdict.ending != Ending::kFinalAckMissing) return {};
  const bool a_unacked = !a.facts.has(Fact::kFinAcked) && (b.facts.has(Fact::kFinAcked) || last_fin_of(a) >= last_fin_of(b));
  const unsigned owed_to = a_unacked ? life.originator() : life.responder();
  const Endpoint& waiting = life.c.ends[owed_to];
  Anomaly found = make(K::kFinalAckMissing, 1 - owed_to, last_fin_of(waiting), {waiting.fins.first.frame},
                       {base::elapsed(last_fin_of(waiting), life.clock), 0});
  if (waiting.fins.count == 1 || stopped_repeating(life, waiting)) {
    unprovoked(life, last_fin_of(waiting), found);
  } else if (life.lossy()) {
    found.origins |= origin::kCapture;
  }
  return found;
}

Finding fin_unanswered(const Life& life) noexcept {
  if (life.verdict.ending != Ending::kFinUnanswered) return {};
  const unsigned closer = life.c.ends[0].knows(known::kFin) ? 0 : 1;
  const Endpoint& e = life.c.ends[closer];
  constexpr base::Duration kLeastTimeout = 10 * base::kMillisecond;  // sooner, and nothing provoked the second FIN (RFC 8985, 7.2)
  const bool provoked = e.fins.count > 1 && base::elapsed(last_fin_of(e), life.c.end) >= kLeastTimeout;
  if (!provoked && life.too_soon(last_fin_of(e))) {
    life.undecided(K::kFinUnanswered);
    return {};
  }
  Anomaly found =
      make(K::kFinUnanswered, closer, last_fin_of(e), {e.fins.first.frame}, {e.counters.fin, base::elapsed(life.c.end, life.clock)});
  found.values = {base::elapsed(last_fin_of(e), life.clock), 0};
  found.count = e.fins.count;
  if (e.fins.count == 1 || stopped_repeating(life, e)) {
    unprovoked(life, last_fin_of(e), found);
  } else if (life.c.ends[1 - closer].counters.packets == 0) {  // a direction that was not captured
    found.origins = origin::kCapture;
    found.severity = Severity::kInfo;
  } else if (life.lossy()) {
    found.origins |= origin::kCapture;
  }
  return found;
}

Finding half_close(const Life& life) noexcept {
  if (!life.verdict.half_close) return {};
  const HalfClose& h = *life.verdict.half_close;
  const unsigned closer = life.index_of(h.by);
  return make(K::kHalfClose, closer, h.from, {life.c.ends[closer].fins.first.frame, life.c.ends[1 - closer].fins.first.frame},
              {base::elapsed(h.from, h.to), static_cast<std::int64_t>(h.bytes)});
}

/// `x` acknowledged more than was seen of `y`: its FIN, perhaps.
bool unseen_tail(const Endpoint& x, const Endpoint& y) noexcept {
  return x.knows(known::kAcked) && y.knows(known::kNext) && seq_gt(x.rcv_nxt, y.snd_nxt);
}

/// Of an end still in `state`: since when, if nothing has come for longer than lingering (a half-close that is used is meant).
Finding lingering(const Life& life, K kind, State state, Fact since) noexcept {
  for (const unsigned end : life.ends()) {
    const Endpoint& e = life.c.ends[end];
    if (e.state != state || !e.facts.has(since)) continue;
    const State other = life.c.ends[1 - end].state;
    if (other == State::kLastAck || other == State::kClosing) continue;  // what is missing there is the last ACK
    const Endpoint& y = life.c.ends[1 - end];
    if (base::elapsed(life.c.end, life.clock) <= life.timers.lingering || unseen_tail(e, y) || unseen_tail(y, e)) continue;
    const Evidence& began = e.facts[since];
    return make(kind, end, began.time, {began.cause, began.proof}, {base::elapsed(began.time, life.clock), 0});
  }
  return {};
}

Finding close_wait_lingering(const Life& life) noexcept {
  return lingering(life, K::kCloseWaitLingering, State::kCloseWait, Fact::kPeerFin);
}
Finding fin_wait_2_lingering(const Life& life) noexcept {
  return lingering(life, K::kFinWait2Lingering, State::kFinWait2, Fact::kFinAcked);
}

Finding simultaneous_close(const Life& life) noexcept {
  if (life.verdict.first_fin != Who::kBoth) return {};
  const Endpoint& a = life.c.orig();
  const Endpoint& b = life.c.resp();
  return make(K::kSimultaneousClose, life.originator(), std::max(last_fin_of(a), last_fin_of(b)), {a.fins.first.frame, b.fins.first.frame});
}

/// The RST that ended it: frame and sender.
struct Reset {
  std::uint64_t frame = 0;
  base::Timestamp time = 0;
  unsigned sender = 0;
};

Reset reset_of(const Connection& c) noexcept {
  Reset first;
  for (unsigned end = 0; end != 2; ++end) {
    const Endpoint& e = c.ends[end];
    if (!e.facts.has(Fact::kReset)) continue;
    const bool own = e.knows(known::kOwnReset);
    const Evidence& fact = e.facts[Fact::kReset];
    if (first.frame == 0 || fact.proof < first.frame) first = {fact.proof, fact.time, own ? end : 1 - end};
  }
  return first;
}

std::int64_t unacknowledged(const Connection& c, unsigned end) noexcept {
  const Endpoint& y = c.ends[end];
  const Endpoint& x = c.ends[1 - end];
  if (!y.knows(known::kNext) || !x.knows(known::kAcked)) return 0;
  return std::max<std::int64_t>(0, std::int64_t{seq_diff(y.snd_nxt, x.rcv_nxt)} - (y.knows(known::kFin) ? 1 : 0));
}

Finding reset(const Life& life, K kind, bool applies) noexcept {
  if (!applies) return {};
  const Reset rst = reset_of(life.c);
  if (rst.frame == 0) return {};
  return make(kind, rst.sender, rst.time, {rst.frame}, {unacknowledged(life.c, 1 - rst.sender), 0});
}

Finding reset_in_handshake(const Life& life) noexcept {
  return reset(life, K::kResetInHandshake, life.verdict.opening == Opening::kAborted);
}
Finding reset_established(const Life& life) noexcept { return reset(life, K::kResetEstablished, life.verdict.ending == Ending::kReset); }
Finding reset_after_fin(const Life& life) noexcept { return reset(life, K::kResetAfterFin, life.verdict.ending == Ending::kResetAfterFin); }

Finding reset_storm(const Life& life) noexcept {
  const unsigned most = life.c.orig().counters.rst >= life.c.resp().counters.rst ? life.originator() : life.responder();
  if (life.c.ends[most].counters.rst < life.timers.thresholds.storm) return {};
  const Reset rst = reset_of(life.c);
  // A window of segments under way, each answered by a RST, is over within a round trip.
  if (base::elapsed(rst.frame != 0 ? rst.time : life.c.start, life.c.end) <= patience(life.c)) return {};
  Anomaly found = make(K::kResetStorm, most, rst.frame != 0 ? rst.time : life.c.start, {rst.frame, life.c.last_frame},
                       {base::elapsed(rst.frame != 0 ? rst.time : life.c.start, life.c.end), 0});
  found.count = life.c.ends[most].counters.rst;
  return found;
}

// Every detector that looks at a whole connection.
constexpr std::array<OfLife, 15> kOfLives{
    half_open,          handshake_ack_missing, connection_refused, simultaneous_open,    split_handshake,
    final_ack_missing,  fin_unanswered,        half_close,         close_wait_lingering, fin_wait_2_lingering,
    simultaneous_close, reset_in_handshake,    reset_established,  reset_after_fin,      reset_storm,
};

/// Where the capture lost something, what seems missing or out of place may only have lost what explains it.
void blame_capture(Journal& journal, Connection& c) noexcept {
  constexpr std::array kDoubtful{K::kDataOutsideWindow,
                                 K::kResetInWindowNotExact,
                                 K::kResetOutOfWindow,
                                 K::kSynAckInvalid,
                                 K::kHandshakeAckInvalid,
                                 K::kAckOfUnsentData,
                                 K::kFinMoved,
                                 K::kDataAfterFin,
                                 K::kDataUnanswered,
                                 K::kKeepaliveUnanswered,
                                 K::kPeerSilent,
                                 K::kCloseWaitLingering,
                                 K::kFinWait2Lingering,
                                 K::kHalfOpen};
  for (const K kind : kDoubtful) {
    if (Anomaly* found = journal.get(c, kind)) found->origins |= origin::kCapture;
  }
}

/// The capture says itself that it lost frames, but not which: any finding may be their absence, but for those that are whole in the
/// frames that were captured.
void doubt_everything(Journal& journal, Connection& c) noexcept {
  constexpr std::array kShown{K::kConnectionRefused, K::kSynFlagsIllegal, K::kSynWithData,         K::kOverlapInconsistent,
                              K::kWindowShrunk,      K::kIcmpError,       K::kTimestampRegression, K::kResetStorm};
  for (const KindInfo& kind : anomaly_kinds()) {
    if (std::find(kShown.begin(), kShown.end(), kind.kind) != kShown.end()) continue;
    if (Anomaly* found = journal.get(c, kind.kind)) found->origins |= origin::kCapture;
  }
}

/// Whether the end that was quoted believed it.
void settle_icmp(const Life& life, Journal& journal, Connection& c) noexcept {
  Anomaly* found = journal.get(c, K::kIcmpError);
  if (found == nullptr) return;
  const Endpoint& x = c.ends[found->end];
  const bool went_on = x.knows(known::kSpoke) && x.spoke_at > found->time;
  if (went_on) {
    found->values[1] |= icmp::kWentOn;
  } else if (life.verdict.opening == Opening::kUnreachable || !life.too_soon(found->time)) {
    found->values[1] |= icmp::kGaveUp;
  }
}

/// A step of an ordinary opening or close: none of the detectors of segments has anything to say of it.
bool unremarkable(const Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  const bool first_syn = s.syn() && !s.fin() && o.sender_was == State::kUnknown;
  const bool good_ack = s.acks() && !is(o.peer, State::kSynReceived);
  const bool plain = s.payload_length == 0 && !s.rst() && (s.syn() ? first_syn : good_ack);
  return plain && o.what == 0 && !o.challenged && o.reset_before == 0 && o.taken_back_ack == 0 && !o.c.is(trait::kFastOpenAsked);
}

}  // namespace

void detect(const Observation& o, Journal& journal) noexcept {
  if (unremarkable(o)) {
    assert(std::none_of(kOfSegments.begin(), kOfSegments.end(), [&](const OfSegment detector) { return detector(o).has_value(); }));
    return;
  }
  for (const auto detector : kOfSegments) {
    if (const Finding found = detector(o)) tell(o.c, o.index, *found, journal);
  }
  for (const auto detector : stream_segment_detectors()) {
    if (const Finding found = detector(o)) tell(o.c, o.index, *found, journal);
  }
}

void detect_at_end(Connection& c, std::uint32_t index, Verdict& verdict, const Timers& timers, base::Timestamp clock, bool dropped,
                   Journal& journal) noexcept {
  const Life life{c, verdict, timers, clock, journal.blocks(), dropped};
  for (const auto detector : kOfLives) {
    if (const Finding found = detector(life)) tell(c, index, *found, journal);
  }
  for (const auto detector : stream_life_detectors()) {
    if (const Finding found = detector(life)) tell(c, index, *found, journal);
  }
  settle_icmp(life, journal, c);
  if (dropped) {
    doubt_everything(journal, c);
  } else if (life.lossy()) {
    blame_capture(journal, c);
  }
}

void detecting::tell(Connection& c, std::uint32_t index, Anomaly anomaly, Journal& journal) noexcept {
  if (const Anomaly* before = journal.get(c, anomaly.kind)) {
    auto& [first, second] = anomaly.values;
    switch (anomaly.kind) {
      case K::kZeroWindowStall:
        second += before->values[1];
        first = std::max(first, before->values[0]);
        break;
      case K::kSynRetransmitted:
      case K::kSynAckRetransmitted:
      case K::kFinRetransmitted:
        second |= before->values[1];
        break;
      case K::kWindowShrunk:
      case K::kTimestampRegression:
        first = std::max(first, before->values[0]);
        break;
      case K::kResetSuspectedForged:
        first |= before->values[0];
        if (second == 0) second = before->values[1];
        break;
      default:
        break;
    }
  }
  journal.find(c, index, anomaly);
}

void detect_icmp(Connection& c, std::uint32_t index, const wire::Segment& s, Journal& journal) noexcept {
  const Endpoint& x = c.ends[s.direction];
  if (!x.knows(known::kNext)) return;
  const std::int32_t behind = seq_diff(x.snd_nxt, s.seq);
  if (behind < 0 || behind > (1 << 30)) return;  // quotes numbers that were not sent: another incarnation, or forged
  const std::int64_t said = static_cast<std::int64_t>(s.icmp_type()) << 8 | s.icmp_code();
  tell(c, index, make(K::kIcmpError, s.direction, s.time, {s.frame}, {said, s.ip_length}), journal);
}

void detect_challenge(Connection& c, std::uint32_t index, const Connection& candidate, const wire::Segment& answer,
                      Journal& journal) noexcept {
  const unsigned who = 1U - answer.direction;
  const Endpoint& answering = c.ends[answer.direction];
  if (!synchronised(answering.state)) return;
  const std::uint64_t syn = candidate.ends[who].syns.first.frame;
  journal.find(c, index, make(K::kChallengeAck, answer.direction, answer.time, {answer.frame, syn}));
}

void detect_candidate(Connection& c, std::uint32_t index, const wire::Segment& syn, Journal& journal) noexcept {
  const State state = c.ends[1 - syn.direction].state;
  if (!synchronised(state) || state == State::kTimeWait) return;
  journal.find(c, index,
               make(K::kSynInEstablished, syn.direction, syn.time, {syn.frame}, {seq_diff(syn.seq, c.ends[syn.direction].snd_nxt), 0}));
}

void detect_half_open(Connection& c, std::uint32_t index, const Connection& candidate, const wire::Segment& rst,
                      Journal& journal) noexcept {
  journal.find(c, index,
               make(K::kHalfOpenDiscovered, rst.direction, rst.time, {candidate.ends[rst.direction].syns.first.frame, rst.frame}));
}

void detect_old_syn(Connection& c, std::uint32_t index, const Connection& duplicate, Journal& journal) noexcept {
  const unsigned who = duplicate.originator;
  journal.find(c, index, make(K::kOldDuplicateSyn, who, duplicate.start, {duplicate.id}, {duplicate.ends[who].iss, 0}));
}

void detect_unanswered(Connection& c, std::uint32_t index, const Connection& candidate, Journal& journal) noexcept {
  const auto who = [&](std::uint32_t bit) {
    return candidate.orig().knows(bit) ? unsigned{candidate.originator} : 1U - candidate.originator;
  };
  const bool opens = candidate.ends[who(known::kSynAck)].knows(known::kSynAck);
  const unsigned sender = who(opens ? known::kSynAck : known::kSaid);
  const Endpoint& said = candidate.ends[sender];
  const Endpoint& y = c.ends[1 - sender];
  const Frames frames{candidate.id};
  Anomaly found = make(K::kSynAckInvalid, sender, candidate.start, frames);
  if (opens) {
    found.count = said.counters.syn_ack;
    if (y.knows(known::kIss)) found.values[0] = seq_diff(said.rcv_nxt, y.iss + 1);
  } else {
    const Endpoint& x = c.ends[sender];
    if (!said.knows(known::kAcked) || !x.knows(known::kNext) || !y.knows(known::kNext)) return;
    const std::int32_t beyond = seq_diff(said.rcv_nxt, y.snd_nxt);
    const bool both_foreign = !near(said.snd_nxt, x.snd_nxt);
    if (x.state == State::kTimeWait) return;  // it has sent and acknowledged everything: this is of a connection not seen to begin
    if (both_foreign || beyond <= 0 || !synchronised(x.state) || !y.knows(known::kSaid)) return;
    found = make(K::kAckOfUnsentData, sender, candidate.start, frames, {beyond, 0});
    found.count = static_cast<std::uint32_t>(said.counters.packets);
  }
  found.severity = Severity::kNotice;  // more often the SYN was not captured than anybody invented the numbers
  found.origins |= origin::kCapture;
  journal.find(c, index, found);
}

void detect_reuse(Connection& c, std::uint32_t index, const Connection& fresh, unsigned who, Journal& journal) noexcept {
  if (fresh.replaced != Replaced::kInTimeWait && fresh.replaced != Replaced::kInTimeWaitViolating) return;
  base::Timestamp since = fresh.start;
  for (const Endpoint& e : c.ends) {
    const Path path = derive(e);
    const int at = path.find(State::kTimeWait);
    if (at >= 0) since = std::min(since, path.steps[static_cast<std::size_t>(at)].why.time);
  }
  const bool allowed = fresh.replaced == Replaced::kInTimeWait;
  const Endpoint& x = fresh.ends[who];
  const std::int64_t distance = seq_diff(x.knows(known::kIss) ? x.iss : x.snd_nxt - 1, c.ends[who].snd_nxt);
  journal.find(c, index,
               make(allowed ? K::kTimeWaitReused : K::kTimeWaitReuseViolation, who, fresh.start, {fresh.id},
                    {base::elapsed(since, fresh.start), distance}));
}

}  // namespace finwait::tcp

// Whose a segment is: which incarnation of its flow, or the first of a new one (lifecycle, section 3 and section 9, rules 23 to 27).
#include <algorithm>

#include "detect.h"
#include "finwait/wire/seq.h"
#include "tracker_impl.h"

namespace finwait::tcp {
namespace {

using wire::Segment;
using wire::seq_diff;
using wire::seq_gt;
namespace flag = wire::tcp_flag;

constexpr std::int32_t kFar = 1 << 30;             ///< beyond it the initial number is no longer a bound
constexpr std::int32_t kMidstreamReach = 1 << 24;  ///< how far numbers may jump where no handshake was seen

bool is_over(State state) noexcept { return state == State::kClosed || state == State::kUnknown; }
bool is_over(const Connection& c) noexcept { return is_over(c.ends[0].state) && is_over(c.ends[1].state); }
bool is_past(State state) noexcept { return is_over(state) || state == State::kTimeWait; }
bool is_past(const Connection& c) noexcept { return is_past(c.ends[0].state) && is_past(c.ends[1].state); }

std::int32_t reach(const Endpoint& receiver) noexcept {
  return static_cast<std::int32_t>(std::min<std::uint32_t>(std::max<std::uint32_t>(receiver.max_window, 65535), 1U << 30));
}

bool within(std::int32_t distance, std::int32_t reach) noexcept { return distance <= reach && distance >= -reach; }

/// Each end has closed its direction or is gone: neither sends anything beyond SND.NXT any more.
bool has_said_all(const Endpoint& e) noexcept { return e.knows(known::kFin) || is_past(e.state); }

/// Both numbers stand beyond the end of this incarnation: a newer one, of which the opening was not captured.
bool goes_beyond_the_end(const Connection& c, const Segment& s) noexcept {
  const Endpoint& x = c.ends[s.direction];
  const Endpoint& y = c.ends[1 - s.direction];
  return s.acks() && y.knows(known::kNext) && seq_diff(s.ack, y.snd_nxt) > 1 && has_said_all(x) && has_said_all(y);
}

/// SND.NXT of `x`, or what `y` acknowledged beyond it: that was sent too, and not captured. Where only one direction passes the tap,
/// nothing else tells how far the other has come.
std::uint32_t sent_up_to(const Endpoint& x, const Endpoint& y) noexcept {
  return y.knows(known::kAcked) && seq_gt(y.rcv_nxt, x.snd_nxt) ? y.rcv_nxt : x.snd_nxt;
}

bool seq_fits(const Endpoint& x, const Endpoint& y, const Segment& s) noexcept {
  if (x.knows(known::kIss)) {
    const bool not_below = x.knows(known::kIssFar) ? seq_diff(s.seq, x.snd_nxt) >= -kFar : seq_diff(s.seq, x.iss) >= -1;
    return not_below && seq_diff(s.seq, sent_up_to(x, y)) <= reach(y) + 1;
  }
  if (x.knows(known::kNext)) return within(seq_diff(s.seq, sent_up_to(x, y)), kMidstreamReach);
  if (y.knows(known::kAcked) && !s.rst()) return within(seq_diff(s.seq, y.rcv_nxt), kMidstreamReach);
  return true;
}

bool ack_fits(const Endpoint& x, const Endpoint& y, const Segment& s) noexcept {
  if (!s.acks() || (s.rst() && s.ack == 0)) return true;
  if (y.knows(known::kIss)) {
    const bool not_below = y.knows(known::kIssFar) ? seq_diff(s.ack, y.snd_nxt) >= -kFar : seq_diff(s.ack, y.iss) >= 0;
    if (!not_below || seq_diff(s.ack, sent_up_to(y, x)) > reach(x)) return false;
    return x.knows(known::kIss) || !y.knows(known::kPlainSyn) || y.knows(known::kIssFar) || seq_diff(s.ack, y.iss) >= 1;
  }
  return !y.knows(known::kNext) || within(seq_diff(s.ack, sent_up_to(y, x)), kMidstreamReach);
}

bool past_handshake(const Endpoint& e) noexcept { return e.state >= State::kEstablished || e.state == State::kClosed; }

/// Rule 23: the segment's numbers are this incarnation's.
bool fits(const Connection& c, const Segment& s) noexcept {
  const Endpoint& x = c.ends[s.direction];
  const Endpoint& y = c.ends[1 - s.direction];
  if (s.rst() && s.acks() && s.seq == 0 && !x.knows(known::kIss)) {
    return y.knows(known::kIss) && seq_gt(s.ack, y.iss) && seq_diff(s.ack, y.snd_nxt) <= 0;
  }
  if (s.rst() && !s.acks() && !x.knows(known::kIss) && y.knows(known::kPlainSyn)) return false;
  // Whatever it acknowledges, a RST at just the number its target waits for ends the connection (RFC 9293, 3.10.7.4; RFC 5961, 3.2).
  const bool exact_reset = s.rst() && past_handshake(y) && y.knows(known::kAcked) && s.seq == y.rcv_nxt;
  if (!seq_fits(x, y, s) || !(ack_fits(x, y, s) || exact_reset)) return false;
  const bool ahead = x.knows(known::kNext) && seq_diff(s.seq, x.snd_nxt) > 1;
  return !ahead || !goes_beyond_the_end(c, s);
}

/// Nothing it says can answer what was captured last: an end that is asked answers within its round trip, and no SYN is repeated sooner
/// than after a second (RFC 6298, 2).
bool long_silent(const Connection& c, const Segment& s) noexcept { return base::elapsed(c.end, s.time) > base::kSecond; }

/// A SYN-ACK with another number, from an end long past its handshake, or long after the handshake was given up: it answers a SYN that was
/// not captured, or it is forged. What its peer says next tells.
bool answers_unseen_syn(const Connection& c, const Segment& s) noexcept {
  const Endpoint& x = c.ends[s.direction];
  const Endpoint& y = c.ends[1 - s.direction];
  return (x.knows(known::kIss) && past_handshake(x) && past_handshake(y)) || long_silent(c, s);
}

/// Neither number is of any incarnation: of one whose whole handshake was not captured, or invented. What its peer says next tells. Who
/// goes on at its own SND.NXT goes on with what it began.
bool goes_on_unseen(const Connection& c, const Segment& s) noexcept {
  const Endpoint& x = c.ends[s.direction];
  const Endpoint& y = c.ends[1 - s.direction];
  if (!s.acks() || s.syn() || s.rst() || !x.knows(known::kNext)) return false;
  const bool foreign_ack = !ack_fits(x, y, s);
  if (s.seq == x.snd_nxt && foreign_ack) return false;
  if (long_silent(c, s)) return foreign_ack || (y.knows(known::kNext) && seq_diff(s.ack, y.snd_nxt) > 1);
  if (!past_handshake(x) || !past_handshake(y)) return false;
  return seq_diff(s.seq, x.snd_nxt) > 0 && (foreign_ack || goes_beyond_the_end(c, s));
}

/// The one number of a segment that lies ahead of all this incarnation could say, while the other fits.
enum class Ahead : std::uint8_t { kNone, kSeq, kAck };

/// Of established ends that were both heard, and where the end whose number it is has not closed.
Ahead ahead_of_all(const Connection& c, const Segment& s) noexcept {
  constexpr std::uint32_t kHeard = known::kNext | known::kSaid;
  const Endpoint& x = c.ends[s.direction];
  const Endpoint& y = c.ends[1 - s.direction];
  if (!s.acks() || s.rst() || (x.known & y.known & kHeard) != kHeard || !past_handshake(x) || !past_handshake(y)) return Ahead::kNone;
  const bool seq = seq_fits(x, y, s);
  if (seq == ack_fits(x, y, s)) return Ahead::kNone;
  if (seq) return seq_gt(s.ack, sent_up_to(y, x)) && !has_said_all(y) ? Ahead::kAck : Ahead::kNone;
  return seq_gt(s.seq, sent_up_to(x, y)) && !has_said_all(x) ? Ahead::kSeq : Ahead::kNone;
}

/// Its peer has said the same, within a window: the capture missed what lies between. Who sends blindly is not answered so (RFC 5961, 5).
bool is_confirmed(const Connection& c, const Segment& s, Ahead ahead) noexcept {
  const Endpoint& x = c.ends[s.direction];
  const Endpoint& y = c.ends[1 - s.direction];
  if (ahead == Ahead::kSeq) return y.beyond.has_ack && within(seq_diff(s.seq, y.beyond.ack), reach(y));
  return ahead == Ahead::kAck && y.beyond.has_seq && within(seq_diff(s.ack, y.beyond.end), reach(x));
}

void note_ahead(Endpoint& x, const Segment& s, Ahead ahead) noexcept {
  Beyond& b = x.beyond;
  if (ahead == Ahead::kAck) {
    b.ack = s.ack;
    b.has_ack = true;
  } else {
    if (!b.has_seq || s.seq != b.end) b.seq = s.seq;
    b.end = s.end();
    b.has_seq = true;
    b.fin = s.fin();
    b.frame = s.frame;
    b.time = s.time;
  }
}

/// It is the third segment of the candidate's handshake, number for number. The old incarnation may have room for the same numbers: Linux
/// goes on just beyond those of a TIME-WAIT that it reuses.
bool completes(const Connection& candidate, const Segment& s) noexcept {
  const Endpoint& y = candidate.ends[1 - s.direction];
  return y.knows(known::kSynAck) && s.acks() && !s.rst() && s.ack == y.iss + 1 && y.knows(known::kAcked) && s.seq == y.rcv_nxt;
}

/// The SYN-ACK or RST acknowledges the candidate's SYN, or part of its data.
bool answers(const Connection& candidate, const Segment& s) noexcept {
  const Endpoint& y = candidate.ends[1 - s.direction];
  return y.knows(known::kPlainSyn) && seq_gt(s.ack, y.iss) && seq_diff(s.ack, y.snd_nxt) <= 0;
}

std::optional<std::uint32_t> stamp_of(const Segment& s) noexcept {
  return s.has(wire::present::kTimestamps) ? std::optional(s.ts_val) : std::nullopt;
}

/// The new SYN of end `who`, against the numbers and timestamps of the old incarnation.
Replaced replaced_by(const Connection& old, unsigned who, std::uint32_t iss, std::optional<std::uint32_t> ts_val) noexcept {
  const Endpoint& x = old.ends[who];
  const Endpoint& y = old.ends[1 - who];
  const auto in = [&](State state) { return x.state == state || y.state == state; };
  if (in(State::kTimeWait)) {
    const bool beyond = !x.knows(known::kNext) || seq_gt(iss, x.snd_nxt - 1);
    const bool newer = ts_val && x.knows(known::kTimestamp) && seq_gt(*ts_val, x.newest_ts_val);  // RFC 6191
    return beyond || newer ? Replaced::kInTimeWait : Replaced::kInTimeWaitViolating;
  }
  if (is_over(old)) return Replaced::kAfterClosed;
  return in(State::kSynSent) || in(State::kSynReceived) ? Replaced::kOverHalfOpen : Replaced::kOverEstablished;
}

}  // namespace

bool Tracker::Impl::route(const Segment& s, std::uint32_t likely) noexcept {
  std::uint32_t head = memory.find(s, likely);
  if (head != kNoBlock && !memory.is_full(head)) {
    if (memory.is_compact(head) ? track_compact(head, s) : follow_attempt(head, s)) return true;
    head = memory.find(s);
  }
  if (head != kNoBlock && expire_flow(head, s.clock)) head = memory.find(s);
  if (s.kind == wire::SegmentKind::kIcmpError) {
    if (head != kNoBlock) route_icmp(head, s);
    return true;
  }
  if (head == kNoBlock) return keeps_short && CompactMachine::may_begin(s) ? begin_attempt(s) : begin(kNoBlock, s);
  switch (s.flags & (flag::kSyn | flag::kAck | flag::kRst | flag::kFin)) {
    case flag::kSyn:
      return route_syn(head, s);
    case flag::kSyn | flag::kAck:
      return route_syn_ack(head, s);
    default:
      return route_other(head, s);
  }
}

bool Tracker::Impl::route_syn(std::uint32_t head, const Segment& s) noexcept {
  const Connection& c = memory[head];
  const Endpoint& x = c.ends[s.direction];
  const Endpoint& y = c.ends[1 - s.direction];
  if (x.knows(known::kIss) && x.iss == s.seq && !x.knows(known::kIssFar)) return apply(head, s);
  for (std::uint32_t old = c.older; old != kNoBlock; old = memory[old].older) {
    const Endpoint& before = memory[old].ends[s.direction];
    if (before.knows(known::kIss) && before.iss == s.seq) return stray(old, s);  // an old duplicate of a known incarnation
  }
  if (!x.knows(known::kIss)) {
    const bool crossing = !x.knows(known::kSaid) && y.state == State::kSynSent;
    const bool captured_late =
        y.knows(known::kSynAck) && seq_diff(x.snd_nxt, s.seq) >= 1 && seq_diff(x.snd_nxt, s.end()) <= static_cast<std::int32_t>(reach(y));
    if (captured_late && c.older != kNoBlock) {  // it took the place of that one, as the SYN-ACK captured before it could not show
      const Sighting syn{s.frame, s.time, s.ts_val, s.has(wire::present::kTimestamps), false, false, false};
      supersede(c.older, syn, s.direction, std::nullopt, s.clock);
      journal.set_frame(s.frame);
    }
    if (crossing || captured_late) return apply(head, s);
  }
  for (std::uint32_t candidate = c.candidates; candidate != kNoBlock; candidate = memory[candidate].older) {
    const Endpoint& waiting = memory[candidate].ends[s.direction];
    const bool answered_before = !waiting.knows(known::kIss) && waiting.knows(known::kNext) && waiting.snd_nxt == s.seq + 1;
    if (answered_before) promote(head, candidate, std::nullopt, s);
    if (answered_before) return apply(candidate, s);
    if (!waiting.knows(known::kIss) || waiting.iss != s.seq) continue;
    if (is_over(c)) promote(head, candidate, std::nullopt, s);
    return apply(candidate, s);
  }
  return is_over(c) ? begin(head, s) : begin_candidate(head, s);
}

bool Tracker::Impl::route_syn_ack(std::uint32_t head, const Segment& s) noexcept {
  const std::uint32_t candidate = answered_candidate(head, s);
  if (candidate != kNoBlock) {
    promote(head, candidate, answered_copy(head, candidate, s), s);
    return apply(candidate, s);
  }
  for (std::uint32_t at = head; at != kNoBlock; at = memory[at].older) {
    const Endpoint& x = memory[at].ends[s.direction];
    const Endpoint& y = memory[at].ends[1 - s.direction];
    const bool mine = !x.knows(known::kIss) || (x.iss == s.seq && !x.knows(known::kIssFar));
    if (mine && y.knows(known::kIss) && !y.knows(known::kIssFar) && seq_gt(s.ack, y.iss) && seq_diff(s.ack, y.snd_nxt) <= 0)
      return apply(at, s);
    if (x.knows(known::kIss) && x.iss == s.seq && !y.knows(known::kIss)) return apply(at, s);  // repeated, its SYN never seen
  }
  if (reopen_by_old_syn(head, s)) return true;
  const Connection& c = memory[head];
  if (is_over(c) && !c.ends[s.direction].knows(known::kIss)) return begin(head, s);
  const Endpoint& y = c.ends[1 - s.direction];
  const bool other_syn = !y.knows(known::kIss) || y.knows(known::kIssFar) || s.ack != y.iss + 1;
  if (is_past(c) && other_syn) return begin(head, s);  // the SYN it answers was not seen, or comes behind it
  for (std::uint32_t at = c.candidates; at != kNoBlock; at = memory[at].older) {
    const Endpoint& x = memory[at].ends[s.direction];
    if (x.knows(known::kSynAck) && x.iss == s.seq) return apply(at, s);
  }
  return answers_unseen_syn(c, s) ? begin_candidate(head, s) : stray(head, s);
}

bool Tracker::Impl::route_other(std::uint32_t head, const Segment& s) noexcept {
  if (s.rst() && s.acks() && s.seq == 0) {
    const std::uint32_t candidate = answered_candidate(head, s);
    if (candidate != kNoBlock) {
      promote(head, candidate, answered_copy(head, candidate, s), s);
      return apply(candidate, s);
    }
  }
  const std::uint32_t completed = completed_candidate(head, s);
  if (completed != kNoBlock) {
    promote(head, completed, std::nullopt, s);
    return apply(completed, s);
  }
  for (std::uint32_t at = head; at != kNoBlock; at = memory[at].older) {
    if (!fits(memory[at], s)) continue;
    if (at != head) {
      doubt_reuse(head, at, s);
    } else if (memory[head].candidates != kNoBlock) {
      challenge_candidates(head, s);
    }
    apply(at, s);
    if (at == head && s.rst()) discover_half_open(head, s);
    return true;
  }
  const std::uint32_t candidate = continued_candidate(head, s);
  if (candidate != kNoBlock) {
    promote(head, candidate, std::nullopt, s);
    return apply(candidate, s);
  }
  for (std::uint32_t at = memory[head].candidates; at != kNoBlock; at = memory[at].older) {
    if (without_syn(memory[at]) && fits(memory[at], s)) return apply(at, s);
  }
  const Ahead ahead = ahead_of_all(memory[head], s);
  if (is_confirmed(memory[head], s, ahead)) return resume(head, s);
  if (goes_on_unseen(memory[head], s)) return begin_candidate(head, s);
  if (ahead != Ahead::kNone) {
    const Change change = memory.change(head);
    note_ahead(memory[head].ends[s.direction], s, ahead);
  }
  return stray(head, s);
}

// Behind a gap in the capture, with what both ends say.
bool Tracker::Impl::resume(std::uint32_t head, const Segment& s) noexcept {
  {
    journal.set_frame(s.frame);
    const Change change = memory.change(head);
    machine.skip(memory[head], head, s);
  }
  return apply(head, s);
}

// RFC 9293, figure 9: the newcomer was answered by an acknowledgment of the old connection and resets it.
void Tracker::Impl::discover_half_open(std::uint32_t head, const Segment& rst) noexcept {
  for (std::uint32_t at = memory[head].candidates; at != kNoBlock; at = memory[at].older) {
    const Connection& candidate = memory[at];
    if (candidate.is(trait::kChallenged) && candidate.originator == rst.direction && is_over(memory[head])) {
      const Change change = memory.change(head);
      detect_half_open(memory[head], head, candidate, rst, journal);
      return;
    }
  }
}

void Tracker::Impl::route_icmp(std::uint32_t head, const Segment& s) noexcept {
  for (std::uint32_t at = memory[head].candidates; at != kNoBlock; at = memory[at].older) {
    const Change change = memory.change(at);
    machine.apply_icmp(memory[at], at, s);
  }
  const Change change = memory.change(head);
  machine.apply_icmp(memory[head], head, s);
  beside = head;
  settle(head, clock);
}

// Rule 26: the SYN that opened this incarnation came again after its end, and the listener answers it with another number: an old duplicate
// opened a new incarnation, in which only the responder moves.
bool Tracker::Impl::reopen_by_old_syn(std::uint32_t head, const Segment& s) noexcept {
  Connection& c = memory[head];
  Endpoint& x = c.ends[s.direction];
  Endpoint& y = c.ends[1 - s.direction];
  const bool ended = x.state == State::kClosed || x.state == State::kTimeWait;
  if (!ended || !y.knows(known::kPlainSyn) || y.knows(known::kIssFar) || s.ack != y.iss + 1 || !x.facts.has(Fact::kSynAcked)) return false;
  Sighting again;
  if (!blocks.pop_sighting(y.syns, again)) return false;
  const std::uint32_t iss = y.iss;
  const std::uint32_t fresh = create(s);
  if (fresh == kNoBlock) return false;
  head = memory.find(s);  // making room may have taken the old one
  Connection& reopened = memory[fresh];
  const unsigned who = 1U - s.direction;
  reopened.id = again.frame;
  reopened.start = again.time;
  reopened.originator = static_cast<std::uint8_t>(who);
  reopened.role_evidence = RoleEvidence::kSyn;
  reopened.handshake.syn_frame = again.frame;
  reopened.handshake.syn_time = again.time;
  Endpoint& e = reopened.ends[who];
  e.iss = iss;
  e.snd_nxt = e.iss + 1;
  e.learn(known::kIss | known::kNext | known::kPlainSyn);  // its SYN is known; that it is in SYN-SENT is not
  blocks.push_sighting(e.syns, again);
  if (head != kNoBlock) name_replaced(head, fresh);
  if (!make_head(fresh, head)) return false;
  return apply(fresh, s);
}

// An acknowledgment of the old connection in reply to a candidate SYN is a challenge ACK (RFC 5961, 4).
void Tracker::Impl::challenge_candidates(std::uint32_t head, const Segment& s) noexcept {
  for (std::uint32_t at = memory[head].candidates; at != kNoBlock; at = memory[at].older) {
    Connection& candidate = memory[at];
    Endpoint& asked = candidate.ends[1 - s.direction];
    if (!asked.knows(known::kPlainSyn) || s.rst() || base::elapsed(candidate.end, s.time) >= base::kSecond) continue;
    const Change change = memory.change(at);
    const Change change_of_head = memory.change(head);
    candidate.traits |= trait::kChallenged;
    blocks.change_sightings(asked.syns, [](Sighting& syn) { syn.dead = true; });
    detect_challenge(memory[head], head, candidate, s, journal);
  }
}

// Rule 27: an end thought to have left TIME-WAIT by a new SYN, that answers the SYN-ACK with its old numbers, never did.
void Tracker::Impl::doubt_reuse(std::uint32_t head, std::uint32_t old, const Segment& s) noexcept {
  Connection& c = memory[old];
  Connection& newer = memory[head];
  const unsigned who = s.direction;
  const bool only_a_syn = newer.ends[who].facts.only(Fact::kSyn);
  if (!c.ends[who].facts.has(Fact::kReused) || s.rst() || !only_a_syn || !newer.ends[1 - who].knows(known::kSynAck)) return;
  journal.set_frame(s.frame);
  const Change change = memory.change(old);
  const Change change_of_newer = memory.change(head);
  machine.undo(c, old, who, Fact::kReused, s.time);
  if (newer.ends[who].facts.has(Fact::kSyn)) machine.undo(newer, head, who, Fact::kSyn, s.time);
}

std::uint32_t Tracker::Impl::answered_candidate(std::uint32_t head, const Segment& s) const noexcept {
  for (std::uint32_t at = memory[head].candidates; at != kNoBlock; at = memory[at].older) {
    if (answers(memory[at], s)) return at;
  }
  return kNoBlock;
}

/// A candidate whose SYN was not seen, but whose SYN-ACK is acknowledged now; not if that is just what the old incarnation expects.
std::uint32_t Tracker::Impl::completed_candidate(std::uint32_t head, const Segment& s) const noexcept {
  const Endpoint& x = memory[head].ends[s.direction];
  if (x.knows(known::kNext) && s.seq == x.snd_nxt) return kNoBlock;
  for (std::uint32_t at = memory[head].candidates; at != kNoBlock; at = memory[at].older) {
    if (without_syn(memory[at]) && completes(memory[at], s)) return at;
  }
  return kNoBlock;
}

/// A candidate whose SYN-ACK was not seen, but whose numbers this segment goes on with.
std::uint32_t Tracker::Impl::continued_candidate(std::uint32_t head, const Segment& s) const noexcept {
  constexpr std::int32_t kSoon = 65535;  // the first window
  if (!s.acks() || s.rst()) return kNoBlock;
  for (std::uint32_t at = memory[head].candidates; at != kNoBlock; at = memory[at].older) {
    const Connection& candidate = memory[at];
    const Endpoint& x = candidate.ends[candidate.originator];
    if (without_syn(candidate)) {
      const Endpoint& y = candidate.ends[1 - s.direction];
      const bool answer = y.knows(known::kSaid) && y.knows(known::kNext) && within(seq_diff(s.ack, y.snd_nxt), kSoon) && fits(candidate, s);
      if (answer) return at;
      continue;
    }
    if (!x.knows(known::kIss)) continue;
    const std::int32_t beyond = seq_diff(s.direction == candidate.originator ? s.seq : s.ack, x.iss);
    if (beyond >= 1 && beyond <= kSoon) return at;
  }
  return kNoBlock;
}

// The candidate is the new incarnation: a SYN-ACK or RST answered it (`received`: the copy of its SYN that was answered), or what stood
// before is over.
void Tracker::Impl::promote(std::uint32_t head, std::uint32_t candidate, const std::optional<Sighting>& received,
                            const Segment& by) noexcept {
  memory.remove_candidate(head, candidate);
  Connection& fresh = memory[candidate];
  const Change change = memory.change(candidate);
  const Change change_of_head = memory.change(head);
  fresh.traits &= ~(trait::kCandidate | trait::kChallenged);
  name_replaced(head, candidate);
  detect_reuse(memory[head], head, fresh, fresh.originator, journal);
  const unsigned shown_by = without_syn(fresh) ? 1U - fresh.originator : fresh.originator;
  supersede(head, fresh.ends[shown_by].syns.first, fresh.originator, received, by.clock);
  static_cast<void>(make_head(candidate, head));
  journal.publish(fresh, candidate);
}

/// Which copy of the candidate's SYN was answered by `answer`.
std::optional<Sighting> Tracker::Impl::answered_copy(std::uint32_t head, std::uint32_t candidate, const Segment& answer) const noexcept {
  return machine.pick(memory[candidate].ends[1 - answer.direction].syns, memory[head].ends[answer.direction], echo_of(answer),
                      answer.frame);
}

/// What the candidate came upon, as that stands now.
void Tracker::Impl::name_replaced(std::uint32_t head, std::uint32_t candidate) noexcept {
  Connection& fresh = memory[candidate];
  const Endpoint& x = fresh.ends[fresh.originator];
  const Sighting& syn = x.syns.first;
  const std::uint32_t iss = x.knows(known::kIss) ? x.iss : x.snd_nxt - 1;  // as the SYN-ACK says
  fresh.replaced = replaced_by(memory[head], fresh.originator, iss, syn.has_ts ? std::optional(syn.ts_val) : std::nullopt);
  const bool by_its_stamp = !x.knows(known::kIss) && fresh.replaced == Replaced::kInTimeWaitViolating;  // perhaps: nobody saw it
  if (by_its_stamp) fresh.replaced = Replaced::kInTimeWait;
}

// Rule 25: TIME-WAIT ends by the new SYN, at its sender by the first one, at the other end by the copy it answered.
void Tracker::Impl::supersede(std::uint32_t old, const Sighting& first_syn, unsigned who, const std::optional<Sighting>& received,
                              base::Timestamp clock_now) noexcept {
  Connection& c = memory[old];
  const Change change = memory.change(old);
  journal.set_frame(received ? received->frame : first_syn.frame);
  for (const unsigned end : {who, 1 - who}) {
    if (c.ends[end].state != State::kTimeWait) continue;
    const Sighting& syn = end == who || !received ? first_syn : *received;
    machine.reuse_time_wait(c, old, end, syn.frame, syn.frame, syn.time, end == who);
  }
  c.traits |= trait::kSuperseded;
  c.last_clock = clock_now;
}

// The first segment of a new incarnation, over `head` (kNoBlock: of a new flow).
bool Tracker::Impl::begin(std::uint32_t head, const Segment& s) noexcept {
  const std::uint32_t index = create(s);
  if (index == kNoBlock) return false;
  if (head != kNoBlock) head = memory.find(s);  // making room may have taken it
  if (head != kNoBlock) {
    const Change change = memory.change(head);
    memory[index].replaced = replaced_by(memory[head], s.direction, s.seq, stamp_of(s));
    memory[head].traits |= trait::kSuperseded;
    memory[head].last_clock = s.clock;
  }
  if (!make_head(index, head)) return false;
  return apply(index, s);
}

bool Tracker::Impl::begin_candidate(std::uint32_t head, const Segment& s) noexcept {
  const std::uint32_t index = create(s);
  if (index == kNoBlock) return false;
  head = memory.find(s);
  if (head == kNoBlock) return make_head(index, kNoBlock) && apply(index, s);
  Connection& candidate = memory[index];
  const Endpoint& x = memory[head].ends[s.direction];
  candidate.traits |= trait::kCandidate;
  const bool newer = s.has(wire::present::kTimestamps) && x.knows(known::kTimestamp) && seq_gt(s.ts_val, x.newest_ts_val);
  if (newer) candidate.traits |= trait::kFreshCandidate;
  std::uint32_t waiting = 0;
  for (std::uint32_t at = memory[head].candidates; at != kNoBlock; at = memory[at].older) ++waiting;
  if (waiting == Memory::kMaxCandidates) resolve_candidate(memory[head].candidates, Release::kSuperseded, s.clock);
  memory.add_candidate(head, index);
  const Change change = memory.change(head);
  if (!s.acks()) detect_candidate(memory[head], head, s, journal);
  return apply(index, s);
}

std::uint32_t Tracker::Impl::create(const Segment& s) noexcept {
  if (!make_room(s)) return kNoBlock;
  const std::uint32_t index = memory.allocate(s.hash);
  if (index == kNoBlock) return kNoBlock;
  zeek.begin(index);
  Connection& c = memory[index];
  c.key = s.key;
  c.hash = s.hash;
  c.id = s.frame;
  c.start = c.end = s.time;
  c.last_clock = clock_of(s);
  c.encapsulation = s.encapsulation;
  c.originator = s.direction;
  const std::uint16_t sender_port = s.direction == 0 ? s.key.low_port : s.key.high_port;
  const std::uint16_t peer_port = s.direction == 0 ? s.key.high_port : s.key.low_port;
  constexpr std::uint16_t kWellKnown = 1024;
  if ((sender_port < kWellKnown) != (peer_port < kWellKnown)) {
    c.role_evidence = RoleEvidence::kPort;
    if (sender_port < kWellKnown) c.originator = static_cast<std::uint8_t>(1 - s.direction);
  }
  ++counts.created;
  return index;
}

bool Tracker::Impl::make_head(std::uint32_t index, std::uint32_t older) noexcept {
  if (!memory.insert_head(index, older)) {
    const std::uint32_t victim = memory.victim_in_the_way(memory[index].hash);
    if (victim != kNoBlock) evict(victim);
    if (victim == kNoBlock || !memory.insert_head(index, older)) {
      memory.discard(index);
      --counts.created;
      return false;
    }
  }
  std::uint32_t depth = 0;
  std::uint32_t oldest = kNoBlock;
  for (std::uint32_t at = older; at != kNoBlock; at = memory[at].older) {
    oldest = at;
    ++depth;
  }
  if (depth > Memory::kMaxOlder) release(oldest, Release::kSuperseded, clock);
  if (older != kNoBlock) settle(older, clock);
  return true;
}

bool Tracker::Impl::apply(std::uint32_t index, const Segment& s) noexcept {
  touched = index;
  journal.set_frame(s.frame);  // a timer may have fired in between
  const Change change = memory.change(index);
  if (machine.apply(memory[index], index, s)) settle(index, clock);
  return true;
}

bool Tracker::Impl::stray(std::uint32_t index, const Segment& s) noexcept {
  ++counts.strays;
  touched = kNoBlock;
  beside = index;
  journal.set_frame(s.frame);
  const Change change = memory.change(index);
  machine.apply_stray(memory[index], index, s);
  return true;
}

}  // namespace finwait::tcp

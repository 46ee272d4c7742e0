// SYN, SYN-ACK, ACK; data; FIN, ACK, FIN, ACK (RFC 9293, figures 6 and 12), or RST.
#include "compact_machine.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <limits>

#include "compact_expand.h"
#include "compact_kit.h"
#include "machine.h"

namespace finwait::tcp {
namespace {

using compact::fits;
using compact::kHarmless;
using compact::kKind;
using wire::Segment;
namespace flag = wire::tcp_flag;
namespace present = wire::present;
using Taken = CompactMachine::Taken;

constexpr std::uint16_t kOfSyn = kHarmless | present::kMss | present::kWindowScale | present::kSackPermitted;

/// A SYN or SYN-ACK without anything unusual about it. ECN may be asked for (RFC 3168, 6.1.1).
bool is_plain_syn(const Segment& s, std::uint16_t kind) noexcept {
  return (s.flags & ~(flag::kEce | flag::kCwr)) == kind && (s.present & ~kOfSyn) == 0 && s.payload_length == 0 && s.ip_length != 0 &&
         sum_of(s) == 0;
}

/// The numbers of an opening are short.
bool fits_opening(const Compact& c, const Segment& s) noexcept {
  const bool soon = s.time >= c.start && base::elapsed(c.start, s.time) >> kTimeBits == 0;
  return soon && s.frame > c.id && s.frame - c.id <= std::numeric_limits<std::uint32_t>::max() && s.time <= s.clock;
}

void write_step(Compact& c, CompactExtra& extra, CompactClose::Step step, const Segment& s) noexcept {
  c.close.frames[step] = c.since_syn(s.frame);
  c.close.times[step].set(c.since_start(s.time));
  if (s.has(present::kTimestamps)) c.stamped |= (1U << step) & 0xfU;
  if (c.has_extra && step == CompactClose::kFirstFin) extra.sent_ts_vals[0] = s.ts_val;
  if (c.has_extra && step == c.close.middle()) extra.sent_ts_vals[1] = s.ts_val;
}

Sent oldest_of(const Compact& c, const CompactExtra& extra, unsigned end) noexcept {
  const CompactSent& s = c.in_flight;
  return {c.frame(s.frames[end]),
          c.time(s.times[end].get()),
          s.ends[end] - s.lengths[end],
          s.ends[end],
          s.acks[end],
          c.has_extra ? extra.sent_ts_vals[end] : 0};
}

void need_extra(Compact& c, CompactExtra& extra) noexcept {
  if (c.has_extra) return;
  c.has_extra = true;
  extra = {};
}

// Of a SYN, an attempt or not.
unsigned side_of(const Segment& s) noexcept { return s.direction; }
unsigned side_of(const Attempt& a) noexcept { return a.direction(); }
std::uint32_t ip_length_of(const Segment& s) noexcept { return s.ip_length; }
std::uint32_t ip_length_of(const Attempt& a) noexcept { return a.ip_length(); }

/// fingerprint() of the SYN.
std::uint32_t print_of(const Attempt& a, const AttemptRest& rest) noexcept {
  const auto both = [](std::uint32_t first, std::uint32_t second) {
    return std::bit_cast<std::uint64_t>(std::array<std::uint32_t, 2>{first, second});
  };
  const bool more = a.has_rest();
  const auto kind = std::bit_cast<std::uint32_t>(std::array<std::uint16_t, 2>{a.window, a.flags()});
  return fingerprint_of(both(more ? rest.ack : 0, a.seq), both(more ? rest.ts_ecr : 0, a.ts_val), both(0, a.ip_length()), kind, a.ip_id,
                        a.direction());
}

/// Of the FIN in flight that is acknowledged now.
void learn_largest(CompactEnd& y, std::uint32_t payload) noexcept {
  const std::uint32_t length = std::min<std::uint32_t>(payload + 1, 0xffff);
  if (length > y.largest_acked) y.largest_acked = static_cast<std::uint16_t>(length);
}

/// An ACK without IP ID, where the FIN of its sender is acknowledged: perhaps it was sent from TIME-WAIT (closing.cpp).
bool may_come_from_time_wait(const Compact& c, const Segment& s) noexcept {
  const CompactEnd& x = c.ends[s.direction];
  return c.states[s.direction] == State::kFinWait2 && s.ip_id == 0 && x.knows(known::kIpId) && !x.knows(known::kIpIdErratic);
}

}  // namespace

bool CompactMachine::may_begin(const Segment& s) noexcept {
  // At once, as it is nearly always so: each of them is 0 in a SYN like any other.
  const auto other_flags = static_cast<std::uint16_t>((s.flags & ~(flag::kEce | flag::kCwr)) ^ flag::kSyn);
  const auto other_options = static_cast<std::uint16_t>(s.present & ~kOfSyn);
  const std::uint64_t too_long = s.frame >> Attempt::kFrameBits | s.ip_length >> Attempt::kLengthBits;
  const bool is_usual = (too_long | s.payload_length | other_flags | other_options | static_cast<std::uint8_t>(s.kind)) == 0;
  return is_usual && s.ip_length != 0 && s.time <= s.clock && (s.payload_sum == 0 || sum_of(s) == 0);
}

void CompactMachine::begin(Compact& c, CompactExtra& extra, std::uint32_t index, const Attempt& a, const AttemptRest& rest) noexcept {
  const unsigned side = a.direction();
  a.write_key(rest, c.key);
  c.hash = a.hash;
  c.id = a.frame();
  c.start = c.last_clock = a.time;
  c.originator = side & 1U;
  if (a.has_rest() && rest.encapsulation() != wire::Encapsulation{}) {
    need_extra(c, extra);
    extra.wrap(rest.encapsulation());
  }
  c.opening.syn_ip_id = a.ip_id;
  c.completeness_pending = completeness::kSyn;
  if (zeek_.wanted()) zeek_.see(index, a.segment(rest));
  note_time(c, a.time, a.clock(rest));
  take_syn(c, extra, a, print_of(a, rest));
  c.ends[side].learn(known::kPlainSyn);
  c.states[side] = State::kSynSent;
}

Taken CompactMachine::apply(Compact& c, CompactExtra& extra, std::uint32_t index, const Segment& s) noexcept {
  switch (s.flags & kKind) {
    case flag::kAck:
    case flag::kFin | flag::kAck:
      return go_on(c, extra, index, s);
    case flag::kSyn | flag::kAck:
      return answer(c, extra, index, s);
    case flag::kRst | flag::kAck:
      return c.states[s.direction] == State::kUnknown ? refuse(c, extra, index, s) : reset(c, extra, index, s);
    case flag::kRst:
      return abort(c, extra, index, s);
    default:
      return Taken::kRefused;
  }
}

/// Which step it would be, by the states of both ends.
CompactMachine::Step CompactMachine::step_by(const Compact& c, const Segment& s) noexcept {
  const State x = c.states[s.direction];
  const State y = c.states[1 - s.direction];
  if (s.fin()) {
    // Beyond 2^30 bytes the numbers of the handshake are no longer comparable: the long way knows what that means.
    if (c.ends[s.direction].knows(known::kIssFar)) return Step::kNone;
    if (x == State::kCloseWait) return Step::kLastFin;
    if (x != State::kEstablished) return Step::kNone;
    if (y == State::kEstablished) return Step::kFirstFin;
    if (y != State::kFinWait1) return Step::kNone;
    return s.ack == c.ends[1 - s.direction].snd_nxt ? Step::kLastFinAtOnce : Step::kLastFinCrossing;
  }
  if (s.payload_length != 0) return Step::kNone;
  if (x == State::kSynSent && y == State::kSynReceived) return Step::kComplete;
  if (x == State::kEstablished && y == State::kFinWait1) return Step::kFirstAck;
  if (x == State::kFinWait2 && y == State::kLastAck) return Step::kLastAck;
  const bool crossed = y == State::kFinWait1 ? x == State::kFinWait1 : y == State::kClosing && x == State::kFinWait2;
  return crossed ? Step::kCrossedAck : Step::kNone;
}

/// A FIN that crosses the first one, of which no more need be noted than the step: each of the two acknowledges just what the other end
/// said before its own, so either tells what the other one acknowledged; this one acknowledges nothing new; and it was not held up, so that
/// its end spoke without covering the first FIN at the time of the step. Of the sender's clock nothing is learnt if it was.
bool CompactMachine::crosses(const Compact& c, CompactExtra& extra, const Segment& s) noexcept {
  const CompactEnd& x = c.ends[s.direction];
  const CompactEnd& y = c.ends[1 - s.direction];
  const bool all = y.rcv_nxt == s.seq && s.ack == y.snd_nxt - 1 - c.close.payloads[0];
  return all && s.ack == x.rcv_nxt && (!s.has(present::kTimestamps) || when_sent(c, extra, s) == s.time);
}

// All that follows a SYN-ACK, but for RSTs: each step acknowledges all that was sent, but for the first FIN and one that crosses it.
Taken CompactMachine::go_on(Compact& c, CompactExtra& extra, std::uint32_t index, const Segment& s) noexcept {
  const Step step = step_by(c, s);
  if (step == Step::kNone) return may_be_quiet(c, s) && apply_quiet(c, extra, index, s) ? Taken::kQuiet : Taken::kRefused;
  const bool behind = step == Step::kFirstFin || step == Step::kLastFinCrossing;
  if (!behind && s.ack != c.ends[1 - s.direction].snd_nxt) return Taken::kRefused;
  Next next;
  if (!is_next(c, extra, s, next) || (step == Step::kComplete && !fits_opening(c, s))) return Taken::kRefused;
  if (step == Step::kLastFinCrossing && !crosses(c, extra, s)) return Taken::kRefused;
  if (step == Step::kCrossedAck && may_come_from_time_wait(c, s)) return Taken::kRefused;
  take(c, extra, index, s, next);
  switch (step) {
    case Step::kComplete:
      complete(c, extra, s);
      break;
    case Step::kFirstFin:
      close_first(c, extra, s);
      break;
    case Step::kFirstAck:
    case Step::kLastAck:
      acknowledge_fin(c, extra, s, step);
      break;
    case Step::kCrossedAck:
      acknowledge_crossed(c, extra, s);
      break;
    default:
      close_second(c, extra, s, step);
      break;
  }
  return Taken::kMoved;
}

/// In order, acknowledging what was seen, within the windows, not older than what its sender said before, and no copy.
[[gnu::always_inline]] inline bool CompactMachine::is_next(const Compact& c, const CompactExtra& extra, const Segment& s,
                                                           Next& next) noexcept {
  const CompactEnd& x = c.ends[s.direction];
  const CompactEnd& y = c.ends[1 - s.direction];
  if ((s.present & ~kHarmless) != 0 || s.seq != x.snd_nxt || !x.knows(known::kNext) || !acknowledges_seen(x, y, s.ack)) return false;
  next.window = static_cast<std::uint32_t>(s.window) << c.window_scales[s.direction];
  next.edge = s.ack + next.window;
  if (!respects_windows(x, y, s, next.edge) || !fits(c, x, s)) return false;
  if (s.has(present::kTimestamps) && !x.knows(known::kClockFirst)) return false;
  next.print = fingerprint(s);
  return is_newest(x, extra.clocks[s.direction], s) && !was_seen(c, next.print);
}

// What every segment behind the SYNs says.
[[gnu::always_inline]] inline void CompactMachine::note(Compact& c, std::uint32_t index, const Segment& s, std::uint32_t print) noexcept {
  CompactEnd& x = c.ends[s.direction];
  remember_print(c, print);
  zeek_.see(index, s);
  ++x.counters.packets;
  x.counters.ip_bytes += s.ip_length;
  note_frame(c, s);
}

// ... and those with an ACK.
[[gnu::always_inline]] inline void CompactMachine::note_heard(Compact& c, CompactExtra& extra, const Segment& s) noexcept {
  CompactEnd& x = c.ends[s.direction];
  x.set_spoke_at(c.since_start(s.has(present::kTimestamps) ? when_sent(c, extra, s) : s.time));
  x.rcv_nxt = s.ack;
  x.learn(known::kSpoke | known::kAcked);
  measure_rtt(x, s.ack, c.since_start(s.time), false);
}

// ... but for a RST, whose age is not asked and whose window means nothing. What is in flight is for the caller.
[[gnu::always_inline]] inline void CompactMachine::take(Compact& c, CompactExtra& extra, std::uint32_t index, const Segment& s,
                                                        const Next& next) noexcept {
  CompactEnd& x = c.ends[s.direction];
  CompactEnd& y = c.ends[1 - s.direction];
  note(c, index, s, next.print);
  note_heard(c, extra, s);
  remember_newest(x, extra.clocks[s.direction], s);
  x.max_window = std::max(x.max_window, next.window);
  x.right_edge = next.edge;
  x.learn(known::kRightEdge);
  if (s.payload_length != 0) x.learn(known::kData);
  if (s.length() != 0) {
    advance_next(x, s.end());
    time_sent(y, s.end(), c.since_start(s.time));
  }
}

// What a SYN or a SYN-ACK says of its sender.
template <class Syn>
void CompactMachine::take_syn(Compact& c, CompactExtra& extra, const Syn& s, std::uint32_t print) noexcept {
  const unsigned side = side_of(s);
  CompactEnd& x = c.ends[side];
  remember_print(c, print);
  CompactExtra::Clock& clock = extra.clocks[side];
  if (s.has(present::kTimestamps)) {
    need_extra(c, extra);
    clock.clock_base_time = s.time;
    clock.clock_base_val = extra.syn_ts_vals[side] = s.ts_val;
  }
  remember_newest(x, clock, s);
  x.learn(known_by_syn(s));
  x.counters = {1, ip_length_of(s)};
  x.ttl = s.ttl;
  x.max_window = std::max<std::uint32_t>(x.max_window, s.window);
  if (s.has(present::kWindowScale)) c.window_scales[side] = std::min<std::uint8_t>(s.window_scale, 14);  // RFC 7323, 2.3
  x.mss = s.mss;
  x.iss = s.seq;
  x.snd_nxt = s.seq + 1;
  time_sent(c.ends[1 - side], x.snd_nxt, c.since_start(s.time));
}

Taken CompactMachine::answer(Compact& c, CompactExtra& extra, std::uint32_t index, const Segment& s) noexcept {
  CompactEnd& x = c.ends[s.direction];
  CompactEnd& y = c.ends[1 - s.direction];
  const bool first =
      s.direction != c.originator && c.states[s.direction] == State::kUnknown && c.states[1 - s.direction] == State::kSynSent;
  if (!first || !is_plain_syn(s, flag::kSyn | flag::kAck) || s.ack != y.snd_nxt || !fits_opening(c, s)) return Taken::kRefused;
  zeek_.see(index, s);
  measure_rtt(x, s.ack, c.since_start(s.time), false);  // writes a word of which take_syn() writes the rest
  take_syn(c, extra, s, fingerprint(s));
  note_frame(c, s);
  c.opening.syn_ack_frame = c.since_syn(s.frame);
  c.opening.syn_ack_time.set(c.since_start(s.time));
  x.rcv_nxt = s.ack;
  x.learn(known::kSynAck | known::kAcked);
  y.largest_acked = 1;
  enter(c, s.direction, State::kSynReceived);
  return Taken::kMoved;
}

void CompactMachine::complete(Compact& c, CompactExtra& extra, const Segment& s) noexcept {
  CompactEnd& y = c.ends[1 - s.direction];
  c.opening.ack_frame = c.since_syn(s.frame);
  c.opening.ack_time.set(c.since_start(s.time));
  if (c.has_extra) extra.ack_ts_val = s.ts_val;
  if (s.has(present::kTimestamps)) y.learn(known::kSynAckedTs);
  const bool next_id = static_cast<std::uint16_t>(s.ip_id - c.opening.syn_ip_id) == 1;
  if (s.ip_id != 0 && c.opening.syn_ip_id != 0 && next_id) c.add(trait::kNoBareAck);
  y.largest_acked = 1;
  enter(c, s.direction, State::kEstablished);
  enter(c, 1U - s.direction, State::kEstablished);
}

// Of the first FIN, by the end that is still open; of the second, by the end that closed first.
void CompactMachine::acknowledge_fin(Compact& c, CompactExtra& extra, const Segment& s, Step step) noexcept {
  const unsigned x = s.direction;
  const unsigned y = 1 - x;
  const bool first = step == Step::kFirstAck;
  blocks_.prune_sent(c.ends[y], s.ack);
  learn_largest(c.ends[y], c.close.payloads[first ? 0 : 1]);
  write_step(c, extra, first ? CompactClose::kFirstAck : CompactClose::kLastAck, s);
  if (first) {
    c.add(trait::kHalfClose | (x == 1 ? trait::kHalfCloseHigh : 0));
    enter(c, x, State::kCloseWait);
    enter(c, y, State::kFinWait2);
  } else {
    const bool counts = c.ends[x].knows(known::kIpId) && !c.ends[x].knows(known::kIpIdErratic);
    if (counts && s.ip_id == 0) c.ends[x].learn(known::kFinAckedFirst);  // as the machine has it (closing.cpp)
    enter(c, x, State::kTimeWait);
    enter(c, y, State::kClosed);
  }
}

// The FIN itself is in no list: the step says all of it (compact_expand.cpp: unlisted_in_flight).
void CompactMachine::close_first(Compact& c, CompactExtra& extra, const Segment& s) noexcept {
  const unsigned x = s.direction;
  prune_sent(c, 1 - x, s.ack);
  const int others = blocks_.count_sent(c.ends[x]);
  if (others == Blocks::kMaxInFlight - 1) c.in_flight.frames[x] = 0;
  if (others == Blocks::kMaxInFlight) blocks_.forget_oldest(c.ends[x]);
  begin_close(c, extra, s);
  write_step(c, extra, CompactClose::kFirstFin, s);
  c.close.payloads[0] = static_cast<std::uint16_t>(s.payload_length);
  c.ends[x].learn(known::kFin);
  enter(c, x, State::kFinWait1);
}

void CompactMachine::close_second(Compact& c, CompactExtra& extra, const Segment& s, Step step) noexcept {
  const unsigned x = s.direction;
  write_step(c, extra, CompactClose::kSecondFin, s);
  c.close.payloads[1] = static_cast<std::uint16_t>(s.payload_length);
  c.ends[x].learn(known::kFin | (step == Step::kLastFinCrossing ? known::kNotCovering : known::kFinCovers));
  if (step == Step::kLastFinCrossing) {
    enter(c, x, State::kFinWait1);
  } else if (step == Step::kLastFinAtOnce) {  // it acknowledges the first FIN too
    write_step(c, extra, CompactClose::kFirstAck, s);
    blocks_.prune_sent(c.ends[1 - x], s.ack);
    learn_largest(c.ends[1 - x], c.close.payloads[0]);
    enter(c, x, State::kCloseWait);
    enter(c, x, State::kLastAck);
    enter(c, 1U - x, State::kFinWait2);
  } else {
    enter(c, x, State::kLastAck);
  }
}

// Of either FIN, by the end that sent the other one, which is CLOSING from then on. The first acknowledgment seems to leave the other end
// in FIN-WAIT-2; the second shows that this end was CLOSING too, and had the first one there.
void CompactMachine::acknowledge_crossed(Compact& c, CompactExtra& extra, const Segment& s) noexcept {
  const unsigned x = s.direction;
  const unsigned y = 1 - x;
  const bool of_first = x != c.closer;
  learn_largest(c.ends[y], c.close.payloads[of_first ? 0 : 1]);
  write_step(c, extra, of_first ? CompactClose::kFirstAck : CompactClose::kLastAck, s);
  const bool both = c.states[x] == State::kFinWait2;
  enter(c, x, State::kClosing);
  if (both) enter(c, x, State::kTimeWait);
  enter(c, y, both ? State::kTimeWait : State::kFinWait2);
}

// Behind the oldest. No more of them all together than of any other connection.
void CompactMachine::keep_behind(Compact& c, const Segment& s) noexcept {
  CompactEnd& x = c.ends[s.direction];
  if (blocks_.count_sent(x) == Blocks::kMaxInFlight - 1) c.in_flight.frames[s.direction] = 0;
  blocks_.push_sent(x, {s.frame, s.time, s.seq, s.end(), s.ack, s.ts_val}, sum_of(s));
}

// What is in flight makes room for it.
void CompactMachine::begin_close(Compact& c, const CompactExtra& extra, const Segment& s) noexcept {
  for (unsigned end = 0; end != 2; ++end) {
    if (c.in_flight.frames[end] != 0) blocks_.unshift_sent(c.ends[end], oldest_of(c, extra, end), c.in_flight.sums[end]);
  }
  c.close.frames = {};
  c.close.payloads = {};  // the rest of a step means something once its frame does
  c.closing = true;
  c.closer = s.direction & 1U;
}

// A RST between established ends whose sender has everything acknowledged, and at just the number its target waits for: nobody can doubt
// that it is accepted, and it looks like its sender (rules 17 and 18; the detector of forged ones would have nothing to say).
Taken CompactMachine::reset(Compact& c, CompactExtra& extra, std::uint32_t index, const Segment& s) noexcept {
  const unsigned side = s.direction;
  CompactEnd& x = c.ends[side];
  const CompactEnd& y = c.ends[1 - side];
  if (c.states[0] != State::kEstablished || c.states[1] != State::kEstablished) return Taken::kRefused;
  const bool exact = s.seq == x.snd_nxt && y.knows(known::kAcked) && y.rcv_nxt == s.seq && c.in_flight.frames[side] == 0 &&
                     x.in_flight == kNoBlock && s.payload_length == 0;
  if (!exact || (s.present & ~kHarmless) != 0 || s.ack == 0 || !acknowledges_seen(x, y, s.ack) || !fits(c, x, s)) return Taken::kRefused;
  const int hops = std::abs(static_cast<int>(s.ttl) - x.ttl);
  if (hops > 1 || static_cast<std::uint32_t>(s.window) << c.window_scales[side] > x.max_window) return Taken::kRefused;
  if (s.has(present::kTimestamps) && !x.knows(known::kClockFirst)) return Taken::kRefused;
  const std::uint32_t print = fingerprint(s);
  if (was_seen(c, print)) return Taken::kRefused;

  note(c, index, s, print);
  note_heard(c, extra, s);
  prune_sent(c, 1 - side, s.ack);
  write_reset(c, extra, s);
  x.learn(known::kOwnReset);
  enter(c, side, State::kClosed);
  enter(c, 1 - side, State::kClosed);
  return Taken::kMoved;
}

void CompactMachine::write_reset(Compact& c, CompactExtra& extra, const Segment& s) noexcept {
  begin_close(c, extra, s);
  write_step(c, extra, CompactClose::kFirstFin, s);
  c.by_reset = true;
  c.reset_ttl = s.ttl;
}

// The first word of the responder is a RST that acknowledges the SYN: nobody listens there (RFC 9293, 3.5.2, group 1).
Taken CompactMachine::refuse(Compact& c, CompactExtra& extra, std::uint32_t index, const Segment& s) noexcept {
  const unsigned side = s.direction;
  CompactEnd& x = c.ends[side];
  CompactEnd& y = c.ends[1 - side];
  const bool first = side != c.originator && c.states[1 - side] == State::kSynSent;
  constexpr std::uint16_t kPlain = present::kPayloadSum | present::kOffloaded;
  const bool plain = (s.present & ~kPlain) == 0 && s.payload_length == 0 && s.ack == y.snd_nxt;
  if (!first || !plain || !fits(c, x, s)) return Taken::kRefused;

  note(c, index, s, fingerprint(s));
  note_heard(c, extra, s);
  x.ttl = s.ttl;
  x.learn(known::kTtl);
  y.largest_acked = 1;
  write_reset(c, extra, s);
  enter(c, 1 - side, State::kClosed);
  return Taken::kMoved;
}

// The originator has had enough of what it asked for: a bare RST where its ACK would stand, at just the number the responder waits for.
Taken CompactMachine::abort(Compact& c, CompactExtra& extra, std::uint32_t index, const Segment& s) noexcept {
  const unsigned side = s.direction;
  CompactEnd& x = c.ends[side];
  if (c.states[side] != State::kSynSent || c.states[1 - side] != State::kSynReceived) return Taken::kRefused;
  if ((s.present & ~kHarmless) != 0 || s.seq != x.snd_nxt || s.payload_length != 0 || !fits(c, x, s)) return Taken::kRefused;
  if (s.has(present::kTimestamps) && !x.knows(known::kClockFirst)) return Taken::kRefused;
  const std::uint32_t print = fingerprint(s);
  if (was_seen(c, print)) return Taken::kRefused;

  if (s.has(present::kTimestamps)) static_cast<void>(when_sent(c, extra, s));  // learns its clock
  note(c, index, s, print);
  write_reset(c, extra, s);
  x.learn(known::kOwnReset);
  enter(c, side, State::kClosed);
  enter(c, 1 - side, State::kClosed);
  return Taken::kMoved;
}

void CompactMachine::expire_time_wait(Compact& c) noexcept {
  for (unsigned end = 0; end != 2; ++end) {
    if (c.states[end] == State::kTimeWait) enter(c, end, State::kClosed);
  }
}

void CompactMachine::enter(Compact& c, unsigned end, State state) noexcept {
  c.states[end] = state;
  journal_.note_entered(state);
}

void CompactMachine::unfold(Compact& c, const CompactExtra& extra, Connection& whole) noexcept {
  expand(c, extra, whole);
  for (unsigned end = 0; end != 2; ++end) {
    CompactEnd& x = c.ends[end];
    Endpoint& y = whole.ends[end];
    if (!c.closing && c.in_flight.frames[end] != 0) blocks_.unshift_sent(x, oldest_of(c, extra, end), c.in_flight.sums[end]);
    blocks_.hand_over(x, y);
    Sent unlisted;
    if (unlisted_in_flight(c, extra, end, unlisted)) blocks_.push_sent(y, unlisted, 0);
  }
}

}  // namespace finwait::tcp

// From seven segments to the evidence they are.
#include "compact_expand.h"

#include "notes.h"

namespace finwait::tcp {
namespace {

/// A segment of the close.
struct Step {
  std::uint64_t frame = 0;  ///< 0: not yet
  base::Timestamp time = 0;
  std::uint32_t ts_val = 0;
  bool has_ts = false;
};

/// All that a close consists of.
struct Steps {
  Step first_fin;
  Step first_ack;   ///< of the first FIN; may be the second FIN
  Step second_fin;  ///< by the other end
  Step last_ack;

  /// Both FINs are acknowledged, whichever was first.
  [[nodiscard]] bool done() const noexcept { return first_ack.frame != 0 && last_ack.frame != 0; }
};

/// Of a life that has neither timestamps nor anything wrapped around its packets.
constexpr CompactExtra kNoExtra{};

Steps steps_of(const Compact& c, const CompactExtra& extra) noexcept {
  const CompactClose& close = c.close;
  const auto step = [&](CompactClose::Step n, std::uint32_t ts_val) -> Step {
    if (!close.has(n)) return {};
    const bool stamped = (c.stamped >> n & 1) != 0;
    return {c.frame_of(n), c.time_of(n), stamped ? ts_val : 0, stamped};
  };
  const std::uint32_t newest = extra.clocks[1 - c.closer].newest_ts_val;
  const bool crossed = close.crossed();
  return {step(CompactClose::kFirstFin, extra.sent_ts_vals[0]), step(CompactClose::kFirstAck, crossed ? newest : extra.sent_ts_vals[1]),
          step(CompactClose::kSecondFin, crossed ? extra.sent_ts_vals[1] : newest),
          step(CompactClose::kLastAck, extra.clocks[c.closer].newest_ts_val)};
}

/// What both records have under the same names.
void copy_end(const CompactEnd& from, Endpoint& to) noexcept {
  to.known = from.known;
  to.snd_nxt = from.snd_nxt;
  to.rcv_nxt = from.rcv_nxt;
  to.max_window = from.max_window;
  to.iss = from.iss;
  to.right_edge = from.right_edge;
  to.timed_end = from.timed_end;
  to.largest_acked = from.largest_acked;
  to.newest_ip_id = from.newest_ip_id;
  to.least_rtt = static_cast<base::Duration>(from.least_rtt);
  to.counters.packets = from.counters.packets;
  to.counters.ip_bytes = from.counters.ip_bytes;
  to.counters.payload_bytes = from.payload_bytes();
}

void copy_clock(const CompactExtra::Clock& from, Endpoint& to) noexcept {
  to.newest_ts_val = from.newest_ts_val;
  to.clock_base_val = from.clock_base_val;
  to.clock_base_time = from.clock_base_time;
}

/// Those of an end, if they were ever noted: a SYN is timed at once, as is what answers it.
void copy_times(const Compact& from, unsigned end, Endpoint& to) noexcept {
  const CompactEnd& x = from.ends[end];
  if (end != from.originator || from.was_answered()) to.timed_at = from.time(static_cast<base::Duration>(x.timed_at));
  if (x.knows(known::kSpoke)) to.spoke_at = from.time(x.spoke_at());
}

void copy_life(const Compact& from, const CompactExtra& extra, Connection& to) noexcept {
  to.key = from.key;
  to.traits = std::uint32_t{from.traits} << Compact::kTraits;
  to.prints = from.prints;
  to.next_print = from.next_print;
  to.originator = from.originator;
  to.role_evidence = RoleEvidence::kSyn;
  to.completeness = from.completeness;
  to.completeness_pending = from.completeness_pending;
  to.end = from.end();
  to.last_clock = from.last_clock;
  to.last_frame = from.frame(from.last_frame_since);
  to.id = from.id;
  to.release = from.release;
  to.counted = from.counted;
  to.start = from.start;
  to.released_at = from.released_at;
  to.encapsulation = extra.encapsulation();
  for (unsigned end = 0; end != 2; ++end) {
    copy_end(from.ends[end], to.ends[end]);
    copy_clock(extra.clocks[end], to.ends[end]);
    copy_times(from, end, to.ends[end]);
    to.ends[end].window_scale = from.window_scales[end];
    to.ends[end].state = from.states[end];
  }
}

/// What the end's SYN or SYN-ACK says that is only needed once in a while.
void write_syn(const Compact& c, const CompactExtra& extra, unsigned end, std::uint64_t frame, base::Timestamp time, Endpoint& x) noexcept {
  const CompactEnd& from = c.ends[end];
  const std::uint32_t ts_val = extra.syn_ts_vals[end];
  x.ttl = from.ttl;
  x.mss = x.knows(known::kMss) ? from.mss : std::uint16_t{0};
  x.options_signature = options_signature(from);
  if (x.knows(known::kClockFirst)) {
    x.clock_first_val = ts_val;
    x.clock_first_time = time;
  }
  const bool with_ack = end != c.originator;
  x.syns.first = {frame, time, ts_val, x.knows(known::kTimestampsOffered), false, false, with_ack};
  x.syns.count = 1;
  (with_ack ? x.counters.syn_ack : x.counters.syn) = 1;
}

void note_growth(Endpoint& x, std::uint64_t frame, base::Timestamp time, std::uint32_t ack, std::uint32_t ts_val) noexcept {
  x.growth[x.growth_count++] = {frame, time, ack, ts_val};
}

void write_opening(const Compact& c, const CompactExtra& extra, Connection& whole) noexcept {
  const CompactOpening& o = c.opening;
  Endpoint& a = whole.ends[c.originator];
  Endpoint& b = whole.ends[1 - c.originator];
  Handshake& h = whole.handshake;
  write_syn(c, extra, c.originator, c.id, c.start, a);
  a.syn_ip_id = o.syn_ip_id;
  a.facts.set(Fact::kSyn, {c.id, c.id, c.start}, Proof::kProven);
  h.syn_frame = c.id;
  h.syn_time = c.start;
  if (!c.was_answered()) return;
  h.syn_ack_frame = c.syn_ack_frame();
  h.syn_ack_time = c.syn_ack_time();
  write_syn(c, extra, 1U - c.originator, h.syn_ack_frame, h.syn_ack_time, b);
  b.facts.set(Fact::kPeerSyn, {c.id, h.syn_ack_frame, h.syn_ack_time}, Proof::kProven);
  note_growth(b, h.syn_ack_frame, h.syn_ack_time, a.iss + 1, b.syns.first.ts_val);
  if (!c.was_completed()) return;
  h.ack_frame = c.ack_frame();
  h.ack_time = c.ack_time();
  a.facts.set(Fact::kPeerSynAck, {h.syn_ack_frame, h.ack_frame, h.ack_time}, Proof::kProven);
  note_growth(a, h.ack_frame, h.ack_time, b.iss + 1, extra.ack_ts_val);
  b.facts.set(Fact::kSynAcked, {h.ack_frame, h.ack_frame, h.ack_time}, Proof::kPresumed);
  b.syn_acked_ts_val = extra.ack_ts_val;
  h.completed_by = CompletedBy::kAck;
}

void write_fin(Endpoint& x, const Step& fin) noexcept {
  x.fin_seq = x.snd_nxt - 1;
  x.facts.set(Fact::kFin, {fin.frame, fin.frame, fin.time}, Proof::kProven);
  x.fins.first = {fin.frame, fin.time, fin.ts_val, fin.has_ts, false, false, true};
  x.fins.count = 1;
  x.counters.fin = 1;
}

/// `x` acknowledges the FIN of `y`.
void write_fin_ack(Endpoint& x, Endpoint& y, const Step& fin, const Step& ack, bool by_responder) noexcept {
  if (by_responder && !y.knows(known::kIssFar)) note_growth(x, ack.frame, ack.time, y.fin_seq + 1, ack.ts_val);
  x.facts.set(Fact::kPeerFin, {fin.frame, ack.frame, ack.time}, Proof::kProven);
  y.facts.set(Fact::kFinAcked, {ack.frame, ack.frame, ack.time}, Proof::kPresumed);
}

/// A SYN was answered by a RST: its end is CLOSED, the other one never was anything.
bool was_refused(const Compact& c) noexcept { return c.by_reset && !c.was_answered(); }

/// A SYN-ACK was answered by one.
bool was_aborted(const Compact& c) noexcept { return c.by_reset && c.was_answered() && !c.was_completed(); }

void write_refusal(const Compact& c, const Step& rst, Connection& whole) noexcept {
  const unsigned closer = c.closer;
  Endpoint& x = whole.ends[closer];
  Endpoint& y = whole.ends[1 - closer];
  x.ttl = c.ends[closer].ttl;
  x.counters.rst = 1;
  note_growth(x, rst.frame, rst.time, y.iss + 1, rst.ts_val);
  y.facts.set(Fact::kReset, {rst.frame, rst.frame, rst.time}, Proof::kPresumed);
}

/// The RST, and what its target made of it.
void write_reset(const Compact& c, const Step& rst, Connection& whole) noexcept {
  Endpoint& x = whole.ends[c.closer];
  x.facts.set(Fact::kReset, {rst.frame, rst.frame, rst.time}, Proof::kProven);
  x.own_reset = {rst.frame, rst.time, x.snd_nxt, c.reset_ttl};
  x.counters.rst = 1;
  whole.ends[1 - c.closer].facts.set(Fact::kReset, {rst.frame, rst.frame, rst.time}, Proof::kPresumed);
}

void write_close(const Compact& c, const Steps& close, Connection& whole) noexcept {
  const unsigned first = c.closer;
  Endpoint& x = whole.ends[first];
  Endpoint& y = whole.ends[1 - first];
  write_fin(x, close.first_fin);
  if (close.first_ack.frame != 0) write_fin_ack(y, x, close.first_fin, close.first_ack, first == c.originator);
  if (close.second_fin.frame != 0) write_fin(y, close.second_fin);
  if (close.last_ack.frame != 0) write_fin_ack(x, y, close.second_fin, close.last_ack, first != c.originator);
  if (close.done()) whole.time_wait_since = c.last_clock;  // nothing came after it
  if (c.close.crossed()) y.not_covering_at = close.second_fin.time;
  if (!c.is(trait::kHalfClose)) return;
  whole.half_close_from = close.first_ack.time;
  whole.half_close_next = y.snd_nxt;
  whole.half_close_bytes = close.second_fin.frame != 0 ? c.close.payloads[1] + 1U : 0;
  whole.half_close_packets = close.second_fin.frame != 0 ? 1 : 0;
}

/// The end was in TIME-WAIT, and that has run out.
bool has_waited(const Compact& c, unsigned end) noexcept {
  const bool over = c.states[0] == State::kClosed && c.states[1] == State::kClosed;
  return over && (end == c.closer || c.close.crossed());
}

/// Appends to what was said.
struct Said {
  std::vector<Transition>& out;
  void operator()(unsigned end, State from, State to, Proof evidence, std::uint64_t cause, std::uint64_t proof,
                  base::Timestamp time) const {
    out.push_back({static_cast<std::uint8_t>(end), from, to, evidence, cause, proof, time});
  }
};

void add_reset(const Compact& c, const Step& rst, const Said& add) {
  if (was_refused(c)) {
    add(c.originator, State::kSynSent, State::kClosed, Proof::kPresumed, rst.frame, rst.frame, rst.time);
    return;
  }
  const bool open = c.was_completed();
  const State closer_was = open ? State::kEstablished : State::kSynSent;
  const State target_was = open ? State::kEstablished : State::kSynReceived;
  add(c.closer, closer_was, State::kClosed, Proof::kProven, rst.frame, rst.frame, rst.time);
  add(1U - c.closer, target_was, State::kClosed, Proof::kPresumed, rst.frame, rst.frame, rst.time);
}

/// The first of the two acknowledgments seems to leave the end that did not send it in FIN-WAIT-2; the second one shows that it was
/// CLOSING.
void add_crossed_close(unsigned first, const Steps& close, const Said& add) {
  add(first, State::kEstablished, State::kFinWait1, Proof::kProven, close.first_fin.frame, close.first_fin.frame, close.first_fin.time);
  const Step& fin = close.second_fin;
  add(1U - first, State::kEstablished, State::kFinWait1, Proof::kProven, fin.frame, fin.frame, fin.time);
  const bool in_order = close.first_ack.frame != 0 && (close.last_ack.frame == 0 || close.first_ack.frame < close.last_ack.frame);
  const Step& ack = in_order ? close.first_ack : close.last_ack;  // the one that comes first, of the FIN of `x`
  const Step& last = in_order ? close.last_ack : close.first_ack;
  const unsigned x = in_order ? first : 1U - first;
  const unsigned y = 1 - x;
  const std::uint64_t fin_x = (in_order ? close.first_fin : close.second_fin).frame;
  const std::uint64_t fin_y = (in_order ? close.second_fin : close.first_fin).frame;
  if (ack.frame == 0) return;
  add(y, State::kFinWait1, State::kClosing, Proof::kProven, fin_x, ack.frame, ack.time);
  add(x, State::kFinWait1, State::kFinWait2, Proof::kPresumed, ack.frame, ack.frame, ack.time);
  if (last.frame == 0) return;
  add(x, State::kFinWait2, State::kFinWait1, Proof::kRefuted, ack.frame, last.frame, last.time);
  add(x, State::kFinWait1, State::kClosing, Proof::kProven, fin_y, last.frame, last.time);
  add(x, State::kClosing, State::kTimeWait, Proof::kPresumed, ack.frame, ack.frame, ack.time);
  add(y, State::kClosing, State::kTimeWait, Proof::kPresumed, last.frame, last.frame, last.time);
}

void add_close(unsigned x, const Steps& close, const Said& add) {
  const unsigned y = 1 - x;
  const Step& fin = close.first_fin;
  const Step& ack = close.first_ack;
  const Step& second = close.second_fin;
  const Step& last = close.last_ack;
  const bool at_once = ack.frame == second.frame;
  add(x, State::kEstablished, State::kFinWait1, Proof::kProven, fin.frame, fin.frame, fin.time);
  if (ack.frame == 0) return;
  add(y, State::kEstablished, State::kCloseWait, Proof::kProven, fin.frame, ack.frame, ack.time);
  if (at_once) add(y, State::kCloseWait, State::kLastAck, Proof::kProven, second.frame, second.frame, second.time);
  add(x, State::kFinWait1, State::kFinWait2, Proof::kPresumed, ack.frame, ack.frame, ack.time);
  if (second.frame == 0) return;
  if (!at_once) add(y, State::kCloseWait, State::kLastAck, Proof::kProven, second.frame, second.frame, second.time);
  if (last.frame == 0) return;
  add(x, State::kFinWait2, State::kTimeWait, Proof::kProven, second.frame, last.frame, last.time);
  add(y, State::kLastAck, State::kClosed, Proof::kPresumed, last.frame, last.frame, last.time);
}

}  // namespace

void expand(const Compact& c, const CompactExtra& given, Connection& whole) noexcept {
  const CompactExtra& extra = c.has_extra ? given : kNoExtra;
  whole = {};
  copy_life(c, extra, whole);
  write_opening(c, extra, whole);
  if (!c.closing) return;
  const Steps steps = steps_of(c, extra);
  if (c.by_reset) {
    was_refused(c) ? write_refusal(c, steps.first_fin, whole) : write_reset(c, steps.first_fin, whole);
    return;
  }
  write_close(c, steps, whole);
  for (unsigned end = 0; end != 2; ++end) {
    if (has_waited(c, end)) whole.ends[end].facts.set(Fact::kTimer, {0, 0, c.released_at}, Proof::kProven);
  }
}

bool unlisted_in_flight(const Compact& c, const CompactExtra& given, unsigned end, Sent& sent) noexcept {
  const CompactExtra& extra = c.has_extra ? given : kNoExtra;
  const CompactEnd& x = c.ends[end];
  if (!c.closing || was_aborted(c)) {
    const bool answered = c.was_answered();
    if (c.was_completed() || (end == c.originator) == answered) return false;
    sent = {answered ? c.syn_ack_frame() : c.id,
            answered ? c.syn_ack_time() : c.start,
            x.iss,
            x.iss + 1,
            answered ? x.rcv_nxt : kUnlikelyAck,
            extra.syn_ts_vals[end]};
    return true;
  }
  const bool first = end == c.closer;
  const auto acked = first ? CompactClose::kFirstAck : CompactClose::kLastAck;
  const Steps steps = steps_of(c, extra);
  const Step& fin = first ? steps.first_fin : steps.second_fin;
  if (c.by_reset || fin.frame == 0 || c.close.has(acked)) return false;
  const std::uint32_t length = c.close.payloads[first ? 0 : 1] + 1U;
  // It was the last its end said, or it crossed the other one (compact_machine.cpp: crosses).
  const std::uint32_t ack = c.close.crossed() ? c.ends[1 - end].snd_nxt - 1 - c.close.payloads[first ? 1 : 0] : x.rcv_nxt;
  sent = {fin.frame, fin.time, x.snd_nxt - length, x.snd_nxt, ack, fin.ts_val};
  return true;
}

void read_history(const Compact& c, std::vector<Transition>& out) {
  out.clear();
  const Said add{out};
  const unsigned a = c.originator;
  const unsigned b = 1 - a;
  add(a, State::kClosed, State::kSynSent, Proof::kProven, c.id, c.id, c.start);
  if (c.was_answered()) add(b, State::kListen, State::kSynReceived, Proof::kProven, c.id, c.syn_ack_frame(), c.syn_ack_time());
  if (c.was_completed()) {
    add(a, State::kSynSent, State::kEstablished, Proof::kProven, c.syn_ack_frame(), c.ack_frame(), c.ack_time());
    add(b, State::kSynReceived, State::kEstablished, Proof::kPresumed, c.ack_frame(), c.ack_frame(), c.ack_time());
  }
  if (!c.closing) return;
  const Steps steps = steps_of(c, kNoExtra);  // no timestamps are asked for
  if (c.by_reset) {
    add_reset(c, steps.first_fin, add);
    return;
  }
  c.close.crossed() ? add_crossed_close(c.closer, steps, add) : add_close(c.closer, steps, add);
  for (const unsigned end : {a, b}) {
    if (has_waited(c, end)) add(end, State::kTimeWait, State::kClosed, Proof::kTimer, 0, 0, c.released_at);
  }
}

}  // namespace finwait::tcp

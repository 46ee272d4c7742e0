#include "compact_brief.h"

#include <algorithm>
#include <cassert>
#include <initializer_list>

#include "detect_kit.h"
#include "finwait/tcp/classify.h"
#include "notes.h"

namespace finwait::tcp {
namespace {

enum class Shape : std::uint8_t { kUnanswered, kHalfOpen, kOpen, kClosed, kReset, kRefused, kAborted, kOther };

Shape shape_of(const Compact& c) noexcept {
  const State a = c.states[c.originator];
  const State b = c.states[1 - c.originator];
  if (a == State::kSynSent && b == State::kUnknown) return Shape::kUnanswered;
  if (is_half_open(c)) return Shape::kHalfOpen;
  if (a == State::kEstablished && b == State::kEstablished && !c.closing) return Shape::kOpen;
  if (c.by_reset) return c.was_completed() ? Shape::kReset : c.was_answered() ? Shape::kAborted : Shape::kRefused;
  const auto closed = [](State state) { return state == State::kTimeWait || state == State::kClosed; };
  return c.closing && closed(a) && closed(b) ? Shape::kClosed : Shape::kOther;
}

/// A half-close that is worth a word (classify.cpp: half_close_of).
bool was_half_closed(const Compact& c) noexcept {
  if (!c.is(trait::kHalfClose)) return false;
  return c.close.payloads[1] != 0 || base::elapsed(c.time_of(CompactClose::kFirstAck), c.time_of(CompactClose::kSecondFin)) > base::kSecond;
}

Opening opening_of(Shape shape) noexcept {
  switch (shape) {
    case Shape::kUnanswered:
      return Opening::kUnanswered;
    case Shape::kHalfOpen:
      return Opening::kHalfOpen;
    case Shape::kRefused:
      return Opening::kRefused;
    case Shape::kAborted:
      return Opening::kAborted;
    default:
      return Opening::kThreeWay;
  }
}

Ending ending_of(const Compact& c, Shape shape) noexcept {
  if (shape == Shape::kClosed) return Ending::kGraceful;
  if (shape == Shape::kReset) return Ending::kReset;
  if (shape == Shape::kRefused) return Ending::kRefused;
  if (shape == Shape::kAborted) return Ending::kAborted;
  if (c.release == Release::kEvicted) return Ending::kEvicted;
  if (shape == Shape::kUnanswered) return Ending::kUnanswered;
  if (shape == Shape::kHalfOpen) return Ending::kHalfOpen;
  return c.release == Release::kIdle ? Ending::kTimeout : Ending::kOpen;
}

/// 0: it was not seen.
base::Timestamp syn_ack_time_of(const Compact& c) noexcept { return c.was_answered() ? c.syn_ack_time() : 0; }

void write_end(const Compact& c, unsigned end, Brief::End& to) noexcept {
  const CompactEnd& x = c.ends[end];
  to.packets = x.counters.packets;
  to.ip_bytes = x.counters.ip_bytes;
  to.payload_bytes = x.payload_bytes();
  to.missing_bytes = 0;
  to.syn_time = end == c.originator ? c.start : syn_ack_time_of(c);
  to.known = x.known;
  to.iss = x.iss;
  to.snd_nxt = x.snd_nxt;
  to.retransmitted_segments = 0;
  to.duplicates = 0;
  to.ttl = x.ttl;
  to.options_signature = options_signature(x);
  to.lone_fin = false;
}

/// Behind the first FIN: each end is CLOSING since it acknowledged the other's FIN, and in TIME-WAIT since its own was acknowledged.
void write_crossed_steps(const Compact& c, StateSteps& steps) noexcept {
  const unsigned x = c.closer;
  const unsigned y = 1 - x;
  steps.add(y, State::kFinWait1, c.time_of(CompactClose::kSecondFin));
  steps.add(x, State::kClosing, c.time_of(CompactClose::kLastAck));
  steps.add(y, State::kClosing, c.time_of(CompactClose::kFirstAck));
  steps.add(x, State::kTimeWait, c.time_of(CompactClose::kFirstAck));
  steps.add(y, State::kTimeWait, c.time_of(CompactClose::kLastAck));
  if (c.states[x] != State::kClosed) return;
  steps.add(x, State::kClosed, c.released_at);
  steps.add(y, State::kClosed, c.released_at);
}

/// As StateSteps has them, one after the other from place `first` on.
consteval std::uint64_t states_from(unsigned first, std::initializer_list<State> states) {
  std::uint64_t all = 0;
  for (const State state : states) all = StateSteps::with_state(all, first++, state);
  return all;
}

/// Of a life between established ends that both closed, one after the other: each end had two steps before.
void write_closing_steps(const Compact& c, StateSteps& steps) noexcept {
  StateSteps::End& x = steps.ends[c.closer];
  StateSteps::End& y = steps.ends[1U - c.closer];
  x.times[2] = c.time_of(CompactClose::kFirstFin);
  x.times[3] = y.times[2] = c.time_of(CompactClose::kFirstAck);
  x.times[4] = y.times[4] = c.time_of(CompactClose::kLastAck);
  x.times[5] = c.released_at;
  y.times[3] = c.time_of(CompactClose::kSecondFin);
  x.states |= states_from(2, {State::kFinWait1, State::kFinWait2, State::kTimeWait, State::kClosed});
  y.states |= states_from(2, {State::kCloseWait, State::kLastAck, State::kClosed});
  x.count = c.states[c.closer] == State::kClosed ? 6 : 5;
  y.count = 5;
}

/// Those of compact_expand.cpp: read_history. What stands behind the last step means nothing, so it is written whether it counts or not.
void write_steps(const Compact& c, StateSteps& steps) noexcept {
  const bool completed = c.was_completed();
  StateSteps::End& a = steps.ends[c.originator];
  StateSteps::End& b = steps.ends[1U - c.originator];
  a.times[0] = c.start;
  b.times[0] = c.syn_ack_time();
  a.times[1] = b.times[1] = c.ack_time();
  a.states = states_from(0, {State::kSynSent, State::kEstablished});
  b.states = states_from(0, {State::kSynReceived, State::kEstablished});
  a.count = completed ? 2 : 1;
  b.count = completed ? 2 : c.was_answered() ? 1 : 0;
  if (!c.closing) return;
  if (c.by_reset) {
    const base::Timestamp at = c.time_of(CompactClose::kFirstFin);
    if (c.was_answered()) steps.add(c.closer, State::kClosed, at);
    steps.add(1U - c.closer, State::kClosed, at);
  } else if (c.close.crossed()) {
    steps.add(c.closer, State::kFinWait1, c.time_of(CompactClose::kFirstFin));
    write_crossed_steps(c, steps);
  } else {
    assert(completed);
    write_closing_steps(c, steps);
  }
}

void write_end(const Unopened::End& x, Brief::End& to) noexcept {
  to = {1, x.ip_bytes, 0, 0, x.time, x.known, x.iss, x.iss + 1, 0, 0, x.ttl, x.options_signature, false};
}

// The findings, as detect.cpp has them.
std::optional<Anomaly> half_open(const Compact& c, base::Timestamp judged_at, bool dropped) noexcept {
  Unopened told;
  tell_half_open(c, judged_at, told);
  std::optional<Anomaly> found = finding_of(told);
  if (found && dropped) found->origins |= origin::kCapture;
  return found;
}

Anomaly reset_by_closer(AnomalyKind kind, const Compact& c, bool dropped) noexcept {
  const CompactEnd& x = c.ends[c.closer];
  const CompactEnd& y = c.ends[1 - c.closer];
  const std::uint64_t rst = c.frame_of(CompactClose::kFirstFin);
  const std::int32_t unacknowledged = x.knows(known::kAcked) ? static_cast<std::int32_t>(y.snd_nxt - x.rcv_nxt) : 0;
  Anomaly found = detecting::make(kind, c.closer, c.time_of(CompactClose::kFirstFin), {rst}, {std::max(unacknowledged, 0), 0});
  if (dropped) found.origins |= origin::kCapture;
  return found;
}

Anomaly simultaneous_close(const Compact& c, bool dropped) noexcept {
  const auto frame_of_fin = [&](unsigned end) { return c.frame_of(end == c.closer ? CompactClose::kFirstFin : CompactClose::kSecondFin); };
  const base::Timestamp last = std::max(c.time_of(CompactClose::kFirstFin), c.time_of(CompactClose::kSecondFin));
  Anomaly found =
      detecting::make(AnomalyKind::kSimultaneousClose, c.originator, last, {frame_of_fin(c.originator), frame_of_fin(1U - c.originator)});
  if (dropped) found.origins |= origin::kCapture;
  return found;
}

Anomaly connection_refused(const Compact& c) noexcept {
  const base::Timestamp at = c.time_of(CompactClose::kFirstFin);
  const std::uint64_t rst = c.frame_of(CompactClose::kFirstFin);
  return detecting::make(AnomalyKind::kConnectionRefused, c.closer, at, {c.id, rst}, {base::elapsed(c.start, at), 0});
}

std::optional<Anomaly> find(Shape shape, const Compact& c, base::Timestamp judged_at, bool dropped) noexcept {
  if (shape == Shape::kHalfOpen) return half_open(c, judged_at, dropped);
  if (shape == Shape::kReset) return reset_by_closer(AnomalyKind::kResetEstablished, c, dropped);
  if (shape == Shape::kAborted) return reset_by_closer(AnomalyKind::kResetInHandshake, c, dropped);
  if (shape == Shape::kRefused) return connection_refused(c);  // whole in the frames captured, whatever was dropped
  if (shape == Shape::kClosed && c.close.crossed()) return simultaneous_close(c, dropped);
  return std::nullopt;
}

}  // namespace

// With lower thresholds what an ordinary life may have is a finding.
bool may_tell_briefly(const Timers& timers) noexcept { return timers.thresholds.storm > 1 && timers.thresholds.tries != 0; }

void tell(const Attempt& a, const AttemptRest& rest, base::Timestamp released_at, Unopened& told) noexcept {
  Unopened::End& x = told.ends[0];
  Unopened::End& y = told.ends[1];
  const bool low = a.direction() == 0;
  a.write_addresses(rest, low ? x.address : y.address, low ? y.address : x.address);
  x.port = low ? a.low_port : a.high_port;
  y.port = low ? a.high_port : a.low_port;
  x.time = a.time;
  x.known = known::kPlainSyn | known_by_syn(a);
  x.iss = a.seq;
  x.ip_bytes = a.ip_length();
  x.ttl = a.ttl;
  x.options_signature = static_cast<std::uint8_t>(a.present);
  told.id = a.frame();
  told.clock = a.clock(rest);
  told.released_at = released_at;
  told.syn_ack_frame = 0;
  told.network = a.network;
  told.originator = static_cast<std::uint8_t>(a.direction());
  told.left_half_open = false;
  told.ending = a.release() == Release::kEvicted ? Ending::kEvicted : Ending::kUnanswered;
}

bool is_half_open(const Compact& c) noexcept {
  return c.states[c.originator] == State::kSynSent && c.states[1 - c.originator] == State::kSynReceived;
}

void tell_half_open(const Compact& c, base::Timestamp judged_at, Unopened& told) noexcept {
  for (unsigned n = 0; n != 2; ++n) {
    const unsigned end = n ^ c.originator;
    const CompactEnd& x = c.ends[end];
    told.ends[n] = {end == 0 ? c.key.low : c.key.high,
                    n == 0 ? c.start : c.syn_ack_time(),
                    x.known,
                    x.iss,
                    x.counters.ip_bytes,
                    end == 0 ? c.key.low_port : c.key.high_port,
                    static_cast<std::uint8_t>(x.ttl),
                    options_signature(x)};
  }
  told.id = c.id;
  told.clock = c.last_clock;
  told.released_at = c.released_at;
  told.syn_ack_frame = c.syn_ack_frame();
  told.waited = base::elapsed(told.ends[1].time, judged_at);
  told.network = c.key.network;
  told.originator = c.originator;
  told.left_half_open = told.waited > patience(c.ends);
  told.ending = c.release == Release::kEvicted ? Ending::kEvicted : Ending::kHalfOpen;
}

void write_brief(const Unopened& unopened, Brief& brief) noexcept {
  const auto& [x, y] = unopened.ends;
  const unsigned sender = unopened.originator;
  const bool answered = unopened.answered();
  brief.key = unopened.key();
  brief.id = unopened.id;
  brief.start = brief.syn_time = x.time;
  brief.end = answered ? y.time : x.time;
  brief.last_clock = unopened.clock;
  brief.released_at = unopened.released_at;
  brief.syn_ack_time = answered ? y.time : 0;
  brief.originator = unopened.originator;
  brief.opening = unopened.opening();
  brief.ending = unopened.ending;
  brief.replaced = Replaced::kNothing;
  brief.syn_seen = true;
  brief.syn_ack_seen = answered;
  brief.syn_ack_repeated = brief.time_wait_reused = false;
  brief.steps.clear();
  write_end(x, brief.ends[sender]);
  brief.steps.add(sender, State::kSynSent, x.time);
  if (answered) {
    write_end(y, brief.ends[1 - sender]);
    brief.steps.add(1 - sender, State::kSynReceived, y.time);
  } else {
    brief.ends[1 - sender] = {};
    brief.ends[1 - sender].known = known::kTimed;
  }
}

std::optional<Anomaly> finding_of(const Unopened& unopened) noexcept {
  if (!unopened.left_half_open) return std::nullopt;
  return detecting::make(AnomalyKind::kHalfOpen, 1U - unopened.originator, unopened.ends[1].time, {unopened.syn_ack_frame},
                         {1, unopened.waited});
}

bool tell_briefly(const Compact& c, const Timers& timers, base::Timestamp judged_at, bool dropped, Brief& brief,
                  std::optional<Anomaly>& found) noexcept {
  const Shape shape = shape_of(c);
  if (shape == Shape::kOther || !may_tell_briefly(timers) || (shape == Shape::kClosed && was_half_closed(c))) return false;
  write_place(c, brief);
  brief.syn_time = c.start;
  brief.syn_ack_time = syn_ack_time_of(c);
  brief.opening = opening_of(shape);
  brief.ending = ending_of(c, shape);
  brief.replaced = Replaced::kNothing;
  brief.syn_seen = true;
  brief.syn_ack_seen = c.was_answered();
  brief.syn_ack_repeated = false;
  brief.time_wait_reused = false;
  for (unsigned end = 0; end != 2; ++end) write_end(c, end, brief.ends[end]);
  write_steps(c, brief.steps);
  found = find(shape, c, judged_at, dropped);
  return true;
}

}  // namespace finwait::tcp

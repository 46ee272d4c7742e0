#include "compact_brief.h"

#include <algorithm>

#include "detect_kit.h"
#include "finwait/tcp/classify.h"

namespace finwait::tcp {
namespace {

enum class Shape : std::uint8_t { kUnanswered, kHalfOpen, kOpen, kClosed, kOther };

Shape shape_of(const Compact& c) noexcept {
  const State a = c.states[c.originator];
  const State b = c.states[1 - c.originator];
  const bool closing = c.close != kNoBlock;
  if (a == State::kSynSent && b == State::kUnknown) return Shape::kUnanswered;
  if (a == State::kSynSent && b == State::kSynReceived) return Shape::kHalfOpen;
  if (a == State::kEstablished && b == State::kEstablished && !closing) return Shape::kOpen;
  const auto closed = [](State x, State y) { return (x == State::kTimeWait || x == State::kClosed) && y == State::kClosed; };
  return closing && (closed(a, b) || closed(b, a)) ? Shape::kClosed : Shape::kOther;
}

/// A half-close that is worth a word (classify.cpp: half_close_of).
bool was_half_closed(const Compact& c, const CompactClose& close) noexcept {
  if (!c.is(trait::kHalfClose)) return false;
  const std::uint32_t bytes = close.half_close_bytes;  // the FIN included
  return bytes > 1 || base::elapsed(close.first_ack.time, close.second_fin.time) > base::kSecond;
}

Opening opening_of(Shape shape) noexcept {
  return shape == Shape::kUnanswered ? Opening::kUnanswered : shape == Shape::kHalfOpen ? Opening::kHalfOpen : Opening::kThreeWay;
}

Ending ending_of(const Compact& c, Shape shape) noexcept {
  if (shape == Shape::kClosed) return Ending::kGraceful;
  if (c.release == Release::kEvicted) return Ending::kEvicted;
  if (shape == Shape::kUnanswered) return Ending::kUnanswered;
  if (shape == Shape::kHalfOpen) return Ending::kHalfOpen;
  return c.release == Release::kIdle ? Ending::kTimeout : Ending::kOpen;
}

void write_end(const Compact& c, unsigned end, Brief::End& to) noexcept {
  const CompactEnd& x = c.ends[end];
  to.packets = x.counters.packets;
  to.ip_bytes = x.counters.ip_bytes;
  to.payload_bytes = x.counters.payload_bytes;
  to.missing_bytes = 0;
  to.syn_time = end == c.originator ? c.start : c.opening.syn_ack_time;
  to.known = x.known;
  to.iss = x.iss;
  to.snd_nxt = x.snd_nxt;
  to.retransmitted_segments = 0;
  to.duplicates = 0;
  to.ttl = c.opening.ttl[end];
  to.options_signature = c.opening.options_signature[end];
  to.lone_fin = false;
}

/// Those of compact_expand.cpp: read_history.
void write_steps(const Compact& c, const CompactClose* close, StateSteps& steps) noexcept {
  const unsigned a = c.originator;
  const unsigned b = 1 - a;
  steps.count = {};
  steps.add(a, State::kSynSent, c.start);
  if (c.opening.syn_ack_frame != 0) steps.add(b, State::kSynReceived, c.opening.syn_ack_time);
  if (c.opening.ack_frame != 0) {
    steps.add(a, State::kEstablished, c.opening.ack_time);
    steps.add(b, State::kEstablished, c.opening.ack_time);
  }
  if (close == nullptr) return;
  const unsigned x = close->closer;
  const unsigned y = 1 - x;
  steps.add(x, State::kFinWait1, close->first_fin.time);
  steps.add(x, State::kFinWait2, close->first_ack.time);
  steps.add(x, State::kTimeWait, close->last_ack.time);
  if (c.states[x] == State::kClosed) steps.add(x, State::kClosed, c.released_at);
  steps.add(y, State::kCloseWait, close->first_ack.time);
  steps.add(y, State::kLastAck, close->second_fin.time);
  steps.add(y, State::kClosed, close->last_ack.time);
}

/// The same as detect.cpp has it.
std::optional<Anomaly> half_open(const Compact& c, base::Timestamp judged_at, bool dropped) noexcept {
  const CompactOpening& o = c.opening;
  if (base::elapsed(o.syn_ack_time, judged_at) <= patience(c.ends)) return std::nullopt;
  Anomaly found =
      detecting::make(AnomalyKind::kHalfOpen, 1U - c.originator, o.syn_ack_time, {o.syn_ack_frame}, {1, base::elapsed(c.end, judged_at)});
  if (dropped) found.origins |= origin::kCapture;
  return found;
}

}  // namespace

bool tell_briefly(const Compact& c, const Blocks& blocks, const Timers& timers, base::Timestamp judged_at, bool dropped, Brief& brief,
                  std::optional<Anomaly>& found) noexcept {
  const Shape shape = shape_of(c);
  const CompactClose* close = shape == Shape::kClosed ? &blocks[c.close].close : nullptr;
  const bool alarming = timers.thresholds.storm == 0 || timers.thresholds.tries == 0;  // nothing at all is enough
  if (shape == Shape::kOther || alarming || (close != nullptr && was_half_closed(c, *close))) return false;
  brief.key = c.key;
  brief.id = c.id;
  brief.start = c.start;
  brief.end = c.end;
  brief.last_clock = c.last_clock;
  brief.released_at = c.released_at;
  brief.syn_time = c.start;
  brief.syn_ack_time = c.opening.syn_ack_time;
  brief.originator = c.originator;
  brief.opening = opening_of(shape);
  brief.ending = ending_of(c, shape);
  brief.replaced = Replaced::kNothing;
  brief.syn_seen = true;
  brief.syn_ack_seen = c.opening.syn_ack_frame != 0;
  brief.syn_ack_repeated = false;
  brief.time_wait_reused = false;
  for (unsigned end = 0; end != 2; ++end) write_end(c, end, brief.ends[end]);
  write_steps(c, close, brief.steps);
  found = shape == Shape::kHalfOpen ? half_open(c, judged_at, dropped) : std::nullopt;
  return true;
}

}  // namespace finwait::tcp

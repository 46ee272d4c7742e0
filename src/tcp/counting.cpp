// What is odd in a stream, counted in Wireshark's words: retransmissions, segments out of order, keepalives, bytes never seen; and what the
// window allowed. What one segment shows to be wrong by itself is told to the detectors here, since an ordinary segment never asks them.
//
// Sequence numbers below SND.NXT were either seen (a retransmission) or lie in a hole, a range that must have been sent and was not seen. A
// hole is filled by a segment that comes late; if its peer acknowledges it first, the capture lost it: missing bytes.
#include <algorithm>

#include "detect.h"
#include "finwait/wire/seq.h"
#include "machine.h"
#include "notes.h"

namespace finwait::tcp {
namespace {

using wire::seq_diff;
using wire::seq_ge;
using wire::seq_gt;
using wire::seq_le;
using wire::seq_lt;

/// A probe repeats the last byte or nothing at all, one below SND.NXT (RFC 9293, 3.8.4).
bool is_keepalive(const Endpoint& x, const wire::Segment& s) noexcept {
  return !s.syn() && !s.fin() && s.payload_length <= 1 && s.seq + 1 == x.snd_nxt && x.knows(known::kAcked);
}

/// Bytes of [left, right) that lie in a hole; they are taken out of it.
std::uint32_t fill(Block::Holes& holes, std::uint32_t left, std::uint32_t right) noexcept {
  std::uint32_t filled = 0;
  for (std::uint32_t n = 0; n < holes.count; ++n) {
    Hole& hole = holes.ranges[n];
    const std::uint32_t from = seq_gt(left, hole.left) ? left : hole.left;
    const std::uint32_t to = seq_lt(right, hole.right) ? right : hole.right;
    if (!seq_lt(from, to)) continue;
    filled += to - from;
    const Hole above{to, hole.right};
    hole.right = from;
    const bool splits = seq_lt(above.left, above.right);
    if (hole.left == hole.right) {
      hole = splits ? above : holes.ranges[--holes.count];
      if (!splits) --n;
    } else if (splits && holes.count < Block::Holes::kHoles) {
      holes.ranges[holes.count++] = above;
    }
  }
  return filled;
}

/// The windows of both ends mean what they say: neither scale was missed.
bool windows_known(const Observation& o) noexcept {
  constexpr std::uint32_t kScales = known::kOptionsSeen | known::kWindowScale;
  return o.sender.knows(known::kOptionsSeen) && (o.sender.known & kScales) == (o.peer.known & kScales);
}

/// Whether it is older than its neighbours can be told.
bool dated(const wire::Segment& s) noexcept { return s.ip_id != 0 || s.has(wire::present::kTimestamps); }

/// A SYN draws a challenge ACK (RFC 5961, 4; RFC 9293, 3.10.7.4).
bool answers_syn(State s) noexcept { return s >= State::kEstablished && s <= State::kTimeWait; }

/// A probe that its peer ought to answer at once; those since the peer last spoke are counted.
void note_probe(Blocks& blocks, Observation& o) noexcept {
  StreamNotes* notes = blocks.notes(o.sender);
  if (notes == nullptr) return;
  const bool answered = o.peer.knows(known::kSpoke) && o.peer.spoke_at > notes->probed.at;
  if (notes->probes == 0 || answered) {
    notes->probes = 0;
    notes->probed = {o.segment.frame, o.segment.time};
  }
  ++notes->probes;
}

}  // namespace

// What the sender lets its peer send, and whether it keeps to what its peer allows. Looked at before the segment's numbers are taken in.
void Machine::watch_window(Observation& o) noexcept {
  Endpoint& x = o.sender;
  const Endpoint& y = o.peer;
  const wire::Segment& s = o.segment;
  if (o.stale) [[unlikely]]
    watch_stamp(o);
  if (s.syn()) {
    const bool again = !s.acks() && x.knows(known::kPlainSyn);  // the first one may only have been captured late
    if (again && answers_syn(y.state)) o.peer.learn(known::kChallenged);
  } else if (s.acks()) {
    const std::uint32_t edge = s.ack + (static_cast<std::uint32_t>(s.window) << x.window_scale);
    if (!x.knows(known::kRightEdge)) {
      x.right_edge = edge;
      x.learn(known::kRightEdge);
    }
    const bool closed = s.window == 0 || x.right_edge == x.rcv_nxt;
    if (seq_lt(edge, x.right_edge) || closed) [[unlikely]] {
      move_edge(o, edge);
    } else {
      x.right_edge = edge;
    }
  }
  if (s.payload_length == 0 || !y.knows(known::kRightEdge)) return;
  const std::int32_t beyond = seq_diff(s.seq + s.payload_length, y.right_edge);
  if (beyond <= 0 || o.copy) return;
  const bool probe = s.payload_length == 1 && beyond == 1;  // of a closed window (RFC 9293, 3.8.6.1)
  if (probe) {
    note_probe(blocks_, o);
  } else if (windows_known(o) && !s.syn()) {
    detect_outside_window(o, beyond, journal_);
  }
}

// The edge goes back, or the window is or was closed.
void Machine::move_edge(Observation& o, std::uint32_t edge) noexcept {
  Endpoint& x = o.sender;
  const wire::Segment& s = o.segment;
  const bool newest = o.fresh() && (!x.knows(known::kAcked) || seq_ge(s.ack, x.rcv_nxt));
  if (!newest) return;
  const std::int32_t back = seq_diff(x.right_edge, edge);
  x.right_edge = edge;
  // Rounding to the scale, or to whole segments, takes back nothing that was counted on.
  const std::int32_t rounding = std::max<std::int32_t>(x.knows(known::kMss) ? x.mss : 1460, 1 << x.window_scale);
  const bool closing = x.knows(known::kFin) || o.peer.knows(known::kFin) || s.fin();  // nothing is to come: no window is needed
  if (back > rounding && !closing && windows_known(o) && dated(s)) detect_window_shrunk(o, back, journal_);
  if (s.window == 0) {
    StreamNotes* notes = s.fin() ? nullptr : blocks_.notes(x);
    if (notes != nullptr && notes->window_closed.frame == 0) notes->window_closed = {s.frame, s.time};
    return;
  }
  StreamNotes* notes = blocks_.known_notes(x);
  if (notes == nullptr || notes->window_closed.frame == 0) return;
  detect_window_opened(o, *notes, blocks_.known_notes(o.peer), timers_.thresholds, journal_);
  notes->window_closed = {};
}

// New words with an old stamp: not held up, for what was held up says nothing new.
void Machine::watch_stamp(Observation& o) noexcept {
  const Endpoint& x = o.sender;
  const wire::Segment& s = o.segment;
  const bool third = !s.syn() && s.payload_length == 0 && x.knows(known::kIss) && s.seq == x.iss + 1;
  if (third && o.c.handshake.ack_frame != 0) o.c.traits |= trait::kNoBareAck;  // captured behind the data it was sent before
  if (o.copy || !s.has(wire::present::kTimestamps) || !x.knows(known::kTimestamp)) return;
  const std::int32_t back = seq_diff(x.newest_ts_val, s.ts_val);
  const bool new_data = s.payload_length != 0 && x.knows(known::kNext) && seq_ge(s.seq, x.snd_nxt);
  const bool new_ack = s.acks() && x.knows(known::kAcked) && seq_gt(s.ack, x.rcv_nxt);
  const bool too_far = back > 0 && static_cast<std::uint32_t>(back) >= timers_.thresholds.timestamp_ticks;
  if (too_far && (new_data || new_ack)) detect_old_stamp(o, back, journal_);
}

// Other bytes at the numbers of a segment that has not been acknowledged yet.
void Machine::compare_bytes(Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  const std::uint16_t sum = sum_of(s);
  if (sum == 0 || s.payload_length < 2 || o.sender.knows(known::kFin)) return;
  std::uint64_t other = 0;
  blocks_.for_each_sum(o.sender, [&](const Sent& sent, std::uint16_t before) {
    if (sent.seq == s.seq && sent.end == s.end() && before != 0 && before != sum) other = sent.frame;
  });
  if (other != 0) detect_overlap(o, other, journal_);
}

/// What lies between SND.NXT and `to` was not seen.
void Machine::open_hole(Endpoint& x, std::uint32_t to, base::Timestamp time) noexcept {
  Block::Holes* holes = blocks_.holes(x);
  if (holes == nullptr) return;
  if (holes->count == Block::Holes::kHoles) {  // the oldest is given up: counted as missing now, whatever comes
    x.counters.missing_bytes += holes->ranges[0].right - holes->ranges[0].left;
    std::move(holes->ranges.begin() + 1, holes->ranges.end(), holes->ranges.begin());
    --holes->count;
  }
  holes->ranges[holes->count++] = {x.snd_nxt, to};
  holes->since = time;
}

// What the peer allows was said within the gap, or in a segment that moved nothing; and so was what it sent behind the gap, if this segment
// acknowledges it.
void Machine::skip(Connection& c, std::uint32_t index, const wire::Segment& s) noexcept {
  const unsigned side = 1U - s.direction;
  Endpoint& y = c.ends[side];
  const Beyond said = y.beyond;
  c.ends[0].beyond = c.ends[1].beyond = {};
  y.forget(known::kRightEdge);
  if (!said.has_seq || !seq_gt(said.seq, y.snd_nxt) || !seq_ge(s.ack, said.seq)) return;
  open_hole(y, said.seq, s.time);
  advance_next(y, said.end);
  if (!said.fin) return;
  const Path before = derive(y);
  y.fin_seq = said.end - 1;
  y.learn(known::kFin);
  if (y.facts.has(Fact::kPeerFin)) y.learn(known::kFinCovers);
  y.facts.set(Fact::kFin, {said.frame, said.frame, said.time}, Proof::kProven);
  blocks_.push_sighting(y.fins, {said.frame, said.time, 0, false, false, false, true});
  journal_.commit(c, index, side, before, said.time);
}

void Machine::count_sequence(Observation& o) noexcept {
  Endpoint& x = o.sender;
  const wire::Segment& s = o.segment;
  if (o.copy || !x.knows(known::kNext)) return;
  if (seq_gt(s.seq, x.snd_nxt)) return open_hole(x, s.seq, s.time);  // something before it was not seen
  if (is_keepalive(x, s)) {
    ++x.counters.keepalives;
    note_probe(blocks_, o);
    return;
  }
  if (s.length() == 0 || seq_ge(s.seq, x.snd_nxt)) return;
  const std::uint32_t old_end = seq_lt(s.end(), x.snd_nxt) ? s.end() : x.snd_nxt;
  std::uint32_t filled = 0;
  bool soon = false;
  if (Block::Holes* holes = blocks_.known_holes(x)) {
    filled = fill(*holes, s.seq, old_end);
    const base::Duration patience =
        x.knows(known::kRtt) ? std::max<base::Duration>(x.least_rtt, 3 * base::kMillisecond) : 3 * base::kMillisecond;
    soon = base::elapsed(holes->since, s.time) < patience || o.stale;
  }
  const std::uint32_t repeated = old_end - s.seq - filled;
  if (filled != 0 && soon) {
    if (x.counters.out_of_order++ == 0) {
      if (StreamNotes* notes = blocks_.notes(x)) notes->out_of_order = {s.frame, s.time};
    }
  } else if (s.payload_length != 0 || s.fin() || (s.syn() && x.syns.count > 1)) {
    ++x.counters.retransmitted_segments;
    note_repeated(o, old_end, repeated);
  }
  x.counters.retransmitted_bytes += std::min(repeated, s.payload_length);
}

// Sent again: needlessly, if all of it had been acknowledged.
void Machine::note_repeated(Observation& o, std::uint32_t end, std::uint32_t bytes) noexcept {
  const wire::Segment& s = o.segment;
  if (s.payload_length == 0) return;
  const bool spurious = o.peer.knows(known::kAcked) && seq_le(end, o.peer.rcv_nxt);
  if (!spurious) compare_bytes(o);
  StreamNotes* notes = blocks_.notes(o.sender);
  if (notes == nullptr) return;
  if (notes->repeated_segments++ == 0) notes->repeated = {s.frame, s.time};
  if (bytes < s.payload_length) ++notes->refilled_segments;
  if (!spurious) return;
  if (notes->spurious_segments++ == 0) notes->spurious = {s.frame, s.time};
  notes->spurious_bytes += bytes;
}

// What the peer acknowledges and was never seen, the capture lost.
void Machine::count_missing(Observation& o) noexcept {
  Endpoint& y = o.peer;
  if (y.stream_block != kNoBlock) y.counters.missing_bytes += blocks_.take_holes(y, o.sender.rcv_nxt);
}

}  // namespace finwait::tcp

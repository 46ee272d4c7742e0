// What is odd in a stream, counted in Wireshark's words: retransmissions, segments out of order, keepalives, bytes never seen.
//
// Sequence numbers below SND.NXT were either seen (a retransmission) or lie in a hole, a range that must have been sent and was not seen. A
// hole is filled by a segment that comes late; if its peer acknowledges it first, the capture lost it: missing bytes.
#include <algorithm>

#include "finwait/wire/seq.h"
#include "machine.h"

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
    } else if (splits && holes.count < Block::kHoles) {
      holes.ranges[holes.count++] = above;
    }
  }
  return filled;
}

}  // namespace

void Machine::count_sequence(Observation& o) noexcept {
  Endpoint& x = o.sender;
  const wire::Segment& s = o.segment;
  if (o.copy || !x.knows(known::kNext)) return;
  if (seq_gt(s.seq, x.snd_nxt)) {  // something before it was not seen
    if (x.holes_block == kNoBlock) x.holes_block = blocks_.allocate();
    if (x.holes_block == kNoBlock) return;
    Block::Holes& holes = blocks_[x.holes_block].holes;
    if (holes.count == Block::kHoles) {  // the oldest is given up: counted as missing now, whatever comes
      x.counters.missing_bytes += holes.ranges[0].right - holes.ranges[0].left;
      std::move(holes.ranges.begin() + 1, holes.ranges.end(), holes.ranges.begin());
      --holes.count;
    }
    holes.ranges[holes.count++] = {x.snd_nxt, s.seq};
    holes.since = s.time;
    return;
  }
  if (is_keepalive(x, s)) {
    ++x.counters.keepalives;
    return;
  }
  if (s.length() == 0 || seq_ge(s.seq, x.snd_nxt)) return;
  const std::uint32_t old_end = seq_lt(s.end(), x.snd_nxt) ? s.end() : x.snd_nxt;
  std::uint32_t filled = 0;
  bool soon = false;
  if (x.holes_block != kNoBlock) {
    Block::Holes& holes = blocks_[x.holes_block].holes;
    filled = fill(holes, s.seq, old_end);
    const base::Duration patience =
        x.knows(known::kRtt) ? std::max<base::Duration>(x.least_rtt, 3 * base::kMillisecond) : 3 * base::kMillisecond;
    soon = base::elapsed(holes.since, s.time) < patience || o.stale;
  }
  const std::uint32_t repeated = old_end - s.seq - filled;
  if (filled != 0 && soon) {
    ++x.counters.out_of_order;
  } else if (s.payload_length != 0 || s.syn() || s.fin()) {
    ++x.counters.retransmitted_segments;
  }
  x.counters.retransmitted_bytes += std::min(repeated, s.payload_length);
}

// What the peer acknowledges and was never seen, the capture lost.
void Machine::count_missing(Observation& o) noexcept {
  Endpoint& y = o.peer;
  const std::uint32_t acked = o.sender.rcv_nxt;
  if (y.holes_block == kNoBlock) return;
  Block::Holes& holes = blocks_[y.holes_block].holes;
  for (std::uint32_t n = 0; n < holes.count;) {
    const Hole hole = holes.ranges[n];
    const std::uint32_t to = seq_lt(acked, hole.right) ? acked : hole.right;
    if (!seq_lt(hole.left, to)) {
      ++n;
      continue;
    }
    y.counters.missing_bytes += to - hole.left;
    if (to == hole.right) {
      holes.ranges[n] = holes.ranges[--holes.count];
    } else {
      holes.ranges[n++].left = to;
    }
  }
}

}  // namespace finwait::tcp

// The middle of an ordinary life: data and acknowledgments between established ends, in order.
//
// Nine of ten segments are of this kind. One function, so that what it knows stays in registers. A short cut and nothing else: the machine
// leaves the same behind (tests/tcp/compact_test.cpp).
#include <algorithm>

#include "compact_kit.h"
#include "compact_machine.h"
#include "freshness.h"
#include "notes.h"

namespace finwait::tcp {

/// In order, acknowledging what was seen, within the windows, not older than what its sender said before, and no copy. Asked of established
/// ends, each of which has said SYN and ACK: none of the questions needs a branch. Whether what it acknowledges is comparable with the
/// number its peer began with (notes.h: acknowledges_seen) need not be asked: it lies between the last acknowledgment and SND.NXT, and so
/// did all before.
[[gnu::always_inline]] inline bool CompactMachine::is_quiet(const Compact& c, const CompactExtra& extra, const wire::Segment& s,
                                                            Next& next) noexcept {
  const CompactEnd& x = c.ends[s.direction];
  const CompactEnd& y = c.ends[1 - s.direction];
  if (s.seq != x.snd_nxt || !compact::fits(c, x, s)) return false;
  const std::uint32_t length = s.payload_length;
  const std::uint32_t outstanding = y.snd_nxt - x.rcv_nxt;
  next.window = static_cast<std::uint32_t>(s.window) << c.window_scales[s.direction];
  next.edge = s.ack + next.window;
  const std::uint32_t edge_before = x.knows(known::kRightEdge) ? x.right_edge : next.edge;
  const std::uint32_t edge_of_peer = y.knows(known::kRightEdge) ? y.right_edge : s.seq + length;
  const bool acks_seen = (outstanding < (1U << 30)) & (s.ack - x.rcv_nxt <= outstanding);
  const bool open = (s.window != 0) & (edge_before != x.rcv_nxt) & (wire::seq_diff(next.edge, edge_before) >= 0);
  const bool within = (length == 0) | (wire::seq_diff(s.seq + length, edge_of_peer) <= 0);
  if (!(acks_seen & open & within)) return false;
  if (s.has(wire::present::kTimestamps) && !x.knows(known::kClockFirst)) return false;
  next.print = fingerprint(s);
  // New data has not been seen before, nor has what acknowledges more than before: no need to look.
  const bool may_be_copy = (length == 0) & (s.ack == x.rcv_nxt);
  return is_newest(x, extra.clocks[s.direction], s) && !(may_be_copy && was_seen(c, next.print));
}

// is_next() and take() for this one kind of segment, written out: what the record knows is read once and written once, and what must hold
// is asked in one go.
bool CompactMachine::apply_quiet(Compact& c, CompactExtra& extra, std::uint32_t index, const wire::Segment& s) noexcept {
  CompactEnd& x = c.ends[s.direction];
  CompactEnd& y = c.ends[1 - s.direction];
  Next next;
  if (!is_quiet(c, extra, s, next)) return false;
  zeek_.see(index, s);
  remember_print(c, next.print);
  std::uint32_t learnt = known::kRightEdge | known::kSpoke | known::kAcked;
  base::Timestamp sent_at = s.time;
  if (s.has(wire::present::kTimestamps)) {
    sent_at = when_sent(c, extra, s);
    extra.clocks[s.direction].newest_ts_val = s.ts_val;
    learnt |= known::kTimestamp;
  }
  ++x.counters.packets;
  x.counters.ip_bytes += s.ip_length;
  const base::Duration since_start = c.since_start(s.time);
  x.set_spoke_at(c.since_start(sent_at));
  if (s.ip_id != 0) {  // behind the time, which is written as part of the whole word: that must not wait for a piece of it
    x.newest_ip_id = s.ip_id;
    learnt |= known::kIpId;
  }
  note_time(c, s);
  set_last_frame(c, s.frame);
  c.completeness |= c.completeness_pending;
  c.completeness_pending |= s.payload_length != 0 ? completeness::kData : completeness::kAck;
  x.max_window = std::max(x.max_window, next.window);
  x.right_edge = next.edge;
  x.rcv_nxt = s.ack;
  x.known |= learnt;
  measure_rtt(x, s.ack, since_start, false);
  if (s.payload_length != 0) {
    x.learn(known::kData);
    advance_next(x, s.seq + s.payload_length);
    keep_sent(c, extra, s, since_start);
    time_sent(y, x.snd_nxt, since_start);
  }
  prune_sent(c, 1U - s.direction, s.ack);
  return true;
}

}  // namespace finwait::tcp

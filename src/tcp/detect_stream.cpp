// Detectors of the established group: windows, probes, what is sent again, what nobody answers.
//
// What happens all the time in every network (a segment sent again, or out of order) is counted, and worth a word only in excess: see
// thresholds.h for how much and why.
#include <algorithm>

#include "detect.h"
#include "detect_kit.h"
#include "finwait/tcp/anomaly_text.h"
#include "finwait/wire/seq.h"

namespace finwait::tcp {
namespace detecting {
namespace {

using wire::seq_diff;
using wire::seq_gt;
using wire::seq_le;

constexpr std::int32_t kNear = 1 << 20;

/// Numbers that fit no incarnation: data far from the window, or blind.
Finding stray_data(const Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  if (!fresh_stray(o) || s.payload_length == 0 || s.syn() || s.rst() || !s.acks() || !o.peer.knows(known::kAcked)) return {};
  if (!synchronised(o.sender.state) || !synchronised(o.peer.state)) return {};
  const std::int32_t acked = seq_diff(s.ack, o.sender.rcv_nxt);
  const bool acknowledges_this = o.sender.knows(known::kAcked) && acked >= -kNear && acked <= kNear;
  if (!acknowledges_this) return {};  // both numbers are foreign: of an incarnation that was not seen to begin
  return by_sender(o, K::kDataOutsideWindow, {seq_diff(s.seq, o.peer.rcv_nxt), 0});
}

// ---- a whole life

bool opened(const Life& life) noexcept {
  const Opening o = life.verdict.opening;
  return o == Opening::kThreeWay || o == Opening::kFastOpen || o == Opening::kSimultaneous || o == Opening::kSplit ||
         o == Opening::kMidstream;
}

bool gone_by_own_reset(const Endpoint& e) noexcept { return e.facts.has(Fact::kReset) && e.knows(known::kOwnReset); }

/// What an end tried over and over and its peer never acknowledged: the segment at SND.UNA.
struct Tries {
  std::uint32_t count = 0;
  std::uint32_t size = 0;  ///< the largest, in sequence numbers
  StreamNotes::First first{};
  StreamNotes::First last{};
};

Tries tries_of(const Life& life, unsigned end) noexcept {
  const Endpoint& y = life.c.ends[end];
  const Endpoint& x = life.c.ends[1 - end];
  Tries tries;
  if (!x.knows(known::kAcked)) return tries;
  life.blocks.for_each_sent(y, [&](const Sent& sent) {
    if (seq_gt(sent.seq, x.rcv_nxt) || seq_le(sent.end, x.rcv_nxt)) return;
    if (tries.count++ == 0) tries.first = {sent.frame, sent.time};
    tries.last = {sent.frame, sent.time};
    tries.size = std::max(tries.size, sent.end - sent.seq);
  });
  return tries;
}

bool window_closed(const Life& life, unsigned end) noexcept {
  const StreamNotes* notes = life.blocks.known_notes(life.c.ends[end]);
  return notes != nullptr && notes->window_closed.frame != 0;
}

Finding data_unanswered_by(const Life& life, unsigned peer) noexcept {
  const Endpoint& x = life.c.ends[peer];
  const Endpoint& y = life.c.ends[1 - peer];
  const Tries tries = tries_of(life, 1 - peer);
  const bool only_fin = y.knows(known::kFin) && y.fin_seq == x.rcv_nxt;
  if (tries.count <= life.timers.thresholds.tries || only_fin || gone_by_own_reset(x) || window_closed(life, peer)) return {};
  std::int64_t why = 0;
  constexpr std::uint32_t kEveryPath = 536;  // RFC 9293, 3.7.1
  if (tries.size > std::max<std::uint32_t>(y.largest_acked, kEveryPath) && y.largest_acked != 0) why |= unanswered::kLarger;
  if (x.knows(known::kSpoke) && x.spoke_at > tries.first.at) {
    why |= unanswered::kPeerAlive;
  } else if (x.knows(known::kSpoke) && base::elapsed(x.spoke_at, tries.first.at) >= life.timers.thresholds.idle_before) {
    why |= unanswered::kAfterIdle;
  }
  Anomaly found = make(K::kDataUnanswered, 1 - peer, tries.first.at, {tries.first.frame, tries.last.frame},
                       {tries.size | why << 32, base::elapsed(tries.first.at, tries.last.at)});
  found.count = tries.count - 1;
  return found;
}

/// How many probes are enough: an end that then gives up has decided for itself.
std::uint32_t probes_enough(const Life& life, const Endpoint& prober) noexcept {
  const std::uint32_t tries = life.timers.thresholds.tries;
  return gone_by_own_reset(prober) ? std::min(2U, tries) : tries;
}

Finding keepalive_unanswered_by(const Life& life, unsigned peer) noexcept {
  const Endpoint& x = life.c.ends[peer];
  const StreamNotes* notes = life.blocks.known_notes(life.c.ends[1 - peer]);
  if (notes == nullptr || notes->probes < probes_enough(life, life.c.ends[1 - peer]) || !x.knows(known::kSpoke)) return {};
  if (x.spoke_at > notes->probed.at || gone_by_own_reset(x) || window_closed(life, peer)) return {};
  Anomaly found = make(K::kKeepaliveUnanswered, 1 - peer, notes->probed.at, {notes->probed.frame, life.c.last_frame},
                       {base::elapsed(notes->probed.at, life.c.end), 0});
  found.count = notes->probes;
  return found;
}

/// Nothing since before it was asked, although it was asked again and again. An end that has closed may be gone.
Finding silence_of(const Life& life, unsigned end) noexcept {
  const Endpoint& x = life.c.ends[end];
  if (!x.knows(known::kSpoke) || x.knows(known::kFin) || gone_by_own_reset(x)) return {};
  const Tries tries = tries_of(life, 1 - end);
  const StreamNotes* notes = life.blocks.known_notes(life.c.ends[1 - end]);
  const Thresholds& t = life.timers.thresholds;
  StreamNotes::First first{};
  const bool probed = notes != nullptr && notes->probes >= probes_enough(life, life.c.ends[1 - end]);
  if (probed && notes->probed.at > x.spoke_at) first = notes->probed;
  if (tries.count > t.tries && tries.first.at > x.spoke_at) first = tries.first;
  if (first.frame == 0) return {};
  const base::Duration silent = base::elapsed(x.spoke_at, life.c.end);
  if (silent < t.silence) return {};
  return make(K::kPeerSilent, end, x.spoke_at, {first.frame, life.c.last_frame}, {silent, 0});
}

template <class Of>
Finding either(const Life& life, Of of) noexcept {
  if (!opened(life)) return {};
  const Finding found = of(life, life.originator());
  return found ? found : of(life, life.responder());
}

Finding data_unanswered(const Life& life) noexcept { return either(life, data_unanswered_by); }
Finding keepalive_unanswered(const Life& life) noexcept { return either(life, keepalive_unanswered_by); }
Finding peer_silent(const Life& life) noexcept { return either(life, silence_of); }

/// A window that never opened again.
Finding stall_to_the_end(const Life& life) noexcept {
  for (const unsigned end : life.ends()) {
    const StreamNotes* notes = life.blocks.known_notes(life.c.ends[end]);
    const StreamNotes* waiting = life.blocks.known_notes(life.c.ends[1 - end]);
    if (notes == nullptr || notes->window_closed.frame == 0 || waiting == nullptr) continue;
    if (waiting->probes == 0 || waiting->probed.frame < notes->window_closed.frame) continue;
    const base::Duration closed = base::elapsed(notes->window_closed.at, life.c.end);
    if (closed < life.timers.thresholds.stall) continue;
    return make(K::kZeroWindowStall, end, notes->window_closed.at, {notes->window_closed.frame, life.c.last_frame}, {closed, closed});
  }
  return {};
}

/// The end with more of something, in excess.
struct Excess {
  std::uint32_t count = 0;
  unsigned end = 0;
};

template <class CountOf>
Excess excess(const Life& life, std::uint32_t least, double share, CountOf count_of) noexcept {
  Excess most;
  for (const unsigned end : life.ends()) {
    const Endpoint& e = life.c.ends[end];
    const std::uint32_t count = count_of(e);
    if (count >= least && count >= share * static_cast<double>(e.counters.packets) && count > most.count) most = {count, end};
  }
  return most;
}

Finding retransmission(const Life& life) noexcept {
  const auto repeated = [&](const Endpoint& e) {
    const StreamNotes* notes = life.blocks.known_notes(e);
    return notes == nullptr ? 0U : notes->repeated_segments;
  };
  const Thresholds& t = life.timers.thresholds;
  const Excess most = excess(life, t.retransmissions, t.retransmitted_share, repeated);
  const StreamNotes* notes = life.blocks.known_notes(life.c.ends[most.end]);
  if (most.count == 0) return {};
  const Counters& n = life.c.ends[most.end].counters;
  Anomaly found = make(K::kRetransmission, most.end, notes->repeated.at, {notes->repeated.frame},
                       {static_cast<std::int64_t>(n.retransmitted_bytes),
                        static_cast<std::int64_t>(n.packets) | static_cast<std::int64_t>(notes->refilled_segments) << 32});
  found.count = most.count;
  return found;
}

Finding spurious_retransmission(const Life& life) noexcept {
  const auto spurious = [&](const Endpoint& e) {
    const StreamNotes* notes = life.blocks.known_notes(e);
    return notes == nullptr ? 0U : notes->spurious_segments;
  };
  const Thresholds& t = life.timers.thresholds;
  const Excess most = excess(life, t.spurious, t.spurious_share, spurious);
  const Endpoint& e = life.c.ends[most.end];
  const StreamNotes* notes = life.blocks.known_notes(e);
  if (most.count == 0) return {};
  Anomaly found = make(K::kSpuriousRetransmission, most.end, notes->spurious.at, {notes->spurious.frame},
                       {notes->spurious_bytes, static_cast<std::int64_t>(e.counters.packets)});
  found.count = most.count;
  return found;
}

Finding out_of_order(const Life& life) noexcept {
  const Thresholds& t = life.timers.thresholds;
  const Excess most = excess(life, t.out_of_order, t.out_of_order_share, [](const Endpoint& e) { return e.counters.out_of_order; });
  if (most.count == 0) return {};
  const Endpoint& e = life.c.ends[most.end];
  const StreamNotes* notes = life.blocks.known_notes(e);
  const StreamNotes::First first = notes != nullptr ? notes->out_of_order : StreamNotes::First{life.c.id, life.c.start};
  Anomaly found = make(K::kOutOfOrder, most.end, first.at, {first.frame}, {0, static_cast<std::int64_t>(e.counters.packets)});
  found.count = most.count;
  return found;
}

constexpr std::array<OfSegment, 1> kOfSegments{stray_data};
constexpr std::array<OfLife, 7> kOfLives{
    data_unanswered, keepalive_unanswered, peer_silent, stall_to_the_end, retransmission, spurious_retransmission, out_of_order,
};

}  // namespace

std::span<const OfSegment> stream_segment_detectors() noexcept { return kOfSegments; }
std::span<const OfLife> stream_life_detectors() noexcept { return kOfLives; }

}  // namespace detecting

using namespace detecting;

void detect_outside_window(const Observation& o, std::int32_t beyond, Journal& journal) noexcept {
  tell(o.c, o.index, by_sender(o, K::kDataOutsideWindow, {beyond, 0}), journal);
}

void detect_window_shrunk(const Observation& o, std::int32_t back, Journal& journal) noexcept {
  tell(o.c, o.index, by_sender(o, K::kWindowShrunk, {back, 0}), journal);
}

// Only a window that somebody waited for: its peer had more to send, and probed.
void detect_window_opened(const Observation& o, const StreamNotes& notes, const StreamNotes* waiting, const Thresholds& thresholds,
                          Journal& journal) noexcept {
  const base::Duration closed = base::elapsed(notes.window_closed.at, o.segment.time);
  const bool waited = waiting != nullptr && waiting->probes != 0 && waiting->probed.frame > notes.window_closed.frame;
  if (!waited || closed < thresholds.stall) return;
  tell(o.c, o.index,
       make(K::kZeroWindowStall, o.side, notes.window_closed.at, {notes.window_closed.frame, o.segment.frame}, {closed, closed}), journal);
}

void detect_old_stamp(const Observation& o, std::int32_t back, Journal& journal) noexcept {
  tell(o.c, o.index, by_sender(o, K::kTimestampRegression, {back, 0}), journal);
}

void detect_overlap(const Observation& o, std::uint64_t other, Journal& journal) noexcept {
  tell(o.c, o.index, seen(o, K::kOverlapInconsistent, o.side, {other, o.segment.frame}, {o.segment.payload_length, 0}), journal);
}

}  // namespace finwait::tcp

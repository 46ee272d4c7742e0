// One segment through the machine: first what it says of its sender, then what its peer will do with it.
#include "machine.h"

#include <algorithm>

#include "detect.h"
#include "finwait/wire/seq.h"
#include "freshness.h"
#include "notes.h"

namespace finwait::tcp {
namespace {

namespace flag = wire::tcp_flag;
using wire::seq_diff;
using wire::seq_ge;
using wire::seq_gt;

/// Established at both ends, no FIN (and no RST: that would be CLOSED), no RST just refused: then a segment without SYN, FIN and RST can
/// change no fact.
bool is_quiet(const Observation& o) noexcept {
  constexpr std::uint16_t kMoving = wire::tcp_flag::kSyn | wire::tcp_flag::kFin | wire::tcp_flag::kRst;
  const auto settled = [](const Endpoint& e) { return e.state == State::kEstablished && !e.knows(known::kFin | known::kChallenged); };
  return (o.segment.flags & kMoving) == 0 && settled(o.sender) && settled(o.peer);
}

/// What the path of an end is a function of, kept to see what a segment changed.
struct Before {
  explicit Before(const Endpoint& end) noexcept : facts(end.facts), known_bits(end.known) {}

  [[nodiscard]] bool differs(const Endpoint& end) const noexcept {
    constexpr std::uint32_t kLatches = known::kFinCovers | known::kFastOpenEarly | known::kFinAckedFirst;
    return facts.changes() != end.facts.changes() || ((known_bits ^ end.known) & kLatches) != 0;
  }
  /// No latch has changed that would turn the path as it was.
  [[nodiscard]] bool only_grew(const Endpoint& end) const noexcept {
    return ((known_bits ^ end.known) & known::kFinCovers) == 0 || !facts.has(Fact::kFin);
  }
  [[nodiscard]] Path path() const noexcept {
    const auto knew = [this](std::uint32_t bit) { return (known_bits & bit) != 0; };
    return derive(facts, knew(known::kFinCovers), knew(known::kFastOpenEarly), knew(known::kFinAckedFirst));
  }

  Facts facts;
  std::uint32_t known_bits;
};

}  // namespace

bool Machine::apply(Connection& c, std::uint32_t index, const wire::Segment& s) noexcept {
  Observation o(c, index, s);
  judge_freshness(o);
  count(o);
  const std::uint32_t window = s.rst() ? 0 : static_cast<std::uint32_t>(s.window) << (s.syn() ? 0 : o.sender.window_scale);
  o.sender.max_window = std::max(o.sender.max_window, window);
  if (is_quiet(o)) {
    watch_window(o);
    send_data(o);
    if (o.acknowledges()) acknowledge(o);
    return false;
  }
  apply_moving(o);
  return true;
}

// A segment that may change what is known of either end.
void Machine::apply_moving(Observation& o) noexcept {
  o.moving = true;
  Connection& c = o.c;
  const wire::Segment& s = o.segment;
  const Before sender_before(o.sender);
  const Before peer_before(o.peer);
  note_what_was(o);
  if (s.syn()) learn_options(o);
  if (o.fresh()) refute(o);
  if (!s.rst()) watch_window(o);
  if (s.syn() && !s.rst()) send_syn(o);
  if (!s.rst()) send_data(o);
  if (o.acknowledges()) acknowledge(o);
  if (s.fin() && !s.syn() && !s.rst()) send_fin(o);
  if (s.rst()) send_reset(o);
  pick_up_midstream(o);

  const auto commit = [&](unsigned end, const Before& before) {
    if (!before.differs(c.ends[end])) return;
    const State was = c.ends[end].state;
    Path more;
    more.state = was;
    if (before.only_grew(c.ends[end]) && Journal::has_room(c) && extend(more, c.ends[end], before.facts)) {
      journal_.append(c, o.index, end, more);
    } else {
      journal_.commit(c, o.index, end, before.path(), s.time);
    }
    if (c.ends[end].state == State::kTimeWait && was != State::kTimeWait) c.time_wait_since = clock_of(s);
  };
  commit(o.side, sender_before);
  settle_peer(o);
  commit(1 - o.side, peer_before);
  measure_half_close(o);
  detect(o, journal_);
}

// What the detectors want to know of the time before the segment.
void Machine::note_what_was(Observation& o) noexcept {
  o.challenged = o.sender.knows(known::kChallenged);
  o.sender.forget(known::kChallenged);
  for (const Endpoint& end : o.c.ends) {
    if (!end.facts.has(Fact::kReset)) continue;
    const Evidence& reset = end.facts[Fact::kReset];
    if (o.reset_before != 0 && o.reset_before <= reset.proof) continue;
    o.reset_before = reset.proof;
    o.reset_time = reset.time;
  }
}

void Machine::apply_stray(Connection& c, std::uint32_t index, const wire::Segment& s) noexcept {
  Observation o(c, index, s);
  judge_freshness(o);
  count(o);
  o.what |= happened::kStray;
  detect(o, journal_);
}

void Machine::count(Observation& o) noexcept {
  const wire::Segment& s = o.segment;
  Counters& n = o.sender.counters;
  zeek_.see(o.index, s);
  ++n.packets;
  n.ip_bytes += s.ip_length;
  // What follows lies on lines that an ordinary segment need not touch.
  if (s.payload_length != 0) n.payload_bytes += s.payload_length;
  if (o.copy) ++n.duplicates;
  if ((s.flags & (flag::kSyn | flag::kFin | flag::kRst)) != 0) {
    n.syn += s.syn() && !s.acks();
    n.syn_ack += s.syn() && s.acks();
    n.fin += s.fin();
    n.rst += s.rst();
  } else if (s.window == 0) {
    ++n.zero_windows;
  }
  if (s.has(wire::present::kBadChecksum)) ++n.bad_checksums;
  if (!o.sender.knows(known::kTtl)) {
    o.sender.ttl = s.ttl;
    o.sender.learn(known::kTtl);
  }
  note_frame(o.c, s);
}

// What x says now against what was presumed of it (rule 4). Only a segment sent later than the presumption, by more than the end needs to
// answer, contradicts it; one that was under way already has crossed it.
bool Machine::refute(Observation& o) noexcept {
  Endpoint& x = o.sender;
  const wire::Segment& s = o.segment;
  const auto contradicts = [&](Fact fact) { return later(x, x.facts[fact].time, o.sent_at); };
  bool changed = false;
  const auto take_back = [&](Fact fact, std::uint32_t what) {
    o.refuted = x.facts[fact];
    o.what |= what;
    x.facts.erase(fact);
    changed = true;
  };
  if (s.syn() && s.acks() && x.facts.has(Fact::kSynAcked) && x.knows(known::kIss) && s.seq == x.iss && contradicts(Fact::kSynAcked)) {
    const Path path = derive(x);
    if (path.state == State::kEstablished) take_back(Fact::kSynAcked, happened::kHandshakeAckRefuted);
  }
  if (s.fin() && x.facts.has(Fact::kFinAcked) && x.knows(known::kFin) && s.seq + s.payload_length == x.fin_seq &&
      contradicts(Fact::kFinAcked)) {
    const Path path = derive(x);
    const PathStep* last = path.last();
    if (last != nullptr && last->fact == Fact::kFinAcked) {
      x.forget(known::kFinAckedFirst);
      take_back(Fact::kFinAcked, last->to == State::kFinWait2 ? happened::kFirstFinAckRefuted : happened::kFinalAckRefuted);
    }
  }
  if (x.facts.has(Fact::kReset) && !s.rst()) {
    if (x.knows(known::kOwnReset)) {  // rule 20: a RST in its name, and it goes on
      const bool beyond = s.payload_length != 0 && seq_gt(s.end(), x.own_reset.seq);
      const bool outlived = base::elapsed(x.own_reset.time, o.sent_at) > slack(x) + slack(o.peer) && !s.syn();
      if (beyond || outlived) {
        take_back(Fact::kReset, happened::kOwnResetRefuted);
        x.forget(known::kOwnReset);
        o.c.traits |= trait::kForgedReset;
      }
    } else if (contradicts(Fact::kReset)) {
      take_back(Fact::kReset, happened::kResetRefuted);
    }
  }
  return changed;
}

void Machine::send_data(Observation& o) noexcept {
  Endpoint& x = o.sender;
  const wire::Segment& s = o.segment;
  const bool since_syn_ack = o.peer.knows(known::kSynAck) && !s.syn();  // it shows where the numbers begin, whatever was captured
  if (x.knows(known::kSaid) || since_syn_ack) count_sequence(o);
  x.learn(known::kSaid);
  if (s.payload_length != 0) x.learn(known::kData);
  if (x.knows(known::kNext) && s.payload_length == 0 && seq_diff(s.seq, x.snd_nxt) == 1 && !x.knows(known::kGap)) {
    x.gap = {s.frame, s.time, s.seq};
    x.learn(known::kGap);
  }
  if (!x.knows(known::kNext) || seq_gt(s.end(), x.snd_nxt)) advance_next(x, s.end());
  if (s.length() == 0) return;
  const std::uint32_t ack = s.acks() ? s.ack : o.peer.knows(known::kNext) ? o.peer.snd_nxt + (1U << 31) : kUnlikelyAck;
  keep_sent(x, o.peer, s, ack);
}

// Kept until `y` acknowledges it; timed, if nothing sent to `y` is being timed.
void Machine::keep_sent(Endpoint& x, Endpoint& y, const wire::Segment& s, std::uint32_t ack) noexcept {
  blocks_.push_sent(x, {s.frame, s.time, s.seq, s.end(), ack, s.ts_val}, sum_of(s));
  time_sent(y, s.end(), s.time);
}

void Machine::acknowledge(Observation& o) noexcept {
  Endpoint& x = o.sender;
  Endpoint& y = o.peer;
  const wire::Segment& s = o.segment;
  if (!o.copy && !s.syn() && (!x.knows(known::kAcked) || seq_ge(s.ack, x.rcv_nxt))) {
    x.spoke_at = o.sent_at;
    x.learn(known::kSpoke);
  }
  if (!y.knows(known::kIss) && !y.knows(known::kNext) && !s.rst()) accept_syn_ack(o);
  note_growth(o);
  measure_rtt(x, s.ack, s.time, o.copy);
  if (o.moving) {  // before what the peer had in flight is forgotten
    acknowledge_syn(o);
    acknowledge_fin(o);
  }
  if (o.fresh()) {
    const bool lacks = s.has(wire::present::kSack) && seq_gt(s.sack_left, s.ack);
    if (lacks) {
      x.hole = s.ack;
      x.learn(known::kHole);
    } else {
      x.forget(known::kHole);
    }
  }
  if (x.knows(known::kAcked)) {
    count_missing(o);
    blocks_.prune_sent(y, x.rcv_nxt);
  }
}

// Acknowledgments of what has not been seen yet are kept (a FIN captured after its own acknowledgment), and those of a handshake under way
// (crossing SYN-ACKs).
void Machine::note_growth(Observation& o) noexcept {
  Endpoint& x = o.sender;
  const Endpoint& y = o.peer;
  const wire::Segment& s = o.segment;
  if (x.knows(known::kAcked) && !seq_gt(s.ack, x.rcv_nxt)) {
    take_back_ack(o);
    return;
  }
  if (s.rst() && y.knows(known::kNext) && seq_gt(s.ack, y.snd_nxt)) return;  // a RST may acknowledge nonsense; nobody acts on it
  grow(x, o.peer, s);
}

void Machine::grow(Endpoint& x, Endpoint& y, const wire::Segment& s) noexcept {
  x.rcv_nxt = s.ack;
  x.learn(known::kAcked);
  const bool unseen = y.knows(known::kNext) && seq_gt(s.ack, y.snd_nxt);
  if (unseen) pass_unseen(y, s.ack);
  const bool opening = y.state != State::kEstablished && y.knows(known::kIss) && !y.knows(known::kIssFar) && !y.facts.has(Fact::kSynAcked);
  if (unseen || opening) x.growth[x.growth_count++ % x.growth.size()] = {s.frame, s.time, s.ack, s.ts_val};
}

// What was acknowledged and never captured is counted at the end of the life (count_unseen), so that it may still come late. What lies a
// gigabyte back does not come any more, and numbers compare only half way round.
void Machine::pass_unseen(Endpoint& y, std::uint32_t ack) noexcept {
  const std::uint32_t unseen = ack - y.snd_nxt;
  if (unseen <= kFarUnseen) return;
  y.counters.missing_bytes += unseen;
  advance_next(y, ack);
}

// It had acknowledged more than was ever seen, and now acknowledges less, freshly: the capture did not miss anything, that number was
// wrong.
void Machine::take_back_ack(Observation& o) noexcept {
  Endpoint& x = o.sender;
  const Endpoint& y = o.peer;
  if (!o.fresh() || o.segment.ack == x.rcv_nxt || !y.knows(known::kNext) || x.growth_count == 0) return;
  const std::int32_t beyond = seq_diff(x.rcv_nxt, y.snd_nxt);
  const AckGrowth& last = x.growth[(x.growth_count - 1U) % x.growth.size()];
  if (beyond <= 0 || last.ack != x.rcv_nxt) return;
  o.taken_back_ack = beyond;
  o.taken_back_frame = last.frame;
  x.rcv_nxt = o.segment.ack;
  --x.growth_count;
}

void Machine::settle_peer(Observation& o) noexcept {
  Endpoint& y = o.peer;
  const wire::Segment& s = o.segment;
  if (s.rst()) {
    const bool accepted = accepts_reset(o);
    o.what |= accepted ? happened::kResetAccepted : happened::kResetRejected;
    if (accepted) accept_reset(o);
    if (!accepted && o.reset_distance > 0) y.learn(known::kChallenged);
    return;
  }
  if (!s.acks()) return;
  const bool sent = y.knows(known::kNext) && seq_diff(s.ack, y.snd_nxt) <= 0;
  if (y.knows(known::kIss) && !y.facts.has(Fact::kSynAcked) && y.facts.has(Fact::kPeerSyn) && seq_gt(s.ack, y.iss) && sent) {
    y.facts.set(Fact::kSynAcked, o.seen_now(), Proof::kPresumed);
    y.syn_acked_ts_val = s.ts_val;
    if (s.has(wire::present::kTimestamps)) y.learn(known::kSynAckedTs);
  }
  accept_fin_ack(o);
}

std::optional<Sighting> Machine::pick(const Sightings& copies, const Endpoint& receiver, std::optional<std::uint32_t> echoed,
                                      std::uint64_t frame, Copies which) const noexcept {
  std::optional<Sighting> first;
  std::optional<Sighting> last;
  std::optional<Sighting> by_echo;
  std::optional<Sighting> not_lacked;
  bool all_stamped = true;
  for (const bool dead_too : {false, true}) {
    blocks_.for_each_sighting(copies, [&](const Sighting& copy) {
      if (copy.frame > frame || (copy.dead && !dead_too) || (which == Copies::kSynAck && !copy.with_ack)) return;
      if (!first) first = copy;
      last = copy;
      all_stamped = all_stamped && copy.has_ts;
      if (copy.has_ts && echoed && seq_diff(copy.ts_val, *echoed) <= 0 && (!by_echo || seq_gt(copy.ts_val, by_echo->ts_val)))
        by_echo = copy;
      const bool lacked = receiver.knows(known::kNotCovering) && base::after(copy.time, slack(receiver)) < receiver.not_covering_at;
      if (!not_lacked && !lacked) not_lacked = copy;
    });
    if (first) break;
  }
  if (!first) return std::nullopt;
  if (echoed && all_stamped) return by_echo ? by_echo : first;
  return not_lacked ? not_lacked : last;
}

void Machine::apply_icmp(Connection& c, std::uint32_t index, const wire::Segment& s) noexcept {
  Endpoint& x = c.ends[s.direction];
  journal_.set_frame(s.frame);
  detect_icmp(c, index, s, journal_);
  const bool unreachable = s.key.ip_version() == 4 ? s.icmp_type() == 3 : s.icmp_type() == 1;
  if (!unreachable || x.state != State::kSynSent || !x.knows(known::kIss) || s.seq != x.iss) return;
  const Path before = derive(x);
  x.facts.set(Fact::kReset, {s.frame, s.frame, s.time}, Proof::kPresumed);
  c.traits |= trait::kUnreachable;
  journal_.commit(c, index, s.direction, before, s.time);
}

void Machine::adopt(Connection& c, std::uint32_t index, const Connection& duplicate) noexcept {
  for (std::size_t end = 0; end != 2; ++end) {
    Counters& n = c.ends[end].counters;
    const Counters& more = duplicate.ends[end].counters;
    n.packets += more.packets;
    n.ip_bytes += more.ip_bytes;
    n.payload_bytes += more.payload_bytes;
    n.duplicates += more.duplicates;
    n.syn += more.syn;
    n.syn_ack += more.syn_ack;
    n.fin += more.fin;
    n.bad_checksums += more.bad_checksums;
  }
  c.end = std::max(c.end, duplicate.end);
  c.last_frame = std::max(c.last_frame, duplicate.last_frame);
  c.completeness |= duplicate.completeness;
  if (without_syn(duplicate)) {
    detect_unanswered(c, index, duplicate, journal_);
  } else {
    detect_old_syn(c, index, duplicate, journal_);
  }
}

void Machine::expire_time_wait(Connection& c, std::uint32_t index, unsigned end, base::Timestamp at) noexcept {
  const Path before = derive(c.ends[end]);
  c.ends[end].facts.set(Fact::kTimer, {0, 0, at}, Proof::kProven);
  journal_.commit(c, index, end, before, at);
}

void Machine::reuse_time_wait(Connection& c, std::uint32_t index, unsigned end, std::uint64_t cause, std::uint64_t proof,
                              base::Timestamp at, bool proven) noexcept {
  const Path before = derive(c.ends[end]);
  c.ends[end].facts.set(Fact::kReused, {cause, proof, at}, proven ? Proof::kProven : Proof::kPresumed);
  journal_.commit(c, index, end, before, at);
}

void Machine::undo(Connection& c, std::uint32_t index, unsigned end, Fact fact, base::Timestamp at) noexcept {
  const Path before = derive(c.ends[end]);
  c.ends[end].facts.erase(fact);
  journal_.commit(c, index, end, before, at);
}

}  // namespace finwait::tcp

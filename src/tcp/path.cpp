// The order of an end's facts, and the states they lead through.
#include "finwait/tcp/path.h"

#include <bit>
#include <initializer_list>

#include "finwait/tcp/transition.h"

namespace finwait::tcp {
namespace {

/// An own RST that answers a segment older than the acknowledgment of the own FIN annuls that acknowledgment (rule 16), and one that was
/// accepted before leaves nobody to acknowledge anything to.
bool fin_acked_before_reset(const Facts& facts) noexcept {
  if (!facts.has(Fact::kFinAcked)) return false;
  return !facts.has(Fact::kReset) || facts[Fact::kReset].cause >= facts[Fact::kFinAcked].cause;
}

State start_of(State state, Fact fact) noexcept {
  if (state != State::kUnknown) return state;
  if (fact == Fact::kSyn) return State::kClosed;
  return fact == Fact::kPeerSyn ? State::kListen : state;
}

/// Walks the table, fact by fact, in the order in which they happened to the end.
class Walk {
 public:
  Walk(const Facts& facts, Path& path) noexcept : facts_(facts), path_(path) {}

  /// The next fact in order, if it is known.
  void take(Fact fact) noexcept {
    if (!facts_.has(fact)) return;
    // An end in the handshake that acknowledged the peer's FIN has been established, although nothing showed when.
    const bool implied = fact == Fact::kPeerFin && (path_.state == State::kSynSent || path_.state == State::kSynReceived);
    if (implied) step(State::kEstablished, fact);
    if (const auto to = next_state(path_.state, fact)) step(*to, fact);
  }

 private:
  void step(State to, Fact fact) noexcept {
    PathStep& next = path_.steps[static_cast<std::size_t>(path_.size++)];
    next.from = start_of(path_.state, fact);
    next.to = to;
    next.fact = fact;
    next.evidence = fact == Fact::kTimer ? Proof::kTimer : facts_.proof(fact);
    next.why = facts_[fact];
    path_.state = to;
  }

  const Facts& facts_;
  Path& path_;
};

/// A SYN acknowledged only after the own FIN was sent (rule 9).
bool is_late(const Facts& facts, bool fast_open_early) noexcept {
  return facts.has(Fact::kSynAcked) && facts.has(Fact::kFin) && (fast_open_early || facts[Fact::kFin].cause < facts[Fact::kSynAcked].cause);
}

constexpr std::uint16_t set_of(std::initializer_list<Fact> facts) noexcept {
  std::uint16_t bits = 0;
  for (const Fact fact : facts) bits = static_cast<std::uint16_t>(bits | Facts::bit(fact));
  return bits;
}

/// By Fact: the facts that may stand before it on a path at the end of which it is appended. The order is that of derive().
constexpr std::array<std::uint16_t, 11> kMayPrecede = [] {
  using enum Fact;
  constexpr std::uint16_t kStart = set_of({kSyn, kSpoke});
  constexpr std::uint16_t kOpening = kStart | set_of({kPeerSyn, kPeerSynAck, kSynAcked});
  constexpr std::uint16_t kClose = kOpening | set_of({kFin, kPeerFin, kFinAcked});
  return std::array<std::uint16_t, 11>{0,
                                       0,
                                       kStart,
                                       kStart | set_of({kPeerSyn}),
                                       kStart | set_of({kPeerSyn}),
                                       kOpening | set_of({kPeerFin}),
                                       kOpening | set_of({kFin, kFinAcked}),
                                       kOpening | set_of({kFin, kPeerFin}),
                                       kClose,
                                       kClose,
                                       kClose};
}();

/// Whether `fact` belongs at the end of the path that the facts in `before` make.
bool comes_last(Fact fact, std::uint16_t before, const Facts& facts, bool fin_covers, bool fin_acked_first) noexcept {
  if ((before & ~kMayPrecede[static_cast<std::size_t>(fact)]) != 0) return false;
  const auto had = [&](Fact other) { return (before & Facts::bit(other)) != 0; };
  const auto acked_first = [&] { return fin_acked_first || facts[Fact::kFinAcked].cause <= facts[Fact::kPeerFin].cause; };
  switch (fact) {
    case Fact::kFin:
      return fin_covers || !had(Fact::kPeerFin);
    case Fact::kPeerFin:
      return !had(Fact::kFin) || (!fin_covers && (!had(Fact::kFinAcked) || acked_first()));
    case Fact::kFinAcked:
      return had(Fact::kFin) && (fin_covers || !had(Fact::kPeerFin) || !acked_first());
    case Fact::kReset:
      return !had(Fact::kFinAcked) || fin_acked_before_reset(facts);
    default:
      return true;
  }
}

/// Own FIN, peer's FIN and acknowledgment of the own FIN, in the order that lifecycle, section 9, rule 12 gives.
void close(Walk& walk, const Facts& facts, bool fin_covers, bool syn_acked_after_fin, bool fin_acked_first) noexcept {
  const bool fin = facts.has(Fact::kFin);
  if (!fin || fin_covers) walk.take(Fact::kPeerFin);
  if (!fin) return;
  walk.take(Fact::kFin);
  if (syn_acked_after_fin) walk.take(Fact::kSynAcked);
  const bool peer_fin = facts.has(Fact::kPeerFin) && !fin_covers;
  const bool acked = fin_acked_before_reset(facts);
  const bool ack_first = !peer_fin || !acked || fin_acked_first || facts[Fact::kFinAcked].cause <= facts[Fact::kPeerFin].cause;
  if (acked && ack_first) walk.take(Fact::kFinAcked);
  if (peer_fin) walk.take(Fact::kPeerFin);
  if (acked && !ack_first) walk.take(Fact::kFinAcked);
}

}  // namespace

int Path::find(State to) const noexcept {
  for (int n = 0; n < size; ++n) {
    if (steps[static_cast<std::size_t>(n)].to == to) return n;
  }
  return -1;
}

Path derive(const Facts& facts, bool fin_covers, bool fast_open_early, bool fin_acked_first) noexcept {
  Path path;
  Walk walk(facts, path);
  const bool late_syn_ack = is_late(facts, fast_open_early);
  walk.take(Fact::kSyn);
  walk.take(Fact::kSpoke);
  walk.take(Fact::kPeerSyn);
  walk.take(Fact::kPeerSynAck);
  if (!late_syn_ack) walk.take(Fact::kSynAcked);
  close(walk, facts, fin_covers, late_syn_ack, fin_acked_first);
  walk.take(Fact::kReset);
  walk.take(Fact::kReused);
  walk.take(Fact::kTimer);
  return path;
}

bool extend(Path& more, const Endpoint& end, const Facts& before) noexcept {
  const Facts& facts = end.facts;
  const std::uint16_t added = facts.added_since(before);
  if (added == 0 || is_late(facts, end.knows(known::kFastOpenEarly))) return false;
  const bool fin_covers = end.knows(known::kFinCovers);
  Walk walk(facts, more);
  std::uint16_t so_far = before.present();
  for (std::uint16_t left = added; left != 0; left = static_cast<std::uint16_t>(left & (left - 1))) {
    const auto fact = static_cast<Fact>(std::countr_zero(left));
    if (!comes_last(fact, so_far, facts, fin_covers, end.knows(known::kFinAckedFirst))) return false;
    walk.take(fact);
    so_far = static_cast<std::uint16_t>(so_far | Facts::bit(fact));
  }
  return true;
}

}  // namespace finwait::tcp

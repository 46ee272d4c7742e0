// The order of an end's facts, and the states they lead through.
#include "finwait/tcp/path.h"

#include "finwait/tcp/transition.h"

namespace finwait::tcp {
namespace {

/// An own RST that answers a segment older than the acknowledgment of the own FIN annuls that acknowledgment (rule 16).
bool fin_acked_before_reset(const Facts& facts) noexcept {
  if (!facts.has(Fact::kFinAcked)) return false;
  if (!facts.has(Fact::kReset) || facts.presumed(Fact::kReset)) return true;
  return facts[Fact::kReset].cause >= facts[Fact::kFinAcked].cause;
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

/// Own FIN, peer's FIN and acknowledgment of the own FIN, in the order that lifecycle, section 9, rule 12 gives.
void close(Walk& walk, const Facts& facts, bool fin_covers, bool syn_acked_after_fin) noexcept {
  const bool fin = facts.has(Fact::kFin);
  if (!fin || fin_covers) walk.take(Fact::kPeerFin);
  if (!fin) return;
  walk.take(Fact::kFin);
  if (syn_acked_after_fin) walk.take(Fact::kSynAcked);
  const bool peer_fin = facts.has(Fact::kPeerFin) && !fin_covers;
  const bool acked = fin_acked_before_reset(facts);
  const bool ack_first = !peer_fin || !acked || facts[Fact::kFinAcked].cause <= facts[Fact::kPeerFin].cause;
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

Path derive(const Facts& facts, bool fin_covers, bool fast_open_early) noexcept {
  Path path;
  Walk walk(facts, path);
  const bool late_syn_ack = facts.has(Fact::kSynAcked) && facts.has(Fact::kFin) &&
                            (fast_open_early || facts[Fact::kFin].cause < facts[Fact::kSynAcked].cause);  // rule 9
  walk.take(Fact::kSyn);
  walk.take(Fact::kSpoke);
  walk.take(Fact::kPeerSyn);
  walk.take(Fact::kPeerSynAck);
  if (!late_syn_ack) walk.take(Fact::kSynAcked);
  close(walk, facts, fin_covers, late_syn_ack);
  walk.take(Fact::kReset);
  walk.take(Fact::kReused);
  walk.take(Fact::kTimer);
  return path;
}

}  // namespace finwait::tcp

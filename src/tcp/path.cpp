// The order of an end's facts, and the states they lead through.
#include "finwait/tcp/path.h"

#include "finwait/tcp/transition.h"

namespace finwait::tcp {
namespace {

/// The facts of one end in the order in which they happened to it.
class Sequence {
 public:
  void add(Fact fact) noexcept { facts_[static_cast<std::size_t>(size_++)] = fact; }
  [[nodiscard]] const Fact* begin() const noexcept { return facts_.data(); }
  [[nodiscard]] const Fact* end() const noexcept { return facts_.data() + size_; }

 private:
  std::array<Fact, 11> facts_{};
  int size_ = 0;
};

/// An own RST that answers a segment older than the acknowledgment of the own FIN annuls that acknowledgment (rule 16).
bool fin_acked_before_reset(const Facts& facts) noexcept {
  if (!facts.has(Fact::kFinAcked)) return false;
  if (!facts.has(Fact::kReset) || facts.presumed(Fact::kReset)) return true;
  return facts[Fact::kReset].cause >= facts[Fact::kFinAcked].cause;
}

/// Own FIN, peer's FIN and acknowledgment of the own FIN, in the order that lifecycle, section 9, rule 12 gives.
void add_close(Sequence& order, const Facts& facts, bool fin_covers, bool syn_acked_after_fin) noexcept {
  const bool fin = facts.has(Fact::kFin);
  const bool peer_fin = facts.has(Fact::kPeerFin);
  const bool acked = fin && fin_acked_before_reset(facts);
  if (peer_fin && (!fin || fin_covers)) order.add(Fact::kPeerFin);
  if (fin) order.add(Fact::kFin);
  if (syn_acked_after_fin) order.add(Fact::kSynAcked);
  const bool peer_fin_left = peer_fin && fin && !fin_covers;
  if (acked && peer_fin_left) {
    const bool ack_first = facts[Fact::kFinAcked].cause <= facts[Fact::kPeerFin].cause;
    order.add(ack_first ? Fact::kFinAcked : Fact::kPeerFin);
    order.add(ack_first ? Fact::kPeerFin : Fact::kFinAcked);
  } else if (acked) {
    order.add(Fact::kFinAcked);
  } else if (peer_fin_left) {
    order.add(Fact::kPeerFin);
  }
}

Sequence in_order(const Facts& facts, bool fin_covers, bool fast_open_early) noexcept {
  Sequence order;
  const bool late_syn_ack = facts.has(Fact::kSynAcked) && facts.has(Fact::kFin) &&
                            (fast_open_early || facts[Fact::kFin].cause < facts[Fact::kSynAcked].cause);  // rule 9
  for (const Fact fact : {Fact::kSyn, Fact::kSpoke, Fact::kPeerSyn, Fact::kPeerSynAck}) {
    if (facts.has(fact)) order.add(fact);
  }
  if (facts.has(Fact::kSynAcked) && !late_syn_ack) order.add(Fact::kSynAcked);
  add_close(order, facts, fin_covers, late_syn_ack);
  for (const Fact fact : {Fact::kReset, Fact::kReused, Fact::kTimer}) {
    if (facts.has(fact)) order.add(fact);
  }
  return order;
}

/// An end in the handshake that acknowledged the peer's FIN has been established, although nothing showed when.
bool implied_established(State state, Fact fact) noexcept {
  return fact == Fact::kPeerFin && (state == State::kSynSent || state == State::kSynReceived);
}

State start_of(State state, Fact fact) noexcept {
  if (state != State::kUnknown) return state;
  if (fact == Fact::kSyn) return State::kClosed;
  return fact == Fact::kPeerSyn ? State::kListen : state;
}

Proof evidence_of(const Facts& facts, Fact fact) noexcept {
  if (fact == Fact::kTimer) return Proof::kTimer;
  return facts.proof(fact);
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
  const auto step = [&](State to, Fact fact) {
    path.steps[static_cast<std::size_t>(path.size++)] = {start_of(path.state, fact), to, fact, evidence_of(facts, fact), facts[fact]};
    path.state = to;
  };
  for (const Fact fact : in_order(facts, fin_covers, fast_open_early)) {
    if (implied_established(path.state, fact)) step(State::kEstablished, fact);
    if (const auto to = next_state(path.state, fact)) step(*to, fact);
  }
  return path;
}

}  // namespace finwait::tcp

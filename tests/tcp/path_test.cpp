#include "finwait/tcp/path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "finwait/tcp/transition.h"

namespace finwait::tcp {
namespace {

using F = Fact;

/// One fact with the frame that caused it. An own RST is proven, one accepted from the peer presumed.
struct Given {
  Fact fact;
  std::uint64_t cause;
  Proof proof = Proof::kProven;
};

Facts facts_of(const std::vector<Given>& given) {
  Facts facts;
  for (const Given& g : given) facts.set(g.fact, {g.cause, g.cause + 1, static_cast<base::Timestamp>(g.cause) * 1000}, g.proof);
  return facts;
}

/// "CLOSED SYN-SENT ESTABLISHED", the state before the first step included.
std::string states(const Path& path) {
  std::string text;
  if (path.size != 0) text = name(path.steps[0].from);
  for (int n = 0; n != path.size; ++n) text += " " + std::string(name(path.steps[static_cast<std::size_t>(n)].to));
  return text;
}

struct Latches {
  bool fin_covers = false;
  bool fast_open_early = false;
};

std::string states_of(const std::vector<Given>& given, Latches latches = {}) {
  return states(derive(facts_of(given), latches.fin_covers, latches.fast_open_early));
}

TEST(Path, OfAnEndThatWasNotSeenIsEmpty) {
  const Path path = derive(Facts{}, false, false);
  EXPECT_EQ(path.size, 0);
  EXPECT_EQ(path.state, State::kUnknown);
  EXPECT_EQ(path.last(), nullptr);
}

TEST(Path, OpensActivelyFromClosedAndPassivelyFromListen) {
  EXPECT_EQ(states_of({{F::kSyn, 1}, {F::kPeerSynAck, 2}}), "CLOSED SYN-SENT ESTABLISHED");
  EXPECT_EQ(states_of({{F::kPeerSyn, 1}, {F::kSynAcked, 3}}), "LISTEN SYN-RECEIVED ESTABLISHED");
  EXPECT_EQ(states_of({{F::kSyn, 1}, {F::kPeerSyn, 2}, {F::kSynAcked, 4}}), "CLOSED SYN-SENT SYN-RECEIVED ESTABLISHED");
  EXPECT_EQ(states_of({{F::kSpoke, 1}}), "UNKNOWN ESTABLISHED");
}

TEST(Path, KeepsCauseProofTimeAndHowItIsKnown) {
  Facts facts;
  facts.set(F::kPeerSyn, {1, 2, 300}, Proof::kProven);
  facts.set(F::kSynAcked, {3, 4, 500}, Proof::kPresumed);
  const Path path = derive(facts, false, false);
  ASSERT_EQ(path.size, 2);
  EXPECT_EQ(path.steps[0].why, (Evidence{1, 2, 300}));
  EXPECT_EQ(path.steps[0].evidence, Proof::kProven);
  EXPECT_EQ(path.steps[1].why, (Evidence{3, 4, 500}));
  EXPECT_EQ(path.steps[1].evidence, Proof::kPresumed);
  EXPECT_EQ(path.last()->fact, F::kSynAcked);
  EXPECT_EQ(path.find(State::kEstablished), 1);
  EXPECT_EQ(path.find(State::kClosing), -1);
  EXPECT_EQ(path.state, State::kEstablished);
}

TEST(Path, SaysOfATimerThatItIsOne) {
  Facts facts = facts_of({{F::kSpoke, 1}, {F::kFin, 2}, {F::kFinAcked, 3}, {F::kPeerFin, 4}});
  facts.set(F::kTimer, {0, 0, 99}, Proof::kProven);
  const Path path = derive(facts, false, false);
  EXPECT_EQ(states(path), "UNKNOWN ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED");
  EXPECT_EQ(path.last()->evidence, Proof::kTimer);
}

// ---- rule 9: a FIN sent before the own SYN was acknowledged

TEST(Path, GoesFromSynReceivedToFinWait1WhenTheFinWasCapturedBeforeTheAckOfTheSyn) {
  EXPECT_EQ(states_of({{F::kPeerSyn, 1}, {F::kFin, 4}, {F::kSynAcked, 5}}), "LISTEN SYN-RECEIVED FIN-WAIT-1");
  EXPECT_EQ(states_of({{F::kPeerSyn, 1}, {F::kSynAcked, 4}, {F::kFin, 5}}), "LISTEN SYN-RECEIVED ESTABLISHED FIN-WAIT-1");
  EXPECT_EQ(states_of({{F::kPeerSyn, 1}, {F::kSynAcked, 4}, {F::kFin, 4}}), "LISTEN SYN-RECEIVED ESTABLISHED FIN-WAIT-1");
}

TEST(Path, GoesFromSynReceivedToFinWait1WhenTheFinsTimestampIsOlder) {
  EXPECT_EQ(states_of({{F::kPeerSyn, 1}, {F::kSynAcked, 4}, {F::kFin, 5}}, {.fast_open_early = true}), "LISTEN SYN-RECEIVED FIN-WAIT-1");
  EXPECT_EQ(states_of({{F::kPeerSyn, 1}, {F::kSynAcked, 4}, {F::kFin, 5}, {F::kFinAcked, 6}, {F::kPeerFin, 7}}, {.fast_open_early = true}),
            "LISTEN SYN-RECEIVED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT");
  EXPECT_EQ(states_of({{F::kPeerSyn, 1}, {F::kSynAcked, 4}}, {.fast_open_early = true}), "LISTEN SYN-RECEIVED ESTABLISHED")
      << "without a FIN the latch says nothing";
}

// ---- rules 12 and 13: the order of the two FINs and of the acknowledgment

const std::vector<Given> kOpen{{F::kSyn, 1}, {F::kPeerSynAck, 2}};

std::string close_of(std::vector<Given> close, Latches latches = {}) {
  close.insert(close.begin(), kOpen.begin(), kOpen.end());
  const std::string text = states_of(close, latches);
  const std::string opening = "CLOSED SYN-SENT ESTABLISHED";
  EXPECT_EQ(text.substr(0, opening.size()), opening);
  return text.size() > opening.size() ? text.substr(opening.size() + 1) : "";
}

TEST(Path, ClosesFirstUnlessItsFinCoversThePeers) {
  EXPECT_EQ(close_of({{F::kFin, 10}}), "FIN-WAIT-1");
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kPeerFin, 11}}), "FIN-WAIT-1 CLOSING");
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kPeerFin, 11}}, {.fin_covers = true}), "CLOSE-WAIT LAST-ACK");
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kPeerFin, 9}}), "FIN-WAIT-1 CLOSING")
      << "captured before, but not received before: it is not covered";
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kPeerFin, 9}}, {.fin_covers = true}), "CLOSE-WAIT LAST-ACK");
  EXPECT_EQ(close_of({{F::kPeerFin, 9}}), "CLOSE-WAIT");
  EXPECT_EQ(close_of({{F::kPeerFin, 9}, {F::kFin, 10}, {F::kFinAcked, 11}}, {.fin_covers = true}), "CLOSE-WAIT LAST-ACK CLOSED");
}

TEST(Path, OrdersPeersFinAndAckOfTheOwnByTheirFrames) {
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kFinAcked, 11}, {F::kPeerFin, 12}}), "FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT");
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kFinAcked, 12}, {F::kPeerFin, 11}}), "FIN-WAIT-1 CLOSING TIME-WAIT");
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kFinAcked, 11}, {F::kPeerFin, 11}}), "FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT")
      << "one segment: ACK first";
}

TEST(Path, SortsTheAckBehindAnOlderFinThatIsProvenLater) {
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kFinAcked, 12}}), "FIN-WAIT-1 FIN-WAIT-2");
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kFinAcked, 12}, {F::kPeerFin, 9}}), "FIN-WAIT-1 CLOSING TIME-WAIT") << "FIN-WAIT-2 is taken back";
}

TEST(Path, TakesNoAckOfAFinThatWasNotSent) { EXPECT_EQ(close_of({{F::kFinAcked, 12}}), ""); }

// ---- rule 16: an own RST that answers something older annuls the acknowledgment of the own FIN

TEST(Path, AResetInAnswerToAnOlderSegmentOrAcceptedBeforeAnnulsTheAckOfTheFin) {
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kFinAcked, 12}, {F::kReset, 11}}), "FIN-WAIT-1 CLOSED");
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kFinAcked, 12}, {F::kReset, 12}}), "FIN-WAIT-1 FIN-WAIT-2 CLOSED");
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kFinAcked, 12}, {F::kReset, 13}}), "FIN-WAIT-1 FIN-WAIT-2 CLOSED");
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kFinAcked, 12}, {F::kReset, 11, Proof::kPresumed}}), "FIN-WAIT-1 CLOSED")
      << "the acknowledgment found nobody";
}

TEST(Path, EndsByWhateverEndsItFromAnyState) {
  EXPECT_EQ(states_of({{F::kReset, 1}}), "UNKNOWN CLOSED");
  EXPECT_EQ(states_of({{F::kSyn, 1}, {F::kReset, 2}}), "CLOSED SYN-SENT CLOSED");
  EXPECT_EQ(close_of({{F::kPeerFin, 9}, {F::kReset, 11}}), "CLOSE-WAIT CLOSED");
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kFinAcked, 11}, {F::kPeerFin, 12}, {F::kReused, 20}}), "FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED");
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kFinAcked, 11}, {F::kReused, 20}}), "FIN-WAIT-1 FIN-WAIT-2") << "only TIME-WAIT is reused";
  EXPECT_EQ(close_of({{F::kFin, 10}, {F::kTimer, 20}}), "FIN-WAIT-1") << "only TIME-WAIT runs out";
  EXPECT_EQ(close_of({{F::kPeerFin, 9}, {F::kFin, 10}, {F::kFinAcked, 11}, {F::kReset, 12}}, {.fin_covers = true}),
            "CLOSE-WAIT LAST-ACK CLOSED")
      << "it had closed before";
}

// ---- ESTABLISHED that nothing showed

TEST(Path, AnEndThatHasThePeersFinHasBeenEstablished) {
  EXPECT_EQ(states_of({{F::kPeerSyn, 1}, {F::kPeerFin, 5}}), "LISTEN SYN-RECEIVED ESTABLISHED CLOSE-WAIT");
  EXPECT_EQ(states_of({{F::kSyn, 1}, {F::kPeerFin, 5}}), "CLOSED SYN-SENT ESTABLISHED CLOSE-WAIT");
  const Path path = derive(facts_of({{F::kPeerSyn, 1}, {F::kPeerFin, 5}}), false, false);
  EXPECT_EQ(path.steps[1].why, path.steps[2].why) << "by the same segment";
}

// ---- for all

/// Every life that the table allows, as the order in which its facts happened.
void each_life(State state, std::vector<Fact>& so_far, const auto& visit) {
  visit(so_far);
  for (int n = 0; n != 11; ++n) {
    const auto fact = static_cast<Fact>(n);
    if (std::find(so_far.begin(), so_far.end(), fact) != so_far.end()) continue;
    const auto to = next_state(state, fact);
    if (!to || (fact == F::kReset && state == State::kListen)) continue;
    so_far.push_back(fact);
    each_life(*to, so_far, visit);
    so_far.pop_back();
  }
}

TEST(Path, GivesBackEveryLifeThatTheTableAllows) {
  int lives = 0;
  std::vector<Fact> none;
  each_life(State::kUnknown, none, [&](const std::vector<Fact>& life) {
    ++lives;
    std::vector<Given> given;
    State state = State::kUnknown;
    std::string lived;
    for (const Fact fact : life) {
      given.push_back({fact, 10 + given.size()});
      state = *next_state(state, fact);
      lived += " " + std::string(name(state));
    }
    const auto at = [&](Fact f) { return std::find(life.begin(), life.end(), f) - life.begin(); };
    const auto never = static_cast<std::ptrdiff_t>(life.size());
    const bool covers = at(F::kPeerFin) < at(F::kFin) && at(F::kFin) != never;
    const std::string derived = states_of(given, {covers, false});
    EXPECT_EQ(derived.substr(std::min(derived.find(' '), derived.size())), lived);
  });
  EXPECT_GT(lives, 50);
}

/// All sets of facts that can stand together: for each slot one of its facts, or none.
void each_set(const auto& visit) {
  const std::vector<std::vector<Fact>> slots{{F::kSyn, F::kSpoke}, {F::kPeerSyn},  {F::kPeerSynAck, F::kSynAcked},    {F::kFin},
                                             {F::kPeerFin},        {F::kFinAcked}, {F::kReset, F::kReused, F::kTimer}};
  std::vector<std::size_t> choice(slots.size(), 0);
  for (bool more = true; more;) {
    std::vector<Fact> set;
    for (std::size_t n = 0; n != slots.size(); ++n) {
      if (choice[n] != 0) set.push_back(slots[n][choice[n] - 1]);
    }
    visit(set);
    more = false;
    for (std::size_t n = 0; n != slots.size() && !more; ++n) {
      more = choice[n]++ != slots[n].size();
      if (!more) choice[n] = 0;
    }
  }
}

/// What holds of any path whatever.
void expect_sound(const Path& path, const Facts& facts) {
  ASSERT_LE(path.size, Path::kMaxSteps);
  for (int n = 0; n != path.size; ++n) {
    const PathStep& step = path.steps[static_cast<std::size_t>(n)];
    EXPECT_TRUE(facts.has(step.fact));
    EXPECT_EQ(step.why, facts[step.fact]);
    const bool hangs_together = n == 0 || step.from == path.steps[static_cast<std::size_t>(n - 1)].to;
    EXPECT_TRUE(hangs_together);
    const bool at_first = n == 0 && (step.from == State::kClosed || step.from == State::kListen);
    const auto to = next_state(at_first ? State::kUnknown : step.from, step.fact);
    const bool implied = step.to == State::kEstablished && step.fact == F::kPeerFin;
    EXPECT_TRUE(implied || to == step.to) << "a step is a row";
  }
  EXPECT_EQ(path.state, path.size != 0 ? path.last()->to : State::kUnknown);
}

TEST(Path, IsTheSameWhateverTheOrderInWhichFactsBecameKnown) {
  std::mt19937 random(1);
  int sets = 0;
  each_set([&](const std::vector<Fact>& set) {
    ++sets;
    for (int round = 0; round != 12; ++round) {
      std::vector<Given> given;
      for (const Fact fact : set) given.push_back({fact, 1 + random() % 6, random() % 2 != 0 ? Proof::kProven : Proof::kPresumed});
      const Latches latches{random() % 2 != 0, random() % 4 == 0};
      const Facts in_order = facts_of(given);
      const Path path = derive(in_order, latches.fin_covers, latches.fast_open_early);
      expect_sound(path, in_order);
      std::shuffle(given.begin(), given.end(), random);
      Facts later;
      later.set(static_cast<Fact>(random() % 11), {99, 99, 99}, Proof::kPresumed);  // wrong, and taken back again
      for (unsigned n = 0; n != 11; ++n) later.erase(static_cast<Fact>(n));
      for (const Given& g : given) later.set(g.fact, in_order[g.fact], in_order.proof(g.fact));
      const Path again = derive(later, latches.fin_covers, latches.fast_open_early);
      ASSERT_EQ(states(again), states(path));
      for (int n = 0; n != path.size; ++n) {
        const auto at = static_cast<std::size_t>(n);
        EXPECT_EQ(again.steps[at].why, path.steps[at].why);
        EXPECT_EQ(again.steps[at].evidence, path.steps[at].evidence);
      }
    }
  });
  EXPECT_EQ(sets, 3 * 2 * 3 * 2 * 2 * 2 * 4);
}

TEST(Path, OfAnEndpointUsesItsLatches) {
  Endpoint end;
  end.facts = facts_of({{F::kSpoke, 1}, {F::kFin, 10}, {F::kPeerFin, 9}});
  EXPECT_EQ(derive(end).state, State::kClosing);
  end.learn(known::kFinCovers);
  EXPECT_EQ(derive(end).state, State::kLastAck);
  end.facts = facts_of({{F::kPeerSyn, 1}, {F::kSynAcked, 2}, {F::kFin, 10}});
  EXPECT_EQ(derive(end).size, 3);
  end.learn(known::kFastOpenEarly);
  EXPECT_EQ(derive(end).size, 2);
}

TEST(PathStep, IsTheSameForTheSameCauseWhateverItsProof) {
  const PathStep step{State::kEstablished, State::kFinWait1, F::kFin, Proof::kProven, {5, 6, 7}};
  PathStep other = step;
  other.why.proof = 60;
  other.why.time = 70;
  other.evidence = Proof::kPresumed;
  EXPECT_TRUE(step.same_as(other));
  other.why.cause = 50;
  EXPECT_FALSE(step.same_as(other));
  other = step;
  other.to = State::kClosed;
  EXPECT_FALSE(step.same_as(other));
  other = step;
  other.from = State::kSynReceived;
  EXPECT_FALSE(step.same_as(other));
}

// Whatever facts come in whatever order: a path that only grew is the old one with the new steps behind it.
TEST(PathExtend, AgreesWithThePathDerivedAnew) {
  std::mt19937 random(7);
  int extended = 0;
  for (int round = 0; round < 40000; ++round) {
    Endpoint end;
    for (int n = 0; n != 10; ++n) {
      const Facts before = end.facts;
      const Path was = derive(end);
      if (!end.facts.has(F::kFin) && random() % 4 == 0) end.known ^= known::kFinCovers;
      if (random() % 40 == 0) end.learn(known::kFastOpenEarly);
      for (unsigned more = 1 + random() % 2; more != 0; --more) {
        const auto fact = static_cast<F>(random() % 11);
        if (random() % 12 == 0) {
          end.facts.erase(fact);
        } else {
          end.facts.set(fact, {random() % 16, 0, 0}, random() % 2 == 0 ? Proof::kProven : Proof::kPresumed);
        }
      }
      Path grown = was;
      Path more;
      more.state = was.state;
      if (!extend(more, end, before)) continue;
      ++extended;
      for (int k = 0; k != more.size; ++k) grown.steps[static_cast<std::size_t>(grown.size++)] = more.steps[static_cast<std::size_t>(k)];
      const Path anew = derive(end);
      ASSERT_EQ(states(grown), states(anew));
      ASSERT_EQ(more.state, anew.state);
      for (int k = 0; k != anew.size; ++k) {
        const PathStep& step = grown.steps[static_cast<std::size_t>(k)];
        ASSERT_TRUE(step.same_as(anew.steps[static_cast<std::size_t>(k)])) << states(anew) << " at " << k;
        ASSERT_EQ(step.evidence, anew.steps[static_cast<std::size_t>(k)].evidence);
      }
    }
  }
  EXPECT_GT(extended, 20000);
}

}  // namespace
}  // namespace finwait::tcp

#include "finwait/tcp/fact.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace finwait::tcp {
namespace {

constexpr std::array kAll{Fact::kSyn,     Fact::kSpoke,    Fact::kPeerSyn, Fact::kPeerSynAck, Fact::kSynAcked, Fact::kFin,
                          Fact::kPeerFin, Fact::kFinAcked, Fact::kReset,   Fact::kReused,     Fact::kTimer};

// Which of them cannot both be true of one end, written down apart from the code.
const std::vector<std::vector<Fact>> kExclusive{
    {Fact::kSyn, Fact::kSpoke}, {Fact::kPeerSynAck, Fact::kSynAcked}, {Fact::kReset, Fact::kReused, Fact::kTimer}};

bool exclude_one_another(Fact a, Fact b) {
  for (const auto& group : kExclusive) {
    const auto in = [&](Fact f) { return std::find(group.begin(), group.end(), f) != group.end(); };
    if (a != b && in(a) && in(b)) return true;
  }
  return false;
}

Evidence evidence(std::uint64_t n) { return {n, n + 100, static_cast<base::Timestamp>(n * 1000)}; }

TEST(Facts, AreNoneAtFirst) {
  const Facts facts;
  EXPECT_FALSE(facts.any());
  for (const Fact f : kAll) {
    EXPECT_FALSE(facts.has(f));
    EXPECT_FALSE(facts.presumed(f));
    EXPECT_TRUE(facts.only(f)) << "nothing is nothing but that";
  }
}

TEST(Facts, OfDifferentKindsStandBesideEachOther) {
  for (const Fact a : kAll) {
    for (const Fact b : kAll) {
      Facts facts;
      facts.set(a, evidence(1), Proof::kProven);
      facts.set(b, evidence(2), Proof::kPresumed);
      EXPECT_TRUE(facts.has(b));
      EXPECT_TRUE(facts.presumed(b));
      EXPECT_EQ(facts[b], evidence(2));
      if (a == b) continue;
      EXPECT_EQ(facts.has(a), !exclude_one_another(a, b)) << static_cast<int>(a) << " then " << static_cast<int>(b);
      EXPECT_FALSE(facts.presumed(a));
      if (facts.has(a)) {
        EXPECT_EQ(facts[a], evidence(1));
        EXPECT_EQ(facts.proof(a), Proof::kProven);
      }
    }
  }
}

TEST(Facts, TakenBackAreGoneAndLeaveTheOthers) {
  for (const Fact gone : kAll) {
    for (const Fact other : kAll) {
      if (gone == other || exclude_one_another(gone, other)) continue;
      Facts facts;
      facts.set(gone, evidence(1), Proof::kPresumed);
      facts.set(other, evidence(2), Proof::kPresumed);
      facts.erase(gone);
      EXPECT_FALSE(facts.has(gone));
      EXPECT_FALSE(facts.presumed(gone));
      EXPECT_TRUE(facts.has(other));
      EXPECT_TRUE(facts.presumed(other));
      EXPECT_TRUE(facts.only(other));
      EXPECT_EQ(facts[other], evidence(2));
      facts.erase(other);
      EXPECT_FALSE(facts.any());
    }
  }
}

TEST(Facts, TakingBackWhatTheSlotDoesNotHoldChangesNothing) {
  Facts facts;
  facts.set(Fact::kSynAcked, evidence(1), Proof::kPresumed);
  facts.erase(Fact::kPeerSynAck);
  EXPECT_TRUE(facts.has(Fact::kSynAcked));
  EXPECT_TRUE(facts.presumed(Fact::kSynAcked));
}

TEST(Facts, PresumedBecomeProvenWhenSetAgain) {
  Facts facts;
  facts.set(Fact::kReset, evidence(1), Proof::kPresumed);
  EXPECT_EQ(facts.proof(Fact::kReset), Proof::kPresumed);
  facts.set(Fact::kReset, evidence(2), Proof::kProven);
  EXPECT_EQ(facts.proof(Fact::kReset), Proof::kProven);
  EXPECT_EQ(facts[Fact::kReset], evidence(2));
}

TEST(Facts, OnlyAsksForAllTheOthers) {
  Facts facts;
  facts.set(Fact::kSyn, evidence(1), Proof::kProven);
  EXPECT_TRUE(facts.only(Fact::kSyn));
  EXPECT_FALSE(facts.only(Fact::kFin));
  facts.set(Fact::kFin, evidence(2), Proof::kProven);
  EXPECT_FALSE(facts.only(Fact::kSyn));
}

}  // namespace
}  // namespace finwait::tcp

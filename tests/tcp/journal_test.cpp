#include "../../src/tcp/journal.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <vector>

namespace finwait::tcp {
namespace {

constexpr base::Timestamp kFirst = std::numeric_limits<base::Timestamp>::min();
constexpr std::uint64_t kLastFrame = std::numeric_limits<std::uint64_t>::max();

std::uint32_t free_blocks(Blocks& blocks) {
  std::vector<std::uint32_t> taken;
  for (std::uint32_t index = blocks.allocate(); index != kNoBlock; index = blocks.allocate()) taken.push_back(index);
  for (const std::uint32_t index : taken) blocks.release_chain(index);
  return static_cast<std::uint32_t>(taken.size());
}

/// A journal of one connection, and beside it in plain words what it should hold.
class Book {
 public:
  explicit Book(std::uint32_t room = 200, bool events = false) : blocks(room), journal(blocks, events) {}

  /// Changes an end's facts and commits, at `frame`.
  void change(unsigned end, const auto& how, std::uint64_t frame = 1, base::Timestamp time = 0) {
    Endpoint& e = c.ends[end];
    const Path before = derive(e);
    how(e);
    const Path now = derive(e);
    int same = 0;
    while (same < before.size && same < now.size && before.steps[at(same)].same_as(now.steps[at(same)])) ++same;
    for (int n = before.size; n-- > same;) {
      const PathStep& gone = before.steps[at(n)];
      said.push_back({static_cast<std::uint8_t>(end), gone.to, gone.from, Proof::kRefuted, gone.why.cause, frame, time});
    }
    for (int n = same; n < now.size; ++n) {
      const PathStep& step = now.steps[at(n)];
      said.push_back({static_cast<std::uint8_t>(end), step.from, step.to, step.evidence, step.why.cause, step.why.proof, step.why.time});
    }
    journal.set_frame(frame);
    journal.commit(c, kIndex, end, before, time);
  }
  void set(unsigned end, Fact fact, const Evidence& why, Proof proof = Proof::kProven) {
    change(
        end, [&](Endpoint& e) { e.facts.set(fact, why, proof); }, why.proof, why.time);
  }
  void erase(unsigned end, Fact fact, std::uint64_t frame, base::Timestamp time) {
    change(
        end, [&](Endpoint& e) { e.facts.erase(fact); }, frame, time);
  }

  [[nodiscard]] std::vector<Transition> read() const {
    std::vector<Transition> out(3);
    journal.read(c, out);
    return out;
  }

  static constexpr std::uint32_t kIndex = 7;
  Blocks blocks;
  Journal journal;
  Connection c;
  std::vector<Transition> said;

 private:
  static std::size_t at(int n) { return static_cast<std::size_t>(n); }
};

/// What stands after reading from the first to the last entry: each refuted entry takes back the last of its end.
std::array<std::vector<Transition>, 2> replay(const std::vector<Transition>& log) {
  std::array<std::vector<Transition>, 2> stands;
  for (const Transition& t : log) {
    auto& path = stands[t.end];
    if (t.evidence != Proof::kRefuted) {
      path.push_back(t);
    } else if (path.empty() || path.back().from != t.to || path.back().to != t.from || path.back().cause_frame != t.cause_frame) {
      ADD_FAILURE() << "takes back " << name(t.from) << ", which is not the last that stands";
    } else {
      path.pop_back();
    }
  }
  return stands;
}

void expect_stands(const Book& book) {
  const auto stands = replay(book.read());
  for (unsigned end = 0; end != 2; ++end) {
    const Path path = derive(book.c.ends[end]);
    ASSERT_EQ(stands[end].size(), static_cast<std::size_t>(path.size)) << "end " << end;
    for (std::size_t n = 0; n != stands[end].size(); ++n) {
      EXPECT_EQ(name(stands[end][n].from), name(path.steps[n].from));
      EXPECT_EQ(name(stands[end][n].to), name(path.steps[n].to));
      EXPECT_EQ(stands[end][n].cause_frame, path.steps[n].why.cause);
    }
    EXPECT_EQ(book.c.ends[end].state, path.state);
  }
}

TEST(Journal, SaysNothingOfANewConnection) {
  Book book;
  EXPECT_TRUE(book.read().empty());
  std::vector<Anomaly> none(2);
  book.journal.read(book.c, none);
  EXPECT_TRUE(none.empty());
}

TEST(Journal, WritesTheStepsOfAPathAsTheyComeAndSetsTheState) {
  Book book;
  book.set(0, Fact::kSyn, {1, 1, 100});
  EXPECT_EQ(book.c.ends[0].state, State::kSynSent);
  book.set(1, Fact::kPeerSyn, {1, 2, 200});
  book.set(0, Fact::kPeerSynAck, {2, 3, 300});
  book.set(1, Fact::kSynAcked, {3, 3, 300}, Proof::kPresumed);
  const std::vector<Transition> expected{
      {0, State::kClosed, State::kSynSent, Proof::kProven, 1, 1, 100},
      {1, State::kListen, State::kSynReceived, Proof::kProven, 1, 2, 200},
      {0, State::kSynSent, State::kEstablished, Proof::kProven, 2, 3, 300},
      {1, State::kSynReceived, State::kEstablished, Proof::kPresumed, 3, 3, 300},
  };
  EXPECT_EQ(book.read(), expected);
  EXPECT_EQ(book.c.ends[1].state, State::kEstablished);
}

TEST(Journal, TakesBackTheLastFirst) {
  Book book;
  book.set(0, Fact::kSpoke, {1, 1, 1});
  book.set(0, Fact::kFin, {10, 10, 10});
  book.set(0, Fact::kFinAcked, {12, 12, 12}, Proof::kPresumed);
  book.set(0, Fact::kPeerFin, {9, 13, 13});  // older than the acknowledgment: FIN-WAIT-2 never was
  const std::vector<Transition> expected{
      {0, State::kUnknown, State::kEstablished, Proof::kProven, 1, 1, 1},
      {0, State::kEstablished, State::kFinWait1, Proof::kProven, 10, 10, 10},
      {0, State::kFinWait1, State::kFinWait2, Proof::kPresumed, 12, 12, 12},
      {0, State::kFinWait2, State::kFinWait1, Proof::kRefuted, 12, 13, 13},
      {0, State::kFinWait1, State::kClosing, Proof::kProven, 9, 13, 13},
      {0, State::kClosing, State::kTimeWait, Proof::kPresumed, 12, 12, 12},
  };
  EXPECT_EQ(book.read(), expected);

  book.change(
      0, [](Endpoint& e) { e.learn(known::kFinCovers); }, 20, 20);
  const auto log = book.read();
  ASSERT_EQ(log.size(), 12U);
  EXPECT_EQ(log[6], (Transition{0, State::kTimeWait, State::kClosing, Proof::kRefuted, 12, 20, 20})) << "the last first";
  EXPECT_EQ(log[7].from, State::kClosing);
  EXPECT_EQ(log[8].from, State::kFinWait1);
  EXPECT_EQ(log[9].to, State::kCloseWait);
  expect_stands(book);
}

TEST(Journal, IsSilentWhenOnlyProofOrTimeBecameBetterKnown) {
  Book book;
  book.set(0, Fact::kReset, {5, 6, 7}, Proof::kPresumed);
  book.set(0, Fact::kReset, {5, 9, 9}, Proof::kProven);
  EXPECT_EQ(book.read().size(), 1U);
  book.set(0, Fact::kReset, {8, 9, 9}, Proof::kProven);
  EXPECT_EQ(book.read().size(), 3U) << "another cause is another story";
}

TEST(Journal, GivesBackFramesAndTimesOfAnySize) {
  const std::vector<std::uint64_t> frames{0, 1, 0x7f, 0x80, 0x3fff, 1ULL << 32, 1ULL << 63, kLastFrame - 1, kLastFrame};
  const std::vector<base::Timestamp> times{0, -1, 1, kFirst, kFirst + 1, base::kNever, base::kNever - 1, 1'600'000'000 * base::kSecond};
  Book book(2000);
  for (const std::uint64_t frame : frames) {
    for (const base::Timestamp time : times) {
      if (book.said.size() >= Journal::kMaxEntries - 2) break;
      book.set(1, Fact::kReset, {frames[(frame + 3) % frames.size()], frame, time});
      book.erase(1, Fact::kReset, ~frame, ~time);
    }
  }
  EXPECT_GT(book.said.size(), 100U);
  EXPECT_EQ(book.read(), book.said);
}

/// Sets or takes back a fact of either end, with numbers small and huge.
void scribble(Book& book, std::minstd_rand& random, bool extreme) {
  const auto pick = [&](std::uint64_t below) { return std::uint64_t{random()} % below; };
  const auto frame = [&] { return extreme && pick(2) != 0 ? (std::uint64_t{random()} << 33 ^ random()) : 1 + pick(300); };
  const auto time = [&] { return static_cast<base::Timestamp>(extreme ? std::uint64_t{random()} << 34 ^ random() : 1000 * pick(1000)); };
  const auto fact = static_cast<Fact>(pick(11));
  const auto end = static_cast<unsigned>(pick(2));
  const Evidence why{frame(), frame(), time()};
  const Proof proof = pick(2) != 0 ? Proof::kProven : Proof::kPresumed;
  if (pick(8) == 0) {
    book.change(
        end, [&](Endpoint& e) { e.known ^= known::kFinCovers; }, frame(), time());
  } else if (pick(3) == 0) {
    book.erase(end, fact, frame(), time());
  } else {
    book.set(end, fact, why, proof);
  }
}

TEST(Journal, GivesBackWhateverWasWritten) {
  for (unsigned seed = 1; seed != 200; ++seed) {
    std::minstd_rand random(seed);
    Book book;
    while (book.said.size() + 2 * Path::kMaxSteps <= Journal::kMaxEntries) {
      scribble(book, random, seed % 2 == 0);
      ASSERT_EQ(book.read(), book.said) << "seed " << seed << ", entry " << book.said.size();
    }
    expect_stands(book);
    EXPECT_EQ(book.c.log_entries, book.said.size());
  }
}

TEST(Journal, TakesNoMoreThanItsBoundHoweverOftenItIsRefuted) {
  Book book(70);
  book.set(0, Fact::kSpoke, {1, 1, 1});
  for (std::uint64_t n = 2; n != 5000; ++n) {
    book.set(0, Fact::kFin, {n, n, static_cast<base::Timestamp>(n)});
    book.erase(0, Fact::kFin, n, static_cast<base::Timestamp>(n));
    EXPECT_LE(book.c.log_entries, Journal::kMaxEntries);
    EXPECT_LE(book.read().size(), Journal::kMaxEntries);
  }
  EXPECT_EQ(book.blocks.exhausted(), 0U);
  book.journal.release(book.c);
  EXPECT_EQ(free_blocks(book.blocks), 70U);
}

TEST(Journal, SaysWhatStandsAlsoPastItsBound) {
  for (unsigned seed = 1; seed != 50; ++seed) {
    std::minstd_rand random(seed);
    Book book;
    for (int n = 0; n != 1000; ++n) {
      scribble(book, random, seed % 2 == 0);
      expect_stands(book);
      if (testing::Test::HasFailure()) FAIL() << "seed " << seed << ", change " << n << ", entries " << book.c.log_entries;
    }
  }
}

TEST(Journal, OrdinaryLifeFitsInOneBlock) {
  Book book(1);
  const auto at = [](std::uint64_t frame) {
    return Evidence{1'000'000 + frame, 1'000'000 + frame, 1'600'000'000 * base::kSecond + static_cast<base::Timestamp>(frame) * 10'000'000};
  };
  book.set(0, Fact::kSyn, at(1));
  book.set(1, Fact::kPeerSyn, at(2));
  book.set(0, Fact::kPeerSynAck, at(3));
  book.set(1, Fact::kSynAcked, at(3), Proof::kPresumed);
  book.set(0, Fact::kFin, at(10));
  book.set(1, Fact::kPeerFin, at(11));
  book.set(0, Fact::kFinAcked, at(11), Proof::kPresumed);
  book.set(1, Fact::kFin, at(12));
  book.set(0, Fact::kPeerFin, at(13));
  book.set(1, Fact::kFinAcked, at(13), Proof::kPresumed);
  EXPECT_EQ(book.read(), book.said);
  EXPECT_EQ(book.blocks.exhausted(), 0U);
}

TEST(Journal, WithoutBlocksKeepsTheStateAndLosesOnlyHistory) {
  Book book(1);
  for (std::uint64_t n = 1; n != 40; ++n) {
    book.set(0, Fact::kReset, {n, n, static_cast<base::Timestamp>(n)});
    EXPECT_EQ(book.c.ends[0].state, State::kClosed);
  }
  const auto kept = book.read();
  ASSERT_LT(kept.size(), book.said.size());
  for (std::size_t n = 0; n != kept.size(); ++n) EXPECT_EQ(kept[n], book.said[n]) << "what is kept is the beginning";
  EXPECT_GT(book.blocks.exhausted(), 0U);
}

// ---- events

TEST(Journal, TellsTransitionsAsTheyHappenIfAsked) {
  Book book(10, true);
  book.set(0, Fact::kSyn, {1, 1, 100});
  book.set(0, Fact::kPeerSynAck, {2, 3, 300});
  ASSERT_EQ(book.journal.events().size(), 2U);
  const Event& e = book.journal.events()[1];
  EXPECT_EQ(e.kind, Event::Kind::kTransition);
  EXPECT_EQ(e.connection, Book::kIndex);
  EXPECT_EQ(e.frame, 3U);
  EXPECT_EQ(e.transition, book.said[1]);
  book.journal.clear_events();
  EXPECT_TRUE(book.journal.events().empty());
  EXPECT_EQ(book.read().size(), 2U) << "the log stays";
}

TEST(Journal, KeepsNoEventsUnasked) {
  Book book;
  book.set(0, Fact::kSyn, {1, 1, 100});
  EXPECT_TRUE(book.journal.events().empty());
  book.journal.keep_events();
  book.set(0, Fact::kPeerSynAck, {2, 3, 300});
  EXPECT_EQ(book.journal.events().size(), 1U);
}

TEST(Journal, TellsOfACandidateOnlyOnceItIsKnownWhatItWas) {
  Book book(10, true);
  book.c.traits |= trait::kCandidate;
  book.set(0, Fact::kSyn, {1, 1, 100});
  EXPECT_TRUE(book.journal.events().empty());
  book.c.traits &= ~trait::kCandidate;
  book.journal.set_frame(9);
  book.journal.publish(book.c, Book::kIndex);
  ASSERT_EQ(book.journal.events().size(), 1U);
  EXPECT_EQ(book.journal.events()[0].transition, book.said[0]);
  EXPECT_EQ(book.journal.events()[0].frame, 9U);
}

// ---- findings

Anomaly finding(AnomalyKind kind, std::uint64_t frame, base::Timestamp time = 0) {
  Anomaly a;
  a.kind = kind;
  a.severity = Severity::kNotice;
  a.origins = origin::kNetwork;
  a.time = time;
  a.frames = {frame, 0, 0};
  a.values = {static_cast<std::int64_t>(frame), 0};
  return a;
}

std::vector<AnomalyKind> kinds(const Book& book) {
  std::vector<Anomaly> found;
  book.journal.read(book.c, found);
  std::vector<AnomalyKind> all;
  for (const Anomaly& a : found) all.push_back(a.kind);
  return all;
}

using K = AnomalyKind;
using Kinds = std::vector<AnomalyKind>;

TEST(Findings, OfOneKindAreOneWithACount) {
  Book book(10, true);
  Anomaly first = finding(K::kFinRetransmitted, 5, 50);
  first.frames = {5, 6, 0};
  Anomaly second = finding(K::kFinRetransmitted, 8, 80);
  second.severity = Severity::kWarning;
  second.origins = origin::kCapture;
  second.values = {30, 3};
  EXPECT_NE(book.journal.find(book.c, Book::kIndex, first), nullptr);
  const Anomaly* kept = book.journal.find(book.c, Book::kIndex, second);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->count, 2U);
  EXPECT_EQ(kept->time, 50) << "of the first";
  EXPECT_EQ(kept->frames, (std::array<std::uint64_t, 3>{5, 6, 8})) << "the first, and the last";
  EXPECT_EQ(kept->values, (std::array<std::int64_t, 2>{30, 3})) << "the newest numbers";
  EXPECT_EQ(kept->severity, Severity::kWarning) << "the worst";
  EXPECT_EQ(kept->origins, origin::kNetwork | origin::kCapture);
  EXPECT_EQ(kinds(book), Kinds{K::kFinRetransmitted});
  ASSERT_EQ(book.journal.events().size(), 1U) << "told once";
  EXPECT_EQ(book.journal.events()[0].anomaly, first);
  EXPECT_EQ(book.journal.events()[0].kind, Event::Kind::kAnomaly);
}

TEST(Findings, DoNotBecomeMilder) {
  Book book;
  Anomaly first = finding(K::kHalfOpen, 5);
  first.severity = Severity::kAlert;
  book.journal.find(book.c, Book::kIndex, first);
  EXPECT_EQ(book.journal.find(book.c, Book::kIndex, finding(K::kHalfOpen, 6))->severity, Severity::kAlert);
}

TEST(Findings, AreReadInOrderOfTimeThenFrameThenKind) {
  Book book;
  book.journal.find(book.c, 0, finding(K::kResetStorm, 9, 90));
  book.journal.find(book.c, 0, finding(K::kHalfClose, 3, 30));
  book.journal.find(book.c, 0, finding(K::kFinMoved, 2, 30));
  book.journal.find(book.c, 0, finding(K::kDataAfterFin, 2, 30));
  book.journal.find(book.c, 0, finding(K::kSynWithData, 1, -10));
  EXPECT_EQ(kinds(book), (Kinds{K::kSynWithData, K::kFinMoved, K::kDataAfterFin, K::kHalfClose, K::kResetStorm}));
}

TEST(Findings, ThatProvedWrongAreWithdrawn) {
  // Whatever the order of finding and of taking back.
  for (unsigned seed = 1; seed != 100; ++seed) {
    std::minstd_rand random(seed);
    Book book(60);
    std::vector<bool> held(static_cast<std::size_t>(kAnomalyKinds), false);
    for (int step = 0; step != 300; ++step) {
      const auto n = static_cast<std::size_t>(random()) % held.size();
      const auto kind = static_cast<K>(n);
      if (random() % 2 != 0) {
        book.journal.find(book.c, 0, finding(kind, n, static_cast<base::Timestamp>(n)));
        held[n] = true;
      } else {
        book.journal.withdraw(book.c, kind);
        held[n] = false;
      }
      const Anomaly* kept = book.journal.get(book.c, kind);
      ASSERT_EQ(kept != nullptr, held[n]);
      EXPECT_EQ(kept != nullptr ? kept->frames[0] : n, n);
    }
    Kinds expected;
    for (std::size_t n = 0; n != held.size(); ++n) {
      if (held[n]) expected.push_back(static_cast<K>(n));
    }
    ASSERT_EQ(kinds(book), expected) << "seed " << seed;
    EXPECT_EQ(free_blocks(book.blocks), 60U - (expected.size() + 1) / 2);
    book.journal.release(book.c);
    EXPECT_EQ(free_blocks(book.blocks), 60U);
  }
}

TEST(Findings, OfEveryKindHaveRoom) {
  Book book(60);
  for (int n = 0; n != kAnomalyKinds; ++n) EXPECT_NE(book.journal.find(book.c, 0, finding(static_cast<K>(n), 1)), nullptr);
  EXPECT_EQ(kinds(book).size(), static_cast<std::size_t>(kAnomalyKinds));
}

TEST(Findings, AreNotKeptWithoutBlocks) {
  Book book(1);
  EXPECT_NE(book.journal.find(book.c, 0, finding(K::kHalfOpen, 1)), nullptr);
  EXPECT_NE(book.journal.find(book.c, 0, finding(K::kHalfClose, 2)), nullptr);
  EXPECT_EQ(book.journal.find(book.c, 0, finding(K::kResetStorm, 3)), nullptr);
  EXPECT_EQ(book.journal.get(book.c, K::kResetStorm), nullptr);
  EXPECT_NE(book.journal.find(book.c, 0, finding(K::kHalfOpen, 4)), nullptr) << "one that is kept is counted on";
  EXPECT_EQ(book.blocks.exhausted(), 1U);
  book.journal.withdraw(book.c, K::kHalfOpen);
  EXPECT_NE(book.journal.find(book.c, 0, finding(K::kResetStorm, 5)), nullptr);
  EXPECT_EQ(kinds(book), (Kinds{K::kHalfClose, K::kResetStorm}));
}

TEST(Findings, OfACandidateAreNotTold) {
  Book book(10, true);
  book.c.traits |= trait::kCandidate;
  book.journal.find(book.c, 0, finding(K::kSynWithData, 1));
  EXPECT_TRUE(book.journal.events().empty());
  EXPECT_EQ(kinds(book), Kinds{K::kSynWithData}) << "and kept all the same";
}

}  // namespace
}  // namespace finwait::tcp

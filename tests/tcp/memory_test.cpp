#include "../../src/tcp/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace finwait::tcp {
namespace {

using List = std::vector<std::uint32_t>;

wire::FlowKey key(std::uint32_t n) {
  wire::FlowKey k;
  k.low_port = static_cast<std::uint16_t>(n);
  k.high_port = static_cast<std::uint16_t>(n >> 16);
  k.network = 1;
  return k;
}

/// A memory whose flows are named by small numbers: a quarter of the places is for what is being written.
class Store {
 public:
  explicit Store(std::uint32_t capacity) : memory(Partitions(capacity), 0, 1, 1, false, 0) {}

  [[nodiscard]] wire::Segment segment(std::uint32_t flow) const {
    wire::Segment s;
    s.key = key(flow);
    s.hash = hashes_alike ? 5 : memory.hash(s.key);
    return s;
  }
  std::uint32_t make(std::uint32_t flow) {
    const wire::Segment s = segment(flow);
    const std::uint32_t index = memory.allocate(s.hash);
    if (index == kNoBlock) return index;
    memory[index].key = s.key;
    memory[index].hash = s.hash;
    memory[index].id = ++ids;
    return index;
  }
  std::uint32_t head(std::uint32_t flow) {
    const std::uint32_t index = make(flow);
    EXPECT_TRUE(memory.insert_head(index, memory.find(segment(flow))));
    return index;
  }
  std::uint32_t candidate(std::uint32_t flow) {
    const std::uint32_t index = make(flow);
    memory[index].traits |= trait::kCandidate;
    memory.add_candidate(memory.find(segment(flow)), index);
    return index;
  }
  /// A candidate that proved to be the new incarnation.
  void promote(std::uint32_t index) {
    const std::uint32_t before = memory.head_of(index);
    memory.remove_candidate(before, index);
    memory[index].traits &= ~trait::kCandidate;
    EXPECT_TRUE(memory.insert_head(index, before));
  }
  [[nodiscard]] List chain(std::uint32_t first) const {
    List all;
    for (std::uint32_t at = first; at != kNoBlock; at = memory[at].older) all.push_back(at);
    return all;
  }
  [[nodiscard]] List incarnations(std::uint32_t flow) const { return chain(memory.find(segment(flow))); }
  [[nodiscard]] List candidates(std::uint32_t flow) const {
    const std::uint32_t at = memory.find(segment(flow));
    return at != kNoBlock ? chain(memory[at].candidates) : List{};
  }

  Memory memory;
  std::uint64_t ids = 0;
  bool hashes_alike = false;
};

TEST(Memory, FindsTheNewestIncarnationOfAFlow) {
  Store store(16);
  EXPECT_EQ(store.memory.find(store.segment(1)), kNoBlock);
  const std::uint32_t first = store.head(1);
  const std::uint32_t other = store.head(2);
  EXPECT_EQ(store.memory.find(store.segment(1)), first);
  const std::uint32_t second = store.head(1);
  EXPECT_EQ(store.memory.find(store.segment(1)), second);
  EXPECT_EQ(store.memory.find(store.segment(2)), other);
  EXPECT_EQ(store.incarnations(1), (List{second, first}));
  EXPECT_TRUE(store.memory[second].is(trait::kHead));
  EXPECT_FALSE(store.memory[first].is(trait::kHead));
  EXPECT_EQ(store.memory.head_of(first), second);
  EXPECT_EQ(store.memory.head_of(second), second);
}

TEST(Memory, HandsTheCandidatesToTheNewHead) {
  Store store(16);
  store.head(1);
  const std::uint32_t a = store.candidate(1);
  const std::uint32_t b = store.candidate(1);
  const std::uint32_t c = store.candidate(1);
  EXPECT_EQ(store.candidates(1), (List{a, b, c})) << "the oldest first";
  store.promote(b);
  EXPECT_EQ(store.memory.find(store.segment(1)), b);
  EXPECT_EQ(store.candidates(1), (List{a, c}));
  for (const std::uint32_t index : {a, c}) EXPECT_EQ(store.memory.head_of(index), b);
}

TEST(Memory, UnlinksFromAnyPlaceInAChain) {
  for (std::size_t gone = 0; gone != 4; ++gone) {
    Store store(16);
    List expected;
    for (int n = 0; n != 4; ++n) expected.insert(expected.begin(), store.head(1));
    const std::uint32_t waiting = store.candidate(1);
    const std::uint32_t index = expected[gone];
    store.memory.unlink(index);
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(gone));
    EXPECT_EQ(store.incarnations(1), expected) << "place " << gone;
    EXPECT_EQ(store.candidates(1), List{waiting});
    EXPECT_TRUE(store.memory[expected[0]].is(trait::kHead));
    EXPECT_FALSE(store.memory[index].is(trait::kHead));
    EXPECT_EQ(store.memory[index].older, kNoBlock);
    EXPECT_EQ(store.memory[index].candidates, kNoBlock);
  }
}

TEST(Memory, UnlinksAnyCandidate) {
  for (std::size_t gone = 0; gone != 4; ++gone) {
    Store store(16);
    const std::uint32_t head = store.head(1);
    List expected;
    for (int n = 0; n != 4; ++n) expected.push_back(store.candidate(1));
    store.memory.unlink(expected[gone]);
    EXPECT_EQ(store.memory[expected[gone]].older, kNoBlock);
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(gone));
    EXPECT_EQ(store.candidates(1), expected);
    EXPECT_EQ(store.incarnations(1), List{head});
  }
}

TEST(Memory, ForgetsAFlowWithItsLastIncarnation) {
  Store store(4);
  const std::uint32_t index = store.head(1);
  store.memory.unlink(index);
  EXPECT_EQ(store.memory.find(store.segment(1)), kNoBlock);
  EXPECT_EQ(store.memory.remembered(), 1U) << "until it is written";
  store.memory.discard(index);
  EXPECT_EQ(store.memory.remembered(), 0U);
}

TEST(Memory, NeverHoldsMoreThanItsCapacity) {
  Store store(4);
  for (std::uint32_t n = 0; n != 3; ++n) store.head(n);
  const std::uint32_t gone = store.memory.find(store.segment(1));
  store.memory.unlink(gone);
  store.memory.give(gone, 1, 1);
  EXPECT_NE(store.make(3), kNoBlock);
  EXPECT_EQ(store.memory.remembered(), 4U);
  const std::uint32_t gone_too = store.memory.find(store.segment(2));
  store.memory.unlink(gone_too);
  store.memory.give(gone_too, 1, 2);
  EXPECT_EQ(store.make(4), kNoBlock) << "released is not yet free";
  EXPECT_EQ(store.memory.next_released(), gone);
  store.memory.free(gone);
  EXPECT_NE(store.make(4), kNoBlock);
}

// ---- who goes first

TEST(Memory, GivesUpHalfOpenAttemptsBeforeAsManyThatAreOver) {
  Store store(16);
  const auto valued = [&](std::uint32_t flow, Worth worth) {
    const std::uint32_t index = store.head(flow);
    store.memory.value(index, worth);
    return index;
  };
  const std::uint64_t hash = store.segment(0).hash;
  EXPECT_EQ(store.memory.victim(store.memory.part_of(hash)), kNoBlock);
  const std::uint32_t alive = valued(1, Worth::kAlive);
  EXPECT_EQ(store.memory.victim(store.memory.part_of(hash)), alive);
  const std::uint32_t over = valued(2, Worth::kOver);
  EXPECT_EQ(store.memory.victim(store.memory.part_of(hash)), over);
  const std::uint32_t half_open = valued(3, Worth::kHalfOpen);
  const std::uint32_t half_open_too = valued(4, Worth::kHalfOpen);
  EXPECT_EQ(store.memory.victim(store.memory.part_of(hash)), half_open) << "the first that was";
  EXPECT_EQ(store.memory.victim(store.memory.part_of(hash)), half_open) << "asking changes nothing";
  store.memory.unlink(half_open);
  EXPECT_EQ(store.memory.victim(store.memory.part_of(hash)), half_open_too);
  store.memory.value(half_open_too, Worth::kAlive);
  EXPECT_EQ(store.memory.victim(store.memory.part_of(hash)), over);
  store.memory.value(over, Worth::kAlive);
  store.memory.value(alive, Worth::kOver);
  EXPECT_EQ(store.memory.victim(store.memory.part_of(hash)), alive);
}

TEST(Memory, LetsTheKindThatIsMostNumerousPay) {
  for (const Worth many : {Worth::kUnanswered, Worth::kHalfOpen, Worth::kOver}) {
    Store store(16);
    std::uint32_t flow = 0;
    for (const Worth worth : {Worth::kUnanswered, Worth::kHalfOpen, Worth::kOver, Worth::kAlive})
      store.memory.value(store.head(flow++), worth);
    const std::uint32_t first = store.head(flow++);
    const std::uint32_t second = store.head(flow++);
    store.memory.value(first, many);
    store.memory.value(second, many);
    const std::uint64_t hash = store.segment(0).hash;
    for (int n = 0; n != 2; ++n) {
      const std::uint32_t victim = store.memory.victim(store.memory.part_of(hash));
      EXPECT_EQ(victim, n == 0 ? static_cast<std::uint32_t>(many) : first) << "the oldest of them";
      store.memory.unlink(victim);
    }
    EXPECT_EQ(store.memory.victim(store.memory.part_of(hash)), many == Worth::kUnanswered ? second : 0U)
        << "as many of each: who has not been answered";
  }
}

TEST(Memory, LetsEachKindKeepASixteenthOfTheRoom) {
  for (const Worth few : {Worth::kUnanswered, Worth::kHalfOpen, Worth::kOver}) {
    Store store(64);  // a quarter of which is slack
    const std::uint64_t hash = store.segment(0).hash;
    for (std::uint32_t flow = 0; flow != 4; ++flow) store.memory.value(store.head(flow), few);
    EXPECT_EQ(store.memory.victim(store.memory.part_of(hash)), 0U) << "nobody is alive";
    const std::uint32_t alive = store.head(4);
    store.memory.value(alive, Worth::kAlive);
    EXPECT_EQ(store.memory.victim(store.memory.part_of(hash)), 0U) << "four of 48 are more than a sixteenth";
    store.memory.unlink(0);
    EXPECT_EQ(store.memory.victim(store.memory.part_of(hash)), alive);
  }
}

TEST(Memory, CountsAnAttemptThatWasAnsweredAndThenGivenUpAsOneThatFailed) {
  Store store(16);
  const std::uint32_t index = store.head(1);
  store.memory.value(index, Worth::kUnanswered);
  store.memory.value(index, Worth::kHalfOpen);
  EXPECT_EQ(store.memory.lives().failed, 0U);
  store.memory.unlink(index);
  EXPECT_EQ(store.memory.lives().failed, 1U);
}

TEST(Memory, GivesUpTheIdlestOfEightThatAreAlive) {
  for (std::uint32_t idlest = 0; idlest != 8; ++idlest) {
    Store store(16);
    for (std::uint32_t n = 0; n != 8; ++n) {
      const std::uint32_t index = store.head(n);
      store.memory[index].last_clock = n == idlest ? 5 : 100 + n;
      store.memory.value(index, Worth::kAlive);
    }
    EXPECT_EQ(store.memory.victim(store.memory.part_of(store.segment(0).hash)), store.memory.find(store.segment(idlest)));
  }
}

TEST(Memory, LooksAtAllThatAreAliveInTurn) {
  Store store(64);
  for (std::uint32_t n = 0; n != 40; ++n) {
    const std::uint32_t index = store.head(n);
    store.memory[index].last_clock = 1000 - n;
    store.memory.value(index, Worth::kAlive);
  }
  std::set<std::uint32_t> victims;
  for (int n = 0; n != 5; ++n) victims.insert(store.memory.victim(store.memory.part_of(store.segment(0).hash)));
  EXPECT_EQ(victims.size(), 5U) << "one of each eight";
  for (const std::uint32_t index : victims) EXPECT_EQ((1000 - store.memory[index].last_clock) % 8, 7);
}

TEST(Memory, GivesUpTheLeastOfThoseInTheWayOfAFlow) {
  Store store(64);
  store.hashes_alike = true;
  constexpr std::uint32_t kMost = flow::Table::kMaxVictims + Memory::kMostBeside;
  std::uint32_t flow = 0;
  while (true) {
    const std::uint32_t index = store.make(flow);
    if (!store.memory.insert_head(index, kNoBlock)) {
      store.memory.discard(index);
      break;
    }
    store.memory[index].last_clock = 100 + flow;
    store.memory.value(index, Worth::kAlive);
    ++flow;
    ASSERT_LE(flow, kMost);
  }
  EXPECT_EQ(flow, kMost);
  const auto of = [&](std::uint32_t n) { return store.memory.find(store.segment(n)); };
  for (std::uint32_t n = 0; n != kMost; ++n) EXPECT_EQ(of(n), n) << "in the table or beside it";
  store.memory[of(7)].last_clock = 1;
  EXPECT_EQ(store.memory.victim_in_the_way(5), of(7)) << "the idlest";
  store.memory.value(of(9), Worth::kOver);
  EXPECT_EQ(store.memory.victim_in_the_way(5), of(9)) << "one that is over before any that is alive";
  store.memory.value(of(3), Worth::kHalfOpen);
  store.memory.value(of(4), Worth::kHalfOpen);
  store.memory[of(4)].last_clock = 50;
  EXPECT_EQ(store.memory.victim_in_the_way(5), of(4)) << "a half-open one before that, and of those the idlest";
  store.memory.unlink(of(4));
  EXPECT_TRUE(store.memory.insert_head(store.make(99), kNoBlock)) << "its place serves";
  const std::uint32_t newer = store.make(kMost - 1);
  ASSERT_TRUE(store.memory.insert_head(newer, of(kMost - 1)));
  EXPECT_EQ(of(kMost - 1), newer);
  store.memory.unlink(of(kMost - 2));
  EXPECT_EQ(of(kMost - 2), kNoBlock);
  store.memory.unlink(newer);
  EXPECT_NE(of(kMost - 1), kNoBlock) << "the older one again";
}

TEST(Memory, HasNobodyInTheWayWhenItIsEmpty) {
  Store store(8);
  EXPECT_EQ(store.memory.victim_in_the_way(5), kNoBlock);
}

// ---- the order of release

constexpr base::Duration kTick = Memory::kTick;

/// The tick that begins at `now`, in which no deadline comes.
void begin_tick(Memory& memory, base::Timestamp now) {
  memory.advance(now, [](std::uint32_t /*index*/, base::Timestamp /*begun*/) { return base::Timestamp{0}; });
}

TEST(Memory, WritesByTimeOfReleaseThenById) {
  std::minstd_rand random(3);
  for (int round = 0; round != 50; ++round) {
    Store store(128);
    struct Released {
      base::Timestamp at;
      std::uint64_t id;
    };
    std::vector<Released> waiting;
    base::Timestamp now = 0;
    std::vector<std::uint64_t> written;
    std::vector<std::uint64_t> expected;
    for (int step = 0; step != 300; ++step) {
      if (random() % 2 != 0) {
        const std::uint32_t index = store.make(static_cast<std::uint32_t>(step));
        if (index == kNoBlock) continue;
        Connection& c = store.memory[index];
        c.id = random() % 1000000;
        c.released_at = now + static_cast<base::Timestamp>(random() % 30) * kTick / 10;
        waiting.push_back({c.released_at, c.id});
        store.memory.queue(index);
      } else {
        now += static_cast<base::Timestamp>(random() % 15) * kTick / 10;
        begin_tick(store.memory, now);
        std::sort(waiting.begin(), waiting.end(),
                  [](const Released& a, const Released& b) { return a.at != b.at ? a.at < b.at : a.id < b.id; });
        while (!waiting.empty() && waiting.front().at < now / kTick * kTick) {
          expected.push_back(waiting.front().id);
          waiting.erase(waiting.begin());
        }
        for (std::uint32_t index = store.memory.next_released(); index != kNoBlock; index = store.memory.next_released()) {
          written.push_back(store.memory[index].id);
          store.memory.free(index);
        }
        ASSERT_EQ(written, expected);
      }
    }
  }
}

TEST(Memory, WritesNothingThatMayStillBePreceded) {
  Store store(4);
  const std::uint32_t index = store.make(1);
  store.memory[index].released_at = 5 * kTick;
  store.memory.queue(index);
  begin_tick(store.memory, 5 * kTick + kTick / 2);
  EXPECT_EQ(store.memory.next_released(), kNoBlock);
  begin_tick(store.memory, 6 * kTick);
  EXPECT_EQ(store.memory.next_released(), index);
  EXPECT_EQ(store.memory.turn().tick, 6);
  EXPECT_EQ(store.memory.next_released(), kNoBlock);
}

TEST(Memory, GivesAtTheEndWhatWaitsAndThenTheRestByNumber) {
  constexpr std::uint64_t kFar = std::uint64_t{1} << 40;
  Store store(16);
  struct End {
    base::Timestamp at;
    std::uint64_t id;
  };
  const std::vector<End> ends{{base::kNever, kFar}, {base::kNever, kFar - 7}, {5, 9}, {base::kNever, 2}, {4, 10}};
  store.ids = 100;
  std::vector<std::uint32_t> made;
  for (std::uint32_t n = 0; n != ends.size(); ++n) {
    made.push_back(store.head(n));
    Connection& c = store.memory[made.back()];
    c.id = ends[n].id;
    c.released_at = ends[n].at;
    c.deadline = 10 * kTick;
    store.memory.arm(made.back());
  }
  store.memory.unlink(made[2]);
  store.memory.queue(made[2]);  // waits
  store.memory.begin_last(kFar);
  for (const std::uint32_t n : {0U, 1U, 3U, 4U}) {
    store.memory.unlink(made[n]);
    store.memory.queue(made[n]);
  }
  store.memory.end_last();
  for (const std::uint32_t n : {4U, 2U, 3U, 1U, 0U}) {
    ASSERT_EQ(store.memory.next_released(), made[n]);
    const Turn turn = store.memory.turn();
    EXPECT_EQ(turn.at, ends[n].at);
    EXPECT_EQ(turn.id, ends[n].id);
    EXPECT_EQ(turn.frame, 0U);
    store.memory.free(made[n]);
  }
  EXPECT_EQ(store.memory.next_released(), kNoBlock);
  EXPECT_EQ(store.memory.remembered(), 0U);
  const std::byte* const id = store.memory.pool().place(made[0]) + offsetof(Connection, id);
  EXPECT_NE(id[5], std::byte{0});
  store.memory.give_back();
  EXPECT_EQ(id[5], std::byte{0}) << "what was there is gone";
}

TEST(Memory, GivesAtOnceWhatHasToMakeRoom) {
  Store store(8);
  std::array<std::uint32_t, 4> all{};
  for (std::uint32_t n = 0; n != all.size(); ++n) {
    all[n] = store.make(n);
    store.memory[all[n]].released_at = 7 * kTick + (n == 1 ? 5 : 10);
  }
  for (const std::uint32_t n : {0U, 1U}) store.memory.queue(all[n]);
  EXPECT_EQ(store.memory.next_released(), kNoBlock);
  store.memory.give(all[2], 7 * kTick + 20, 100);
  store.memory.give_waiting(store.memory.part_of(store.segment(0).hash), 7 * kTick + 30, 101);
  store.memory.queue(all[3]);
  begin_tick(store.memory, 8 * kTick);
  List written;
  std::vector<Turn> turns;
  for (std::uint32_t index = store.memory.next_released(); index != kNoBlock; index = store.memory.next_released()) {
    written.push_back(index);
    turns.push_back(store.memory.turn());
  }
  EXPECT_EQ(written, (List{all[2], all[1], all[0], all[3]})) << "by frame, then by time of release; what was not in the way comes later";
  EXPECT_TRUE(std::is_sorted(turns.begin(), turns.end()));
  EXPECT_EQ(turns[1].frame, 101U);
  EXPECT_EQ(turns[3].frame, 0U);
}

TEST(Memory, HasRoomAgainWithTheTurnOfWhatWasReleased) {
  Store store(4);
  const std::uint64_t hash = store.segment(0).hash;
  const std::uint32_t first = store.make(0);
  store.make(1);
  store.make(2);
  EXPECT_FALSE(store.memory.has_room(store.memory.part_of(hash)));
  EXPECT_EQ(store.make(3), kNoBlock) << "one place is for what is being written";
  store.memory[first].released_at = 1;
  store.memory.queue(first);
  EXPECT_FALSE(store.memory.has_room(store.memory.part_of(hash))) << "it waits";
  begin_tick(store.memory, kTick);
  EXPECT_TRUE(store.memory.has_room(store.memory.part_of(hash))) << "written or not";
  EXPECT_NE(store.make(3), kNoBlock);
  EXPECT_EQ(store.memory.remembered(), 4U);
}

TEST(Memory, MakesRoomWithinAPartition) {
  const Partitions rooms(4 * Partitions::kLeastQuota * 4 / 3);
  ASSERT_EQ(rooms.count(), 4U);
  Memory memory(rooms, 1, 2, 1, false, 0);
  std::array<std::uint32_t, 2> made{};
  std::uint64_t full = 0;
  for (std::uint32_t flow = 0; full == 0; ++flow) {
    const std::uint64_t hash = memory.hash(key(flow));
    if (rooms.shard_of(hash, 2) != 1) continue;
    if (!memory.has_room(memory.part_of(hash))) {
      full = hash;
      break;
    }
    const std::uint32_t index = memory.allocate(hash);
    memory[index].key = key(flow);
    memory[index].hash = hash;
    ASSERT_TRUE(memory.insert_head(index, kNoBlock));
    memory.value(index, Worth::kHalfOpen);
    ++made[rooms.of(hash) - 2];
  }
  EXPECT_EQ(made[rooms.of(full) - 2], rooms.quota(rooms.of(full)));
  EXPECT_LT(made[3 - rooms.of(full)], rooms.quota(0)) << "the other one has room";
  const std::uint32_t victim = memory.victim(memory.part_of(full));
  EXPECT_EQ(rooms.of(memory[victim].hash), rooms.of(full));
  memory.unlink(victim);
  memory.give(victim, 1, 1);
  EXPECT_TRUE(memory.has_room(memory.part_of(full)));
}

// ---- timers

TEST(Memory, CallsThoseWhoseDeadlineHasCome) {
  Store store(4);
  const std::uint32_t first = store.head(1);
  const std::uint32_t second = store.head(2);
  const std::uint32_t third = store.head(3);
  const auto due_at = [&](base::Timestamp now) {
    List due;
    store.memory.advance(now, [&](std::uint32_t index, base::Timestamp begun) {
      EXPECT_EQ(begun, now);
      due.push_back(index);
      return base::Timestamp{0};
    });
    return due;
  };
  constexpr base::Timestamp kStart = 1000 * base::kSecond;
  EXPECT_EQ(due_at(kStart), List{});
  store.memory[first].deadline = kStart + 10 * base::kSecond;
  store.memory[second].deadline = kStart + 20 * base::kSecond;
  store.memory[third].deadline = kStart + 20 * base::kSecond;
  for (const std::uint32_t index : {first, second, third}) store.memory.arm(index);
  store.memory[second].deadline = kStart + 5 * base::kSecond;
  store.memory.arm(second);  // nearer: must be told
  store.memory[first].deadline = kStart + 30 * base::kSecond;
  store.memory.arm(first);  // further: it is asked too early, and answers with the later deadline
  EXPECT_EQ(store.memory[first].armed, kStart + 10 * base::kSecond);
  store.memory.unlink(third);
  EXPECT_EQ(due_at(kStart + 5 * base::kSecond), List{second});
  EXPECT_EQ(due_at(kStart + 60 * base::kSecond), List{first}) << "what was unlinked is not asked";
}

// ---- attempts

/// What becomes of attempts among other unanswered ones, in partitions of their own, and the same in a plain list.
class Attempts {
 public:
  explicit Attempts(unsigned seed) : random_(seed) {}

  void begin() {
    wire::Segment s;
    s.key = key(++flows_);
    s.hash = memory.hash(s.key);
    s.frame = flows_;
    s.time = s.clock = now_;
    const std::uint32_t part = memory.part_of(s.hash);
    if (!memory.has_room(part)) return;
    const std::uint32_t index = memory.allocate_attempt(s, part);
    if (index == kNoBlock) return;
    ASSERT_TRUE(memory.insert_attempt(index, part));
    ASSERT_TRUE(memory.is_attempt_head(index, s.key));
    ASSERT_EQ(memory.find(s), index);
    all_.push_back({index, s.hash, now_ + kWait});
  }
  /// It becomes a compact record, and at once a full one: no attempt any more, but as unanswered as before.
  void go_on() {
    if (all_.empty()) return;
    One& one = all_[random_() % all_.size()];
    if (!memory.is_attempt(one.index)) return;
    const std::uint32_t attempt = one.index;
    const std::uint32_t compact = memory.replace_attempt(attempt);
    memory.compact(compact).key = memory.attempt(attempt).key(memory.rest(attempt));
    memory.compact(compact).hash = one.hash;
    memory.free(attempt);
    one.index = memory.replace_compact(compact);
    memory[one.index].key = memory.compact(compact).key;
    memory[one.index].hash = one.hash;
    memory[one.index].traits |= trait::kHead;
    memory.free(compact);
  }
  void leave() {
    if (all_.empty()) return;
    const std::size_t n = random_() % all_.size();
    memory.is_attempt(all_[n].index) && random_() % 2 == 0 ? give(n) : release(n);
  }
  /// The oldest of a partition goes first, whatever record it has.
  void make_room() {
    if (all_.empty()) return;
    const std::uint64_t hash = all_[random_() % all_.size()].hash;
    std::size_t oldest = 0;
    while (rooms_.of(all_[oldest].hash) != rooms_.of(hash)) ++oldest;
    ASSERT_EQ(memory.victim(memory.part_of(hash)), all_[oldest].index);
    memory.is_attempt(all_[oldest].index) ? give(oldest) : release(oldest);
  }
  void pass_time() {
    now_ += static_cast<base::Duration>(random_() % 4) * Memory::kTick;
    List expected;
    for (const One& one : all_) {
      if (memory.is_attempt(one.index) && one.until <= now_) expected.push_back(one.index);
    }
    List due;
    memory.advance(now_, [&](std::uint32_t index, base::Timestamp /*begun*/) {
      due.push_back(index);
      const auto at = std::find_if(all_.begin(), all_.end(), [index](const One& one) { return one.index == index; });
      release(static_cast<std::size_t>(at - all_.begin()));
      return base::Timestamp{0};
    });
    std::sort(expected.begin(), expected.end());
    std::sort(due.begin(), due.end());
    ASSERT_EQ(due, expected);
    over_ += due.size();
  }
  [[nodiscard]] std::size_t over() const { return over_; }

 private:
  static constexpr base::Duration kWait = 40 * Memory::kTick;
  struct One {
    std::uint32_t index;
    std::uint64_t hash;
    base::Timestamp until;
  };

  /// It goes for another one, and is written.
  void give(std::size_t n) {
    const One one = all_[n];
    all_.erase(all_.begin() + static_cast<std::ptrdiff_t>(n));
    const std::uint64_t failed = memory.lives().failed;
    memory.displace(one.index, now_, 17);
    EXPECT_TRUE(memory.has_room(memory.part_of(one.hash))) << "written or not";
    EXPECT_EQ(memory.lives().failed, failed + 1);
    const Attempt& gone = memory.attempt(one.index);
    EXPECT_TRUE(gone.is_released());
    EXPECT_EQ(gone.release(), Release::kEvicted);
    EXPECT_EQ(memory.find(one.hash, gone.key(memory.rest(one.index))), kNoBlock);
    if (random_() % 2 == 0) {
      ASSERT_EQ(memory.next_released(), one.index);
      EXPECT_EQ(memory.released_at(one.index), now_);
      EXPECT_EQ(memory.turn().at, now_);
      EXPECT_EQ(memory.turn().frame, 17U);
      memory.free(one.index);
    } else {
      const auto tell = [&](const Attempt& a, const AttemptRest& /*rest*/, base::Timestamp at) {
        EXPECT_EQ(&a, &gone);
        EXPECT_EQ(at, now_);
      };
      const auto none = [](const Compact& /*c*/) { return false; };
      EXPECT_EQ(memory.give_short(0, tell, none), 0U);
      const std::uint32_t before = memory.remembered();
      EXPECT_EQ(memory.give_short(2, tell, none), 1U);
      EXPECT_EQ(memory.remembered(), before - 1);
    }
    EXPECT_EQ(memory.next_released(), kNoBlock);
  }
  void release(std::size_t n) {
    const One one = all_[n];
    all_.erase(all_.begin() + static_cast<std::ptrdiff_t>(n));
    memory.unlink(one.index);
    EXPECT_FALSE(memory.is_attempt(one.index) && memory.attempt(one.index).is_head());
    memory.discard(one.index);
  }

  Partitions rooms_{4 * Partitions::kLeastQuota * 4 / 3};

 public:
  Memory memory{rooms_, 0, 1, 1, true, kWait};

 private:
  std::minstd_rand random_;
  std::vector<One> all_;  // in the order they began
  std::uint32_t flows_ = 0;
  std::size_t over_ = 0;
  base::Timestamp now_ = 1000 * base::kSecond;
};

TEST(Memory, GivesAShortRecordWithAllThatIsKnownOfIt) {
  Memory memory(Partitions{64}, 0, 1, 1, true, kTick);
  wire::Segment s;
  s.key = key(1);
  s.hash = memory.hash(s.key);
  s.frame = 1;
  s.time = s.clock = 100 * kTick;
  const std::uint32_t part = memory.part_of(s.hash);
  const std::uint32_t attempt = memory.allocate_attempt(s, part);
  ASSERT_TRUE(memory.insert_attempt(attempt, part));
  const std::uint32_t index = memory.replace_attempt(attempt);
  Compact& c = memory.compact(index);
  c.key = s.key;
  c.hash = s.hash;
  memory.free(attempt);
  memory.arm(index, 200 * kTick);
  memory.value(index, Worth::kHalfOpen);
  ASSERT_EQ(memory.find(s), index);
  memory.displace(index, 101 * kTick, 17);
  c.released_at = 101 * kTick;
  EXPECT_EQ(memory.find(s), kNoBlock);
  EXPECT_FALSE(memory.is_compact_head(index, s.key));
  EXPECT_EQ(memory.victim(part), kNoBlock);
  EXPECT_EQ(memory.lives().failed, 1U);
  memory.advance(300 * kTick, [](std::uint32_t, base::Timestamp) {
    ADD_FAILURE() << "it is on the wheel no more";
    return base::Timestamp{0};
  });
  ASSERT_EQ(memory.next_released(), index);
  EXPECT_EQ(memory.turn().frame, 17U);
  memory.free(index);
  EXPECT_EQ(memory.remembered(), 0U);
}

TEST(Memory, LetsAttemptsGoInTheOrderTheyBegan) {
  std::minstd_rand random(7);
  Attempts attempts(8);
  for (int step = 0; step != 30'000 && !testing::Test::HasFatalFailure(); ++step) {
    switch (random() % 16) {
      case 0:
        attempts.pass_time();
        break;
      case 1:
        attempts.leave();
        break;
      case 2:
        attempts.make_room();
        break;
      case 3:
      case 4:
        attempts.go_on();
        break;
      default:
        attempts.begin();
        break;
    }
  }
  EXPECT_GT(attempts.over(), 1000U);
}

// ---- whatever happens

/// The same flows kept in plain containers.
struct Oracle {
  struct Flow {
    List incarnations;  ///< newest first
    List candidates;    ///< oldest first
  };
  std::map<std::uint32_t, Flow> flows;
  List waiting;
  List due;
  std::size_t count = 0;

  [[nodiscard]] List flows_where(const auto& holds) const {
    List all;
    for (const auto& [flow, f] : flows) {
      if (holds(f)) all.push_back(flow);
    }
    return all;
  }
};

/// Store and oracle side by side, one random operation a step.
class Pair {
 public:
  Pair(std::uint32_t capacity, std::uint32_t seed) : store_(capacity), capacity_(capacity), engine_(seed) {}

  void step() {
    switch (below(6)) {
      case 0:
      case 1:
        add_head();
        break;
      case 2:
        add_candidate();
        break;
      case 3:
        promote();
        break;
      case 4:
        unlink();
        break;
      default:
        write();
    }
    compare();
  }

 private:
  std::uint32_t below(std::size_t n) { return static_cast<std::uint32_t>(engine_() / 7 % n); }
  [[nodiscard]] bool is_full() const {
    return oracle_.count == capacity_ || oracle_.count - oracle_.due.size() == Partitions(static_cast<std::uint32_t>(capacity_)).quota(0);
  }
  std::uint32_t one_of(const List& list) { return list[below(list.size())]; }

  void add_head() {
    const std::uint32_t flow = below(12);
    const std::uint32_t index = store_.make(flow);
    ASSERT_EQ(index == kNoBlock, is_full());
    if (index == kNoBlock) return;
    ++oracle_.count;
    ASSERT_TRUE(store_.memory.insert_head(index, store_.memory.find(store_.segment(flow))));
    auto& f = oracle_.flows[flow];
    f.incarnations.insert(f.incarnations.begin(), index);
  }
  void add_candidate() {
    const List open = oracle_.flows_where([](const Oracle::Flow& f) { return f.candidates.size() < Memory::kMaxCandidates; });
    if (open.empty() || is_full()) return;
    const std::uint32_t flow = one_of(open);
    oracle_.flows[flow].candidates.push_back(store_.candidate(flow));
    ++oracle_.count;
  }
  void promote() {
    const List waiting = oracle_.flows_where([](const Oracle::Flow& f) { return !f.candidates.empty(); });
    if (waiting.empty()) return;
    auto& f = oracle_.flows[one_of(waiting)];
    const auto at = f.candidates.begin() + static_cast<std::ptrdiff_t>(below(f.candidates.size()));
    store_.promote(*at);
    f.incarnations.insert(f.incarnations.begin(), *at);
    f.candidates.erase(at);
  }
  /// Any of a flow, except that the last incarnation goes after all candidates.
  void unlink() {
    if (oracle_.flows.empty()) return;
    const std::uint32_t flow = one_of(oracle_.flows_where([](const Oracle::Flow&) { return true; }));
    auto& f = oracle_.flows[flow];
    List& from = !f.candidates.empty() && (f.incarnations.size() == 1 || below(2) != 0) ? f.candidates : f.incarnations;
    const auto at = from.begin() + static_cast<std::ptrdiff_t>(below(from.size()));
    store_.memory.unlink(*at);
    store_.memory[*at].released_at = static_cast<base::Timestamp>(below(50));
    store_.memory.queue(*at);
    oracle_.waiting.push_back(*at);
    from.erase(at);
    if (f.incarnations.empty()) oracle_.flows.erase(flow);
  }
  void write() {
    if (below(2) != 0) {
      begin_tick(store_.memory, now_ += kTick);
      const auto before = [&](std::uint32_t a, std::uint32_t b) {
        const Connection& x = store_.memory[a];
        const Connection& y = store_.memory[b];
        return x.released_at != y.released_at ? x.released_at < y.released_at : x.id < y.id;
      };
      std::sort(oracle_.waiting.begin(), oracle_.waiting.end(), before);
      oracle_.due.insert(oracle_.due.end(), oracle_.waiting.begin(), oracle_.waiting.end());
      oracle_.waiting.clear();
    }
    const std::uint32_t index = store_.memory.next_released();
    ASSERT_EQ(index == kNoBlock, oracle_.due.empty());
    if (index == kNoBlock) return;
    ASSERT_EQ(index, oracle_.due.front());
    oracle_.due.erase(oracle_.due.begin());
    store_.memory.free(index);
    --oracle_.count;
  }
  void compare() {
    ASSERT_EQ(store_.memory.remembered(), oracle_.count);
    ASSERT_LE(store_.memory.remembered(), capacity_);
    for (std::uint32_t flow = 0; flow != 12; ++flow) {
      const auto at = oracle_.flows.find(flow);
      const Oracle::Flow expected = at != oracle_.flows.end() ? at->second : Oracle::Flow{};
      ASSERT_EQ(store_.incarnations(flow), expected.incarnations) << "flow " << flow;
      ASSERT_EQ(store_.candidates(flow), expected.candidates) << "flow " << flow;
      for (const std::uint32_t index : expected.candidates) ASSERT_EQ(store_.memory.head_of(index), expected.incarnations[0]);
      for (const std::uint32_t index : expected.incarnations) {
        ASSERT_EQ(store_.memory.head_of(index), expected.incarnations[0]);
        ASSERT_EQ(store_.memory[index].is(trait::kHead), index == expected.incarnations[0]);
      }
    }
  }

  Store store_;
  Oracle oracle_;
  std::size_t capacity_;
  base::Timestamp now_ = 0;
  std::minstd_rand engine_;
};

TEST(Memory, AgreesWithPlainContainersWhateverHappens) {
  for (std::uint32_t seed = 1; seed != 20; ++seed) {
    Pair pair(24, seed);
    for (int n = 0; n != 2000; ++n) {
      pair.step();
      if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed << ", step " << n;
    }
  }
}

}  // namespace
}  // namespace finwait::tcp

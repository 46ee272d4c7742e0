#include "finwait/base/pool.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>
#include <vector>

namespace finwait::base {
namespace {

struct Record {
  std::uint64_t value = 42;
  std::uint64_t more[8] = {};
};

TEST(Pool, GivesFreshRecords) {
  Pool<Record> pool(3);
  const std::uint32_t a = pool.allocate();
  EXPECT_EQ(pool[a].value, 42U);
  pool[a].value = 7;
  pool.release(a);
  EXPECT_EQ(pool.allocate(), a) << "the one released last is the first given out";
  EXPECT_EQ(pool[a].value, 42U);
}

TEST(Pool, GivesRecordsOfWhatTheyAreToHold) {
  Pool<Record> pool(1);
  EXPECT_EQ(pool[pool.allocate(std::uint64_t{5})].value, 5U);
}

TEST(Pool, KnowsWhichOneComesNext) {
  Pool<Record> pool(3);
  for (const unsigned n : {0U, 1U, 2U}) {
    EXPECT_EQ(pool.next(), n);
    EXPECT_EQ(pool.allocate(), n);
  }
  EXPECT_EQ(pool.next(), kNone);
  pool.release(0);
  pool.release(1);
  for (const unsigned n : {1U, 0U}) {
    EXPECT_EQ(pool.next(), n);
    EXPECT_EQ(pool.allocate(), n);
  }
}

TEST(Pool, SaysWhenAllAreInUse) {
  Pool<Record> pool(2);
  const std::uint32_t a = pool.allocate();
  EXPECT_NE(pool.allocate(), kNone);
  EXPECT_EQ(pool.allocate(), kNone);
  EXPECT_EQ(pool.in_use(), 2U);
  pool.release(a);
  EXPECT_EQ(pool.in_use(), 1U);
  EXPECT_EQ(pool.allocate(), a);
}

TEST(Pool, GivesItsMemoryBackOnceNoneIsInUse) {
  Pool<Record> pool(100);
  for (int round = 0; round != 2; ++round) {
    ASSERT_EQ(pool.allocate(), 0U);
    ASSERT_EQ(pool.allocate(), 1U);
    pool.release(0);
    pool.release_for_good();
    EXPECT_EQ(pool.in_use(), 0U);
    EXPECT_EQ(pool[1].value, 42U);
    pool.give_back();
    EXPECT_EQ(pool.high_water(), 0U);
    EXPECT_FALSE(pool.is_live(1));
    EXPECT_EQ(*pool.place(1), std::byte{0});
  }
}

TEST(Pool, MayHoldNothing) {
  Pool<Record> pool(0);
  EXPECT_EQ(pool.allocate(), kNone);
  EXPECT_FALSE(pool.is_live(0));
}

TEST(Pool, CannotHoldTheIndexThatIsNone) { EXPECT_THROW(Pool<char>{kNone}, std::invalid_argument); }

TEST(Pool, LeavesAReleasedRecordAsItWas) {
  Pool<Record> pool(2);
  const std::uint32_t a = pool.allocate();
  pool[a].value = 5;
  pool.release(a);
  EXPECT_EQ(pool[a].value, 5U);
}

TEST(Pool, CostsOnlyWhatIsUsed) {
  // A hundred gigabytes of records, of which one is touched.
  struct Large {
    char bytes[4096];
  };
  Pool<Large> pool(25'000'000);
  EXPECT_EQ(pool.allocate(), 0U);
  pool.prefetch(24'999'999, 4);
  pool.prefetch(kNone);
}

TEST(Pool, AgreesWithAMapUnderRandomUse) {
  constexpr std::uint32_t kCapacity = 200;
  Pool<Record> pool(kCapacity);
  std::unordered_map<std::uint32_t, std::uint64_t> oracle;
  std::vector<std::uint32_t> held;
  std::mt19937_64 random(1);
  for (int step = 0; step != 200'000; ++step) {
    // The odds swing, so that the pool runs both full and empty.
    const bool grow = random() % 100 < (step / 2000 % 2 == 0 ? 70U : 30U);
    if (grow) {
      const std::uint32_t index = pool.allocate();
      ASSERT_EQ(index == kNone, held.size() == kCapacity);
      if (index == kNone) continue;
      ASSERT_TRUE(oracle.emplace(index, random()).second) << "given out twice";
      pool[index].value = oracle[index];
      held.push_back(index);
    } else if (!held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      ASSERT_EQ(pool[held.back()].value, oracle[held.back()]);
      pool.release(held.back());
      oracle.erase(held.back());
      held.pop_back();
    }
    ASSERT_EQ(pool.in_use(), held.size());
    if (step % 1000 != 0) continue;
    std::size_t visited = 0;
    pool.for_each([&](std::uint32_t index) {
      ++visited;
      ASSERT_TRUE(oracle.contains(index));
    });
    ASSERT_EQ(visited, oracle.size());
    for (std::uint32_t index = 0; index != kCapacity; ++index) ASSERT_EQ(pool.is_live(index), oracle.contains(index));
  }
}

TEST(Pool, MayReleaseTheRecordVisited) {
  Pool<Record> pool(100);
  for (int i = 0; i != 100; ++i) static_cast<void>(pool.allocate());
  pool.for_each([&](std::uint32_t index) { pool.release(index); });
  EXPECT_EQ(pool.in_use(), 0U);
}

}  // namespace
}  // namespace finwait::base

#include "finwait/flow/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

#include "finwait/base/hash.h"

namespace finwait::flow {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

const auto kAny = [](std::uint32_t) { return true; };

std::uint64_t hash_of(const base::QuickHash& hash, std::uint64_t key) {
  std::array<std::uint64_t, 5> bytes{};
  bytes[4] = key;
  return hash.hash40(bytes.data());
}

TEST(Table, FindsNothingWhenEmpty) {
  const Table table(100);
  for (std::uint64_t hash = 0; hash != 1000; ++hash) EXPECT_EQ(table.find(hash * 0x9e37'79b9'7f4a'7c15, kAny), kNone);
  EXPECT_EQ(table.size(), 0U);
}

TEST(Table, FindsWhatIsInsertedUntilItIsErased) {
  Table table(100);
  ASSERT_TRUE(table.insert(123, 7));
  EXPECT_EQ(table.find(123, [](std::uint32_t value) { return value == 7; }), 7U);
  EXPECT_EQ(table.find(123, [](std::uint32_t) { return false; }), kNone) << "the tag matches, the record does not";
  EXPECT_FALSE(table.erase(123, 8));
  EXPECT_TRUE(table.erase(123, 7));
  EXPECT_FALSE(table.erase(123, 7));
  EXPECT_EQ(table.find(123, kAny), kNone);
  EXPECT_EQ(table.size(), 0U);
}

TEST(Table, IsAsNewOnceCleared) {
  Table table(10);  // a few buckets, which overflow
  std::uint32_t inserted = 0;
  while (table.insert(5, inserted)) ++inserted;
  table.clear();
  EXPECT_EQ(table.size(), 0U);
  EXPECT_TRUE(table.has_none(5));
  EXPECT_FALSE(table.erase(5, 0));
  for (std::uint32_t value = 0; value != inserted; ++value) ASSERT_TRUE(table.insert(5, value));
  EXPECT_FALSE(table.insert(5, inserted));
}

TEST(Table, PutsANewIncarnationInThePlaceOfTheOld) {
  Table table(100);
  ASSERT_TRUE(table.insert(123, 7));
  EXPECT_TRUE(table.replace(123, 7, 0));
  EXPECT_FALSE(table.replace(123, 7, 1));
  EXPECT_EQ(table.find(123, kAny), 0U);
  EXPECT_EQ(table.size(), 1U);
}

TEST(Table, HasNoEntryNamedNone) {
  Table table(100);
  EXPECT_FALSE(table.erase(123, kNone));
  EXPECT_FALSE(table.replace(123, kNone, 1));
}

TEST(Table, RefusesWhenBothBucketsAreFullAndSaysWhoCouldGo) {
  Table table(1000);
  constexpr std::uint64_t kHash = 0x1234'5678'9abc'def0;
  for (std::uint32_t value = 0; value != Table::kMaxVictims; ++value) ASSERT_TRUE(table.insert(kHash, value));
  EXPECT_FALSE(table.insert(kHash, 100));
  EXPECT_EQ(table.refused(), 1U);
  EXPECT_EQ(table.size(), Table::kMaxVictims);

  std::array<std::uint32_t, Table::kMaxVictims> victims{};
  ASSERT_EQ(table.victims(kHash, victims), Table::kMaxVictims);
  std::sort(victims.begin(), victims.end());
  for (std::uint32_t value = 0; value != Table::kMaxVictims; ++value) EXPECT_EQ(victims[value], value);
  EXPECT_EQ(table.victims(kHash, std::span(victims).first(3)), 3U);

  std::size_t candidates = 0;
  table.candidates(kHash, [&](std::uint32_t) { ++candidates; });
  EXPECT_EQ(candidates, Table::kSlots) << "those of the first bucket";

  EXPECT_TRUE(table.erase(kHash, 13));
  EXPECT_TRUE(table.insert(kHash, 100));
  EXPECT_EQ(table.find(kHash, [](std::uint32_t value) { return value == 100; }), 100U);
}

TEST(Table, PromisesTwoBucketsFullToAnyHashes) {
  // Hashes as unlucky as can be: all the same.
  Table table(0);
  for (std::uint32_t value = 0; value != Table::kMaxVictims; ++value) EXPECT_TRUE(table.insert(0, value));
}

TEST(Table, FindsInTheSecondBucketWhatTheFirstHadNoRoomFor) {
  // Flows of one first bucket and different tags: when it has grown crowded, the rest stand elsewhere, each in a bucket of its own.
  Table table(1000);
  const auto hash = [](std::uint32_t n) { return std::uint64_t{n * 0x0800'0000U + n + 1} << 32; };
  constexpr std::uint32_t kFlows = 30;
  for (std::uint32_t n = 0; n != kFlows; ++n) ASSERT_TRUE(table.insert(hash(n), n));
  for (int round = 0; round != 2; ++round) {
    for (std::uint32_t n = 0; n != kFlows; ++n) {
      const auto is_n = [n](std::uint32_t value) { return value == n; };
      EXPECT_EQ(table.find(hash(n), is_n), n);
      bool is_candidate = false;
      table.candidates(hash(n), [&](std::uint32_t value) { is_candidate = is_candidate || value == n; });
      EXPECT_TRUE(is_candidate);
      EXPECT_TRUE(table.replace(hash(n), n, kFlows + n));
      EXPECT_EQ(table.find(hash(n), is_n), kNone);
      EXPECT_TRUE(table.erase(hash(n), kFlows + n));
      EXPECT_EQ(table.find(hash(n), kAny), kNone);
      ASSERT_TRUE(table.insert(hash(n), n));
    }
  }
  EXPECT_EQ(table.size(), kFlows);
}

TEST(Table, LooksInTheSecondBucketNoMoreWhenWhatOverflowedIsGone) {
  // An entry behind the back of its first bucket cannot be found: that is how the count of those elsewhere shows.
  Table table(1000);
  for (std::uint32_t n = 0; n != Table::kMaxVictims; ++n) ASSERT_TRUE(table.insert(0, n));
  std::size_t found = 0;
  const auto count = [&](std::uint32_t) {
    ++found;
    return false;
  };
  EXPECT_EQ(table.find(0, count), kNone);
  EXPECT_EQ(found, Table::kMaxVictims);
  // Those that came last stand in the first bucket or the second; after all of them but the first are gone, one look is enough.
  for (std::uint32_t n = 1; n != Table::kMaxVictims; ++n) ASSERT_TRUE(table.erase(0, n));
  // Another flow whose first bucket is the second of hash 0, with the same tag.
  constexpr std::uint64_t kThere = std::uint64_t{1} << 32 | 0x0200'0000;
  ASSERT_TRUE(table.insert(kThere, 500));
  found = 0;
  EXPECT_EQ(table.find(0, count), kNone);
  EXPECT_EQ(found, 1U);
}

TEST(Table, HasTwiceTheRoomPromised) {
  for (const std::size_t promised : {0U, 1U, 10U, 1000U, 1'000'001U}) EXPECT_GE(Table(promised).capacity(), 2 * promised);
  EXPECT_LT(Table(1'000'000).capacity(), 2'000'000U + Table::kSlots);
  EXPECT_THROW(Table(Table::kMaxPromised + 1), std::invalid_argument);
}

TEST(Table, AgreesWithAMapUnderRandomUse) {
  constexpr std::uint32_t kKeys = 3000;
  const base::QuickHash keyed(3);
  Table table(kKeys);
  std::unordered_map<std::uint64_t, std::uint32_t> oracle;
  std::vector<std::uint64_t> record(2 * kKeys);  // value -> key
  std::mt19937_64 random(2);
  for (int step = 0; step != 500'000; ++step) {
    const std::uint64_t key = random() % kKeys;
    const std::uint64_t hash = hash_of(keyed, key);
    const auto is_key = [&](std::uint32_t value) { return record[value] == key; };
    const auto known = oracle.find(key);
    bool compared = false;
    static_cast<void>(table.find(hash, [&compared](std::uint32_t) { return compared = true; }));
    ASSERT_EQ(table.has_none(hash), !compared);
    ASSERT_EQ(table.find(hash, is_key), known == oracle.end() ? kNone : known->second);
    // A value of its own for each key, and a second one for its next incarnation.
    const auto value = static_cast<std::uint32_t>(key);
    if (known == oracle.end()) {
      record[value] = key;
      ASSERT_TRUE(table.insert(hash, value));
      oracle.emplace(key, value);
    } else if (random() % 3 == 0) {
      const std::uint32_t next = (known->second + kKeys) % (2 * kKeys);
      record[next] = key;
      ASSERT_TRUE(table.replace(hash, known->second, next));
      known->second = next;
    } else {
      ASSERT_TRUE(table.erase(hash, known->second));
      oracle.erase(known);
    }
    ASSERT_EQ(table.size(), oracle.size());
  }
  EXPECT_EQ(table.refused(), 0U);
}

TEST(Table, SeldomComparesTheWrongRecord) {
  constexpr std::uint32_t kEntries = 100'000;
  const base::QuickHash keyed(4);
  Table table(kEntries);
  for (std::uint32_t value = 0; value != kEntries; ++value) ASSERT_TRUE(table.insert(hash_of(keyed, value), value));
  std::size_t compared = 0;
  for (std::uint64_t key = kEntries; key != 2 * kEntries; ++key) table.candidates(hash_of(keyed, key), [&](std::uint32_t) { ++compared; });
  // Six entries in the first bucket, 255 tags; one look-up in five goes on to a second bucket.
  EXPECT_LT(compared, kEntries / 30);
}

TEST(Table, RefusesNothingAtHalfLoadOverMillionsOfReplacements) {
  constexpr std::uint32_t kEntries = 200'000;
  constexpr std::uint64_t kReplacements = kSanitized ? 1'000'000 : 20'000'000;
  const base::QuickHash keyed(5);
  Table table(kEntries);
  std::vector<std::uint64_t> hashes(kEntries);
  for (std::uint32_t value = 0; value != kEntries; ++value) {
    hashes[value] = hash_of(keyed, value);
    ASSERT_TRUE(table.insert(hashes[value], value));
  }
  std::mt19937_64 random(6);
  for (std::uint64_t key = kEntries; key != kEntries + kReplacements; ++key) {
    const auto value = static_cast<std::uint32_t>(random() % kEntries);
    ASSERT_TRUE(table.erase(hashes[value], value));
    hashes[value] = hash_of(keyed, key);
    ASSERT_TRUE(table.insert(hashes[value], value)) << "after " << key - kEntries << " replacements";
  }
  EXPECT_EQ(table.size(), kEntries);
  for (std::uint32_t value = 0; value != kEntries; ++value) {
    ASSERT_EQ(table.find(hashes[value], [value](std::uint32_t other) { return other == value; }), value);
  }
}

TEST(Table, FillsBeyondSixTenthsBeforeItRefuses) {
  for (std::uint64_t seed = 0; seed != 5; ++seed) {
    const base::QuickHash keyed(seed);
    Table table(100'000);
    std::uint32_t value = 0;
    while (table.insert(hash_of(keyed, value), value)) ++value;
    EXPECT_GT(static_cast<double>(value), 0.6 * static_cast<double>(table.capacity()));
  }
}

TEST(Table, LetsReadersFindWhatStandsWhileTheWriterChangesTheRest) {
  constexpr std::uint32_t kStanding = 500;
  constexpr std::uint32_t kChanging = 500;
  const base::QuickHash keyed(7);
  Table table(kStanding + kChanging);
  // Written before its value is inserted: the release of the value publishes it.
  std::vector<std::uint64_t> record(kStanding + 2 * kChanging);
  for (std::uint32_t value = 0; value != kStanding; ++value) {
    record[value] = value;
    ASSERT_TRUE(table.insert(hash_of(keyed, value), value));
  }
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> lost{0};
  std::atomic<std::uint64_t> seen{0};
  const auto read = [&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    while (!stop.load()) {
      const std::uint64_t key = random() % (kStanding + kChanging);
      const std::uint32_t found = table.find(hash_of(keyed, key), [&](std::uint32_t value) { return record[value] == key; });
      if (key < kStanding && found != key) lost.fetch_add(1);
      if (key >= kStanding && found != kNone) seen.fetch_add(1);
    }
  };
  std::thread one(read, 1);
  std::thread two(read, 2);
  // Each changing key has two records, each written once, before any reader can reach it.
  std::mt19937_64 random(8);
  std::vector<std::uint32_t> current(kChanging, kNone);
  std::vector<int> generation(kChanging, 0);
  const int steps = kSanitized ? 100'000 : 1'000'000;
  for (int step = 0; step != steps || (seen.load() == 0 && step < 100 * steps); ++step) {
    const std::uint64_t i = random() % kChanging;
    const std::uint64_t hash = hash_of(keyed, kStanding + i);
    const auto first = static_cast<std::uint32_t>(kStanding + 2 * i);
    if (current[i] == kNone) {
      current[i] = first + static_cast<std::uint32_t>(generation[i] > 0);
      if (generation[i] == 0) record[first] = kStanding + i;
      ASSERT_TRUE(table.insert(hash, current[i]));
    } else if (current[i] == first) {
      if (generation[i] == 0) record[first + 1] = kStanding + i;
      generation[i] = 1;
      ASSERT_TRUE(table.replace(hash, first, first + 1));
      current[i] = first + 1;
    } else {
      ASSERT_TRUE(table.erase(hash, current[i]));
      current[i] = kNone;
    }
  }
  stop.store(true);
  one.join();
  two.join();
  EXPECT_EQ(lost.load(), 0U);
  EXPECT_GT(seen.load(), 0U);
}

}  // namespace
}  // namespace finwait::flow

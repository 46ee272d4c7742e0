#include "finwait/base/hash.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <set>
#include <unordered_set>
#include <vector>

namespace finwait::base {
namespace {

using Bytes = std::array<std::uint8_t, KeyedHash::kBytes>;

template <typename Hash>
class AnyHash : public testing::Test {};
using Hashes = testing::Types<KeyedHash, QuickHash>;
TYPED_TEST_SUITE(AnyHash, Hashes);

/// Keys as a scan makes them: one bit pattern, consecutive addresses and ports.
Bytes scanned(std::uint32_t n) {
  Bytes key{};
  key[10] = key[11] = key[26] = key[27] = 0xff;
  key[12] = 10;
  key[28] = 192;
  key[31] = static_cast<std::uint8_t>(n >> 16);
  key[32] = static_cast<std::uint8_t>(n);
  key[33] = static_cast<std::uint8_t>(n >> 8);
  return key;
}

/// Chi-squared over its degrees of freedom, in standard deviations from what chance gives.
double unevenness(const std::vector<std::uint32_t>& counts, double total) {
  const auto cells = static_cast<double>(counts.size());
  const double expected = total / cells;
  double chi = 0;
  for (const std::uint32_t count : counts) chi += (count - expected) * (count - expected) / expected;
  return (chi - (cells - 1)) / std::sqrt(2 * (cells - 1));
}

TEST(KeyedHash, IsTheFormulaAtItsHead) {
  // Computed with integers of any length, apart from this code.
  EXPECT_EQ(KeyedHash(0).hash40(Bytes{}.data()), 0x34b3'f29c'edd4'a017U);
  Bytes rising;
  Bytes ones;
  Bytes mixed;
  for (std::size_t i = 0; i != rising.size(); ++i) {
    rising[i] = static_cast<std::uint8_t>(i);
    ones[i] = 0xff;
    mixed[i] = static_cast<std::uint8_t>(i * 37 + 11);
  }
  EXPECT_EQ(KeyedHash(1).hash40(rising.data()), 0x6288'cdfd'5ff4'980dU);
  EXPECT_EQ(KeyedHash(~std::uint64_t{0}).hash40(ones.data()), 0x6620'c6f8'91c6'e887U);
  EXPECT_EQ(KeyedHash(0x0123'4567'89ab'cdef).hash40(mixed.data()), 0xfe00'acd5'28d7'8d6aU);
}

TEST(QuickHash, IsTheFormulaAtItsHead) {
  // Computed with integers of any length, apart from this code.
  EXPECT_EQ(QuickHash(0).hash40(Bytes{}.data()), 0x8e36'505d'131b'99f1U);
  Bytes rising;
  Bytes ones;
  Bytes mixed;
  for (std::size_t i = 0; i != rising.size(); ++i) {
    rising[i] = static_cast<std::uint8_t>(i);
    ones[i] = 0xff;
    mixed[i] = static_cast<std::uint8_t>(i * 37 + 11);
  }
  EXPECT_EQ(QuickHash(1).hash40(rising.data()), 0xf8fa'd166'707a'fa17U);
  EXPECT_EQ(QuickHash(~std::uint64_t{0}).hash40(ones.data()), 0x90ad'fe9d'f3fb'a7f0U);
  EXPECT_EQ(QuickHash(0x0123'4567'89ab'cdef).hash40(mixed.data()), 0x8fa3'0d15'413b'c4c5U);
}

TYPED_TEST(AnyHash, DoesNotCareWhereTheBytesStand) {
  const TypeParam hash(1);
  const Bytes key = scanned(12345);
  std::array<std::uint8_t, KeyedHash::kBytes + 1> shifted{};
  std::copy(key.begin(), key.end(), shifted.begin() + 1);
  EXPECT_EQ(hash.hash40(shifted.data() + 1), hash.hash40(key.data()));
}

TYPED_TEST(AnyHash, ChangesHalfTheBitsForEachBitOfTheInput) {
  for (std::size_t bit = 0; bit != 8 * KeyedHash::kBytes; ++bit) {
    int changed = 0;
    for (std::uint64_t seed = 0; seed != 100; ++seed) {
      const TypeParam hash(seed);
      Bytes key = scanned(99);
      const std::uint64_t before = hash.hash40(key.data());
      key[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      changed += std::popcount(before ^ hash.hash40(key.data()));
    }
    // 3200 on average, a standard deviation of 40.
    EXPECT_NEAR(changed, 3200, 240) << "bit " << bit;
  }
}

TYPED_TEST(AnyHash, SpreadsConsecutiveKeysAsChanceWouldWhateverTheSeed) {
  constexpr std::uint32_t kKeys = 1 << 18;
  for (std::uint64_t seed = 0; seed != 8; ++seed) {
    const TypeParam hash(seed);
    std::unordered_set<std::uint64_t> distinct;
    std::vector<std::uint32_t> high(1024);
    std::vector<std::uint32_t> low(1024);
    for (std::uint32_t n = 0; n != kKeys; ++n) {
      const std::uint64_t h = hash.hash40(scanned(n).data());
      distinct.insert(h);
      ++high[h >> 54];
      ++low[h & 1023];
    }
    EXPECT_EQ(distinct.size(), kKeys);
    EXPECT_LT(std::abs(unevenness(high, kKeys)), 5);
    EXPECT_LT(std::abs(unevenness(low, kKeys)), 5);
  }
}

TEST(ShardOf, SpreadsEvenlyAndLeavesTheBucketsOfAShardEven) {
  const QuickHash hash(9);
  for (const std::uint32_t shards : {1U, 2U, 3U, 4U, 7U, 16U}) {
    std::vector<std::uint32_t> owned(shards);
    std::vector<std::uint32_t> by_low(512);
    std::vector<std::uint32_t> by_high(512);
    constexpr std::uint32_t kKeys = 1 << 18;
    for (std::uint32_t n = 0; n != kKeys; ++n) {
      const std::uint64_t h = hash.hash40(scanned(n).data());
      const std::uint32_t shard = shard_of(h, shards);
      ASSERT_LT(shard, shards);
      ++owned[shard];
      if (shard != 0) continue;
      ++by_low[(h & 0xffff'ffff) >> 23];
      ++by_high[h >> 55];
    }
    if (shards > 1) {
      EXPECT_LT(std::abs(unevenness(owned, kKeys)), 6) << shards;
    }
    EXPECT_LT(std::abs(unevenness(by_low, owned[0])), 6) << shards;
    EXPECT_LT(std::abs(unevenness(by_high, owned[0])), 6) << shards;
  }
}

TEST(RandomSeed, IsAnotherOneEachTime) {
  std::set<std::uint64_t> seeds;
  for (int i = 0; i != 100; ++i) seeds.insert(random_seed());
  EXPECT_EQ(seeds.size(), 100U);
}

}  // namespace
}  // namespace finwait::base

#include "finwait/hosts/heavy_table.h"

#include <gtest/gtest.h>

#include "finwait/base/hash.h"

namespace finwait::hosts {
namespace {

struct Count {
  std::uint64_t n;
};

wire::FlowKey key(std::uint32_t n) {
  wire::FlowKey k;
  k.network = n;
  return k;
}

std::uint64_t hash(std::uint32_t n) {
  static const base::KeyedHash keyed(1);
  const wire::FlowKey k = key(n);
  return keyed.hash40(&k);
}

TEST(HeavyTable, counts_exactly_while_there_is_room) {
  HeavyTable<Count> table(4'096);
  for (int round = 0; round < 3; ++round) {
    for (std::uint32_t n = 0; n < 1'000; ++n) ++table.touch(key(n), hash(n), 1, [](const Count&) {}).n;
  }
  EXPECT_EQ(table.evicted(), 0U);
  std::size_t found = 0;
  table.for_each([&](const wire::FlowKey& k, const Count& c) {
    EXPECT_LT(k.network, 1'000U);
    EXPECT_EQ(c.n, 3U);
    ++found;
  });
  EXPECT_EQ(found, 1'000U);
  EXPECT_NE(table.find(key(7), hash(7)), nullptr);
  EXPECT_EQ(table.find(key(1'000), hash(1'000)), nullptr);
}

TEST(HeavyTable, keeps_the_heaviest_of_a_million_and_says_who_has_to_go) {
  HeavyTable<Count> table(1'024);
  std::uint64_t gone = 0;
  for (std::uint32_t n = 0; n < 1'000'000; ++n) {
    ++table.touch(key(1'000 + n), hash(1'000 + n), 1, [&](const Count&) { ++gone; }).n;
    if (n % 50 == 0)
      ++table.touch(key(n / 50 % 10), hash(n / 50 % 10), 1, [&](const Count&) { ++gone; }).n;  // ten heavy ones, 2 000 times each
  }
  for (std::uint32_t n = 0; n < 10; ++n) {
    const Count* count = table.find(key(n), hash(n));
    ASSERT_NE(count, nullptr) << n;
    EXPECT_GT(count->n, 1'800U);
  }
  EXPECT_EQ(gone, table.evicted());
  EXPECT_LT(table.memory(), std::size_t{1} << 20);
}

}  // namespace
}  // namespace finwait::hosts

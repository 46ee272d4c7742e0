// Whatever comes when, what is first is the least by time and id of all that are there.
#include "../../src/tcp/release_order.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <utility>

namespace finwait::tcp {
namespace {

using Oracle = std::set<std::pair<base::Timestamp, std::uint64_t>>;

void expect_first(const ReleaseOrder& order, const Oracle& oracle) {
  ASSERT_EQ(order.size(), oracle.size());
  const ReleaseOrder::Turn* first = order.first();
  ASSERT_EQ(first == nullptr, oracle.empty());
  if (first == nullptr) return;
  ASSERT_EQ(std::pair(first->at, first->id), *oracle.begin());
  ASSERT_EQ(first->index, static_cast<std::uint32_t>(first->id) ^ 5U);
}

/// `back`: how often one comes that is before others, out of 100.
void play(unsigned seed, unsigned back) {
  constexpr std::uint32_t kCapacity = 40;
  std::mt19937 engine(seed);
  ReleaseOrder order(kCapacity);
  Oracle oracle;
  base::Timestamp now = 0;
  for (std::uint64_t id = 1; id != 3000; ++id) {
    const bool fill = engine() % 1000 < (id / 200 % 2 == 0 ? 700U : 300U);  // full for a while, empty for a while
    if (fill && oracle.size() != kCapacity) {
      now += static_cast<base::Duration>(engine() % 3);
      const base::Timestamp at = engine() % 100 < back ? now - static_cast<base::Duration>(engine() % 50) : now;
      order.push({at, id, static_cast<std::uint32_t>(id) ^ 5U});
      oracle.emplace(at, id);
    } else if (!oracle.empty()) {
      order.pop();
      oracle.erase(oracle.begin());
    }
    ASSERT_NO_FATAL_FAILURE(expect_first(order, oracle)) << "seed " << seed << ", step " << id;
  }
  order.settle();
  while (!oracle.empty()) {
    ASSERT_NO_FATAL_FAILURE(expect_first(order, oracle)) << "seed " << seed << ", settled";
    order.pop();
    oracle.erase(oracle.begin());
  }
  EXPECT_EQ(order.first(), nullptr);
}

TEST(ReleaseOrder, IsByTimeThenById) {
  for (unsigned seed = 1; seed <= 60 && !testing::Test::HasFatalFailure(); ++seed) play(seed, seed % 4 == 0 ? 0 : seed);
}

/// Those that come later by id at the same time are in order; one of an earlier id is not.
TEST(ReleaseOrder, HasRoomForAsManyAsItPromised) {
  ReleaseOrder order(4);
  for (int round = 0; round != 3; ++round) {
    for (const std::uint64_t id : {2U, 3U, 1U, 4U}) order.push({7, id, static_cast<std::uint32_t>(id)});
    for (const std::uint64_t id : {1U, 2U, 3U}) {
      EXPECT_EQ(order.first()->id, id);
      order.pop();
    }
    order.push({7, 5, 5});
    EXPECT_EQ(order.first()->id, 4U);
    order.pop();
    order.pop();
    EXPECT_EQ(order.size(), 0U);
  }
}

TEST(ReleaseOrder, TellsWhatComesSoon) {
  ReleaseOrder order(8);
  for (std::uint32_t n = 0; n != 6; ++n) order.push({n, n, n});
  std::uint32_t soon = 99;
  order.ahead(2, [&](std::uint32_t index) { soon = index; });
  EXPECT_EQ(soon, 2U);
  soon = 99;
  order.ahead(6, [&](std::uint32_t index) { soon = index; });
  EXPECT_EQ(soon, 99U) << "there are no more";
}

}  // namespace
}  // namespace finwait::tcp

// How the room is divided.
#include "finwait/tcp/partitions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace finwait::tcp {
namespace {

constexpr std::uint32_t kDefault = 1U << 22;

TEST(Partitions, GiveOutAllTheRoomOnce) {
  for (const std::uint32_t connections : {0U, 2U, 3U, 4U, 10U, 1000U, 3000U, 100'000U, kDefault, 1U << 28}) {
    const Partitions rooms(connections);
    for (std::uint32_t shards = 1; shards != 12; ++shards) {
      std::uint64_t places = 0;
      std::uint32_t next = 0;
      for (std::uint32_t n = 0; n != shards; ++n) {
        EXPECT_EQ(rooms.first_of(n, shards), next);
        next = rooms.first_of(n + 1, shards);
        places += rooms.capacity(n, shards) - rooms.slack(shards);
      }
      EXPECT_EQ(next, rooms.count());
      const std::uint64_t most = connections < 4 ? 4 : connections;
      EXPECT_LE(places + std::uint64_t{std::min(shards, rooms.count())} * rooms.slack(shards), most);
      EXPECT_GE(places, std::max(connections / 4 * 3, 2U));
    }
  }
}

TEST(Partitions, AreFewWhereRoomIsSmall) {
  EXPECT_EQ(Partitions(2).count(), 1U);
  EXPECT_EQ(Partitions(2).quota(0), 2U);
  EXPECT_EQ(Partitions(1000).count(), 1U);
  EXPECT_EQ(Partitions(4000).count(), 2U);
  EXPECT_EQ(Partitions(kDefault).count(), Partitions::kMost);
  for (std::uint32_t connections = 2; connections < 1U << 20; connections += connections / 3 + 1) {
    const Partitions rooms(connections);
    EXPECT_GE(rooms.quota(rooms.count() - 1), rooms.count() == 1 ? 1U : Partitions::kLeastQuota);
    EXPECT_LE(rooms.quota(0) - rooms.quota(rooms.count() - 1), 1U);
  }
}

TEST(Partitions, SendAFlowToTheTrackerThatHasItsPartition) {
  const base::KeyedHash hash(1);
  for (const std::uint32_t connections : {1000U, 5000U, 20'000U, kDefault}) {
    const Partitions rooms(connections);
    for (std::uint32_t shards = 1; shards != 10; ++shards) {
      for (std::uint64_t n = 0; n != 1000; ++n) {
        const std::array<std::uint64_t, 5> bytes{n};
        const std::uint64_t h = hash.hash40(bytes.data());
        const std::uint32_t shard = rooms.shard_of(h, shards);
        ASSERT_LT(shard, shards);
        ASSERT_GE(rooms.of(h), rooms.first_of(shard, shards));
        ASSERT_LT(rooms.of(h), rooms.first_of(shard + 1, shards));
      }
    }
  }
}

/// When as many connections as there is room for come from different flows, nearly all of them find it.
TEST(Partitions, FillEvenly) {
  const base::KeyedHash hash(2);
  for (const std::uint32_t connections : {11'000U, 180'000U, 1'000'000U}) {
    const Partitions rooms(connections);
    std::vector<std::uint32_t> filled(rooms.count());
    std::uint32_t made = 0;
    for (std::uint64_t n = 0;; ++n) {
      const std::array<std::uint64_t, 5> bytes{n};
      const std::uint32_t p = rooms.of(hash.hash40(bytes.data()));
      if (filled[p]++ == rooms.quota(p)) break;
      ++made;
    }
    EXPECT_GT(made, rooms.count() * rooms.quota(0) / 10 * 9) << connections;
  }
}

}  // namespace
}  // namespace finwait::tcp

// Fixed memory: what stays, what goes, and that nothing else is touched.
#include "finwait/hosts/isn_store.h"

#include <gtest/gtest.h>

#include <random>

namespace {

using namespace finwait::hosts;

IsnHost host(std::uint32_t number) {
  IsnHost h{};
  for (std::size_t i = 0; i < 4; ++i) h.address[12 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  h.port = 80;
  return h;
}
IsnObservation observation(std::uint64_t id, std::uint32_t isn) { return {static_cast<std::int64_t>(id), id, isn, 0, 0, 0, 0, 0, false}; }

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

TEST(IsnStore, NeverUsesMoreThanItsBound) {
  for (const std::size_t bytes : {kMebibyte, 3 * kMebibyte, 64 * kMebibyte}) {
    const IsnStore store(bytes, 1);
    EXPECT_LE(store.memory(), bytes);
    EXPECT_GE(store.memory(), bytes * 8 / 10);
  }
}

TEST(IsnStore, KeepsTheLatestInOrderThroughEveryGrowth) {
  IsnStore store(kMebibyte, 1);
  for (std::uint64_t id = 1; id <= 10000; ++id) {
    store.add(host(1), observation(id, static_cast<std::uint32_t>(id * 7919)));
    if ((id & (id - 1)) != 0 && id % 97 != 0) continue;
    const IsnStore::Entry* entry = store.find(host(1));
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->seen, id);
    const auto samples = store.samples(*entry);
    ASSERT_EQ(samples.size(), std::min<std::uint64_t>(id, 4096));
    for (std::size_t i = 0; i < samples.size(); ++i) ASSERT_EQ(samples[i].connection, id - samples.size() + 1 + i);
  }
}

TEST(IsnStore, AFloodOfHostsLeavesTheHeavyOnes) {
  IsnStore store(kMebibyte, 1);
  std::mt19937 random(1);
  for (std::uint64_t id = 1; id <= 64 * 20; ++id)
    store.add(host(static_cast<std::uint32_t>(id % 20)), observation(id, static_cast<std::uint32_t>(random())));
  for (std::uint32_t flood = 0; flood < 1'000'000; ++flood)
    store.add(host(1000 + flood), observation(flood, static_cast<std::uint32_t>(random())));
  for (std::uint32_t heavy = 0; heavy < 20; ++heavy) {
    const IsnStore::Entry* entry = store.find(host(heavy));
    ASSERT_NE(entry, nullptr) << heavy;
    EXPECT_EQ(entry->kept, 64);
  }
  EXPECT_GT(store.evicted(), 990'000U);
  EXPECT_LE(store.memory(), kMebibyte);
}

TEST(IsnStore, TheSuspiciousStayLongerThanTheHeavier) {
  IsnStore store(kMebibyte, 1);
  std::mt19937 random(2);
  for (std::uint32_t i = 0; i < 8; ++i) store.add(host(1), observation(i, i * 64000));
  for (std::uint32_t h = 0; h < 50'000; ++h) {
    for (std::uint32_t i = 0; i < 10; ++i) store.add(host(1000 + h), observation(i, static_cast<std::uint32_t>(random())));
  }
  ASSERT_NE(store.find(host(1)), nullptr);
  EXPECT_EQ(store.find(host(1))->kept, 8);
}

TEST(IsnStore, AnEmptyPoolIsSharedByWorth) {
  // One MiB has few of the large runs: of forty hosts that want one, the suspicious get them though they come last.
  IsnStore store(kMebibyte, 1);
  std::mt19937 random(3);
  for (std::uint32_t h = 0; h < 40; ++h) {
    const bool suspicious = h >= 39;
    for (std::uint32_t i = 0; i < 3000; ++i) store.add(host(h), observation(i, suspicious ? i : static_cast<std::uint32_t>(random())));
  }
  EXPECT_GE(store.find(host(39))->kept, 1024);
  for (std::uint32_t h = 0; h < 40; ++h) {
    const auto samples = store.samples(*store.find(host(h)));
    ASSERT_FALSE(samples.empty());
    EXPECT_EQ(samples.back().connection, 2999U);
    for (std::size_t i = 1; i < samples.size(); ++i) ASSERT_EQ(samples[i].connection, samples[i - 1].connection + 1) << h;
  }
}

}  // namespace

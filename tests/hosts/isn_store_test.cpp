// Fixed memory: what stays, what goes, and that nothing else is touched.
#include "finwait/hosts/isn_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>
#include <vector>

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
    EXPECT_EQ(entry->seen(), id);
    const auto samples = store.samples(*entry);
    ASSERT_EQ(samples.size(), std::min<std::uint64_t>(id, 4096));
    for (std::size_t i = 0; i < samples.size(); ++i) ASSERT_EQ(samples[i].connection, id - samples.size() + 1 + i);
  }
}

TEST(IsnStore, TheFirstSampleIsKeptWholeAloneAndAmongOthers) {
  IsnStore store(kMebibyte, 1);
  const IsnObservation first{-5, std::uint64_t{1} << 60, 0x9abc'def0, 0x1234'5678, 80, 65'535, 64, 0x5a, true};
  store.add(host(1), first);
  const auto is_first = [&](const IsnObservation& o) {
    return o.time == first.time && o.connection == first.connection && o.isn == first.isn && o.same_tuple(first) && o.ttl == first.ttl &&
           o.options == first.options && o.continues;
  };
  ASSERT_NE(store.find(host(1)), nullptr);
  EXPECT_EQ(store.find(host(1))->seen(), 1U);
  EXPECT_EQ(store.find(host(1))->close(), 0U);
  ASSERT_EQ(store.run(*store.find(host(1))).size(), 1U);
  EXPECT_TRUE(is_first(store.run(*store.find(host(1))).front()));
  ASSERT_EQ(store.samples(*store.find(host(1))).size(), 1U);
  EXPECT_TRUE(is_first(store.samples(*store.find(host(1))).front()));
  store.add(host(1), observation(2, first.isn + 1));
  EXPECT_EQ(store.find(host(1))->seen(), 2U);
  EXPECT_EQ(store.find(host(1))->close(), 1U) << "to the first one";
  ASSERT_EQ(store.samples(*store.find(host(1))).size(), 2U);
  EXPECT_TRUE(is_first(store.samples(*store.find(host(1))).front()));
  EXPECT_EQ(store.samples(*store.find(host(1))).back().connection, 2U);
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

TEST(IsnStore, AGuessChangesNothing) {
  // The same hosts, once looked for and once where they may have been some time ago, which others may have taken since.
  IsnStore plain(kMebibyte, 1);
  IsnStore guessing(kMebibyte, 1);
  std::mt19937 random(4);
  struct Waiting {
    IsnHost host;
    IsnObservation what;
    std::uint32_t guess;
  };
  std::vector<Waiting> waiting;
  for (std::uint64_t id = 1; id <= 200'000; ++id) {
    const auto number = static_cast<std::uint32_t>(random() % 3 == 0 ? random() % 100 : random() % 20'000);
    const IsnObservation what = observation(id, random() % 4 == 0 ? static_cast<std::uint32_t>(id) : static_cast<std::uint32_t>(random()));
    plain.add(host(number), what);
    waiting.push_back({host(number), what, guessing.prefetch_entry(guessing.hash(host(number)))});
    if (waiting.size() != 64) continue;
    for (const Waiting& w : waiting) guessing.add(w.host, guessing.hash(w.host), w.what, w.guess);
    waiting.clear();
  }
  for (const Waiting& w : waiting) guessing.add(w.host, guessing.hash(w.host), w.what, w.guess);
  EXPECT_GT(plain.evicted(), 1'000U);
  EXPECT_EQ(guessing.evicted(), plain.evicted());
  EXPECT_EQ(guessing.hosts(), plain.hosts());
  for (std::uint32_t number = 0; number != 20'000; ++number) {
    const IsnStore::Entry* one = plain.find(host(number));
    const IsnStore::Entry* other = guessing.find(host(number));
    ASSERT_EQ(one == nullptr, other == nullptr) << number;
    if (one == nullptr) continue;
    ASSERT_EQ(one->seen(), other->seen()) << number;
    ASSERT_EQ(one->close(), other->close()) << number;
    const auto ids = [](const std::vector<IsnObservation>& samples) {
      std::vector<std::uint64_t> all;
      for (const IsnObservation& sample : samples) all.push_back(sample.connection);
      return all;
    };
    ASSERT_EQ(ids(plain.samples(*one)), ids(guessing.samples(*other))) << number;
  }
}

TEST(IsnStore, ANewcomerWearsDownTheFirstOfTheLeastWorth) {
  // What is in a set, and what each is worth, kept beside the store in the plainest way: a set of sixteen whose hosts are known by trying.
  IsnStore store(kMebibyte, 1);
  std::mt19937 random(5);
  std::vector<IsnHost> one_set;
  const auto set_of = [&](const IsnHost& h) { return store.prefetch_entry(store.hash(h)) / 16; };
  const auto set = set_of(host(0));
  for (std::uint32_t number = 0; one_set.size() != 60; ++number) {
    if (set_of(host(number)) == set) one_set.push_back(host(number));
  }
  struct Known {
    std::size_t which;
    std::uint64_t worth;
    std::uint32_t last;
  };
  std::vector<Known> places;  // in the order in which a set fills: 0, 8, 1, 9, ...
  const auto index = [](std::size_t place) { return place % 2 * 8 + place / 2; };
  for (std::uint64_t id = 1; id <= 50'000; ++id) {
    const std::size_t which = random() % (id % 1000 < 500 ? 60 : 20);
    const auto isn = static_cast<std::uint32_t>(random());
    store.add(one_set[which], observation(id, isn));
    const auto known = std::find_if(places.begin(), places.end(), [&](const Known& k) { return k.which == which; });
    if (known != places.end()) {
      const std::uint32_t up = isn - known->last;
      known->worth += std::min(up, 0U - up) < 1U << 22 ? 65U : 1U;
      known->last = isn;
    } else if (places.size() != 16) {
      places.push_back({which, 1, isn});
    } else {
      std::size_t least = 0;
      for (std::size_t place = 1; place != 16; ++place) {
        const auto less = std::pair(places[place].worth, index(place)) < std::pair(places[least].worth, index(least));
        if (less) least = place;
      }
      if (places[least].worth > 1) {
        --places[least].worth;
      } else {
        places[least] = {which, 1, isn};
      }
    }
    if (id % 100 != 0) continue;
    std::set<std::size_t> expected;
    for (const Known& k : places) expected.insert(k.which);
    for (std::size_t n = 0; n != one_set.size(); ++n) ASSERT_EQ(store.find(one_set[n]) != nullptr, expected.contains(n)) << id;
  }
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

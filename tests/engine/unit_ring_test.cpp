#include "finwait/engine/unit_ring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace finwait::engine {
namespace {

TEST(UnitRing, FreesAUnitWhenEverybodyIsDoneWithIt) {
  UnitRing ring(2, std::vector<Cargo>(2), 2);
  EXPECT_TRUE(ring.is_free(0));
  EXPECT_TRUE(ring.is_free(1));
  EXPECT_FALSE(ring.is_free(2));
  ring.set_done(0, 0);
  ring.set_done(0, 1);
  EXPECT_FALSE(ring.is_free(2)) << "not merged";
  ring.set_merged(0, Reader::kReport);
  EXPECT_FALSE(ring.is_free(2)) << "not merged for the hosts";
  ring.set_merged(0, Reader::kNumbers);
  EXPECT_FALSE(ring.is_free(2)) << "not merged for all that is kept of hosts";
  ring.set_merged(0, Reader::kConduct);
  EXPECT_TRUE(ring.is_free(2));
  EXPECT_FALSE(ring.is_free(3));
  EXPECT_EQ(&ring.unit(2), &ring.unit(0));
}

TEST(UnitRing, FreesACargoWhenTheShardsAreDoneWithIt) {
  UnitRing ring(3, std::vector<Cargo>(1), 2);
  EXPECT_TRUE(ring.is_free(0));
  EXPECT_FALSE(ring.is_free(1));
  Cargo* const cargo = ring.open(0).cargo;
  cargo->stamps.push_back(1);
  EXPECT_FALSE(ring.set_done(0, 1)) << "the other one is not";
  EXPECT_FALSE(ring.is_free(1));
  EXPECT_TRUE(ring.set_done(0, 0));
  EXPECT_TRUE(ring.is_free(1)) << "before it is merged";
  EXPECT_NE(&ring.open(1), &ring.unit(0));
  EXPECT_EQ(ring.unit(1).cargo, cargo);
  EXPECT_TRUE(cargo->stamps.empty());
}

TEST(UnitRing, TellsWhoIsTheLastToBeDoneInEachRound) {
  UnitRing ring(2, std::vector<Cargo>(2), 3);
  for (std::uint64_t ticket = 0; ticket != 6; ++ticket) {
    EXPECT_FALSE(ring.set_done(ticket, 2));
    EXPECT_FALSE(ring.set_done(ticket, 0));
    EXPECT_TRUE(ring.set_done(ticket, 1)) << ticket;
  }
}

TEST(UnitRing, KnowsTheTicketsOfAUnitApart) {
  UnitRing ring(2, std::vector<Cargo>(2), 1);
  EXPECT_FALSE(ring.is_decoded(0));
  ring.set_decoded(0);
  EXPECT_TRUE(ring.is_decoded(0));
  EXPECT_FALSE(ring.is_decoded(2)) << "the same unit, a round later";
  EXPECT_FALSE(ring.is_placed(0));
  ring.set_placed(0);
  EXPECT_TRUE(ring.is_placed(0));
  EXPECT_FALSE(ring.is_placed(1));
}

/// What goes through the ring: each unit is written once a round, and read by all before it is written again.
TEST(UnitRing, GivesEachShardEveryUnitOnceAndWhole) {
  constexpr std::uint64_t kTickets = 3'000;
  constexpr std::uint32_t kShards = 2;
  UnitRing ring(3, std::vector<Cargo>(2), kShards);
  std::vector<std::uint64_t> sums(kShards + 1);
  std::atomic<std::uint64_t> lasts{0};
  std::vector<std::thread> threads;
  const auto yield_until = [](auto condition) {
    while (!condition()) std::this_thread::yield();
  };
  for (std::uint32_t decoder = 0; decoder != 2; ++decoder) {
    threads.emplace_back([&, decoder] {
      for (std::uint64_t ticket = decoder; ticket < kTickets; ticket += 2) {
        yield_until([&] { return ring.is_free(ticket); });
        Unit& unit = ring.open(ticket);
        unit.bytes = ticket;
        unit.cargo->stamps.push_back(static_cast<base::Timestamp>(ticket));
        ring.set_decoded(ticket);
      }
    });
  }
  threads.emplace_back([&] {
    for (std::uint64_t ticket = 0; ticket != kTickets; ++ticket) {
      yield_until([&] { return ring.is_decoded(ticket); });
      ring.unit(ticket).frames_before = 2 * ring.unit(ticket).bytes;
      ring.set_placed(ticket);
    }
  });
  for (std::uint32_t shard = 0; shard != kShards; ++shard) {
    threads.emplace_back([&, shard] {
      for (std::uint64_t ticket = 0; ticket != kTickets; ++ticket) {
        yield_until([&] { return ring.is_placed(ticket); });
        const Unit& unit = ring.unit(ticket);
        if (unit.frames_before == 2 * ticket) sums[shard] += static_cast<std::uint64_t>(unit.cargo->stamps.at(0));
        lasts += ring.set_done(ticket, shard) ? 1U : 0U;
      }
    });
  }
  threads.emplace_back([&] {
    for (std::uint64_t ticket = 0; ticket != kTickets; ++ticket) {
      yield_until([&] { return ring.is_done(ticket, 0) && ring.is_done(ticket, 1); });
      sums[kShards] += ring.unit(ticket).bytes;
      ring.set_merged(ticket, Reader::kReport);
      ring.set_merged(ticket, Reader::kNumbers);
      ring.set_merged(ticket, Reader::kConduct);
    }
  });
  for (std::thread& thread : threads) thread.join();
  for (const std::uint64_t sum : sums) EXPECT_EQ(sum, kTickets * (kTickets - 1) / 2);
  EXPECT_LE(lasts, kTickets);
}

}  // namespace
}  // namespace finwait::engine

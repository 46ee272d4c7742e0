#include "../../src/tcp/blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

namespace finwait::tcp {
namespace {

Sent sent(std::uint64_t frame, std::uint32_t end) { return {frame, static_cast<base::Timestamp>(frame), end - 1, end, 0, 0}; }

std::vector<std::uint64_t> in_flight(const Blocks& blocks, const Endpoint& end) {
  std::vector<std::uint64_t> frames;
  blocks.for_each_sent(end, [&](const Sent& s) { frames.push_back(s.frame); });
  EXPECT_EQ(frames.size(), end.in_flight_count);
  return frames;
}

std::vector<std::uint64_t> frames_of(const Blocks& blocks, const Sightings& list) {
  std::vector<std::uint64_t> frames;
  blocks.for_each_sighting(list, [&](const Sighting& s) { frames.push_back(s.frame); });
  return frames;
}

using Frames = std::vector<std::uint64_t>;

/// How many blocks are free: takes them all and gives them back.
std::uint32_t free_blocks(Blocks& blocks) {
  std::vector<std::uint32_t> taken;
  for (std::uint32_t index = blocks.allocate(); index != kNoBlock; index = blocks.allocate()) taken.push_back(index);
  for (const std::uint32_t index : taken) blocks.release_chain(index);
  return static_cast<std::uint32_t>(taken.size());
}

TEST(InFlight, IsKeptInOrderUntilAcknowledged) {
  Blocks blocks(100);
  Endpoint end;
  for (std::uint64_t n = 1; n <= 7; ++n) blocks.push_sent(end, sent(n, static_cast<std::uint32_t>(n * 10)), 0);
  EXPECT_EQ(in_flight(blocks, end), (Frames{1, 2, 3, 4, 5, 6, 7}));
  blocks.prune_sent(end, 39);
  EXPECT_EQ(in_flight(blocks, end), (Frames{4, 5, 6, 7})) << "a segment is acknowledged whole or not at all";
  blocks.prune_sent(end, 40);
  EXPECT_EQ(in_flight(blocks, end), (Frames{5, 6, 7}));
  blocks.prune_sent(end, 70);
  EXPECT_EQ(in_flight(blocks, end), Frames{});
  EXPECT_EQ(free_blocks(blocks), 100U);
}

TEST(InFlight, ForgetsTheOldestBeyond64) {
  Blocks blocks(100);
  Endpoint end;
  for (std::uint64_t n = 1; n <= 200; ++n) blocks.push_sent(end, sent(n, static_cast<std::uint32_t>(n)), 0);
  Frames last;
  for (std::uint64_t n = 137; n <= 200; ++n) last.push_back(n);
  EXPECT_EQ(last.size(), 64U);
  EXPECT_EQ(in_flight(blocks, end), last);
  EXPECT_GE(free_blocks(blocks), 100U - 23U) << "64 in threes, from anywhere within the first";
}

TEST(InFlight, IsPrunedAcrossTheWrap) {
  Blocks blocks(100);
  Endpoint end;
  const std::uint32_t base = 0xffff'ffe0;
  for (std::uint32_t n = 1; n <= 6; ++n) blocks.push_sent(end, sent(n, base + 10 * n), 0);
  blocks.prune_sent(end, base + 35);  // 3 after the wrap
  EXPECT_EQ(in_flight(blocks, end), (Frames{4, 5, 6}));
  blocks.prune_sent(end, base);
  EXPECT_EQ(in_flight(blocks, end), (Frames{4, 5, 6})) << "an old acknowledgment covers nothing";
}

TEST(InFlight, TakesAnOlderOneInFront) {
  for (std::uint64_t pushed = 0; pushed != 9; ++pushed) {
    for (std::uint32_t gone = 0; gone <= pushed; ++gone) {
      Blocks blocks(100);
      CompactEnd end;
      const auto frames = [&] {
        Frames all;
        CompactEnd copy = end;
        Endpoint whole;
        blocks.hand_over(copy, whole);
        EXPECT_EQ(whole.in_flight_count, blocks.count_sent(end));
        blocks.for_each_sum(whole, [&](const Sent& s, std::uint16_t sum) {
          EXPECT_EQ(sum, s.frame * 3);
          all.push_back(s.frame);
        });
        return all;
      };
      const auto push = [&](std::uint64_t n) {
        blocks.push_sent(end, sent(n, static_cast<std::uint32_t>(n)), static_cast<std::uint16_t>(n * 3));
      };
      for (std::uint64_t n = 1; n <= pushed; ++n) push(n);
      blocks.prune_sent(end, gone);
      Frames expected;
      for (std::uint64_t n = gone; n <= pushed + 2; ++n) expected.push_back(n);
      blocks.unshift_sent(end, sent(gone, gone), static_cast<std::uint16_t>(gone * 3));
      push(pushed + 1);
      push(pushed + 2);
      EXPECT_EQ(frames(), expected) << gone << " of " << pushed;
      blocks.forget_oldest(end);
      expected.erase(expected.begin());
      EXPECT_EQ(frames(), expected) << gone << " of " << pushed;
      blocks.prune_sent(end, static_cast<std::uint32_t>(pushed + 2));
      EXPECT_EQ(frames(), Frames{});
      EXPECT_EQ(free_blocks(blocks), 100U);
    }
  }
}

TEST(InFlight, AgreesWithAQueueWhateverHappens) {
  std::minstd_rand engine(2);
  const auto random = [&] { return static_cast<std::uint32_t>(engine()); };
  Blocks blocks(40);
  Endpoint end;
  std::deque<Sent> kept;
  std::uint32_t next = 0xffff'f000;
  std::uint64_t frame = 0;
  for (int step = 0; step != 20000; ++step) {
    if (random() % 3 != 0) {
      next += 1 + random() % 100;
      const Sent s = sent(++frame, next);
      blocks.push_sent(end, s, 0);
      if (kept.size() == 64) kept.pop_front();
      kept.push_back(s);
    } else {
      const std::uint32_t acked = next - random() % 3000;
      blocks.prune_sent(end, acked);
      while (!kept.empty() && static_cast<std::int32_t>(kept.front().end - acked) <= 0) kept.pop_front();
    }
    Frames expected;
    for (const Sent& s : kept) expected.push_back(s.frame);
    ASSERT_EQ(in_flight(blocks, end), expected) << "step " << step;
  }
  EXPECT_EQ(blocks.exhausted(), 0U);
  blocks.release_all(end);
  EXPECT_EQ(free_blocks(blocks), 40U);
}

TEST(InFlight, KeepsNothingNewerWhenThereAreNoBlocks) {
  Blocks blocks(2);
  Endpoint end;
  for (std::uint64_t n = 1; n <= 9; ++n) blocks.push_sent(end, sent(n, static_cast<std::uint32_t>(n)), 0);
  EXPECT_EQ(in_flight(blocks, end), (Frames{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(blocks.exhausted(), 3U);
  blocks.prune_sent(end, 4);
  blocks.push_sent(end, sent(10, 10), 0);
  EXPECT_EQ(in_flight(blocks, end), (Frames{5, 6, 10})) << "and again as soon as there is one";
}

TEST(InFlight, OfAnEndWithoutAnyBlockStaysEmpty) {
  Blocks blocks(1);
  const std::uint32_t other = blocks.allocate();
  Endpoint end;
  blocks.push_sent(end, sent(1, 1), 0);
  EXPECT_EQ(in_flight(blocks, end), Frames{});
  blocks.prune_sent(end, 1);
  blocks.release_chain(other);
  blocks.push_sent(end, sent(2, 2), 0);
  EXPECT_EQ(in_flight(blocks, end), Frames{2});
}

TEST(InFlight, KeepsTheSumOfEachPayload) {
  Blocks blocks(100);
  Endpoint end;
  for (std::uint64_t n = 1; n <= 8; ++n) blocks.push_sent(end, sent(n, static_cast<std::uint32_t>(n)), static_cast<std::uint16_t>(n * 11));
  blocks.prune_sent(end, 2);
  std::uint64_t frame = 3;
  blocks.for_each_sum(end, [&](const Sent& s, std::uint16_t sum) {
    EXPECT_EQ(s.frame, frame);
    EXPECT_EQ(sum, frame * 11);
    ++frame;
  });
  EXPECT_EQ(frame, 9U);
}

TEST(InFlight, RemembersTheLargestSegmentThatWasAcknowledged) {
  Blocks blocks(100);
  Endpoint end;
  blocks.push_sent(end, {.frame = 1, .seq = 0xffff'fff0, .end = 0x10}, 0);
  blocks.push_sent(end, {.frame = 2, .seq = 0x10, .end = 0x14}, 0);
  blocks.push_sent(end, {.frame = 3, .seq = 0x14, .end = 0x1000}, 0);
  blocks.prune_sent(end, 0x14);
  EXPECT_EQ(end.largest_acked, 0x20U);
}

TEST(StreamNotes, AreBegunAtTheFirstOddityAndBlank) {
  Blocks blocks(2);
  Endpoint end;
  EXPECT_EQ(blocks.known_notes(end), nullptr);
  EXPECT_EQ(blocks.known_holes(end), nullptr);
  StreamNotes* notes = blocks.notes(end);
  ASSERT_NE(notes, nullptr);
  EXPECT_EQ(notes->probes, 0U);
  EXPECT_EQ(notes->window_closed.frame, 0U);
  notes->probes = 7;
  EXPECT_EQ(blocks.notes(end), notes) << "once";
  EXPECT_EQ(blocks.known_notes(end), notes);
  EXPECT_EQ(blocks.known_holes(end), nullptr);
  Block::Holes* holes = blocks.holes(end);
  ASSERT_NE(holes, nullptr);
  EXPECT_EQ(holes->count, 0U);
  EXPECT_EQ(blocks.holes(end), holes);
  EXPECT_EQ(blocks.known_holes(end), holes);
  EXPECT_EQ(blocks.known_notes(end)->probes, 7U) << "beside the notes";
}

TEST(StreamNotes, AreNotKeptWithoutBlocks) {
  Blocks blocks(1);
  Endpoint end;
  EXPECT_EQ(blocks.holes(end), nullptr) << "there is room for the notes before them, and no more";
  EXPECT_NE(blocks.known_notes(end), nullptr);
  Endpoint other;
  EXPECT_EQ(blocks.notes(other), nullptr);
  EXPECT_EQ(blocks.exhausted(), 2U);
  blocks.release_all(end);
  EXPECT_NE(blocks.notes(other), nullptr);
}

TEST(Sightings, KeepTheFirstAndTheLatestFive) {
  Blocks blocks(3);
  Sightings list;
  EXPECT_EQ(frames_of(blocks, list), Frames{});
  Frames all;
  for (std::uint64_t n = 1; n <= 40; ++n) {
    blocks.push_sighting(list, {.frame = n});
    all.push_back(n);
    EXPECT_EQ(list.count, n);
    Frames expected{1};
    for (std::uint64_t m = std::max<std::uint64_t>(2, n < 6 ? 2 : n - 4); m <= n; ++m) expected.push_back(m);
    EXPECT_EQ(frames_of(blocks, list), expected);
  }
}

TEST(Sightings, AreAllWithinReachOfAChange) {
  for (std::uint64_t pushed = 0; pushed <= 14; ++pushed) {
    Blocks blocks(1);
    Sightings list;
    for (std::uint64_t n = 1; n <= pushed; ++n) blocks.push_sighting(list, {.frame = n});
    blocks.change_sightings(list, [](Sighting& s) { s.dead = true; });
    std::size_t seen = 0;
    blocks.for_each_sighting(list, [&](const Sighting& s) {
      EXPECT_TRUE(s.dead) << s.frame;
      ++seen;
    });
    EXPECT_EQ(seen, std::min<std::uint64_t>(pushed, 6));
  }
}

TEST(Sightings, GiveBackTheLatestAndNeverTheFirst) {
  Blocks blocks(1);
  Sightings list;
  Sighting out;
  EXPECT_FALSE(blocks.pop_sighting(list, out));
  blocks.push_sighting(list, {.frame = 1});
  EXPECT_FALSE(blocks.pop_sighting(list, out));
  for (std::uint64_t n = 2; n <= 5; ++n) blocks.push_sighting(list, {.frame = n});
  EXPECT_TRUE(blocks.pop_sighting(list, out));
  EXPECT_EQ(out.frame, 5U);
  EXPECT_EQ(list.count, 4U);
  EXPECT_EQ(frames_of(blocks, list), (Frames{1, 2, 3, 4}));
  for (std::uint64_t n = 4; n >= 2; --n) {
    EXPECT_TRUE(blocks.pop_sighting(list, out));
    EXPECT_EQ(out.frame, n);
  }
  EXPECT_FALSE(blocks.pop_sighting(list, out));
  EXPECT_EQ(frames_of(blocks, list), Frames{1});
}

TEST(Sightings, DoNotShowAgainWhatWasGivenBack) {
  Blocks blocks(1);
  Sightings list;
  Sighting out;
  for (std::uint64_t n = 1; n <= 8; ++n) blocks.push_sighting(list, {.frame = n});
  EXPECT_TRUE(blocks.pop_sighting(list, out));
  EXPECT_EQ(out.frame, 8U);
  EXPECT_EQ(frames_of(blocks, list), (Frames{1, 4, 5, 6, 7}));
  blocks.push_sighting(list, {.frame = 9});
  EXPECT_EQ(frames_of(blocks, list), (Frames{1, 4, 5, 6, 7, 9}));
}

TEST(Sightings, KeepTheFirstEvenWithoutABlock) {
  Blocks blocks(1);
  const std::uint32_t other = blocks.allocate();
  Sightings list;
  for (std::uint64_t n = 1; n <= 3; ++n) blocks.push_sighting(list, {.frame = n});
  EXPECT_EQ(frames_of(blocks, list), Frames{1});
  EXPECT_EQ(list.count, 3U) << "counted all the same";
  EXPECT_EQ(blocks.exhausted(), 2U);
  Sighting out;
  EXPECT_FALSE(blocks.pop_sighting(list, out));
  blocks.release_chain(other);
}

TEST(Blocks, ComeBackWhenAnEndIsReleased) {
  Blocks blocks(50);
  Endpoint end;
  for (std::uint64_t n = 1; n <= 30; ++n) {
    blocks.push_sent(end, sent(n, static_cast<std::uint32_t>(n)), 0);
    blocks.push_sighting(end.syns, {.frame = n});
    blocks.push_sighting(end.fins, {.frame = n});
  }
  ASSERT_NE(blocks.holes(end), nullptr);
  EXPECT_EQ(free_blocks(blocks), 50U - 10U - 2U - 2U);
  blocks.release_all(end);
  EXPECT_EQ(free_blocks(blocks), 50U);
  EXPECT_EQ(in_flight(blocks, end), Frames{});
}

TEST(Blocks, AreReleasedByTheChain) {
  Blocks blocks(5);
  blocks.release_chain(kNoBlock);
  std::uint32_t head = kNoBlock;
  for (int n = 0; n != 5; ++n) {
    const std::uint32_t fresh = blocks.allocate();
    blocks[fresh].next = head;
    head = fresh;
  }
  EXPECT_EQ(blocks.allocate(), kNoBlock);
  EXPECT_EQ(blocks.exhausted(), 1U);
  blocks.release_chain(head);
  EXPECT_EQ(free_blocks(blocks), 5U);
}

}  // namespace
}  // namespace finwait::tcp

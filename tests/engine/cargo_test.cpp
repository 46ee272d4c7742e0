#include "finwait/engine/cargo.h"

#include <gtest/gtest.h>

#include <vector>

namespace finwait::engine {
namespace {

constexpr std::size_t kBlock = 64;

wire::Segment segment(std::uint64_t frame) {
  wire::Segment s;
  s.frame = frame;
  s.seq = static_cast<std::uint32_t>(frame * 3);
  return s;
}

std::vector<std::uint64_t> frames_of(const Parts& parts, std::size_t shard) {
  std::vector<std::uint64_t> frames;
  for (std::size_t n = 0; !parts.block(shard, n).empty(); ++n) {
    for (const wire::Segment& s : parts.block(shard, n)) {
      EXPECT_EQ(s.seq, s.frame * 3) << "a segment stays in one piece";
      frames.push_back(s.frame);
    }
  }
  return frames;
}

TEST(Parts, KeepEachShardsSegmentsInTheOrderInWhichTheyCame) {
  Parts parts(3, kBlock, {});
  std::vector<std::uint64_t> given;
  for (std::uint64_t n = 1; n != 1'000; ++n) {
    parts.append(0, segment(2 * n));
    parts.append(2, segment(2 * n + 1));
    given.push_back(2 * n);
    ASSERT_EQ(parts.size(0), n);
    ASSERT_EQ(parts.size(2), n);
  }
  EXPECT_EQ(frames_of(parts, 0), given);
  EXPECT_EQ(frames_of(parts, 1), std::vector<std::uint64_t>{});
  EXPECT_EQ(frames_of(parts, 2).size(), given.size());
  EXPECT_EQ(frames_of(parts, 2).back(), 1'999U);
}

TEST(Parts, BeginAgainWithNothing) {
  Parts parts(2, kBlock, {});
  for (std::uint64_t n = 1; n != 500; ++n) parts.append(n % 2, segment(n));
  parts.clear();
  for (const std::size_t shard : {0U, 1U}) {
    EXPECT_EQ(parts.size(shard), 0U);
    EXPECT_TRUE(parts.block(shard, 0).empty());
  }
  parts.append(1, segment(7));
  EXPECT_EQ(parts.size(0), 0U);
  EXPECT_EQ(frames_of(parts, 1), std::vector<std::uint64_t>{7});
}

TEST(Parts, EndABlockWhereItIsFull) {
  Parts parts(1, kBlock, {});
  for (std::uint64_t n = 1; n <= 2 * kBlock; ++n) parts.append(0, segment(n));
  EXPECT_EQ(parts.size(0), 2 * kBlock);
  EXPECT_EQ(parts.block(0, 0).size(), kBlock);
  EXPECT_EQ(parts.block(0, 1).size(), kBlock);
  EXPECT_TRUE(parts.block(0, 2).empty());
  parts.append(0, segment(2 * kBlock + 1));
  EXPECT_EQ(parts.block(0, 2).size(), 1U);
}

TEST(Parts, BringWhatCameLateToWhereItsFrameStands) {
  Parts parts(2, 3, {});
  for (const std::uint64_t n : {2U, 4U, 5U, 9U, 1U, 3U, 7U, 10U}) parts.append(1, segment(n));
  parts.merge_from(1, 4);
  EXPECT_EQ(frames_of(parts, 1), (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 7, 9, 10}));
}

TEST(Parts, TakeWhatTheyWereLentBeforeMemoryOfTheirOwn) {
  constexpr std::size_t kShards = 4;
  std::vector<wire::Segment> lent(kShards * kBlock);
  Parts parts(kShards, kBlock, lent);
  for (std::uint64_t n = 0; n != kShards * kBlock; ++n) parts.append(n % kShards, segment(n));
  EXPECT_EQ(parts.own_blocks(), 0U);
  for (std::size_t shard = 0; shard != kShards; ++shard) EXPECT_EQ(parts.block(shard, 0).data(), &lent[shard * kBlock]);
  parts.append(2, segment(1));
  EXPECT_EQ(parts.own_blocks(), 1U);
  parts.clear();
  parts.append(3, segment(1));
  EXPECT_EQ(parts.block(3, 0).data(), lent.data()) << "after one with much in it, too";
}

/// However the flows are divided: also where each shard in its turn has them all.
TEST(Parts, NeedMemoryForTheMostSegmentsAndABlockForEachShard) {
  constexpr std::size_t kShards = 32;
  constexpr std::uint64_t kSegments = 5'000;
  Parts parts(kShards, kBlock, {});
  for (std::size_t turn = 0; turn != 3 * kShards; ++turn) {
    for (std::uint64_t n = 1; n <= kSegments; ++n) parts.append(turn % kShards, segment(n));
    ASSERT_EQ(parts.size(turn % kShards), kSegments);
    EXPECT_LE(parts.own_blocks(), kSegments / kBlock + 1);
    parts.clear();
  }
  for (std::uint64_t n = 0; n != kSegments; ++n) parts.append(n % kShards, segment(n));
  EXPECT_LE(parts.own_blocks(), kSegments / kBlock + kShards);
}

}  // namespace
}  // namespace finwait::engine

#include "finwait/engine/unit.h"

#include <gtest/gtest.h>

#include <vector>

namespace finwait::engine {
namespace {

wire::Segment segment(std::uint64_t frame) {
  wire::Segment s;
  s.frame = frame;
  s.seq = static_cast<std::uint32_t>(frame * 3);
  return s;
}

std::vector<std::uint64_t> frames_of(Part& part) {
  std::vector<std::uint64_t> frames;
  for (const wire::Segment& s : part.segments()) {
    EXPECT_EQ(s.seq, s.frame * 3) << "a segment stays in one piece";
    frames.push_back(s.frame);
  }
  return frames;
}

std::size_t room_of(const Unit& unit) {
  std::size_t room = 0;
  for (const Part& part : unit.parts) room += part.room();
  return room;
}

TEST(Part, KeepsSegmentsInTheOrderInWhichTheyCame) {
  Part part;
  std::vector<std::uint64_t> given;
  for (std::uint64_t n = 1; n != 1'000; ++n) {
    part.append(segment(n));
    given.push_back(n);
    ASSERT_EQ(part.size(), n);
  }
  EXPECT_EQ(frames_of(part), given);
  part.clear();
  EXPECT_TRUE(part.segments().empty());
  part.append(segment(7));
  EXPECT_EQ(frames_of(part), std::vector<std::uint64_t>{7});
}

TEST(Part, BringsWhatCameLateToWhereItsFrameStands) {
  Part part;
  for (const std::uint64_t n : {2U, 4U, 5U, 9U, 1U, 3U, 7U, 10U}) part.append(segment(n));
  part.merge_from(4);
  EXPECT_EQ(frames_of(part), (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 7, 9, 10}));
}

TEST(Unit, KeepsItsMemoryForWhatComesNext) {
  Unit unit;
  unit.parts.resize(4);
  for (std::uint64_t n = 1; n <= 8'000; ++n) unit.parts[n % 4].append(segment(n));
  const std::size_t room = room_of(unit);
  EXPECT_GE(room, 8'000U);
  unit.clear();
  EXPECT_EQ(room_of(unit), room);
  for (Part& part : unit.parts) EXPECT_EQ(part.size(), 0U);
  unit.parts[0].append(segment(1));
  unit.clear();
  EXPECT_EQ(room_of(unit), room) << "after one with little in it, too";
}

TEST(Unit, DoesNotKeepForEachShardMemoryForAllSegments) {
  constexpr std::size_t kShards = 32;
  constexpr std::uint64_t kSegments = 5'000;
  Unit unit;
  unit.parts.resize(kShards);
  for (std::size_t turn = 0; turn != 3 * kShards; ++turn) {
    for (std::uint64_t n = 1; n <= kSegments; ++n) unit.parts[turn % kShards].append(segment(n));
    ASSERT_EQ(unit.parts[turn % kShards].size(), kSegments);
    unit.clear();
    EXPECT_LE(room_of(unit), 4 * kSegments + kShards * Part::kLeast);
  }
}

}  // namespace
}  // namespace finwait::engine

#include "finwait/engine/held_frames.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace finwait::engine {
namespace {

wire::FlowKey flow(std::uint16_t n) {
  wire::FlowKey key;
  key.network = 1;
  key.low_port = n;
  return key;
}

/// Frames of one flow whose bytes say their number; `all_alike`: every flow has the same hash.
struct Feeder {
  HeldFrames& held;
  bool all_alike = false;
  std::uint64_t number = 0;

  [[nodiscard]] std::uint64_t hash(std::uint16_t n) const { return all_alike ? 7 : n; }

  void add(std::uint16_t n, std::uint32_t size) {
    const std::vector<std::uint8_t> bytes(size, static_cast<std::uint8_t>(++number));
    const capture::Frame frame{bytes.data(), size, size + 1, static_cast<base::Timestamp>(number * 10), 1, 2};
    wire::Segment segment;
    segment.key = flow(n);
    segment.hash = hash(n);
    segment.frame = number;
    held.keep({&frame, 1}, number, {&segment, 1});
  }
};

TEST(HeldFrames, are_found_by_flow_and_number) {
  HeldFrames held(1);
  Feeder feeder{held, true};
  for (const std::uint16_t n : std::initializer_list<std::uint16_t>{1, 2, 1, 1, 2, 1}) feeder.add(n, 100);
  const auto found = held.take(flow(1), 7, 3, 6);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].number, 3U);
  EXPECT_EQ(found[2].number, 6U);
  const capture::Frame& frame = found[1].frame;
  EXPECT_EQ(frame.captured, 100U);
  EXPECT_EQ(frame.length, 101U);
  EXPECT_EQ(frame.time, 40);
  EXPECT_EQ(frame.interface, 2U);
  EXPECT_EQ(frame.data[99], 4);
}

TEST(HeldFrames, are_taken_once) {
  HeldFrames held(1);
  Feeder feeder{held};
  feeder.add(1, 60);
  EXPECT_EQ(held.take(flow(1), 1, 1, 1).size(), 1U);
  EXPECT_TRUE(held.take(flow(1), 1, 1, 1).empty());
}

TEST(HeldFrames, one_that_never_fits_is_not_held) {
  HeldFrames held(1);
  Feeder feeder{held};
  feeder.add(1, 1U << 20U);
  EXPECT_TRUE(held.take(flow(1), 1, 1, 1).empty());
}

/// The oracle: a list of all, of which the newest half of the room at least must be there, and none with other bytes.
TEST(HeldFrames, are_whole_and_the_newest_whatever_had_to_make_room) {
  std::mt19937 random(5);
  HeldFrames held(1);
  Feeder feeder{held, true};
  struct Known {
    std::uint16_t flow;
    std::uint32_t size;
  };
  std::deque<Known> all;
  for (int n = 0; n < 20'000; ++n) {
    all.push_back({static_cast<std::uint16_t>(random() % 5), static_cast<std::uint32_t>(random() % 3'000)});
    feeder.add(all.back().flow, all.back().size);
  }
  std::size_t newest = 0;
  for (std::size_t bytes = 0; bytes < (1U << 19U); ++newest) bytes += all[all.size() - 1 - newest].size + 88;
  std::size_t found = 0;
  for (std::uint16_t n = 0; n < 5; ++n) {
    for (const HeldFrames::Held& one : held.take(flow(n), 7, 1, 20'000)) {
      const Known& known = all[one.number - 1];
      ASSERT_EQ(known.flow, n);
      ASSERT_EQ(known.size, one.frame.captured);
      for (std::uint32_t at = 0; at < known.size; ++at) ASSERT_EQ(one.frame.data[at], static_cast<std::uint8_t>(one.number));
      ++found;
    }
  }
  EXPECT_GE(found, newest);
  EXPECT_LT(found, all.size());
}

}  // namespace
}  // namespace finwait::engine

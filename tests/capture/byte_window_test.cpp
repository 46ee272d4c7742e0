#include "finwait/capture/byte_window.h"

#include <gtest/gtest.h>

#include "capture/capture_bytes.h"

namespace finwait::capture {
namespace {

using testing::Bytes;
using testing::MemoryProvider;
using testing::payload;

TEST(ByteWindow, ShowsTheSameBytesForEveryCapacityAndEveryStep) {
  const Bytes bytes = payload(97);
  for (std::size_t capacity = 1; capacity <= 33; ++capacity) {
    for (std::size_t step = 1; step <= 9; ++step) {
      ByteWindow window(std::make_unique<MemoryProvider>(bytes, step), capacity);
      Bytes seen;
      for (std::size_t want = 1; window.fill(want); want = want % 12 + 1) {
        ASSERT_EQ(window.offset(), seen.size());
        seen.insert(seen.end(), window.begin(), window.begin() + want);
        window.consume(want);
      }
      seen.insert(seen.end(), window.begin(), window.end());
      ASSERT_EQ(seen, bytes) << "capacity " << capacity << ", step " << step;
    }
  }
}

TEST(ByteWindow, ConsumedBytesStayInPlaceUntilTheNextFill) {
  ByteWindow window(std::make_unique<MemoryProvider>(payload(64)), 16);
  ASSERT_TRUE(window.fill(16));
  const std::uint8_t* first = window.begin();
  window.consume(16);
  EXPECT_EQ(Bytes(first, first + 16), payload(16));
}

TEST(ByteWindow, GrowsForOneLargePiece) {
  const Bytes bytes = payload(1000);
  ByteWindow window(std::make_unique<MemoryProvider>(bytes), 3);
  ASSERT_TRUE(window.fill(1000));
  EXPECT_EQ(Bytes(window.begin(), window.end()), bytes);
  EXPECT_FALSE(window.fill(1001));
  EXPECT_EQ(window.size(), 1000U) << "what is there stays readable";
}

TEST(ByteWindow, WantingMoreThanThereIsAllocatesNothingForIt) {
  // Twice the largest address space would be needed if the wish alone allocated.
  ByteWindow window(std::make_unique<MemoryProvider>(payload(10)), 4);
  EXPECT_FALSE(window.fill(std::size_t{1} << 62U));
  EXPECT_EQ(window.size(), 10U);
}

TEST(ByteWindow, SkipsOverMoreThanItHolds) {
  const Bytes bytes = payload(500);
  ByteWindow window(std::make_unique<MemoryProvider>(bytes), 8);
  ASSERT_TRUE(window.skip(437));
  EXPECT_EQ(window.offset(), 437U);
  ASSERT_TRUE(window.fill(1));
  EXPECT_EQ(*window.begin(), bytes[437]);
  EXPECT_FALSE(window.skip(64));
}

TEST(ByteWindow, BorrowedMemoryIsReadInPlace) {
  const Bytes bytes = payload(20);
  ByteWindow window(bytes);
  EXPECT_TRUE(window.fill(20));
  EXPECT_EQ(window.begin(), bytes.data());
  EXPECT_FALSE(window.fill(21));
  EXPECT_DOUBLE_EQ(window.progress(), 0.0);
  window.consume(5);
  EXPECT_DOUBLE_EQ(window.progress(), 0.25);
}

TEST(ByteWindow, PassesOnTheProvidersError) {
  ByteWindow window(std::make_unique<MemoryProvider>(payload(2), SIZE_MAX, "read error: Input/output error"), 8);
  EXPECT_FALSE(window.fill(3));
  EXPECT_EQ(window.size(), 2U);
  EXPECT_EQ(window.error(), "read error: Input/output error");
}

}  // namespace
}  // namespace finwait::capture

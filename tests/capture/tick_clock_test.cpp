#include "finwait/capture/tick_clock.h"

#include <gtest/gtest.h>

#include <limits>

namespace finwait::capture {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

TEST(TickClock, MicrosecondsUnlessToldOtherwise) { EXPECT_EQ(TickClock().time(1'700'000'000'123'456), 1'700'000'000'123'456'000); }

TEST(TickClock, PowersOfTen) {
  EXPECT_EQ(TickClock(0).time(5), 5 * base::kSecond);
  EXPECT_EQ(TickClock(3).time(5), 5 * base::kMillisecond);
  EXPECT_EQ(TickClock(9).time(1'700'000'000'123'456'789), 1'700'000'000'123'456'789);
  EXPECT_EQ(TickClock(12).time(1'234'567'999), 1'234'567) << "picoseconds are cut off";
  EXPECT_EQ(TickClock(28).time(kMost), 1) << "10^-28 s: all 64 bits are less than two nanoseconds";
  EXPECT_EQ(TickClock(29).time(kMost), 0);
  EXPECT_EQ(TickClock(127).time(kMost), 0);
}

TEST(TickClock, PowersOfTwo) {
  EXPECT_EQ(TickClock(0x80).time(7), 7 * base::kSecond);
  EXPECT_EQ(TickClock(0x80 | 1).time(3), 1'500'000'000);
  EXPECT_EQ(TickClock(0x80 | 32).time(std::uint64_t{1} << 31U), 500'000'000) << "NTP fractions";
  EXPECT_EQ(TickClock(0x80 | 30).time(std::uint64_t{1'700'000'000} << 30U), 1'700'000'000 * base::kSecond);
  EXPECT_EQ(TickClock(0xff).time(kMost), 0);
}

TEST(TickClock, OffsetIsInSecondsAndMayBeNegative) {
  EXPECT_EQ(TickClock(6, 1000).time(1), 1000 * base::kSecond + base::kMicrosecond);
  EXPECT_EQ(TickClock(9, -2).time(1), -2 * base::kSecond + 1);
  EXPECT_EQ(TickClock(0x80 | 1, -1).time(1), -500'000'000);
}

TEST(TickClock, HoldsAtTheEndsAndNeverSaysNever) {
  constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(TickClock(0).time(kMost / 2), base::kNever - 1);
  EXPECT_EQ(TickClock(6).time(kMost / 2 + 1), base::kNever - 1);
  EXPECT_EQ(TickClock(9).time(std::uint64_t{base::kNever}), base::kNever - 1);
  EXPECT_EQ(TickClock(6, kFar).time(0), base::kNever - 1);
  EXPECT_EQ(TickClock(6, kFar).time(kMost), base::kNever - 1);
  EXPECT_EQ(TickClock(6, -kFar - 1).time(0), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(TickClock(6, -kFar - 1).time(kMost), std::numeric_limits<std::int64_t>::min());
}

TEST(TickClock, TicksBeyondTheRangeAreNegativeIfThatIsAfter1900) {
  const auto negative = [](std::int64_t ticks) { return static_cast<std::uint64_t>(ticks); };
  EXPECT_EQ(TickClock(9).time(negative(-1)), -1);
  EXPECT_EQ(TickClock(6).time(negative(-1)), -base::kMicrosecond);
  EXPECT_EQ(TickClock(0).time(negative(-1)), -base::kSecond);
  EXPECT_EQ(TickClock(9, 100).time(negative(-1)), 100 * base::kSecond - 1);
  constexpr std::int64_t kYear1900 = -2'208'988'800;
  EXPECT_EQ(TickClock(6).time(negative(kYear1900 * 1'000'000)), kYear1900 * base::kSecond);
  EXPECT_EQ(TickClock(6).time(negative(kYear1900 * 1'000'000 - 1)), base::kNever - 1) << "as likely a time far ahead";
  EXPECT_EQ(TickClock(9).time(negative(kYear1900 * base::kSecond - 1)), base::kNever - 1);
  // What lies within the range as it is stays as it is: NTP fractions of the years 2038 and later, picoseconds.
  EXPECT_EQ(TickClock(0x80 | 32).time(std::uint64_t{1} << 63U), (std::int64_t{1} << 31U) * base::kSecond);
  EXPECT_EQ(TickClock(12).time(kMost), static_cast<base::Timestamp>(kMost / 1000));
}

TEST(TickClock, TheFastWayEndsWhereTheWideOneGoesOn) {
  // Both sides of half the range, in nanoseconds: consecutive ticks stay consecutive.
  constexpr std::uint64_t kHalf = static_cast<std::uint64_t>(base::kNever) / 2;
  const TickClock clock(9, 0);
  for (std::uint64_t tick = kHalf - 2; tick <= kHalf + 2; ++tick) EXPECT_EQ(clock.time(tick), static_cast<base::Timestamp>(tick));
}

}  // namespace
}  // namespace finwait::capture

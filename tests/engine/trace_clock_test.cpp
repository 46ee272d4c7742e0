#include "finwait/engine/trace_clock.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

namespace finwait::engine {
namespace {

constexpr base::Duration kHour = 3'600 * base::kSecond;
constexpr base::Timestamp kStart = 1'700'000'000 * base::kSecond;

TEST(TraceClock, begins_with_the_first_frame_whatever_its_stamp) {
  for (const base::Timestamp first : {kStart, base::Timestamp{0}, base::Timestamp{-5}, std::numeric_limits<base::Timestamp>::min()}) {
    TraceClock clock;
    EXPECT_EQ(clock.tick(first), first);
    EXPECT_EQ(clock.went_back(), 0U);
  }
}

TEST(TraceClock, follows_the_greatest_stamp_and_counts_those_that_are_earlier) {
  TraceClock clock;
  EXPECT_EQ(clock.tick(kStart), kStart);
  EXPECT_EQ(clock.tick(kStart + 10), kStart + 10);
  EXPECT_EQ(clock.tick(kStart + 5), kStart + 10);
  EXPECT_EQ(clock.tick(kStart + 10), kStart + 10);
  EXPECT_EQ(clock.went_back(), 1U) << "an equal stamp does not go back";
}

TEST(TraceClock, believes_a_step_of_an_hour_at_once) {
  TraceClock clock;
  clock.tick(kStart);
  EXPECT_EQ(clock.tick(kStart + kHour), kStart + kHour);
}

TEST(TraceClock, does_not_believe_a_single_frame_far_ahead) {
  TraceClock clock;
  clock.tick(kStart);
  EXPECT_EQ(clock.tick(kStart + 1000 * kHour), kStart);
  EXPECT_EQ(clock.tick(kStart + 1), kStart + 1);
  EXPECT_EQ(clock.tick(kStart + 2), kStart + 2);
  EXPECT_EQ(clock.disbelieved(), 1U);
  EXPECT_EQ(clock.went_back(), 0U);
}

TEST(TraceClock, believes_it_when_a_frame_near_it_follows) {
  TraceClock clock;
  clock.tick(kStart);
  clock.tick(kStart + 10 * kHour);
  EXPECT_EQ(clock.tick(kStart + 10 * kHour + 5), kStart + 10 * kHour + 5);
  EXPECT_EQ(clock.disbelieved(), 0U);

  TraceClock other;
  other.tick(kStart);
  other.tick(kStart + 10 * kHour);
  EXPECT_EQ(other.tick(kStart + 10 * kHour - 5), kStart + 10 * kHour) << "a little earlier confirms as well";
  EXPECT_EQ(other.went_back(), 1U);
}

TEST(TraceClock, believes_it_when_a_frame_later_still_follows) {
  TraceClock clock;
  clock.tick(kStart);
  clock.tick(kStart + 2 * kHour);
  EXPECT_EQ(clock.tick(kStart + 4 * kHour), kStart + 2 * kHour) << "the later one waits in its turn";
  EXPECT_EQ(clock.tick(kStart + 6 * kHour), kStart + 4 * kHour);
}

TEST(TraceClock, lets_an_earlier_doubt_replace_a_later_one) {
  TraceClock clock;
  clock.tick(kStart);
  clock.tick(kStart + 100 * kHour);
  EXPECT_EQ(clock.tick(kStart + 10 * kHour), kStart);
  EXPECT_EQ(clock.tick(kStart + 10 * kHour + 1), kStart + 10 * kHour + 1);
  EXPECT_EQ(clock.disbelieved(), 1U);
}

TEST(TraceClock, never_goes_back_whatever_the_stamps) {
  std::mt19937_64 random(5);
  for (int run = 0; run < 200; ++run) {
    TraceClock clock;
    base::Timestamp before = std::numeric_limits<base::Timestamp>::min();
    for (int n = 0; n < 200; ++n) {
      const auto stamp =
          (random() & 1) != 0 ? static_cast<base::Timestamp>(random()) : kStart + static_cast<base::Timestamp>(random() % (5 * kHour));
      const base::Timestamp now = clock.tick(stamp);
      ASSERT_GE(now, before);
      before = now;
    }
  }
}

/// Stamps with steps back, leaps ahead, and such as nobody believes.
std::vector<base::Timestamp> wild_stamps(std::mt19937& random, std::size_t count) {
  std::vector<base::Timestamp> stamps;
  base::Timestamp at = kStart;
  for (std::size_t n = 0; n != count; ++n) {
    if (random() % 20 == 0) at += static_cast<base::Duration>(random() % 3) * kHour;
    at += static_cast<base::Duration>(random() % 1'000'000'000);
    const bool back = random() % 5 == 0;
    const bool ahead = random() % 15 == 0;
    stamps.push_back(at - (back ? 3 * base::kSecond : 0) + (ahead ? static_cast<base::Duration>(random() % 9) * kHour : 0));
  }
  return stamps;
}

TEST(TraceClock, can_follow_one_that_began_later_once_both_agree) {
  std::mt19937 random(1);
  unsigned followed = 0;
  for (int run = 0; run != 500; ++run) {
    const auto stamps = wild_stamps(random, 60);
    TraceClock whole;
    for (const base::Timestamp stamp : stamps) whole.tick(stamp);

    TraceClock first;
    TraceClock second;
    const std::size_t cut = random() % stamps.size();
    for (std::size_t n = 0; n != cut; ++n) first.tick(stamps[n]);
    for (std::size_t n = cut; n != stamps.size(); ++n) second.tick(stamps[n]);
    TraceClock then;
    for (std::size_t n = cut; n != stamps.size(); ++n) {
      first.tick(stamps[n]);
      then.tick(stamps[n]);
      if (!first.agrees(then)) continue;
      first.follow(then, second);
      ++followed;
      break;
    }
    ASSERT_TRUE(first.agrees(whole));
    ASSERT_EQ(first.went_back(), whole.went_back());
    ASSERT_EQ(first.disbelieved(), whole.disbelieved());
  }
  EXPECT_GT(followed, 200U);
}

}  // namespace
}  // namespace finwait::engine

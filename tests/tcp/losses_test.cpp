#include "../../src/tcp/losses.h"

#include <gtest/gtest.h>

namespace finwait::tcp {
namespace {

constexpr base::Timestamp kS = base::kSecond;

TEST(Losses, touch_what_lived_meanwhile) {
  Losses losses;
  EXPECT_FALSE(losses.during(0, base::kNever));
  losses.add(100 * kS, 101 * kS);
  EXPECT_TRUE(losses.during(90 * kS, 100 * kS)) << "it ended while frames were lost";
  EXPECT_FALSE(losses.during(90 * kS, 100 * kS - 1)) << "it was over before";
  EXPECT_TRUE(losses.during(100 * kS, 100 * kS)) << "within";
  EXPECT_TRUE(losses.during(102 * kS, 200 * kS)) << "a second after, its SYN may be among them";
  EXPECT_FALSE(losses.during(102 * kS + 1, 200 * kS));
}

TEST(Losses, close_together_are_one) {
  Losses losses;
  for (int n = 0; n < 1'000; ++n) losses.add(n * kS / 20, n * kS / 20 + 1);
  EXPECT_TRUE(losses.during(20 * kS, 21 * kS));
  EXPECT_FALSE(losses.during(60 * kS, 70 * kS));
}

TEST(Losses, are_never_forgotten_however_many) {
  Losses losses;
  for (int n = 0; n < 1'000; ++n) losses.add(n * 10 * kS, n * 10 * kS + kS);
  for (int n = 0; n < 1'000; ++n) EXPECT_TRUE(losses.during(n * 10 * kS, n * 10 * kS)) << n;
  EXPECT_FALSE(losses.during(9'999 * kS, 9'999 * kS));
}

TEST(Losses, taken_together_are_those_that_lie_closest) {
  Losses losses;
  losses.add(0, kS);
  losses.add(1'000 * kS, 1'001 * kS);
  for (std::size_t n = 0; n < Losses::kSpans; ++n) {
    const auto at = static_cast<base::Timestamp>(2'000 + 10 * n) * kS;
    losses.add(at, at + kS);
  }
  EXPECT_FALSE(losses.during(500 * kS, 501 * kS));
  EXPECT_FALSE(losses.during(1'500 * kS, 1'501 * kS));
}

}  // namespace
}  // namespace finwait::tcp

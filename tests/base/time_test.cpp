#include "finwait/base/time.h"

#include <gtest/gtest.h>

namespace finwait::base {
namespace {

constexpr Timestamp kLeast = std::numeric_limits<Timestamp>::min();

TEST(Time, MeasuresForwardsAndBackwards) {
  EXPECT_EQ(elapsed(10, 25), 15);
  EXPECT_EQ(elapsed(25, 10), -15);
  EXPECT_EQ(elapsed(-5, 5), 10);
  EXPECT_EQ(after(10, 15), 25);
  EXPECT_EQ(after(10, -15), -5);
}

TEST(Time, StaysAtTheEndsOfTheRange) {
  EXPECT_EQ(elapsed(kLeast, kNever), std::numeric_limits<Duration>::max());
  EXPECT_EQ(elapsed(kNever, kLeast), std::numeric_limits<Duration>::min());
  EXPECT_EQ(after(kNever - 1, kSecond), kNever);
  EXPECT_EQ(after(kLeast + 1, -kSecond), kLeast);
}

}  // namespace
}  // namespace finwait::base

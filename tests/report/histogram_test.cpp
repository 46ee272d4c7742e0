#include "finwait/report/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

namespace finwait::report {
namespace {

TEST(Histogram, of_nothing_is_zero) {
  const Histogram h;
  EXPECT_EQ(h.count(), 0U);
  EXPECT_EQ(h.percentile(0.5), 0);
}

TEST(Histogram, knows_the_least_and_the_most_exactly) {
  Histogram h;
  for (const base::Duration value : {7'777'777, 123, 999'999'999}) h.add(value);
  EXPECT_EQ(h.least(), 123);
  EXPECT_EQ(h.most(), 999'999'999);
  EXPECT_EQ(h.percentile(0.0), 123);
  EXPECT_EQ(h.percentile(1.0), 999'999'999) << "never beyond the most";
}

TEST(Histogram, takes_any_value) {
  Histogram h;
  h.add(-5);
  h.add(std::numeric_limits<base::Duration>::max());
  EXPECT_EQ(h.least(), 0);
  EXPECT_EQ(h.most(), std::numeric_limits<base::Duration>::max());
}

TEST(Histogram, gives_percentiles_to_within_a_sixty_fourth) {
  std::mt19937_64 random(4);
  Histogram h;
  std::vector<base::Duration> values;
  for (int n = 0; n < 10'000; ++n) {
    values.push_back(static_cast<base::Duration>(random() >> (10 + random() % 50)));
    h.add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.01, 0.25, 0.5, 0.9, 0.99}) {
    const base::Duration exact = values[static_cast<std::size_t>(share * 10'000) - 1];
    EXPECT_NEAR(static_cast<double>(h.percentile(share)), static_cast<double>(exact), static_cast<double>(exact) / 64 + 1) << share;
  }
}

}  // namespace
}  // namespace finwait::report

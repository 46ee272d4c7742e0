#include "finwait/hosts/series.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <random>

namespace finwait::hosts {
namespace {

TEST(Series, tells_how_many_at_the_end_of_each_step) {
  Series<64> s{};
  s.add_stay(5 * base::kSecond, 9 * base::kSecond);
  s.add_stay(7 * base::kSecond, base::kNever);
  const Levels levels = s.levels();
  const auto at = [&](base::Timestamp time) { return levels.values.at(static_cast<std::size_t>((time - levels.from) / levels.step)); };
  EXPECT_EQ(at(5 * base::kSecond), 1);
  EXPECT_EQ(at(8 * base::kSecond), 2);
  EXPECT_EQ(levels.values.back(), 1);
  EXPECT_EQ(s.last(), 1);
}

TEST(Series, is_the_same_in_whatever_order_it_is_told) {
  std::mt19937 random(1);
  std::vector<std::pair<base::Timestamp, std::int32_t>> changes;
  for (int n = 0; n < 2'000; ++n) changes.emplace_back(static_cast<base::Timestamp>(random()) * base::kMillisecond, n % 2 == 0 ? 1 : -1);
  Series<64> one{};
  for (const auto& [time, by] : changes) one.add(time, by);
  std::shuffle(changes.begin(), changes.end(), random);
  Series<64> other{};
  for (const auto& [time, by] : changes) other.add(time, by);
  EXPECT_EQ(one.levels().values, other.levels().values);
  EXPECT_EQ(one.levels().from, other.levels().from);
  EXPECT_EQ(one.levels().step, other.levels().step);
  EXPECT_LE(one.levels().values.size(), 64U);
}

TEST(Series, bears_any_stamps) {
  Series<64> s{};
  for (const base::Timestamp time : {std::numeric_limits<base::Timestamp>::min(), base::Timestamp{0}, base::kNever - 1}) s.add(time, 1);
  EXPECT_EQ(s.last(), 3);
  EXPECT_LE(s.levels().values.size(), 64U);
}

TEST(PeakWindow, finds_the_greatest_number_at_once_in_a_long_time) {
  const auto window = std::make_unique<PeakWindow>();
  *window = PeakWindow{};
  for (std::int64_t n = 0; n < 100'000; ++n) {  // ten a second for hours, a minute each; for a while a hundred more at once
    window->add_stay(n * 100 * base::kMillisecond, n * 100 * base::kMillisecond + 60 * base::kSecond);
    if (n == 50'000) {
      for (int k = 0; k < 100; ++k) window->add_stay(n * 100 * base::kMillisecond, n * 100 * base::kMillisecond + 5 * base::kSecond);
    }
  }
  EXPECT_NEAR(static_cast<double>(window->greatest()), 700, 10);
}

TEST(PeakWindow, of_nothing_is_none) { EXPECT_EQ(PeakWindow{}.greatest(), 0); }

}  // namespace
}  // namespace finwait::hosts

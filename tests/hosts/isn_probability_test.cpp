// The null distributions against numbers that can be counted by hand, and against simulation.
#include "finwait/hosts/isn_probability.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "finwait/hosts/isn_tests.h"

namespace {

using namespace finwait::hosts;

TEST(BinomialTail, IsExact) {
  EXPECT_DOUBLE_EQ(binomial_tail(10, 0.5, 0), 1);
  EXPECT_NEAR(binomial_tail(10, 0.5, 10), 1.0 / 1024, 1e-15);
  EXPECT_NEAR(binomial_tail(3, 0.25, 2), 3 * 0.0625 * 0.75 + 0.015625, 1e-15);
  EXPECT_DOUBLE_EQ(binomial_tail(3, 0.25, 4), 0);
  EXPECT_NEAR(binomial_tail(4, 1e-9, 2) / 6e-18, 1, 1e-6);  // far in the tail
}

TEST(Repeats, OnePairAmongTwoNumbersHasChanceTwoToTheMinus32) {
  EXPECT_NEAR(repeats_p(2, 1) * 4294967296.0, 1, 1e-9);
  EXPECT_NEAR(repeats_p(4, 1) * 4294967296.0, 6, 1e-9);
  EXPECT_DOUBLE_EQ(repeats_p(100, 0), 1);
}

TEST(Gcd, SumsOverAllMultiples) {
  EXPECT_DOUBLE_EQ(gcd_p(1, 10), 1);
  EXPECT_GE(gcd_p(10, 3), std::pow(10.0, -3) + std::pow(11.0, -3) + std::pow(12.0, -3));
  EXPECT_LT(gcd_p(10, 3), 0.01);
}

TEST(Crowd, FindsTheWidthAndTheCount) {
  const std::vector<std::int32_t> residues = {1, -2, 3, -3, 2, 100'000'000, -2'000'000'000};
  const Crowd crowd = crowd_at_zero(residues);
  EXPECT_EQ(crowd.bits, 2U);
  EXPECT_EQ(crowd.count, 5U);
  EXPECT_LT(crowd.p, 1e-30);
  // An arc across zero is an arc as any other.
  const Crowd around = crowd_anywhere(std::vector<std::uint32_t>{5, 9, 2'000'000'000, 0xffff'fff0});
  EXPECT_EQ(around.count, 3U);
  EXPECT_EQ(around.bits, 5U);
}

TEST(Crowd, SearchingSlopesCostsPower) {
  const std::vector<std::int32_t> residues = {10, -20, 30, -30, 20};
  EXPECT_GT(crowd_at_zero(residues, 100).p, 1e6 * crowd_at_zero(residues).p);
}

TEST(Crowd, ExtremesAreNumbersAsAnyOther) {
  const std::vector<std::int32_t> residues = {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max(), 0};
  EXPECT_GT(crowd_at_zero(residues).p, 1e-9);
  EXPECT_EQ(crowd_at_zero({}).p, 1);
  EXPECT_EQ(crowd_anywhere({}).p, 1);
}

/// The share of simulated innocents at or below a level must not be above the level, save for chance.
template <class Test>
void promise(int simulations, std::size_t n, Test&& test) {
  std::mt19937_64 random(n);
  std::vector<int> below(3);
  std::vector<std::uint32_t> numbers(n);
  for (int i = 0; i < simulations; ++i) {
    for (std::uint32_t& x : numbers) x = static_cast<std::uint32_t>(random());
    std::sort(numbers.begin(), numbers.end());
    const double p = test(numbers);
    double level = 0.1;
    for (int& b : below) {
      b += p <= level;
      level /= 10;
    }
  }
  double level = 0.1;
  for (const int b : below) {
    const double expected = level * simulations;
    EXPECT_LE(b, expected + 4 * std::sqrt(expected)) << n << " numbers at level " << level;
    level /= 10;
  }
}

TEST(Null, HoldsForCrowds) {
  for (const std::size_t n : {4U, 16U, 64U}) promise(5000, n, [](const auto& x) { return crowd_anywhere(x).p; });
  for (const std::size_t n : {3U, 15U, 63U}) {
    promise(5000, n, [](const auto& x) {
      std::vector<std::int32_t> residues;
      for (const std::uint32_t v : x) residues.push_back(static_cast<std::int32_t>(v));
      return crowd_at_zero(residues).p;
    });
  }
}

TEST(Null, HoldsForWatson) {
  for (const std::size_t n : {16U, 32U, 128U}) promise(20000, n, [](const auto& x) { return watson_p(x); });
}

TEST(Watson, SeesHalfACircle) {
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < 64; ++i) numbers.push_back(i * 33'000'000);
  EXPECT_LT(watson_p(numbers), 1e-9);
}

TEST(Null, HoldsForTheSearchOverSlopes) {
  std::mt19937_64 random(3);
  std::exponential_distribution<double> gap(0.2);
  int below_tenth = 0;
  int below_hundredth = 0;
  constexpr int kSimulations = 2000;
  for (int i = 0; i < kSimulations; ++i) {
    std::vector<IsnStep> steps;
    for (int k = 0; k < 20; ++k) steps.push_back({static_cast<std::uint32_t>(random()), gap(random)});
    const SlopeFit fit = fit_slope(steps);
    const double p = std::min(fit.free.p, fit.rayleigh_p) * 2;
    below_tenth += p <= 0.1;
    below_hundredth += p <= 0.01;
  }
  EXPECT_LE(below_tenth, 0.1 * kSimulations + 42);
  EXPECT_LE(below_hundredth, 0.01 * kSimulations + 14);
}

TEST(Slope, ResidueIsTakenModuloTheTurn) {
  EXPECT_EQ(residue({5, 0}, 1e6), 5);
  EXPECT_EQ(residue({0, 4294.967296}, 1e6), 0);    // once around
  EXPECT_EQ(residue({0xffff'ffff, 10}, -0.1), 0);  // a clock that runs backwards
  EXPECT_EQ(residue({250'010, 1}, 250e3), 10);
}

}  // namespace

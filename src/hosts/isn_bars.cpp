#include "isn_bars.h"

#include <algorithm>
#include <cmath>

#include "finwait/hosts/isn_probability.h"
#include "isn_slopes.h"

namespace finwait::hosts {
namespace {

constexpr double kTurn = 4294967296.0;
constexpr double kWidthTests = 32;
constexpr double kCellTests = 16;
constexpr double kBitTests = 64;

/// The chance that crowd_at_zero has for a width.
double near_zero(std::size_t bits) noexcept { return (std::ldexp(2.0, static_cast<int>(bits)) - 1) / kTurn; }

/// least_hits() for many trials, where the chance of no hit at all is not a double any more.
std::uint16_t least_hits_of_many(std::size_t trials, double chance, double limit) {
  std::size_t low = 0;  // not less than the limit
  std::size_t high = trials + 1;
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (binomial_tail(trials, chance, middle) < limit ? high : low) = middle;
  }
  return high > trials ? IsnBars::kNever : static_cast<std::uint16_t>(high);
}

/// From how many it must be within each of the widths 2^0, 2^1, ..., of n.
template <class LeastHits>
IsnBars::Reach reach_of(std::size_t n, LeastHits&& least_hits_of) {
  IsnBars::Reach reach(n + 1);
  for (std::size_t b = 0; b != IsnBars::kWidths; ++b) {
    const std::size_t hits = least_hits_of(b);
    if (hits <= n) reach[hits] = static_cast<std::uint8_t>(b + 1);
  }
  for (std::size_t hits = 1; hits <= n; ++hits) reach[hits] = std::max(reach[hits], reach[hits - 1]);
  return reach;
}

}  // namespace

std::uint16_t least_hits(std::size_t trials, double chance, double limit) {
  // 1 - P(X < k) has an error of 10^-16 or so for each term: what is near the limit is below it.
  limit = limit * 1.001 + 1e-12;
  if (chance >= 1) return IsnBars::kNever;
  double equal = std::exp(static_cast<double>(trials) * std::log1p(-chance));
  if (equal < 1e-290) return least_hits_of_many(trials, chance, limit);
  const double odds = chance / (1 - chance);
  double less = 0;
  for (std::size_t k = 0; k <= trials; ++k) {
    if (1 - less < limit) return static_cast<std::uint16_t>(k);
    less += equal;
    equal *= odds * static_cast<double>(trials - k) / static_cast<double>(k + 1);
  }
  return IsnBars::kNever;
}

const IsnBars::Bars& IsnBars::of(std::size_t n) {
  if (bars_.size() <= n) bars_.resize(n + 1);
  if (bars_[n]) return *bars_[n];
  Bars& bars = bars_[n].emplace();
  const auto count = static_cast<double>(n);
  for (std::size_t b = 0; b != kWidths; ++b) {
    const auto width = std::uint32_t{1} << b;
    const std::uint16_t more = least_hits(n - 1, width / kTurn, kNothing / kWidthTests / count);
    if (!bars.arcs.empty() && bars.arcs.back().more == more) bars.arcs.pop_back();  // it lies within this one
    if (more != kNever) bars.arcs.push_back({more, width});
  }
  bars.small = reach_of(n, [&](std::size_t b) { return least_hits(n, near_zero(b), kNothing / kWidthTests); });
  bars.named = reach_of(
      n, [&](std::size_t b) { return least_hits(n, near_zero(b), kNothing / kWidthTests / static_cast<double>(kNamedSlopes.size())); });
  bars.cells[0] = kNever;
  for (std::size_t b = 1; b <= kCellBits; ++b) {
    const double cells = std::ldexp(1.0, static_cast<int>(b));
    const std::uint16_t by_cell = least_hits(n, 1 / cells, kNothing / kCellTests / cells);
    const std::uint16_t by_number = least_hits(n - 1, 1 / cells, kNothing / kCellTests / count);
    bars.cells[b] = std::min<std::uint16_t>(by_cell, by_number == kNever ? kNever : by_number + 1U);
  }
  bars.bit = least_hits(n, 0.5, kNothing / kBitTests);
  return bars;
}

const IsnBars::Reach& IsnBars::of_free(std::size_t n, double slopes_per_turn) {
  int exponent = 0;
  std::frexp(slopes_per_turn, &exponent);
  const double fewest = std::ldexp(0.5, exponent);  // fewer slopes make a lower bar
  const std::uint64_t key = std::uint64_t{n} << 32 | static_cast<std::uint32_t>(exponent);
  const auto [at, made] = free_.try_emplace(key);
  if (!made) return at->second;
  at->second = reach_of(n, [&](std::size_t b) {
    const double search = fewest * kTurn / std::ldexp(1.0, static_cast<int>(b)) + 1;
    return least_hits(n, std::min(1.0, 1.5 * near_zero(b)), kNothing / kWidthTests / search);
  });
  return at->second;
}

}  // namespace finwait::hosts

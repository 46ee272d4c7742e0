#include "finwait/hosts/isn_probability.h"

#include <algorithm>
#include <bit>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <numbers>

namespace finwait::hosts {
namespace {

using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>,
                                             boost::math::policies::domain_error<boost::math::policies::ignore_error>,
                                             boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
                                             boost::math::policies::underflow_error<boost::math::policies::ignore_error>,
                                             boost::math::policies::evaluation_error<boost::math::policies::ignore_error>>;
constexpr double kTurn = 4294967296.0;
constexpr unsigned kWidths = 32;

}  // namespace

double log_binomial_bound(std::size_t trials, double chance, std::size_t hits) noexcept {
  const double n = static_cast<double>(trials);
  const double q = static_cast<double>(hits) / n;
  if (hits > trials || q <= chance) return 0;
  return -n * (q * std::log(q / chance) + (q < 1 ? (1 - q) * std::log((1 - q) / (1 - chance)) : 0));
}

double binomial_tail(std::size_t trials, double chance, std::size_t hits) noexcept {
  if (hits == 0 || chance >= 1) return 1;
  if (hits > trials || chance <= 0) return 0;
  const double a = static_cast<double>(hits);
  const double b = static_cast<double>(trials - hits + 1);
  return std::clamp(boost::math::ibeta(a, b, chance, Policy()), 0.0, 1.0);
}

Crowd crowd_at_zero(std::span<const std::int32_t> residues, double slopes_per_turn) noexcept {
  std::array<std::size_t, kWidths + 1> within{};  // within[b]: |residue| < 2^b
  for (const std::int32_t r : residues) {
    const std::uint32_t magnitude = r < 0 ? 0U - static_cast<std::uint32_t>(r) : static_cast<std::uint32_t>(r);
    ++within[static_cast<std::size_t>(std::bit_width(magnitude))];
  }
  for (unsigned b = 1; b <= kWidths; ++b) within[b] += within[b - 1];
  const std::size_t n = residues.size();
  Crowd best;
  double best_log = 0;
  double best_chance = 1;
  double best_search = 1;
  for (unsigned b = 0; b < kWidths; ++b) {
    if (within[b] == 0) continue;
    double chance = (std::ldexp(2.0, static_cast<int>(b)) - 1) / kTurn;
    double search = 1;
    if (slopes_per_turn > 0) {
      // Any slope with these residues within the width has a neighbour on a grid (one width apart at the longest difference) with the same
      // ones within one and a half: the union over that grid bounds the search, however it was done.
      chance = std::min(1.0, 1.5 * chance);
      search = slopes_per_turn * kTurn / std::ldexp(1.0, static_cast<int>(b)) + 1;
    }
    const double bound = log_binomial_bound(n, chance, within[b]) + std::log(search);
    if (bound < best_log) {
      best_log = bound;
      best = {1, bound, b, within[b]};
      best_chance = chance;
      best_search = search;
    }
  }
  if (best_log < 0) best.p = std::min(1.0, binomial_tail(n, best_chance, best.count) * best_search * kWidths);
  return best;
}

Crowd crowd_anywhere(std::span<const std::uint32_t> sorted) noexcept {
  const std::size_t n = sorted.size();
  Crowd best;
  if (n < 2) return best;
  double best_log = 0;
  for (unsigned b = 0; b < kWidths; ++b) {
    const std::uint32_t width = std::uint32_t{1} << b;
    std::size_t most = 1;
    std::size_t end = 0;  // may run past n: around the circle
    for (std::size_t i = 0; i < n; ++i) {
      end = std::max(end, i + 1);
      while (end < i + n && sorted[end < n ? end : end - n] - sorted[i] < width) ++end;
      most = std::max(most, end - i);
    }
    if (most < 2) continue;
    const double bound = log_binomial_bound(n - 1, std::ldexp(1.0, static_cast<int>(b) - 32), most - 1);
    if (bound < best_log) {
      best_log = bound;
      best = {1, bound, b, most};
    }
  }
  if (best_log < 0) {
    const double tail = binomial_tail(n - 1, std::ldexp(1.0, static_cast<int>(best.bits) - 32), best.count - 1);
    best.p = std::min(1.0, tail * static_cast<double>(n) * kWidths);
  }
  return best;
}

double watson_p(std::span<const std::uint32_t> sorted) noexcept {
  const double n = static_cast<double>(sorted.size());
  double sum = 0;
  double mean = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double u = (static_cast<double>(sorted[i]) + 0.5) / kTurn;
    const double d = u - (2.0 * static_cast<double>(i) + 1) / (2 * n);
    sum += d * d;
    mean += u / n;
  }
  const double u2 = sum + 1 / (12 * n) - n * (mean - 0.5) * (mean - 0.5);
  const double corrected = (u2 - 0.1 / n + 0.1 / (n * n)) * (1 + 0.8 / n);
  return std::min(1.0, 2 * std::exp(-2 * std::numbers::pi * std::numbers::pi * std::max(corrected, 0.0)));
}

double repeats_p(std::size_t n, std::size_t pairs) noexcept {
  if (pairs == 0) return 1;
  // Coincidences are pairwise independent; k values alike make k(k-1)/2 pairs of which only k-1 are. So count k-1 for each value (the
  // caller does) and bound by the number of ways to choose them.
  const double ways = static_cast<double>(n) * static_cast<double>(n - 1) / 2;
  double log_p = 0;
  for (std::size_t i = 0; i < pairs; ++i) log_p += std::log(ways / kTurn / (static_cast<double>(i) + 1));
  return std::min(1.0, std::exp(log_p));
}

double gcd_p(std::uint64_t g, std::size_t m) noexcept {
  if (g < 2 || m < 2) return 1;
  // Sum over q >= g of q^-m, at most g^-m + the integral beyond.
  const double divisor = static_cast<double>(g);
  const double count = static_cast<double>(m);
  return std::min(1.0, std::pow(divisor, -count) * (1 + divisor / (count - 1)));
}

}  // namespace finwait::hosts

// The null distributions: how likely is it that numbers drawn independently and uniformly from 2^32 look like this?
//
// Always true: each function returns an upper bound of the probability, or the exact value; never less, apart from Watson's U^2, which is
// the asymptotic distribution with Stephens' correction (its tail is checked by simulation, docs/isn.md). Distributions come from
// Boost.Math.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace finwait::hosts {

/// P(X >= hits) for X binomial(trials, chance).
[[nodiscard]] double binomial_tail(std::size_t trials, double chance, std::size_t hits) noexcept;

/// Chernoff's bound of it, as a natural logarithm: cheap, to find the most telling of many.
[[nodiscard]] double log_binomial_bound(std::size_t trials, double chance, std::size_t hits) noexcept;

/// A crowd of numbers: how unlikely, how wide (2^bits numbers, on both sides of zero or from the first), how many.
struct Crowd {
  double p = 1;
  double log_p = 0;  ///< a bound of its natural logarithm, to compare crowds where p is 0 within a double
  unsigned bits = 32;
  std::size_t count = 0;
};

/// Too many residues close to zero (on either side), over widths 2^0 .. 2^31. `slopes_per_turn` > 0: the residues are those of the best
/// slope out of a continuum; it is the range of slopes searched times the longest time difference, in turns of 2^32.
[[nodiscard]] Crowd crowd_at_zero(std::span<const std::int32_t> residues, double slopes_per_turn = 0) noexcept;

/// Too many numbers within some arc, over widths 2^0 .. 2^31, wherever it begins. `sorted` ascending.
[[nodiscard]] Crowd crowd_anywhere(std::span<const std::uint32_t> sorted) noexcept;

/// Watson's U^2 of numbers on the circle. `sorted` ascending, at least 8.
[[nodiscard]] double watson_p(std::span<const std::uint32_t> sorted) noexcept;

/// At least `pairs` of the n(n-1)/2 pairs are equal.
[[nodiscard]] double repeats_p(std::size_t n, std::size_t pairs) noexcept;

/// The greatest common divisor of m random differences is at least g.
[[nodiscard]] double gcd_p(std::uint64_t g, std::size_t m) noexcept;

}  // namespace finwait::hosts

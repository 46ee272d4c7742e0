// The tests of one set of initial sequence numbers: pure functions of the samples. Each p-value is valid by itself; correcting for their
// number is left to the caller (docs/isn.md lists each with its source and null distribution).
//
// The innocent host: numbers of different 4-tuples are independent and uniform. That covers random numbers, RFC 6528 (the hash of each
// 4-tuple is its own), and SYN cookies. It says nothing of one 4-tuple used again, so only the first sample of each 4-tuple is tested.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "finwait/hosts/isn_observation.h"
#include "finwait/hosts/isn_probability.h"

namespace finwait::hosts {

/// The samples as the tests want them.
struct IsnSeries {
  std::vector<IsnObservation> all;    ///< in the order of time
  std::vector<IsnObservation> fresh;  ///< the first of each 4-tuple, without those that continue an older incarnation
  std::vector<std::uint8_t> follows;  ///< follows[i] is 1: fresh[i] came directly after fresh[i-1] in `all`
  std::vector<std::uint32_t> sorted;  ///< numbers of `fresh`, ascending
};
/// Sorts the observations, drops second sights of one segment across an address translator, and makes the rest.
[[nodiscard]] IsnSeries make_series(std::vector<IsnObservation> observations);

/// Two samples, the later minus the earlier.
struct IsnStep {
  std::uint32_t difference = 0;
  double seconds = 0;
};

/// What the steps say of a common rule isn' = isn + slope * time + little.
struct SlopeFit {
  Crowd step;   ///< slope 0: small steps, up or down
  Crowd named;  ///< the best of the named slopes
  double named_slope = 0;
  Crowd free;  ///< any slope up to kFastestClock
  double free_slope = 0;
  double rayleigh_p = 1;    ///< of the free slope: clustered, if not tightly
  double rayleigh_log = 0;  ///< its logarithm

  [[nodiscard]] double clock_p() const noexcept;
  [[nodiscard]] double least_p() const noexcept;
  [[nodiscard]] bool is_named() const noexcept;       ///< the better clock is a named one
  [[nodiscard]] double slope() const noexcept;        ///< of the better clock
  [[nodiscard]] const Crowd& clock() const noexcept;  ///< the better clock's
  [[nodiscard]] bool prefers_steps() const noexcept;  ///< slope 0 explains more than any clock
  [[nodiscard]] double log_p() const noexcept;        ///< a bound of the logarithm of least_p(), to compare fits
};
inline constexpr double kFastestClock = 32e6;  ///< numbers per second, either way, for the free fit
inline constexpr std::size_t kSlopeTests = 4;  ///< p-values in a SlopeFit

[[nodiscard]] SlopeFit fit_slope(std::span<const IsnStep> steps);
/// difference - slope * seconds, modulo 2^32, as a signed number.
[[nodiscard]] std::int32_t residue(const IsnStep& step, double slope) noexcept;

/// Which parts of the 4-tuple must agree for two samples to be compared.
struct Grouping {
  bool peer = false;
  bool peer_port = false;
  bool host_port = false;
};
/// Steps between samples of `fresh` that follow each other within a group. `groups`, if given, gets the number of groups.
[[nodiscard]] std::vector<IsnStep> steps_within(const IsnSeries& series, const Grouping& grouping, std::size_t* groups = nullptr);
/// Steps between neighbours in `fresh` that differ in the grouping.
[[nodiscard]] std::vector<IsnStep> steps_across(const IsnSeries& series, const Grouping& grouping);
/// Steps between uses of the same 4-tuple in `all`, without those that continue an older incarnation.
[[nodiscard]] std::vector<IsnStep> steps_of_same_tuple(const IsnSeries& series);

/// Numbers that come again: values that occur more than once, and how unlikely that is.
struct Repeats {
  double p = 1;
  std::size_t distinct = 0;
  std::size_t repeated_values = 0;
  std::size_t most = 0;  ///< occurrences of the most frequent
  std::uint32_t value = 0;
};
[[nodiscard]] Repeats repeats(const IsnSeries& series, bool listener);

/// Bits that never, or too rarely, change; residues modulo powers of two; affine relations between the bits of one number.
struct BitTests {
  double stuck_p = 1;
  unsigned stuck = 0;  ///< how many bits never change
  double frequency_p = 1;
  double low_cells_p = 1;
  double rank_p = 1;
  unsigned rank = 0;  ///< dimension of what the numbers span over GF(2)
};
/// Of numbers in any order.
[[nodiscard]] BitTests bit_tests(std::span<const std::uint32_t> numbers);

struct GcdTest {
  double p = 1;
  std::uint64_t gcd = 0;
};
[[nodiscard]] GcdTest gcd_test(std::span<const IsnObservation> fresh);

/// x' = a x + c modulo m.
struct LinearTest {
  double p = 1;
  std::uint64_t modulus = 0;
  std::optional<std::uint32_t> next;  ///< the prediction, if the recurrence could be solved
};
[[nodiscard]] LinearTest congruential_test(const IsnSeries& series);
/// The generator behind drand48, mrand48 and java.util.Random: 48 bits of state, of which the upper 32 are shown.
[[nodiscard]] LinearTest rand48_test(const IsnSeries& series);
/// Each number an affine function over GF(2) of the one before (shift registers, xorshift).
[[nodiscard]] LinearTest shift_register_test(const IsnSeries& series);

}  // namespace finwait::hosts

// The slopes that a fit looks at: the named ones, and two found by looking. Found by isn_slopes.cpp, for the fit and for a quick look at
// it.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "finwait/hosts/isn_tests.h"

namespace finwait::hosts {

/// RFC 793, 1 MHz, Linux's 64 ns, FreeBSD's 1 MiB/s, 4.4BSD's 64,000 each half second, Windows' 100 ns, slow ticks, nanoseconds.
inline constexpr std::array kNamedSlopes = {250'000.0,    1'000'000.0, 15'625'000.0, 1'048'576.0, 128'000.0,
                                            10'000'000.0, 1'000.0,     100.0,        1e9};

/// What looking for slopes needs besides, used again and again.
struct SlopeRoom {
  std::vector<IsnStep> steps;
  std::vector<double> re;
  std::vector<double> im;
  std::vector<std::int32_t> residues;
};

/// Of a fit of any slope.
struct FreeSlopes {
  bool any = false;                ///< there are steps enough; they are in SlopeRoom::steps
  double turns = 0;                ///< Crowd's slopes_per_turn
  double peak = 0;                 ///< of Rayleigh's test
  double peak_log_p = 0;           ///< its logarithm
  std::array<double, 2> slopes{};  ///< refined from the peak and from 0; may be too steep to count
};
[[nodiscard]] FreeSlopes find_free_slopes(std::span<const IsnStep> steps, SlopeRoom& room);

/// The residues of all steps into SlopeRoom::residues.
void take_residues(std::span<const IsnStep> steps, double slope, SlopeRoom& room);

}  // namespace finwait::hosts

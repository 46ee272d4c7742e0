// The buffers that judging one set of samples after the other needs: made once, used again and again. And the tests' parts that a quick
// look shares with them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "finwait/hosts/isn_tests.h"
#include "isn_bars.h"
#include "isn_slopes.h"
#include "spread_sort.h"

namespace finwait::hosts {

struct IsnRoom {
  SpreadRoom<std::uint32_t> numbers;
  SpreadRoom<IsnObservation> observations;
  SlopeRoom slopes;
  std::vector<std::uint32_t> increments;
  std::vector<std::uint32_t> mirrored;
  std::vector<std::uint32_t> around;  ///< sorted numbers, and again from the first one on
  std::vector<IsnStep> steps;
  std::vector<std::uint64_t> keys;
  std::vector<std::uint16_t> key_places;
  IsnBars bars;
};

/// In the order of time.
void sort_observations(std::vector<IsnObservation>& observations, IsnRoom& room);

/// make_series() of observations in the order of time, which it takes; the series' old contents give the room for new ones.
void make_series(std::vector<IsnObservation>& observations, IsnSeries& series, IsnRoom& room);

/// steps_within() the whole.
void steps_between(const IsnSeries& series, std::vector<IsnStep>& steps);

/// How many groups there are. None: it would take long to count them here.
[[nodiscard]] std::optional<std::size_t> count_groups(std::span<const IsnObservation> observations, const Grouping& grouping,
                                                      IsnRoom& room);

/// For each b up to IsnBars::kCellBits: how many numbers share the lowest b bits, where that are the most.
[[nodiscard]] std::array<std::uint16_t, IsnBars::kCellBits + 1> fullest_cells(std::span<const std::uint32_t> numbers,
                                                                              std::vector<std::uint32_t>& mirrored,
                                                                              SpreadRoom<std::uint32_t>& room);

/// How many numbers have each bit.
[[nodiscard]] std::array<std::uint32_t, 32> count_ones(std::span<const std::uint32_t> numbers) noexcept;

/// The dimension of what the numbers span over GF(2), the first taken off. At least one number.
[[nodiscard]] unsigned rank_of(std::span<const std::uint32_t> numbers, std::vector<std::uint32_t>& rows);

/// BitTests::stuck_p of so many numbers with so many bits stuck.
[[nodiscard]] double stuck_p(std::size_t n, unsigned stuck) noexcept;
/// BitTests::rank_p
[[nodiscard]] double rank_p(std::size_t n, unsigned rank) noexcept;

}  // namespace finwait::hosts

// How many there are of something over time, in fixed memory.
//
// Series: the whole capture in a fixed number of bins; when they are full, neighbours are merged by two, so the resolution adapts to the
// length. It takes changes in any order and of any time. PeakWindow: the last two minutes finely, for the exact peak of what is reported
// nearly in the order of time. Always true: both are values whose bits are all zero while empty (they live in pages of zeros); nothing is
// allocated by adding; a stamp may be any 64 bits. A Series does not know what happened between the ends of two bins.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "finwait/base/time.h"

namespace finwait::hosts {

/// How many at the end of each step: values[n] at from + (n + 1) * step.
struct Levels {
  base::Timestamp from = 0;
  base::Duration step = 0;
  std::vector<std::int64_t> values;  ///< empty: nothing ever happened
};

template <std::size_t Bins>
struct Series {
  static_assert((Bins & (Bins - 1)) == 0, "bins are found by their low bits");
  static constexpr unsigned kFinest = 20;  ///< a bin is at least 2^20 ns: about a millisecond

  std::int64_t low;  ///< numbers of the first and the last bin in use: stamp >> shift
  std::int64_t high;
  std::uint32_t shift;                    ///< 0: empty
  std::array<std::int32_t, Bins> change;  ///< outside [low, high] always 0

  void add(base::Timestamp time, std::int32_t by) noexcept {
    if (shift == 0) {
      shift = kFinest;
      low = high = time >> shift;
    }
    const std::int64_t most = std::max(high, time >> shift);
    const std::int64_t least = std::min(low, time >> shift);
    if (most - least >= static_cast<std::int64_t>(Bins)) merge(most, least);
    const std::int64_t bin = time >> shift;
    low = std::min(low, bin);
    high = std::max(high, bin);
    change[place(bin)] += by;
  }

  /// One there from `from` on until `until` (kNever: to the end).
  void add_stay(base::Timestamp from, base::Timestamp until) noexcept {
    add(from, 1);
    if (until != base::kNever) add(until, -1);
  }

  [[nodiscard]] Levels levels() const { return shift == 0 ? Levels{} : levels(low, high, shift); }

  /// The same from bin `first` to bin `last`, bins being 2^wide ns: at least as wide as its own, and holding them.
  [[nodiscard]] Levels levels(std::int64_t first, std::int64_t last, std::uint32_t wide) const {
    Levels result{first << wide, base::Duration{1} << wide, std::vector<std::int64_t>(static_cast<std::size_t>(last - first + 1))};
    for (std::int64_t bin = low; bin <= high; ++bin) {
      result.values[static_cast<std::size_t>((bin >> (wide - shift)) - first)] += change[place(bin)];
    }
    std::partial_sum(result.values.begin(), result.values.end(), result.values.begin());
    return result;
  }

  /// How many after all that was added.
  [[nodiscard]] std::int64_t last() const noexcept {
    std::int64_t level = 0;
    for (const std::int32_t by : change) level += by;
    return level;
  }

 private:
  [[nodiscard]] static std::size_t place(std::int64_t bin) noexcept { return static_cast<std::size_t>(bin) & (Bins - 1); }

  /// Bins so much wider that there is room for these two.
  void merge(std::int64_t most, std::int64_t least) noexcept {
    unsigned by = 1;
    while ((most >> by) - (least >> by) >= static_cast<std::int64_t>(Bins)) ++by;
    // Mostly of a few bins in use: the others are left alone.
    std::array<std::int32_t, Bins> taken;
    for (std::int64_t bin = low; bin <= high; ++bin) taken[static_cast<std::size_t>(bin - low)] = std::exchange(change[place(bin)], 0);
    for (std::int64_t bin = low; bin <= high; ++bin) change[place(bin >> by)] += taken[static_cast<std::size_t>(bin - low)];
    low >>= by;
    high >>= by;
    shift += by;
  }
};

struct PeakWindow {
  static constexpr std::size_t kBins = 512;
  static constexpr unsigned kShift = 28;  ///< a quarter of a second each: 137 s in all, longer than 2 MSL or a SYN-ACK's repetitions

  std::int64_t high;   ///< the newest bin; the window ends with it
  std::int64_t level;  ///< before the window
  std::int64_t peak;
  bool any;
  std::array<std::int32_t, kBins> change;

  void add(base::Timestamp time, std::int32_t by) noexcept;
  void add_stay(base::Timestamp from, base::Timestamp until) noexcept {
    add(from, 1);
    if (until != base::kNever) add(until, -1);
  }
  /// The greatest number at once, with what is still in the window.
  [[nodiscard]] std::int64_t greatest() const noexcept;

 private:
  [[nodiscard]] static std::size_t place(std::int64_t bin) noexcept { return static_cast<std::size_t>(bin) & (kBins - 1); }
  void leave_behind(std::int64_t bin) noexcept;
};

}  // namespace finwait::hosts

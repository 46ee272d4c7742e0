#include "isn_screen.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <span>

namespace finwait::hosts {
namespace {

constexpr double kTurn = 4294967296.0;

/// How many are less than `width` away from zero. At most 2^31.
std::size_t count_within(std::span<const std::int32_t> residues, std::uint32_t width) noexcept {
  constexpr std::size_t kAtOnce = 8;
  const auto is_within = [width](std::int32_t r) { return static_cast<std::uint32_t>(r) + (width - 1) < 2 * width - 1 ? 1U : 0U; };
  std::uint32_t count = 0;
  for (; residues.size() >= kAtOnce; residues = residues.subspan(kAtOnce)) {
    for (std::size_t n = 0; n != kAtOnce; ++n) count += is_within(residues[n]);
  }
  for (const std::int32_t r : residues) {
    count += is_within(r);
    asm("" : "+r"(count));  // so few are done before vectors of them would have been set up
  }
  return count;
}

/// Whether so many residues are so close to zero that crowd_at_zero() says anything: no more than are within reach of all of them count,
/// so no more than are within reach of those, and so on, until as many are within reach as would be enough.
bool may_crowd_at_zero(std::span<const std::int32_t> residues, const IsnBars::Reach& reach) noexcept {
  for (std::size_t left = residues.size(); left != 0 && reach[left] != 0;) {
    const std::size_t count = count_within(residues, std::uint32_t{1} << (reach[left] - 1));
    if (count == left) return true;
    left = count;
  }
  return false;
}

/// Seconds of which any named slope makes a whole number that a double holds: not negative, at most a hundred days.
bool are_plain(std::span<const IsnStep> steps) noexcept {
  constexpr double kMost = 9e6;
  return std::all_of(steps.begin(), steps.end(), [](const IsnStep& s) { return s.seconds >= 0 && s.seconds <= kMost; });
}

/// take_residues() of steps that are plain, and of a named slope.
void take_plain_residues(std::span<const IsnStep> steps, double slope, std::vector<std::int32_t>& residues) noexcept {
  const auto residue = [slope](const IsnStep& s) {
    return static_cast<std::int32_t>(s.difference - static_cast<std::uint32_t>(static_cast<std::int64_t>(slope * s.seconds + 0.5)));
  };
  std::transform(steps.begin(), steps.end(), residues.begin(), residue);
}

}  // namespace

bool may_repeat(const IsnSeries& series) noexcept {
  if (series.fresh.size() != series.all.size()) return true;
  return std::adjacent_find(series.sorted.begin(), series.sorted.end()) != series.sorted.end();
}

bool may_crowd(std::span<const std::uint32_t> sorted, IsnRoom& room) {
  const std::size_t n = sorted.size();
  if (n < 2) return false;
  room.around.assign(sorted.begin(), sorted.end());
  room.around.insert(room.around.end(), sorted.begin(), sorted.end());
  const std::uint32_t* const numbers = room.around.data();
  for (const auto [more, width] : room.bars.of(n).arcs) {
    std::uint32_t least = 0xffff'ffff;
    for (std::size_t i = 0; i != n; ++i) least = std::min(least, numbers[i + more] - numbers[i]);
    if (least < width) return true;
  }
  return false;
}

bool may_have_slope(std::span<const IsnStep> steps, IsnRoom& room) {
  const IsnBars::Bars& bars = room.bars.of(std::max<std::size_t>(steps.size(), 2));
  SlopeRoom& slopes = room.slopes;
  slopes.residues.resize(steps.size());
  std::transform(steps.begin(), steps.end(), slopes.residues.begin(),
                 [](const IsnStep& s) { return static_cast<std::int32_t>(s.difference); });
  if (may_crowd_at_zero(slopes.residues, bars.small)) return true;
  const bool plain = are_plain(steps);
  for (const double slope : kNamedSlopes) {
    if (plain) {
      take_plain_residues(steps, slope, slopes.residues);
    } else {
      take_residues(steps, slope, slopes);
    }
    if (may_crowd_at_zero(slopes.residues, bars.named)) return true;
  }
  const FreeSlopes found = find_free_slopes(steps, slopes);
  if (!found.any) return false;
  if (std::exp(found.peak_log_p) < IsnBars::kNothing) return true;
  const IsnBars::Reach& free_bars = room.bars.of_free(slopes.steps.size(), found.turns);
  return std::any_of(found.slopes.begin(), found.slopes.end(), [&](double slope) {
    if (std::abs(slope) > kFastestClock) return false;
    take_residues(slopes.steps, slope, slopes);
    return may_crowd_at_zero(slopes.residues, free_bars);
  });
}

double bits_p(std::span<const std::uint32_t> numbers, IsnRoom& room) {
  const std::size_t n = numbers.size();
  const IsnBars::Bars& bars = room.bars.of(n);
  unsigned stuck = 0;
  std::size_t most = 0;
  for (const std::size_t ones : count_ones(numbers)) {
    most = std::max(most, std::max(ones, n - ones));
    stuck += ones == 0 || ones == n;
  }
  double p = std::min(stuck == 0 ? 1 : stuck_p(n, stuck), rank_p(n, rank_of(numbers, room.mirrored)));
  const auto fullest = fullest_cells(numbers, room.mirrored, room.numbers);
  bool more = most >= bars.bit;
  for (std::size_t b = 1; b != fullest.size(); ++b) more |= fullest[b] >= bars.cells[b];
  if (!more) return p;
  const BitTests all = bit_tests(numbers);
  return std::min({p, all.frequency_p, all.low_cells_p});
}

/// U^2 without a division for each number.
bool may_be_uneven(std::span<const std::uint32_t> sorted) noexcept {
  const double n = static_cast<double>(sorted.size());
  const double apart = 1 / n;
  double expected = apart / 2;
  double sum = 0;
  double total = 0;
  for (const std::uint32_t number : sorted) {
    const double u = (number + 0.5) * (1 / kTurn);
    sum += (u - expected) * (u - expected);
    total += u;
    expected += apart;
  }
  const double off = total * apart - 0.5;
  const double u2 = sum + apart / 12 - n * off * off;
  const double corrected = (u2 - 0.1 * apart + 0.1 * apart * apart) * (1 + 0.8 * apart);
  static const double bar = std::log(2 / IsnBars::kNothing) / (2 * std::numbers::pi * std::numbers::pi);
  return corrected > bar - 1e-6;
}

}  // namespace finwait::hosts

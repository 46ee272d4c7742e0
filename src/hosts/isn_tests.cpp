// Series, steps, slopes, repeats, bits: everything that is counting. Recurrences stand in isn_algebra.cpp.
#include "finwait/hosts/isn_tests.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>
#include <tuple>

namespace finwait::hosts {
namespace {

constexpr double kTurn = 4294967296.0;

/// RFC 793, 1 MHz, Linux's 64 ns, FreeBSD's 1 MiB/s, 4.4BSD's 64,000 each half second, Windows' 100 ns, slow ticks, nanoseconds.
constexpr std::array kNamedSlopes = {250'000.0, 1'000'000.0, 15'625'000.0, 1'048'576.0, 128'000.0, 10'000'000.0, 1'000.0, 100.0, 1e9};

constexpr base::Duration kTranslatedWithin = 50 * base::kMillisecond;
constexpr std::size_t kTranslatedBack = 64;
constexpr std::ptrdiff_t kMostSights = 3;

constexpr std::size_t kMostSteps = 512;    // of a free fit; the latest
constexpr std::size_t kMostSlopes = 2048;  // grid points of a free fit

std::uint64_t tuple_key(const IsnObservation& o, const Grouping& g) noexcept {
  return (g.peer ? std::uint64_t{o.peer} << 32 : 0) | (g.peer_port ? std::uint64_t{o.peer_port} << 16 : 0) |
         (g.host_port ? o.host_port : 0U);
}

IsnStep step(const IsnObservation& from, const IsnObservation& to) noexcept {
  return {to.isn - from.isn, static_cast<double>(base::elapsed(from.time, to.time)) * 1e-9};
}

/// Indices of `observations`, grouped, within a group in the order of time.
std::vector<std::uint32_t> group(std::span<const IsnObservation> observations, const Grouping& grouping) {
  std::vector<std::uint32_t> order(observations.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::tuple(tuple_key(observations[a], grouping), a) < std::tuple(tuple_key(observations[b], grouping), b);
  });
  return order;
}

/// Without the second sight of one segment: where an address translator stands between two points of capture, the same SYN appears with
/// another peer a moment later. A number that comes more often than a path has such points is kept: then it is the host's.
std::vector<IsnObservation> without_translated(std::vector<IsnObservation> observations) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(observations.size());
  for (const IsnObservation& o : observations) numbers.push_back(o.isn);
  std::sort(numbers.begin(), numbers.end());
  if (std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end()) return observations;
  std::vector<IsnObservation> kept;
  for (const IsnObservation& o : observations) {
    const auto [from, to] = std::equal_range(numbers.begin(), numbers.end(), o.isn);
    bool seen = false;
    for (std::size_t back = 1; back <= std::min(kept.size(), kTranslatedBack) && to - from <= kMostSights; ++back) {
      const IsnObservation& before = kept[kept.size() - back];
      if (base::elapsed(before.time, o.time) > kTranslatedWithin) break;
      seen = seen || before.isn == o.isn;
    }
    if (!seen) kept.push_back(o);
  }
  return kept;
}

/// The slope that the steps agree on best: the largest of |sum exp(i (difference - slope * seconds))| over a grid, as a Rayleigh test.
struct Peak {
  double slope = 0;
  double log_p = 0;
};
Peak rayleigh_peak(std::span<const IsnStep> steps, double longest) {
  const double range = 2 * kFastestClock / kTurn * longest;  // turns of 2^32 over the longest step, over all slopes
  const auto points = static_cast<std::size_t>(std::ceil(4 * range)) + 1;
  const double spacing = 2 * kFastestClock / static_cast<double>(points);
  std::vector<double> re(points);
  std::vector<double> im(points);
  for (const IsnStep& s : steps) {
    const double start = 2 * std::numbers::pi * (s.difference / kTurn + kFastestClock * s.seconds / kTurn);
    const double turn = -2 * std::numbers::pi * spacing * s.seconds / kTurn;
    double x = std::cos(start);
    double y = std::sin(start);
    const double c = std::cos(turn);
    const double d = std::sin(turn);
    for (std::size_t i = 0; i < points; ++i) {
      re[i] += x;
      im[i] += y;
      const double next = x * c - y * d;
      y = x * d + y * c;
      x = next;
    }
  }
  std::size_t best = 0;
  double most = -1;
  for (std::size_t i = 0; i < points; ++i) {
    const double length = re[i] * re[i] + im[i] * im[i];
    if (length > most) {
      most = length;
      best = i;
    }
  }
  const double z = most / static_cast<double>(steps.size());
  return {-kFastestClock + spacing * static_cast<double>(best), std::min(0.0, std::log(static_cast<double>(points)) - z)};
}

/// Least squares on the steps whose residues are within a window that narrows.
double refine(std::span<const IsnStep> steps, double slope) {
  for (double window = kTurn / 4; window > 16; window /= 4) {
    double st = 0;
    double tt = 0;
    std::size_t n = 0;
    for (const IsnStep& s : steps) {
      const double r = residue(s, slope);
      if (std::abs(r) > window) continue;
      st += r * s.seconds;
      tt += s.seconds * s.seconds;
      ++n;
    }
    if (n < 3 || tt <= 0) break;
    slope += st / tt;
  }
  return slope;
}

std::uint32_t reversed(std::uint32_t x) noexcept {
  x = (x >> 1 & 0x5555'5555U) | (x & 0x5555'5555U) << 1;
  x = (x >> 2 & 0x3333'3333U) | (x & 0x3333'3333U) << 2;
  x = (x >> 4 & 0x0f0f'0f0fU) | (x & 0x0f0f'0f0fU) << 4;
  return __builtin_bswap32(x);
}

/// The fullest cell among the 2^b values of the lowest b bits, for b from 1 to 16.
double low_cells_p(std::span<const IsnObservation> fresh) {
  const std::size_t n = fresh.size();
  std::vector<std::uint32_t> mirrored;  // in the order of which equal low bits stand together, for every b
  mirrored.reserve(n);
  for (const IsnObservation& o : fresh) mirrored.push_back(reversed(o.isn));
  std::sort(mirrored.begin(), mirrored.end());
  double best_log = 0;
  double best_p = 1;
  for (unsigned b = 1; b <= 16; ++b) {
    std::size_t most = 1;
    std::size_t run = 1;
    for (std::size_t i = 1; i < n; ++i) {
      run = (mirrored[i] ^ mirrored[i - 1]) >> (32 - b) == 0 ? run + 1 : 1;
      most = std::max(most, run);
    }
    // Either any of the cells is that full, or the cell of any number: whichever is fewer.
    const double cells = std::ldexp(1.0, static_cast<int>(b));
    const double by_cell = std::log(cells) + log_binomial_bound(n, 1 / cells, most);
    const double by_number = std::log(static_cast<double>(n)) + log_binomial_bound(n - 1, 1 / cells, most - 1);
    if (std::min(by_cell, by_number) >= best_log) continue;
    best_log = std::min(by_cell, by_number);
    best_p = by_cell < by_number ? cells * binomial_tail(n, 1 / cells, most)
                                 : static_cast<double>(n) * binomial_tail(n - 1, 1 / cells, most - 1);
  }
  return std::min(1.0, 16 * best_p);
}

Crowd crowd_at(std::span<const IsnStep> steps, double slope, std::vector<std::int32_t>& scratch, double slopes_per_turn = 0) {
  scratch.clear();
  for (const IsnStep& s : steps) scratch.push_back(residue(s, slope));
  return crowd_at_zero(scratch, slopes_per_turn);
}

void fit_free(std::span<const IsnStep> steps, SlopeFit& fit, std::vector<std::int32_t>& scratch) {
  if (steps.size() > kMostSteps) steps = steps.last(kMostSteps);
  constexpr double kLongest = static_cast<double>(kMostSlopes - 2) / 4 * kTurn / (2 * kFastestClock);
  std::vector<IsnStep> usable;
  double longest = 0;
  for (const IsnStep& s : steps) {
    if (s.seconds < 0 || s.seconds > kLongest) continue;
    usable.push_back(s);
    longest = std::max(longest, s.seconds);
  }
  if (usable.size() < 3 || longest <= 0) return;
  const Peak peak = rayleigh_peak(usable, longest);
  fit.rayleigh_log = peak.log_p;
  fit.rayleigh_p = std::exp(peak.log_p);
  const double turns = 2 * kFastestClock / kTurn * longest;
  for (const double start : {peak.slope, 0.0}) {
    const double slope = refine(usable, start);
    if (std::abs(slope) > kFastestClock) continue;
    const Crowd crowd = crowd_at(usable, slope, scratch, turns);
    if (crowd.log_p < fit.free.log_p) {
      fit.free = crowd;
      fit.free_slope = slope;
    }
  }
  if (fit.free.log_p >= 0) fit.free_slope = peak.slope;
}

}  // namespace

IsnSeries make_series(std::vector<IsnObservation> observations) {
  IsnSeries series;
  std::sort(observations.begin(), observations.end());
  series.all = without_translated(std::move(observations));
  const auto order = group(series.all, {true, true, true});
  std::vector<bool> first(series.all.size(), false);
  bool have = false;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || !series.all[order[i]].same_tuple(series.all[order[i - 1]])) have = false;
    if (have || series.all[order[i]].continues) continue;
    first[order[i]] = true;
    have = true;
  }
  for (std::size_t i = 0; i < series.all.size(); ++i) {
    if (!first[i]) continue;
    series.fresh.push_back(series.all[i]);
    series.follows.push_back(i > 0 && first[i - 1]);
    series.sorted.push_back(series.all[i].isn);
  }
  std::sort(series.sorted.begin(), series.sorted.end());
  return series;
}

std::int32_t residue(const IsnStep& step, double slope) noexcept {
  constexpr double kExact = 9e15;  // below 2^53 a double holds every whole number, and the cast does the modulo
  double moved = slope * step.seconds;
  if (std::abs(moved) > kExact) moved = std::fmod(moved, kTurn);
  const auto whole = static_cast<std::int64_t>(moved + (moved < 0 ? -0.5 : 0.5));
  return static_cast<std::int32_t>(step.difference - static_cast<std::uint32_t>(whole));
}

double SlopeFit::clock_p() const noexcept { return std::min({named.p, free.p, rayleigh_p}); }
double SlopeFit::least_p() const noexcept { return std::min(step.p, clock_p()); }
bool SlopeFit::is_named() const noexcept { return named.log_p <= std::min(free.log_p, rayleigh_log); }
double SlopeFit::slope() const noexcept { return is_named() ? named_slope : free_slope; }
const Crowd& SlopeFit::clock() const noexcept { return is_named() ? named : free; }
bool SlopeFit::prefers_steps() const noexcept { return step.log_p <= std::min(clock().log_p, rayleigh_log); }
double SlopeFit::log_p() const noexcept { return std::min({step.log_p, named.log_p, free.log_p, rayleigh_log}); }

SlopeFit fit_slope(std::span<const IsnStep> steps) {
  SlopeFit fit;
  std::vector<std::int32_t> scratch;
  scratch.reserve(steps.size());
  fit.step = crowd_at(steps, 0, scratch);
  for (const double slope : kNamedSlopes) {
    Crowd crowd = crowd_at(steps, slope, scratch);
    crowd.p = std::min(1.0, crowd.p * static_cast<double>(kNamedSlopes.size()));
    if (crowd.log_p < fit.named.log_p) {
      fit.named = crowd;
      fit.named_slope = slope;
    }
  }
  fit_free(steps, fit, scratch);
  return fit;
}

std::vector<IsnStep> steps_within(const IsnSeries& series, const Grouping& grouping, std::size_t* groups) {
  const auto order = group(series.fresh, grouping);
  std::vector<IsnStep> steps;
  std::size_t count = order.empty() ? 0 : 1;
  for (std::size_t i = 1; i < order.size(); ++i) {
    const IsnObservation& a = series.fresh[order[i - 1]];
    const IsnObservation& b = series.fresh[order[i]];
    if (tuple_key(a, grouping) == tuple_key(b, grouping)) {
      steps.push_back(step(a, b));
    } else {
      ++count;
    }
  }
  if (groups != nullptr) *groups = count;
  return steps;
}

std::vector<IsnStep> steps_across(const IsnSeries& series, const Grouping& grouping) {
  std::vector<IsnStep> steps;
  for (std::size_t i = 1; i < series.fresh.size(); ++i) {
    if (tuple_key(series.fresh[i - 1], grouping) != tuple_key(series.fresh[i], grouping))
      steps.push_back(step(series.fresh[i - 1], series.fresh[i]));
  }
  return steps;
}

std::vector<IsnStep> steps_of_same_tuple(const IsnSeries& series) {
  const auto order = group(series.all, {true, true, true});
  std::vector<IsnStep> steps;
  for (std::size_t i = 1; i < order.size(); ++i) {
    const IsnObservation& a = series.all[order[i - 1]];
    const IsnObservation& b = series.all[order[i]];
    if (a.same_tuple(b) && !a.continues && !b.continues) steps.push_back(step(a, b));
  }
  return steps;
}

Repeats repeats(const IsnSeries& series, bool listener) {
  // A SYN with the number and the 4-tuple of an older one may be a late retransmission of it; a listener's number answers a new SYN each
  // time.
  std::vector<std::uint32_t> values;
  if (listener) {
    for (const IsnObservation& o : series.all) {
      if (!o.continues) values.push_back(o.isn);
    }
    std::sort(values.begin(), values.end());
  } else {
    values = series.sorted;
  }
  Repeats result;
  std::size_t run = 0;
  std::size_t again = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    run = i > 0 && values[i] == values[i - 1] ? run + 1 : 1;
    result.distinct += run == 1 ? 1 : 0;
    result.repeated_values += run == 2 ? 1 : 0;
    again += run > 1 ? 1 : 0;
    if (run > result.most) {
      result.most = run;
      result.value = values[i];
    }
  }
  result.p = repeats_p(values.size(), again);
  return result;
}

BitTests bit_tests(std::span<const IsnObservation> fresh) {
  BitTests result;
  const std::size_t n = fresh.size();
  if (n < 4) return result;
  std::array<std::size_t, 32> ones{};
  for (const IsnObservation& o : fresh) {
    for (unsigned b = 0; b < 32; ++b) ones[b] += o.isn >> b & 1U;
  }
  double ways = 1;
  std::size_t most = 0;
  for (const std::size_t c : ones) {
    most = std::max(most, std::max(c, n - c));
    if (std::max(c, n - c) < n) continue;
    ways *= (32.0 - result.stuck) / (result.stuck + 1.0);
    ++result.stuck;
    result.stuck_p = std::min(1.0, ways * std::exp2(-static_cast<double>(n - 1) * result.stuck));
  }
  result.frequency_p = std::min(1.0, 2 * 32 * binomial_tail(n, 0.5, most));
  result.low_cells_p = low_cells_p(fresh);
  std::array<std::uint32_t, 32> basis{};
  for (const IsnObservation& o : fresh) {
    std::uint32_t v = o.isn ^ fresh[0].isn;
    while (v != 0) {
      const auto top = static_cast<std::size_t>(std::bit_width(v) - 1);
      if (basis[top] == 0) {
        basis[top] = v;
        ++result.rank;
        break;
      }
      v ^= basis[top];
    }
  }
  // An affine subspace of codimension s: at most 3.5 * 2^(s (32 - s) + s) of them, each holding all n numbers with chance 2^-(s n).
  const double s = 32.0 - result.rank;
  if (s > 0) result.rank_p = std::min(1.0, 3.5 * std::exp2(s * (33 - s - static_cast<double>(n))));
  return result;
}

GcdTest gcd_test(std::span<const IsnObservation> fresh) {
  GcdTest result;
  if (fresh.size() < 4) return result;
  for (std::size_t i = 1; i < fresh.size(); ++i) {
    const std::int64_t d = std::int64_t{fresh[i].isn} - std::int64_t{fresh[i - 1].isn};
    result.gcd = std::gcd(result.gcd, static_cast<std::uint64_t>(d < 0 ? -d : d));
  }
  result.p = gcd_p(result.gcd, fresh.size() - 1);
  return result;
}

}  // namespace finwait::hosts

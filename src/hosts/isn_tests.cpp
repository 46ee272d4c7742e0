// Series, steps, repeats, bits: everything that is counting. Slopes stand in isn_slopes.cpp, recurrences in isn_algebra.cpp.
#include "finwait/hosts/isn_tests.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <tuple>

#include "binary_rank.h"
#include "isn_room.h"

namespace finwait::hosts {
namespace {

constexpr base::Duration kTranslatedWithin = 50 * base::kMillisecond;
constexpr std::size_t kTranslatedBack = 64;
constexpr std::ptrdiff_t kMostSights = 3;

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
/// `numbers`: all of theirs, ascending.
std::vector<IsnObservation> without_translated(const std::vector<IsnObservation>& observations, const std::vector<std::uint32_t>& numbers) {
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

/// `fresh`, `follows` and `sorted` (not yet in order) from `all`.
void take_first_of_each(IsnSeries& series) {
  const auto order = group(series.all, {true, true, true});
  std::vector<bool> first(series.all.size(), false);
  bool have = false;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || !series.all[order[i]].same_tuple(series.all[order[i - 1]])) have = false;
    if (have || series.all[order[i]].continues) continue;
    first[order[i]] = true;
    have = true;
  }
  series.fresh.clear();
  series.follows.clear();
  series.sorted.clear();
  for (std::size_t i = 0; i < series.all.size(); ++i) {
    if (!first[i]) continue;
    series.fresh.push_back(series.all[i]);
    series.follows.push_back(i > 0 && first[i - 1] ? 1 : 0);
    series.sorted.push_back(series.all[i].isn);
  }
}

std::uint32_t reversed(std::uint32_t x) noexcept {
  x = (x >> 1 & 0x5555'5555U) | (x & 0x5555'5555U) << 1;
  x = (x >> 2 & 0x3333'3333U) | (x & 0x3333'3333U) << 2;
  x = (x >> 4 & 0x0f0f'0f0fU) | (x & 0x0f0f'0f0fU) << 4;
  return __builtin_bswap32(x);
}

/// The fullest cell among the 2^b values of the lowest b bits, for b from 1 to 16.
double low_cells_p(std::span<const std::uint32_t> numbers) {
  const std::size_t n = numbers.size();
  std::vector<std::uint32_t> mirrored;
  SpreadRoom<std::uint32_t> room;
  const auto fullest = fullest_cells(numbers, mirrored, room);
  double best_log = 0;
  double best_p = 1;
  for (unsigned b = 1; b <= 16; ++b) {
    const std::size_t most = fullest[b];
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

}  // namespace

void sort_observations(std::vector<IsnObservation>& observations, IsnRoom& room) {
  if (std::is_sorted(observations.begin(), observations.end())) return;
  const auto by_time = [](const IsnObservation& a, const IsnObservation& b) { return a.time < b.time; };
  const auto [first, last] = std::minmax_element(observations.begin(), observations.end(), by_time);
  const base::Timestamp from = first->time;
  const int spare = std::countl_zero(static_cast<std::uint64_t>(last->time) - static_cast<std::uint64_t>(from));
  spread_sort(observations, room.observations, [from, spare](const IsnObservation& o) {
    const std::uint64_t since = static_cast<std::uint64_t>(o.time) - static_cast<std::uint64_t>(from);
    return spare == 64 ? 0U : static_cast<std::uint32_t>(since << spare >> 32);
  });
}

void make_series(std::vector<IsnObservation>& observations, IsnSeries& series, IsnRoom& room) {
  series.sorted.clear();
  for (const IsnObservation& o : observations) series.sorted.push_back(o.isn);
  spread_sort(series.sorted, room.numbers);
  const bool different = std::adjacent_find(series.sorted.begin(), series.sorted.end()) == series.sorted.end();
  series.all.swap(observations);
  if (!different) series.all = without_translated(series.all, series.sorted);
  const auto continues = [](const IsnObservation& o) { return o.continues; };
  if (different && std::none_of(series.all.begin(), series.all.end(), continues) &&
      count_groups(series.all, {true, true, true}, room) == series.all.size()) {
    series.fresh = series.all;
    series.follows.assign(series.all.size(), 1);
    if (!series.follows.empty()) series.follows[0] = 0;
    return;
  }
  take_first_of_each(series);
  spread_sort(series.sorted, room.numbers);
}

IsnSeries make_series(std::vector<IsnObservation> observations) {
  IsnSeries series;
  IsnRoom room;
  sort_observations(observations, room);
  make_series(observations, series, room);
  return series;
}

void steps_between(const IsnSeries& series, std::vector<IsnStep>& steps) {
  steps.clear();
  for (std::size_t i = 1; i < series.fresh.size(); ++i) steps.push_back(step(series.fresh[i - 1], series.fresh[i]));
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
  if (series.fresh.size() == series.all.size()) return {};  // each is the first of its 4-tuple
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
  if (listener && series.fresh.size() != series.all.size()) {
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

std::optional<std::size_t> count_groups(std::span<const IsnObservation> observations, const Grouping& grouping, IsnRoom& room) {
  // A table twice as large as need be, with a number's place + 1; whoever crowds it has his groups counted by sorting.
  const auto bits = static_cast<unsigned>(std::bit_width(observations.size() | 1)) + 1;
  const std::size_t mask = (std::size_t{1} << bits) - 1;
  room.keys.clear();
  room.key_places.assign(mask + 1, 0);
  std::size_t steps_left = 16 * observations.size() + 64;
  for (const IsnObservation& o : observations) {
    const std::uint64_t key = tuple_key(o, grouping);
    std::size_t at = (key ^ key >> 32) * 0x9e37'79b9'7f4a'7c15 >> (64 - bits);
    for (; room.key_places[at] != 0 && room.keys[room.key_places[at] - 1U] != key; at = (at + 1) & mask) {
      if (steps_left-- == 0) return std::nullopt;
    }
    if (room.key_places[at] != 0) continue;
    room.keys.push_back(key);
    room.key_places[at] = static_cast<std::uint16_t>(room.keys.size());
  }
  return room.keys.size();
}

std::array<std::uint16_t, IsnBars::kCellBits + 1> fullest_cells(std::span<const std::uint32_t> numbers,
                                                                std::vector<std::uint32_t>& mirrored, SpreadRoom<std::uint32_t>& room) {
  // In the order of which equal low bits stand together, for every number of bits.
  mirrored.clear();
  for (const std::uint32_t number : numbers) mirrored.push_back(reversed(number));
  spread_sort(mirrored, room);
  constexpr std::size_t kBits = IsnBars::kCellBits;
  std::array<std::uint16_t, kBits> run{};
  std::array<std::uint16_t, kBits> most{};
  for (std::size_t i = 1; i < mirrored.size(); ++i) {
    const auto alike = static_cast<unsigned>(std::countl_zero(mirrored[i] ^ mirrored[i - 1]));
    for (std::size_t b = 0; b != kBits; ++b) {
      run[b] = static_cast<std::uint16_t>(b < alike ? run[b] + 1U : 0U);
      most[b] = std::max(most[b], run[b]);
    }
  }
  std::array<std::uint16_t, kBits + 1> fullest{};
  for (std::size_t b = 1; b <= kBits; ++b) fullest[b] = static_cast<std::uint16_t>(most[b - 1] + 1U);
  return fullest;
}

std::array<std::uint32_t, 32> count_ones(std::span<const std::uint32_t> numbers) noexcept {
  constexpr std::size_t kAtOnce = 255;  // so many fit into the eight bits that each sum has
  std::array<std::uint32_t, 32> ones{};
  while (!numbers.empty()) {
    const auto some = numbers.first(std::min(numbers.size(), kAtOnce));
    numbers = numbers.subspan(some.size());
    for (unsigned low = 0; low != 8; ++low) {
      std::uint32_t sums = 0;
      for (const std::uint32_t number : some) sums += number >> low & 0x0101'0101U;
      for (unsigned byte = 0; byte != 4; ++byte) ones[8 * byte + low] += sums >> 8 * byte & 0xffU;
    }
  }
  return ones;
}

unsigned rank_of(std::span<const std::uint32_t> numbers, std::vector<std::uint32_t>& rows) {
  constexpr std::size_t kUsuallyEnough = 32 + 12;  // numbers at random have not the full rank once in 2^11
  for (const std::size_t most : {kUsuallyEnough, numbers.size()}) {
    rows.clear();
    for (const std::uint32_t number : numbers.first(std::min(most, numbers.size()))) rows.push_back(number ^ numbers[0]);
    const unsigned rank = binary_rank(std::span(rows));
    if (rank == 32 || most >= numbers.size()) return rank;
  }
  return 0;
}

double stuck_p(std::size_t n, unsigned stuck) noexcept {
  double ways = 1;
  double p = 1;
  for (unsigned bits = 0; bits != stuck; ++bits) {
    ways *= (32.0 - bits) / (bits + 1.0);
    p = std::min(1.0, ways * std::exp2(-static_cast<double>(n - 1) * (bits + 1)));
  }
  return p;
}

double rank_p(std::size_t n, unsigned rank) noexcept {
  // An affine subspace of codimension s: at most 3.5 * 2^(s (32 - s) + s) of them, each holding all n numbers with chance 2^-(s n).
  const double s = 32.0 - rank;
  return s > 0 ? std::min(1.0, 3.5 * std::exp2(s * (33 - s - static_cast<double>(n)))) : 1;
}

BitTests bit_tests(std::span<const std::uint32_t> numbers) {
  BitTests result;
  const std::size_t n = numbers.size();
  if (n < 4) return result;
  std::size_t most = 0;
  for (const std::size_t ones : count_ones(numbers)) {
    most = std::max(most, std::max(ones, n - ones));
    result.stuck += std::max(ones, n - ones) == n;
  }
  result.stuck_p = stuck_p(n, result.stuck);
  result.frequency_p = std::min(1.0, 2 * 32 * binomial_tail(n, 0.5, most));
  result.low_cells_p = low_cells_p(numbers);
  std::vector<std::uint32_t> rows;
  result.rank = rank_of(numbers, rows);
  result.rank_p = rank_p(n, result.rank);
  return result;
}

GcdTest gcd_test(std::span<const IsnObservation> fresh) {
  GcdTest result;
  if (fresh.size() < 4) return result;
  for (std::size_t i = 1; i < fresh.size() && result.gcd != 1; ++i) {
    const std::int64_t d = std::int64_t{fresh[i].isn} - std::int64_t{fresh[i - 1].isn};
    result.gcd = std::gcd(result.gcd, static_cast<std::uint64_t>(d < 0 ? -d : d));
  }
  result.p = gcd_p(result.gcd, fresh.size() - 1);
  return result;
}

}  // namespace finwait::hosts

// Recurrences: linear congruential generators modulo a power of two, modulo 2^31 - 1, modulo anything; rand48; shift registers over GF(2).
//
// All are tested on short blocks of samples that directly follow each other, so that a connection the capture missed spoils one block, not
// the test.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "binary_rank.h"
#include "finwait/hosts/isn_tests.h"

namespace finwait::hosts {
namespace {

constexpr std::size_t kMostSamples = 1024;  // the latest; more cannot tell more
constexpr std::uint64_t kMersenne31 = 0x7fff'ffff;

using Signed128 = __int128_t;

/// Disjoint blocks of samples in a row, as indices of their first.
class Blocks {
 public:
  /// length at least 2.
  Blocks(const IsnSeries& series, std::size_t length) noexcept {
    const std::size_t n = series.fresh.size();
    std::size_t run = 0;
    for (std::size_t i = n > kMostSamples ? n - kMostSamples : 0; i < n; ++i) {
      run = run > 0 && series.follows[i] ? run + 1 : 1;
      if (run != length) continue;
      starts_[count_++] = i + 1 - length;
      run = 0;
    }
  }
  [[nodiscard]] std::span<const std::size_t> starts() const noexcept { return std::span(starts_).first(count_); }

 private:
  std::array<std::size_t, kMostSamples / 2> starts_;
  std::size_t count_ = 0;
};

/// d0 d2 - d1^2 for the three differences of a block: a multiple of the modulus for every linear congruential generator.
std::uint64_t determinant(const IsnSeries& series, std::size_t at) noexcept {
  std::array<std::int64_t, 3> d{};
  for (std::size_t i = 0; i < 3; ++i) d[i] = std::int64_t{series.fresh[at + i + 1].isn} - std::int64_t{series.fresh[at + i].isn};
  const Signed128 e = Signed128{d[0]} * d[2] - Signed128{d[1]} * d[1];
  // Less than 2^65 in size; what does not fit into 64 bits is folded, which spoils the general modulus for that block only.
  return static_cast<std::uint64_t>(e < 0 ? -e : e);
}

void congruential_power_of_two(std::span<const std::uint64_t> determinants, LinearTest& best) {
  for (unsigned bits = 16; bits <= 32; ++bits) {
    const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
    const auto hits =
        static_cast<std::size_t>(std::count_if(determinants.begin(), determinants.end(), [&](std::uint64_t e) { return (e & mask) == 0; }));
    if (hits == 0) return;  // nor will any be divisible by more
    // d0 d2 = d1^2 modulo 2^b has one and a half times 2^-b of all (d0, d1, d2), and a little for those divisible by high powers: twice
    // bounds it.
    const double p = 17 * binomial_tail(determinants.size(), std::exp2(1 - static_cast<double>(bits)), hits);
    if (p < best.p) best = {p, mask + 1, {}};
  }
}

/// The greatest common divisor if it is more than `least`; else anything up to that.
std::uint64_t large_gcd(std::uint64_t a, std::uint64_t b, std::uint64_t least) noexcept {
  if (a == 0 || b == 0) return a | b;
  const int twos = std::countr_zero(a | b);
  const std::uint64_t enough = least >> twos;
  a >>= std::countr_zero(a);
  b >>= std::countr_zero(b);
  // Both are odd; the lesser one is never less than their divisor.
  while (a != b) {
    const std::uint64_t apart = a > b ? a - b : b - a;
    a = std::min(a, b);
    if (a <= enough) return 1;
    b = apart >> std::countr_zero(apart);
  }
  return a << twos;
}

/// Whether the divisor of `middle` and either neighbour can be more than `least`: one division tells of both that it is not.
bool may_share(std::uint64_t before, std::uint64_t middle, std::uint64_t after, std::uint64_t least) noexcept {
  if (middle == 0) return true;
  return large_gcd(middle, static_cast<std::uint64_t>(__uint128_t{before} * after % middle), least) > least;
}

void congruential_modulus(std::span<const std::uint64_t> determinants, std::uint64_t modulus, double tried, std::size_t used,
                          LinearTest& best) {
  if (determinants.size() <= used) return;
  const auto hits =
      static_cast<std::size_t>(std::count_if(determinants.begin(), determinants.end(), [&](std::uint64_t e) { return e % modulus == 0; }));
  if (hits <= used) return;
  const double p = tried * binomial_tail(determinants.size() - used, 3.0 / static_cast<double>(modulus), hits - used);
  if (p < best.p) best = {p, modulus, {}};
}

std::uint64_t inverse(std::uint64_t a, std::uint64_t m) noexcept {
  Signed128 t = 0;
  Signed128 next_t = 1;
  Signed128 r = m;
  Signed128 next_r = a % m;
  while (next_r != 0) {
    const Signed128 q = r / next_r;
    t = std::exchange(next_t, t - q * next_t);
    r = std::exchange(next_r, r - q * next_r);
  }
  if (r != 1) return 0;
  return static_cast<std::uint64_t>(t < 0 ? t + m : t);
}

std::uint64_t difference(std::uint32_t to, std::uint32_t from, std::uint64_t m) noexcept { return (to % m + m - from % m) % m; }

/// The number after the last, from the multiplier that the latest solvable block gives; only if it also predicts the last from the one
/// before.
std::optional<std::uint32_t> predict_congruential(const IsnSeries& series, std::uint64_t m, std::span<const std::size_t> starts) {
  const auto& x = series.fresh;
  const std::size_t n = x.size();
  if (n < 3 || !series.follows[n - 1] || !series.follows[n - 2]) return std::nullopt;
  const auto times = [m](std::uint64_t a, std::uint64_t b) { return static_cast<std::uint64_t>(__uint128_t{a} * b % m); };
  for (std::size_t i = starts.size(); i-- > 0;) {
    const std::size_t at = starts[i];
    const std::uint64_t inverted = inverse(difference(x[at + 1].isn, x[at].isn, m), m);
    if (inverted == 0) continue;
    const std::uint64_t a = times(difference(x[at + 2].isn, x[at + 1].isn, m), inverted);
    if (times(a, difference(x[n - 2].isn, x[n - 3].isn, m)) != difference(x[n - 1].isn, x[n - 2].isn, m)) continue;
    return static_cast<std::uint32_t>((x[n - 1].isn % m + times(a, difference(x[n - 1].isn, x[n - 2].isn, m))) % m);
  }
  return std::nullopt;
}

// rand48: s' = a s + c modulo 2^48, shown is s >> 16.
constexpr std::uint64_t kRand48A = 0x5DEECE66DULL;
constexpr std::uint64_t kRand48C = 0xB;
constexpr std::uint64_t kRand48Mask = (std::uint64_t{1} << 48) - 1;

struct Vector {
  std::int64_t u = 0;
  std::int64_t v = 0;
};

/// A reduced basis of all (u, v) with v = a u modulo 2^48 (Lagrange and Gauss).
std::array<Vector, 2> reduced_basis() noexcept {
  Vector a{0, std::int64_t{1} << 48};
  Vector b{1, static_cast<std::int64_t>(kRand48A)};
  const auto dot = [](const Vector& x, const Vector& y) { return Signed128{x.u} * y.u + Signed128{x.v} * y.v; };
  while (true) {
    if (dot(a, a) < dot(b, b)) std::swap(a, b);
    const double q = std::round(static_cast<double>(dot(a, b)) / static_cast<double>(dot(b, b)));
    if (q == 0) return {a, b};
    a.u -= static_cast<std::int64_t>(q) * b.u;
    a.v -= static_cast<std::int64_t>(q) * b.v;
  }
}

/// The state behind y, if the pair (x, y) can be two outputs in a row. By chance that is so once in 2^16.
std::optional<std::uint64_t> rand48_state(std::uint32_t x, std::uint32_t y, const std::array<Vector, 2>& basis) noexcept {
  constexpr double kMiddle = 32768;
  const std::uint64_t shift = (kRand48A * (std::uint64_t{x} << 16) + kRand48C - (std::uint64_t{y} << 16)) & kRand48Mask;
  const double tu = kMiddle;
  const double tv = kMiddle - static_cast<double>(shift);
  const auto& [a, b] = basis;
  const double det = static_cast<double>(a.u) * static_cast<double>(b.v) - static_cast<double>(a.v) * static_cast<double>(b.u);
  const double i_exact = (tu * static_cast<double>(b.v) - tv * static_cast<double>(b.u)) / det;
  const double i0 = std::round(i_exact);
  // A point within the square of 2^16 is at most 2^15 (|b.u| + |b.v|) / 2^48 from its middle in this coordinate: less than 1 / 64.
  if (std::abs(i_exact - i0) > 1.0 / 64) return std::nullopt;
  const double j0 = std::round((static_cast<double>(a.u) * tv - static_cast<double>(a.v) * tu) / det);
  for (int di = -1; di <= 1; ++di) {
    for (int dj = -1; dj <= 1; ++dj) {
      const auto i = static_cast<std::int64_t>(i0) + di;
      const auto j = static_cast<std::int64_t>(j0) + dj;
      const Signed128 u = Signed128{i} * a.u + Signed128{j} * b.u;
      const Signed128 v = Signed128{i} * a.v + Signed128{j} * b.v + Signed128{shift};
      if (u >= 0 && u < 65536 && v >= 0 && v < 65536) return std::uint64_t{y} << 16 | static_cast<std::uint64_t>(v);
    }
  }
  return std::nullopt;
}

/// Rows (x, next x) over GF(2), reduced to a triangle by their leading column; x comes first.
struct BitMatrix {
  std::array<std::uint64_t, 64> basis{};  // x in the upper half, next x in the lower
  unsigned rank_x = 0;                    // of the columns of x
  unsigned rank_all = 0;                  // of all columns

  /// Without what of x can be taken off.
  [[nodiscard]] std::uint64_t without_x(std::uint64_t row) const noexcept {
    for (unsigned b = 64; b-- > 32U;) {
      if ((row >> b & 1U) != 0) row ^= basis[b];
    }
    return row;
  }
  /// Lead by lead: what a row has below the lead that it is entered under is taken off when it is needed.
  void insert(std::uint64_t row) noexcept {
    while (row != 0 && rank_all != basis.size()) {
      const auto lead = static_cast<unsigned>(std::bit_width(row) - 1);
      if (basis[lead] == 0) {
        basis[lead] = row;
        ++rank_all;
        rank_x += lead >= 32 ? 1 : 0;
        return;
      }
      row ^= basis[lead];
    }
  }
};

constexpr std::size_t kMostRows = 256;  ///< of (x, next x): four times what the rank needs

/// Where rows begin: x of the first is fresh[first_row() - 1].
std::size_t first_row(const IsnSeries& series) noexcept { return series.fresh.size() > kMostRows ? series.fresh.size() - kMostRows : 1; }

/// Whether no relation at all holds between the rows, or none more than so few rows always have: then none binds the next number.
bool rows_are_free(const IsnSeries& series) noexcept {
  constexpr std::size_t kEnough = 64 + 12;  // random rows have not the full rank once in 2^12
  std::array<std::uint64_t, kEnough> rows;
  std::size_t count = 0;
  std::uint64_t origin = 0;
  bool any = false;
  for (std::size_t i = first_row(series); i < series.fresh.size() && count != kEnough; ++i) {
    if (!series.follows[i]) continue;
    const std::uint64_t row = std::uint64_t{series.fresh[i - 1].isn} << 32 | series.fresh[i].isn;
    if (any) rows[count++] = row ^ origin;
    if (!any) origin = row;
    any = true;
  }
  return binary_rank(std::span(rows).first(count)) == std::min<std::size_t>(count, 64);
}

}  // namespace

LinearTest congruential_test(const IsnSeries& series) {
  LinearTest best;
  const Blocks blocks(series, 4);
  const auto starts = blocks.starts();
  if (starts.empty()) return best;
  std::array<std::uint64_t, kMostSamples / 4> room;
  const auto determinants = std::span(room).first(starts.size());
  std::transform(starts.begin(), starts.end(), determinants.begin(), [&](std::size_t at) { return determinant(series, at); });
  congruential_power_of_two(determinants, best);
  const std::uint32_t greatest = series.sorted.back();
  if (greatest < kMersenne31) congruential_modulus(determinants, kMersenne31, 1, 0, best);
  // Any other modulus divides the greatest common divisor of two blocks that are not spoilt; a third must confirm it.
  constexpr std::size_t kToFindIt = 2;
  const std::size_t pairs = determinants.size() > kToFindIt ? std::min<std::size_t>(determinants.size() - 1, 64) : 0;
  const std::uint64_t least = std::max<std::uint64_t>(greatest, 1'000'000);
  for (std::size_t i = 0; i < pairs; ++i) {
    if (i % 2 == 0 && i + 1 < pairs && !may_share(determinants[i], determinants[i + 1], determinants[i + 2], least)) {
      ++i;
      continue;
    }
    const std::uint64_t g = large_gcd(determinants[i], determinants[i + 1], least);
    if (g > least) congruential_modulus(determinants, g, static_cast<double>(pairs), kToFindIt, best);
  }
  if (best.modulus != 0) {
    best.p = std::min(1.0, 3 * best.p);
    best.next = predict_congruential(series, best.modulus, starts);
  }
  return best;
}

LinearTest rand48_test(const IsnSeries& series) {
  LinearTest result;
  const Blocks blocks(series, 2);
  const auto starts = blocks.starts();
  if (starts.empty()) return result;
  static const auto basis = reduced_basis();
  std::size_t hits = 0;
  for (const std::size_t at : starts) hits += rand48_state(series.fresh[at].isn, series.fresh[at + 1].isn, basis).has_value() ? 1U : 0U;
  result.p = binomial_tail(starts.size(), 1.0 / 65536, hits);
  result.modulus = kRand48Mask + 1;
  const std::size_t n = series.fresh.size();
  if (hits > 0 && n >= 2 && series.follows[n - 1]) {
    if (const auto state = rand48_state(series.fresh[n - 2].isn, series.fresh[n - 1].isn, basis)) {
      result.next = static_cast<std::uint32_t>(((kRand48A * *state + kRand48C) & kRand48Mask) >> 16);
    }
  }
  return result;
}

LinearTest shift_register_test(const IsnSeries& series) {
  LinearTest result;
  if (rows_are_free(series)) return result;
  BitMatrix matrix;
  BitMatrix following;  // the next numbers alone
  std::size_t rows = 0;
  std::uint64_t origin = 0;
  const std::size_t n = series.fresh.size();
  for (std::size_t i = first_row(series); i < n; ++i) {
    if (!series.follows[i]) continue;
    const std::uint64_t row = std::uint64_t{series.fresh[i - 1].isn} << 32 | series.fresh[i].isn;
    // Taking off the first row makes affine relations linear.
    if (rows == 0) origin = row;
    matrix.insert(row ^ origin);
    following.insert((row ^ origin) << 32);
    ++rows;
  }
  // Relations that bind the next number to the one before, beyond those within each (the bit tests' business): dimension s. There are at
  // most 3.5 * 2^(s (64 - s) + s) such spaces of affine relations; all rows keep to one of them with chance 2^-(s rows).
  const double relations = static_cast<double>(matrix.rank_x + following.rank_all) - static_cast<double>(matrix.rank_all);
  if (rows < 33 || relations <= 0) return result;
  result.p = std::min(1.0, 3.5 * std::exp2(relations * (65 - relations - static_cast<double>(rows))));
  result.modulus = 2;
  if (relations >= following.rank_all) {
    // Every bit is bound: eliminate x from (last x, ?); what is left in the lower half is the answer.
    const std::uint64_t last = matrix.without_x((std::uint64_t{series.fresh[n - 1].isn} << 32) ^ (origin & 0xffff'ffff'0000'0000ULL));
    if (last >> 32 == 0) result.next = static_cast<std::uint32_t>(last) ^ static_cast<std::uint32_t>(origin);
  }
  return result;
}

}  // namespace finwait::hosts

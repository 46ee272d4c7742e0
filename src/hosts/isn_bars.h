// How many of a set must lie together before a test of it says anything: tables, made once for each number of samples.
//
// A p-value of kNothing or more comes to 1 once it is corrected for the number of tests: whatever it is exactly makes no difference. Always
// true: what stays below its bar has a p-value of at least kNothing. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace finwait::hosts {

class IsnBars {
 public:
  static constexpr std::size_t kLeastTests = 14;  ///< on any set of four samples or more
  static constexpr double kNothing = 1.001 / kLeastTests;
  static constexpr std::size_t kWidths = 32;
  static constexpr std::size_t kCellBits = 16;
  static constexpr std::uint16_t kNever = 0xffff;

  /// How close so many must be: by their number, up to all, the widest 2^b within which they say anything, as b + 1; 0: none does. Never
  /// less for more of them.
  using Reach = std::vector<std::uint8_t>;

  /// Of an arc: so many more than the one it begins with, and within less than what. The narrowest first.
  struct Arc {
    std::uint16_t more;
    std::uint32_t width;
  };

  struct Bars {
    std::vector<Arc> arcs;                           ///< crowd_anywhere
    Reach small;                                     ///< crowd_at_zero, once
    Reach named;                                     ///< and for as many slopes as are named
    std::array<std::uint16_t, kCellBits + 1> cells;  ///< numbers that share so many low bits
    std::uint16_t bit;                               ///< numbers with one bit alike
  };
  /// Of n samples, or steps: at least 2, at most 4,096.
  [[nodiscard]] const Bars& of(std::size_t n);
  /// crowd_at_zero with slopes_per_turn.
  [[nodiscard]] const Reach& of_free(std::size_t n, double slopes_per_turn);

 private:
  std::vector<std::optional<Bars>> bars_;
  std::unordered_map<std::uint64_t, Reach> free_;
};

/// The least k for which P(X >= k) may be less than `limit`, X binomial(trials, chance): never more than that. kNever: none is.
[[nodiscard]] std::uint16_t least_hits(std::size_t trials, double chance, double limit);

}  // namespace finwait::hosts

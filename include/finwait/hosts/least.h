// The least of a set's weights, found without a branch: of random ones each would be mistaken. And the place that a newcomer to the set
// takes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "finwait/hosts/tags.h"

namespace finwait::hosts {

/// Four weights at once.
using Weights = std::uint32_t __attribute__((vector_size(16)));

/// The first place of the least, if the weight at `changed` were `weight`. All of it in registers: weights written one by one and read four
/// at once would have to reach the cache in between.
template <std::size_t Count>
[[nodiscard]] inline std::size_t place_of_least(const std::array<std::uint32_t, Count>& weights, std::size_t changed,
                                                std::uint32_t weight) noexcept {
  static_assert(Count % 4 == 0);
  const auto least_of = [](Weights a, Weights b) { return a < b ? a : b; };
  const auto all = [](std::uint32_t x) { return Weights{x, x, x, x}; };
  // The least of all four, in each of them.
  const auto spread_least = [&](Weights a) {
    a = least_of(a, Weights{a[2], a[3], a[0], a[1]});
    return least_of(a, Weights{a[1], a[0], a[3], a[2]});
  };
  std::array<Weights, Count / 4> lanes;
  std::memcpy(lanes.data(), weights.data(), sizeof lanes);
  Weights places{0, 1, 2, 3};
  Weights least = all(0xffff'ffff);
  for (Weights& four : lanes) {
    four = places == all(static_cast<std::uint32_t>(changed)) ? all(weight) : four;
    least = least_of(least, four);
    places += all(4);
  }
  least = spread_least(least);
  places = Weights{0, 1, 2, 3};
  Weights found = all(Count - 1);
  for (const Weights four : lanes) {
    found = least_of(found, four == least ? places : all(Count - 1));
    places += all(4);
  }
  return spread_least(found)[0];
}

/// The first place of the least.
template <std::size_t Count>
[[nodiscard]] inline std::size_t place_of_least(const std::array<std::uint32_t, Count>& weights) noexcept {
  return place_of_least(weights, Count, 0);
}

/// Where the next newcomer to a set goes: to a free place, or to the first one of the least weight; remembered while it is.
///
/// Weights grow, but for the least, which may shrink: so what is found stays right until its own entry has grown, or a newcomer came. All
/// bits zero: nothing is known yet.
struct NextPlace {
  std::uint8_t guess;  ///< where it was last
  bool sure;           ///< it still is there

  template <std::size_t Count>
  [[nodiscard]] std::size_t find(const std::array<std::uint8_t, Count>& tags, const std::array<std::uint32_t, Count>& weights) noexcept {
    if (!sure && !look<Count>(TagMarks(tags, 0))) guess = static_cast<std::uint8_t>(place_of_least(weights));
    sure = true;
    return guess;
  }
  /// A newcomer is about to be entered at `place`, with `weight`. Before it is: what is written in one piece and read in a larger one right
  /// after has to reach the cache first.
  template <std::size_t Count>
  void note_newcomer(std::size_t place, std::uint32_t weight, const std::array<std::uint8_t, Count>& tags,
                     const std::array<std::uint32_t, Count>& weights) noexcept {
    TagMarks free(tags, 0);
    free.drop(place);
    sure = true;
    if (look<Count>(free)) return;
    guess = static_cast<std::uint8_t>(place_of_least(weights, place, weight));
  }
  /// The weight of an entry has grown.
  void note_growth(std::size_t place) noexcept { sure = sure && place != guess; }

 private:
  /// True if there is a free place: that is it.
  template <std::size_t Count>
  bool look(const TagMarks& free) noexcept {
    if (free.any()) guess = static_cast<std::uint8_t>(Count == 16 ? free.first_in_half() : free.first());
    return free.any();
  }
};

}  // namespace finwait::hosts

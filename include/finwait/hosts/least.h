// The least of a set's weights, found without a branch: of random ones each would be mistaken. And the place that a newcomer to the set
// takes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "finwait/hosts/tags.h"

namespace finwait::hosts {

/// The first place of the least.
template <std::size_t Count>
[[nodiscard]] inline std::size_t place_of_least(const std::array<std::uint32_t, Count>& weights) noexcept {
  std::uint32_t least = weights[0];
  for (const std::uint32_t weight : weights) least = std::min(least, weight);
  std::uint32_t place = Count - 1;
  for (std::uint32_t n = 0; n != Count; ++n) place = std::min<std::uint32_t>(place, weights[n] == least ? n : Count - 1);
  return place;
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
    std::array<std::uint32_t, Count> then;
    for (std::size_t n = 0; n != Count; ++n) then[n] = n == place ? weight : weights[n];
    guess = static_cast<std::uint8_t>(place_of_least(then));
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

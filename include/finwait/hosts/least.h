// The least of a set's weights, found without a branch: of random ones each would be mistaken.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

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

}  // namespace finwait::hosts

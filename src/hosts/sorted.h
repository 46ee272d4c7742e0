// A stable sort of what is large: places are sorted, and each value is moved once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

namespace finwait::hosts {

template <class T, class Less>
[[nodiscard]] std::vector<T> sorted(std::vector<T> values, Less&& less) {
  std::vector<std::size_t> places(values.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) { return less(values[a], values[b]); });
  std::vector<T> result;
  result.reserve(values.size());
  for (const std::size_t place : places) result.push_back(std::move(values[place]));
  return result;
}

}  // namespace finwait::hosts

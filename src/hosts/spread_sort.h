// Sorting of what is spread evenly, as random numbers are: each element is put near its place at once, and moved a little.
//
// The time is linear in the number of elements. Where they are not spread evenly it is std::sort, so no input makes it slow.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace finwait::hosts {

/// What spread_sort needs besides, used again and again.
template <class T>
struct SpreadRoom {
  std::vector<T> items;
  std::vector<std::uint32_t> places;
};

template <class T>
inline void insertion_sort(std::vector<T>& items) {
  for (std::size_t i = 1; i < items.size(); ++i) {
    const T item = items[i];
    std::size_t at = i;
    for (; at != 0 && item < items[at - 1]; --at) items[at] = items[at - 1];
    items[at] = item;
  }
}

/// Ascending. key(item) is 32 bits, ideally spread over all of them, and never less for a later item than for an earlier one in that order.
template <class T, class Key>
void spread_sort(std::vector<T>& items, SpreadRoom<T>& room, Key&& key) {
  constexpr std::size_t kFew = 12;
  constexpr std::uint32_t kCrowded = 12;  // so many at one place
  const std::size_t n = items.size();
  if (n <= kFew) return insertion_sort(items);
  const auto bits = static_cast<unsigned>(std::bit_width(n - 1));
  const auto place_of = [&key, shift = 32 - bits](const T& item) { return static_cast<std::size_t>(key(item) >> shift); };
  room.places.assign(std::size_t{1} << bits, 0);
  std::uint32_t most = 0;
  for (const T& item : items) most = std::max(most, ++room.places[place_of(item)]);
  if (most > kCrowded) return std::sort(items.begin(), items.end());
  std::uint32_t before = 0;
  for (std::uint32_t& place : room.places) before += std::exchange(place, before);
  room.items.resize(n);
  for (const T& item : items) room.items[room.places[place_of(item)]++] = item;
  items.swap(room.items);
  insertion_sort(items);
}

inline void spread_sort(std::vector<std::uint32_t>& numbers, SpreadRoom<std::uint32_t>& room) {
  spread_sort(numbers, room, [](std::uint32_t number) { return number; });
}

}  // namespace finwait::hosts

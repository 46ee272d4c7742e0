// What is remembered of pairs, in bounded memory: entries that lie side by side, found by a table of their numbers.
//
// Always true: nothing is allocated after the constructor; entries keep their places until some are forgotten. The caller brings the hash
// of each: it must be keyed, so that nobody outside can choose pairs that meet in one place. Order nothing by it.
//
// Not a map from pair to entry, since a map takes room for two of each while it has none free, and entries are large. Not a set of the
// standard library or of Boost, since these cannot fetch from memory where a look-up that is still to come will begin: nearly every one is
// for a pair that is somewhere else, and would wait.
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "finwait/base/memory.h"

namespace finwait::report {

template <class Entry>
class PairTable {
 public:
  /// Room for `room` entries, at least 1 and less than 2^31: takes the memory, which costs little before it is used. Throws std::bad_alloc.
  explicit PairTable(std::size_t room)
      : room_(room), places_(std::bit_ceil(2 * room)), shift_(64U - static_cast<unsigned>(std::countr_zero(places_.size()))) {
    entries_.reserve(room);
  }

  /// The entry with this hash for which same(entry), or null.
  template <class Same>
  [[nodiscard]] Entry* find(std::uint64_t hash, Same&& same) noexcept {
    const std::uint32_t mark = mark_of(hash);
    for (std::size_t at = place_of(hash); places_[at].number != 0; at = next(at)) {
      if (places_[at].mark == mark && same(entries_[places_[at].number - 1])) return &entries_[places_[at].number - 1];
    }
    return nullptr;
  }
  /// Fetches where a search for this hash begins.
  void prefetch(std::uint64_t hash) const noexcept { places_.prefetch(place_of(hash)); }

  /// Only if it is not there, and not full().
  void add(std::uint64_t hash, const Entry& entry) noexcept {
    assert(!full());
    entries_.push_back(entry);
    note(hash, entries_.size() - 1);
  }

  [[nodiscard]] bool full() const noexcept { return entries_.size() == room_; }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::span<const Entry> entries() const noexcept { return entries_; }

  /// Keeps the `count` that come first by before(a, b), a total order, the last of them at the end; at least one, and no more than there
  /// are. hash_of(entry) is what it was.
  template <class Before, class HashOf>
  void keep_first(std::size_t count, Before&& before, HashOf&& hash_of) {
    const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(count);
    std::nth_element(entries_.begin(), end - 1, entries_.end(), before);
    entries_.erase(end, entries_.end());
    std::fill(places_.begin(), places_.end(), Place{});
    for (std::size_t n = 0; n != entries_.size(); ++n) note(hash_of(entries_[n]), n);
  }

 private:
  /// A part of the hash of an entry, and which one it is + 1; 0: none.
  struct Place {
    std::uint32_t mark;
    std::uint32_t number;
  };

  [[nodiscard]] std::size_t place_of(std::uint64_t hash) const noexcept { return static_cast<std::size_t>(hash >> shift_); }
  [[nodiscard]] static std::uint32_t mark_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash); }
  /// At least every other place is free.
  [[nodiscard]] std::size_t next(std::size_t at) const noexcept { return (at + 1) & (places_.size() - 1); }

  /// Entry `n` has this hash.
  void note(std::uint64_t hash, std::size_t n) noexcept {
    std::size_t at = place_of(hash);
    while (places_[at].number != 0) at = next(at);
    places_[at] = {mark_of(hash), static_cast<std::uint32_t>(n + 1)};
  }

  std::size_t room_;
  std::vector<Entry> entries_;
  base::FixedArray<Place> places_;  // a power of two
  unsigned shift_;                  // the upper bits of a hash are where its place is looked for first
};

}  // namespace finwait::report

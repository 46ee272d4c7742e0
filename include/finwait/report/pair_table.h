// What is remembered of pairs, in bounded memory: entries that lie side by side, and a table of numbers by which they are found.
//
// Always true: nothing is allocated after the constructor; entries keep their places until some are forgotten. Half of the table of numbers
// is free, so a look-up reads one or two cache lines of it and the entry. The caller brings the hash of each: it must be keyed, so that
// nobody outside can choose pairs that meet in one place. Order nothing by it.
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
  /// Room for `room` entries, at least 1 and at most 2^20: takes the memory, which costs nothing before it is used. Throws std::bad_alloc.
  explicit PairTable(std::size_t room)
      : room_(room), bits_(static_cast<unsigned>(std::bit_width(2 * room - 1))), slots_(std::size_t{1} << bits_) {
    entries_.reserve(room);
  }

  /// The entry with this hash for which same(entry), or null.
  template <class Same>
  [[nodiscard]] Entry* find(std::uint64_t hash, Same&& same) noexcept {
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t at = place_of(hash); slots_[at] != 0; at = (at + 1) & mask()) {
      if ((slots_[at] & kTag) == tag && same(entries_[number(slots_[at])])) return &entries_[number(slots_[at])];
    }
    return nullptr;
  }

  /// Only if it is not there, and not full().
  void add(std::uint64_t hash, const Entry& entry) noexcept {
    assert(!full());
    entries_.push_back(entry);
    note(hash, entries_.size());
  }

  [[nodiscard]] bool full() const noexcept { return entries_.size() == room_; }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::span<const Entry> entries() const noexcept { return entries_; }

  /// arrange(entries) puts them in another order; of that the first `count` are kept, of which hash_of(entry) is what it was.
  template <class Arrange, class HashOf>
  void keep_first(std::size_t count, Arrange&& arrange, HashOf&& hash_of) {
    arrange(std::span<Entry>(entries_));
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(count), entries_.end());
    std::fill(slots_.begin(), slots_.end(), 0U);
    for (std::size_t n = 0; n != count; ++n) note(hash_of(entries_[n]), n + 1);
  }

 private:
  static constexpr std::uint32_t kNumber = (1U << 21) - 1;
  static constexpr std::uint32_t kTag = ~kNumber;

  [[nodiscard]] std::size_t mask() const noexcept { return slots_.size() - 1; }
  [[nodiscard]] std::size_t place_of(std::uint64_t hash) const noexcept { return hash >> (64 - bits_); }
  [[nodiscard]] static std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash) & kTag; }
  [[nodiscard]] static std::size_t number(std::uint32_t slot) noexcept { return (slot & kNumber) - 1; }

  void note(std::uint64_t hash, std::size_t number) noexcept {
    std::size_t at = place_of(hash);
    while (slots_[at] != 0) at = (at + 1) & mask();
    slots_[at] = tag_of(hash) | static_cast<std::uint32_t>(number);
  }

  std::size_t room_;
  unsigned bits_;
  base::FixedArray<std::uint32_t> slots_;  // 0: free; else the number of an entry, from 1, and a tag
  std::vector<Entry> entries_;
};

}  // namespace finwait::report

// What is remembered of pairs, in bounded memory: entries that lie side by side, found by a set of their numbers.
//
// Always true: nothing is allocated after the constructor; entries keep their places until some are forgotten. The caller brings the hash
// of each: it must be keyed, so that nobody outside can choose pairs that meet in one place. Order nothing by it.
//
// Not a map from pair to entry, since a map takes room for two of each while it has none free, and entries are large.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace finwait::report {

template <class Entry>
class PairTable {
 public:
  /// Room for `room` entries, at least 1 and less than 2^32: takes the memory, which costs little before it is used. Throws std::bad_alloc.
  explicit PairTable(std::size_t room) : room_(room), hashes_(std::make_unique<Hashes>()), numbers_(0, Hash{hashes_.get()}) {
    entries_.reserve(room);
    hashes_->reserve(room);
    numbers_.reserve(room);
  }

  /// The entry with this hash for which same(entry), or null.
  template <class Same>
  [[nodiscard]] Entry* find(std::uint64_t hash, Same&& same) noexcept {
    const auto is_it = [&](std::uint32_t number) { return (*hashes_)[number] == hash && same(entries_[number]); };
    const auto found = numbers_.find(Wanted<decltype(is_it)>{hash, is_it});
    return found == numbers_.end() ? nullptr : &entries_[*found];
  }

  /// Only if it is not there, and not full().
  void add(std::uint64_t hash, const Entry& entry) noexcept {
    assert(!full());
    entries_.push_back(entry);
    note(hash);
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
    numbers_.clear();
    hashes_->clear();
    for (const Entry& entry : entries_) note(hash_of(entry));
  }

 private:
  using Hashes = std::vector<std::uint64_t>;

  /// What is looked for: a hash, and whether it is the one of this number.
  template <class IsIt>
  struct Wanted {
    std::uint64_t hash;
    const IsIt& is_it;
  };
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    const Hashes* hashes;

    [[nodiscard]] std::size_t operator()(std::uint32_t number) const noexcept { return (*hashes)[number]; }
    template <class IsIt>
    [[nodiscard]] std::size_t operator()(const Wanted<IsIt>& wanted) const noexcept {
      return wanted.hash;
    }
  };
  struct Same {
    using is_transparent = void;

    [[nodiscard]] bool operator()(std::uint32_t a, std::uint32_t b) const noexcept { return a == b; }
    template <class IsIt>
    [[nodiscard]] bool operator()(const Wanted<IsIt>& wanted, std::uint32_t number) const noexcept {
      return wanted.is_it(number);
    }
  };

  /// The next entry has this hash. There is room: the set was made for as many.
  void note(std::uint64_t hash) noexcept {
    hashes_->push_back(hash);
    numbers_.insert(static_cast<std::uint32_t>(hashes_->size() - 1));
  }

  std::size_t room_;
  std::vector<Entry> entries_;
  std::unique_ptr<Hashes> hashes_;  // of each entry; where they stand the set knows, so they stay there when the table moves
  boost::unordered_flat_set<std::uint32_t, Hash, Same> numbers_;
};

}  // namespace finwait::report

// Whose turn it is in the order of release.
//
// Always true: those that are given stand in the order they were pushed, but those of one tick, which are sorted when it has begun. Nobody
// stands twice, so there is room for as many as are remembered. What is left at the end of input may be millions, all of one time: of these
// number and index are kept, in a word, and they are sorted so.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "finwait/base/memory.h"
#include "finwait/base/pool.h"
#include "finwait/base/time.h"

namespace finwait::tcp {

/// A connection whose turn has come. `number` is its id, or the frame for which it is given at once.
struct Due {
  base::Timestamp at;
  std::uint64_t number;
  std::uint32_t index;
  bool at_once;
  [[nodiscard]] bool operator<(const Due& other) const noexcept { return at != other.at ? at < other.at : number < other.number; }
};

/// Sorts them in place.
void put_in_order(std::span<Due> dues) noexcept;

class Dues {
 public:
  static constexpr std::size_t kAhead = 8;  ///< so many steps before its turn a record is fetched

  /// Room for so many. Throws std::bad_alloc.
  explicit Dues(std::size_t room) : all_(room, base::PageSize::kSmall) {}

  /// How many wait to be given.
  [[nodiscard]] std::size_t count() const noexcept { return end_ - first_ + words_; }
  /// The index of the one that is given after `n` others; base::kNone if there is none.
  [[nodiscard]] std::uint32_t ahead(std::size_t n) const noexcept {
    if (n < end_ - first_) return all_[first_ + n].index;
    return n < count() ? index_in(first_word()[n - (end_ - first_)]) : base::kNone;
  }
  /// The one given last.
  [[nodiscard]] const Due& last() const noexcept { return *given_; }
  /// The next one; nullptr if there is none. Stands until the next push or the next call.
  [[nodiscard]] const Due* next() noexcept;
  /// Gives one after the other, as next() does, for as long as take(index, at) returns true: the one for which it does not is still the
  /// next one. Then nobody is last(). fetch(index, at_once) is called kAhead steps before.
  template <class Fetch, class Take>
  void give_while(Fetch&& fetch, Take&& take) {
    for (; first_ != end_; ++first_) {
      const Due& later = all_[std::min(first_ + kAhead, end_ - 1)];
      fetch(later.index, later.at_once);
      const Due& due = all_[first_];
      if (!take(due.index, due.at)) return;
    }
    for (; words_ != 0; --words_) {
      fetch(index_in(first_word()[std::min(kAhead, words_ - 1)]), false);
      if (!take(index_in(*first_word()), base::kNever)) return;
    }
  }

  void push(base::Timestamp at, std::uint64_t number, std::uint32_t index, bool at_once) noexcept {
    if (end_ == all_.size()) make_room();
    Due& due = all_[end_++];  // field by field: a whole one would be read as soon as it is written, and wait for that
    due.at = at;
    due.number = number;
    due.index = index;
    due.at_once = at_once;
  }
  /// Those behind the first `n` are given at once, in their order, for `frame` at `clock`.
  void give_at_once(std::size_t n, base::Timestamp clock, std::uint64_t frame) noexcept;

  /// Whatever is pushed between the two comes in order.
  void begin_tick() noexcept { sorted_ = end_; }
  void end_tick() noexcept { put_in_order({all_.begin() + sorted_, all_.begin() + end_}); }

  /// The last tick begins: what is pushed up to end_last() comes in order, and nothing after that. No number is greater than `newest`.
  void begin_last(std::uint64_t newest) noexcept;
  /// As push() of one that is left at the end of input: at kNever, not at once.
  void push_last(std::uint64_t number, std::uint32_t index) noexcept {
    if (number < least_) return push(base::kNever, number, index, false);  // before all those that have words
    ++words_;
    *first_word() = (number - least_) << 32 | index;
  }
  void end_last() noexcept;

 private:
  /// Number, as counted from least_, and index.
  using Word = std::uint64_t;
  static_assert(sizeof(Due) % sizeof(Word) == 0 && alignof(Due) == alignof(Word));
  [[nodiscard]] static std::uint32_t index_in(Word word) noexcept { return static_cast<std::uint32_t>(word); }
  /// Words stand at the end of the room that dues have, so both together have room: nobody stands twice.
  [[nodiscard]] Word* first_word() noexcept { return reinterpret_cast<Word*>(all_.end()) - words_; }
  [[nodiscard]] const Word* first_word() const noexcept { return reinterpret_cast<const Word*>(all_.end()) - words_; }
  void make_room() noexcept;

  base::FixedArray<Due> all_;
  std::size_t first_ = 0;  // those before it have been given
  std::size_t end_ = 0;
  std::size_t sorted_ = 0;      // while a tick begins: those from it on are not yet in order
  std::size_t words_ = 0;       // not yet given
  std::uint64_t least_ = 0;     // the numbers of words are counted from here
  const Due* given_ = nullptr;  // last
  Due unpacked_{};              // that one, if it was a word
};

}  // namespace finwait::tcp

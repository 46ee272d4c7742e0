// Whose turn it is in the order of release.
//
// Always true: those that are given stand in the order they were pushed, but those of one tick, which are sorted when it has begun. Nobody
// stands twice, so there is room for as many as are remembered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "finwait/base/memory.h"
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

/// Sorts them in place: what a tick lets go is few, what is left at the end of input may be millions.
void put_in_order(std::span<Due> dues) noexcept;

class Dues {
 public:
  /// Room for so many. Throws std::bad_alloc.
  explicit Dues(std::size_t room) : all_(room) {}

  /// How many wait to be given.
  [[nodiscard]] std::size_t count() const noexcept { return end_ - first_; }
  /// The one that is given after `n` others, if there is one.
  [[nodiscard]] const Due* ahead(std::size_t n) const noexcept { return n < count() ? &all_[first_ + n] : nullptr; }
  /// The one given last.
  [[nodiscard]] const Due& last() const noexcept { return all_[first_ - 1]; }
  /// The next one; nullptr if there is none. Stands until the next push.
  [[nodiscard]] const Due* next() noexcept;

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

 private:
  void make_room() noexcept;

  base::FixedArray<Due> all_;
  std::size_t first_ = 0;  // those before it have been given
  std::size_t end_ = 0;
  std::size_t sorted_ = 0;  // while a tick begins: those from it on are not yet in order
};

}  // namespace finwait::tcp

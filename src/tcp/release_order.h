// The connections that are over, in the order in which they are told of: by time of release, then by id.
//
// Most are released in that order already: these stand in a queue, at the upper end of one array, the first on top. The others are in a
// heap at its lower end. Always true: the two do not meet, because no more are over at once than there are places; where the queue has come
// down to the heap, it is moved up over the places of those that were taken. Not here: what is released when.
#pragma once

#include <cstddef>
#include <cstdint>

#include "finwait/base/memory.h"
#include "finwait/base/time.h"

namespace finwait::tcp {

class ReleaseOrder {
 public:
  struct Turn {
    base::Timestamp at;
    std::uint64_t id;
    std::uint32_t index;
    [[nodiscard]] bool after(const Turn& other) const noexcept { return at != other.at ? at > other.at : id > other.id; }
  };
  static constexpr std::size_t kBytesEach = sizeof(Turn);

  /// Throws std::bad_alloc.
  explicit ReleaseOrder(std::uint32_t capacity) : turns_(capacity), front_(capacity), back_(capacity) {}

  [[nodiscard]] std::size_t size() const noexcept { return heap_ + (front_ - back_); }
  /// No more than `capacity` at once. Not after settle().
  void push(const Turn& turn) noexcept;
  /// Null: there is none.
  [[nodiscard]] const Turn* first() const noexcept;
  /// Removes the first one.
  void pop() noexcept;
  /// Nothing will be pushed any more: the rest comes quicker.
  void settle() noexcept;

  /// Calls f(index) for what probably comes soon, `n` after the one that is first.
  template <class F>
  void ahead(std::size_t n, F&& f) const noexcept {
    if (front_ - back_ > n) f(turns_[front_ - 1 - n].index);
    if (settled_ && heap_ > n) f(turns_[heap_ - 1 - n].index);
    if (!settled_ && heap_ != 0) f(turns_[0].index);
  }

 private:
  [[nodiscard]] bool queued() const noexcept { return front_ != back_; }
  [[nodiscard]] const Turn& of_heap() const noexcept { return turns_[settled_ ? heap_ - 1 : 0]; }
  [[nodiscard]] bool first_is_queued() const noexcept { return queued() && (heap_ == 0 || of_heap().after(turns_[front_ - 1])); }
  void move_up() noexcept;

  base::FixedArray<Turn> turns_;  // [0, heap_) a heap, once settled the last first; [back_, front_) the queue, the first on top
  std::size_t heap_ = 0;
  std::size_t front_;
  std::size_t back_;
  bool settled_ = false;
};

}  // namespace finwait::tcp

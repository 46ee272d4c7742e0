// What a person asked to see while it happens: events and steps, appended in the middle of a segment's way through the state machine.
//
// The only thing there that grows. Always true: appending never throws; when there is no memory for more, complete() is false for ever,
// and whoever reads the list has to say so rather than show half of it.
#pragma once

#include <new>
#include <span>
#include <vector>

namespace finwait::tcp {

template <class T>
class KeptList {
 public:
  void append(const T& value) noexcept {
    try {
      values_.push_back(value);
    } catch (const std::bad_alloc&) {
      complete_ = false;
    }
  }
  void clear() noexcept { values_.clear(); }

  [[nodiscard]] std::span<const T> values() const noexcept { return values_; }
  [[nodiscard]] bool complete() const noexcept { return complete_; }

 private:
  std::vector<T> values_;
  bool complete_ = true;
};

}  // namespace finwait::tcp

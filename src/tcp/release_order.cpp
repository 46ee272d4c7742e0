#include "release_order.h"

#include <algorithm>

namespace finwait::tcp {
namespace {

bool after(const ReleaseOrder::Turn& a, const ReleaseOrder::Turn& b) noexcept { return a.after(b); }

}  // namespace

void ReleaseOrder::push(const Turn& turn) noexcept {
  if (!queued()) front_ = back_ = turns_.size();
  if (back_ == heap_) move_up();
  if (!queued() || turn.after(turns_[back_])) {
    turns_[--back_] = turn;
    return;
  }
  turns_[heap_++] = turn;
  std::push_heap(turns_.begin(), turns_.begin() + heap_, after);
}

void ReleaseOrder::move_up() noexcept {
  const auto* const end = std::move_backward(turns_.begin() + back_, turns_.begin() + front_, turns_.end());
  back_ = static_cast<std::size_t>(end - turns_.begin());
  front_ = turns_.size();
}

const ReleaseOrder::Turn* ReleaseOrder::first() const noexcept {
  if (first_is_queued()) return &turns_[front_ - 1];
  return heap_ != 0 ? &of_heap() : nullptr;
}

void ReleaseOrder::pop() noexcept {
  if (first_is_queued()) {
    --front_;
    return;
  }
  if (!settled_) std::pop_heap(turns_.begin(), turns_.begin() + heap_, after);
  --heap_;
}

void ReleaseOrder::settle() noexcept {
  std::sort(turns_.begin(), turns_.begin() + heap_, after);
  settled_ = true;
}

}  // namespace finwait::tcp

#include "finwait/engine/outcome_merge.h"

#include <utility>

namespace finwait::engine {

OutcomeMerge::OutcomeMerge(Reader reader, std::vector<OutcomeStream*> streams, const UnitRing& ring, base::Bell& bell,
                           const std::atomic<bool>& abandoned)
    : reader_(reader), ring_(ring), bell_(bell), abandoned_(abandoned) {
  for (OutcomeStream* stream : streams) {
    Head head;
    head.stream = stream;
    head.shard = static_cast<std::uint32_t>(heads_.size());
    heads_.push_back(head);
  }
}

/// Finds the head's next outcome of the unit, or that there is none.
void OutcomeMerge::look(Head& head, std::uint64_t ticket) {
  head.has = false;
  if (head.batch != nullptr && head.next == head.batch->size()) {
    head.stream->give_back(reader_, std::exchange(head.batch, nullptr));
  }
  while (head.batch == nullptr) {
    const std::uint32_t seen = bell_.look();
    const bool done = ring_.is_done(ticket, head.shard);  // first: what was sent before it is then there to be taken
    head.batch = head.stream->next(reader_);
    head.next = 0;
    if (head.batch != nullptr) break;
    if (done || abandoned_.load(std::memory_order_relaxed)) return;
    bell_.wait(seen);
  }
  head.has = head.batch->ticket == ticket;
}

OutcomeMerge::Head* OutcomeMerge::least() noexcept {
  Head* first = nullptr;
  for (Head& head : heads_) {
    if (!head.has) continue;
    if (first == nullptr || turn(head) < turn(*first)) first = &head;
  }
  return first;
}

}  // namespace finwait::engine

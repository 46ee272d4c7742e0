#include "finwait/engine/outcome_merge.h"

#include <algorithm>
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

/// Until the unit can be merged without further waiting, or a shard may soon have to wait for batches.
void OutcomeMerge::await(std::uint64_t ticket) {
  for (;;) {
    const std::uint32_t seen = bell_.look();
    if (is_worthwhile(ticket) || abandoned_.load(std::memory_order_relaxed)) return;
    bell_.wait(seen);
  }
}

bool OutcomeMerge::is_worthwhile(std::uint64_t ticket) {
  const auto is_done = [&](const Head& head) { return ring_.is_done(ticket, head.shard); };
  const auto has_much = [&](const Head& head) { return head.stream->has_much(reader_); };
  return std::all_of(heads_.begin(), heads_.end(), is_done) || std::any_of(heads_.begin(), heads_.end(), has_much);
}

/// Finds the head's next outcome of the unit, or that there is none.
void OutcomeMerge::look(Head& head, std::uint64_t ticket) {
  head.has = false;
  if (head.batch != nullptr && head.next == head.batch->size()) {
    head.stream->give_back(reader_, std::exchange(head.batch, nullptr));
  }
  while (head.batch == nullptr) {
    const std::uint32_t seen = head.stream->sent().look();
    const bool done = ring_.is_done(ticket, head.shard);  // first: what was sent before it is then there to be taken
    head.batch = head.stream->next(reader_);
    head.next = 0;
    if (head.batch != nullptr) break;
    if (done || abandoned_.load(std::memory_order_relaxed)) return;
    head.stream->sent().wait(seen);
  }
  head.has = head.batch->ticket == ticket;
  if (!head.has) return;
  head.turn = head.batch->turns[head.next];
  for (std::size_t ahead = 0; ahead != kAhead; ++ahead) prefetch(head, ahead);
}

OutcomeMerge::Head* OutcomeMerge::least() noexcept {
  Head* first = nullptr;
  for (Head& head : heads_) {
    if (!head.has) continue;
    if (first == nullptr || head.turn < first->turn) first = &head;
  }
  return first;
}

}  // namespace finwait::engine

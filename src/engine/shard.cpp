#include "finwait/engine/shard.h"

#include <algorithm>
#include <type_traits>

#include "finwait/base/memory.h"

namespace finwait::engine {

Shard::Shard(const PipelineOptions& options, std::uint32_t number, bool in_full, base::Bell& bell, const std::atomic<bool>& abandoned)
    : number_(number),
      in_full_(in_full),
      bell_(bell),
      abandoned_(abandoned),
      tracker_(options.tracker),
      segments_(std::clamp<std::size_t>(options.batch, 1, tracker_.most_at_once())),
      fates_(segments_.size(), wire::Fate::kTcp) {}

void Shard::take(const Unit& unit, std::uint64_t ticket) {
  for (const capture::LossSpan& loss : unit.losses) tracker_.note_loss(loss.from, loss.to);
  std::span<const std::uint32_t> part;
  if (number_ < unit.parts.size()) part = unit.parts[number_];
  while (!part.empty()) {
    const std::size_t count = std::min(part.size(), segments_.size());
    track(unit, part.first(count));
    tracker_.advance(segments_[count - 1].clock);
    drain(ticket);
    part = part.subspan(count);
  }
  if (unit.end) {
    tracker_.finish(unit.clock_after);
  } else {
    tracker_.advance(unit.clock_after);
  }
  drain(ticket);
  if (batch_ != nullptr && batch_->size() != 0) send();
}

/// The segments are copied: they lie scattered in the memory of whoever decoded them, and get what only the sequencer knew.
void Shard::track(const Unit& unit, std::span<const std::uint32_t> part) {
  constexpr std::size_t kAhead = 16;
  for (std::size_t n = 0; n != part.size(); ++n) {
    if (n + kAhead < part.size()) {
      const auto* next = reinterpret_cast<const std::byte*>(&unit.segments[part[n + kAhead]]);
      base::prefetch_line(next);
      base::prefetch_line(next + base::kCacheLine);
    }
    wire::Segment& segment = segments_[n];
    segment = unit.segments[part[n]];
    segment.clock = unit.clock_at(segment.frame, segment.clock);
    segment.frame += unit.frames_before;
  }
  const std::uint64_t before = tracker_.counts().table_full;
  tracker_.track(std::span<const wire::Segment>(segments_).first(part.size()), fates_);
  if (tracker_.counts().table_full != before) count_refused(part.size());
}

void Shard::count_refused(std::size_t segments) noexcept {
  for (std::size_t n = 0; n != segments; ++n) {
    if (fates_[n] == wire::Fate::kTableFull && segments_[n].kind == wire::SegmentKind::kTcp) ++refused_;
    fates_[n] = wire::Fate::kTcp;
  }
}

void Shard::drain(std::uint64_t ticket) {
  tracker_.drain(!in_full_, [this, ticket](const auto& outcome) {
    OutcomeBatch* batch = room(ticket);
    if (batch == nullptr) return;
    if constexpr (std::is_same_v<decltype(outcome), const tcp::Outcome&>) {
      batch->add(outcome, in_full_);
    } else {
      batch->add(outcome);
    }
    if (batch->size() == OutcomeBatch::kOutcomes) send();
  });
}

OutcomeBatch* Shard::room(std::uint64_t ticket) {
  while (batch_ == nullptr) {
    const std::uint32_t seen = outcomes_.returned().look();
    batch_ = outcomes_.empty();
    if (batch_ != nullptr) break;
    if (abandoned_.load(std::memory_order_relaxed)) return nullptr;
    outcomes_.returned().wait(seen);
  }
  batch_->ticket = ticket;
  return batch_;
}

void Shard::send() {
  outcomes_.send(batch_);
  batch_ = nullptr;
  bell_.ring();
}

}  // namespace finwait::engine

#include "finwait/engine/shard.h"

#include <algorithm>
#include <type_traits>

#include "finwait/base/memory.h"

namespace finwait::engine {
namespace {

/// Segments, which stay in the first cache from when they are completed until they are tracked.
constexpr std::size_t kAtOnce = 256;

/// Gives segments what only the sequencer knew. They are where another thread wrote them: what lies behind them is fetched, too, as it is
/// to be completed next.
void complete(const Unit& unit, std::span<wire::Segment> segments) noexcept {
  constexpr std::size_t kAhead = 64;
  for (wire::Segment& segment : segments) {
    const auto* next = reinterpret_cast<const std::byte*>(&segment) + kAhead * sizeof segment;
    base::prefetch_line(next);
    base::prefetch_line_to_write(next + base::kCacheLine);
    segment.clock = unit.clock_at(segment.frame, segment.clock);
    segment.frame += unit.frames_before;
  }
}

}  // namespace

Shard::Shard(const PipelineOptions& options, std::uint32_t number, bool in_full, base::Bell& bell, const std::atomic<bool>& abandoned)
    : number_(number),
      in_full_(in_full),
      bell_(bell),
      abandoned_(abandoned),
      tracker_(options.tracker),
      fates_(std::clamp<std::size_t>(std::min(options.batch, kAtOnce), 1, tracker_.most_at_once()), wire::Fate::kTcp) {}

void Shard::take(Unit& unit, std::uint64_t ticket) {
  for (const capture::LossSpan& loss : unit.losses) tracker_.note_loss(loss.from, loss.to);
  std::span<wire::Segment> part;
  if (number_ < unit.parts.size()) part = unit.parts[number_].segments();
  while (!part.empty()) {
    const auto some = part.first(std::min(part.size(), fates_.size()));
    complete(unit, some);
    track(some);
    tracker_.advance(some.back().clock);
    drain(ticket);
    part = part.subspan(some.size());
  }
  if (unit.end) {
    tracker_.finish(unit.clock_after);
  } else {
    tracker_.advance(unit.clock_after);
  }
  drain(ticket);
  if (batch_ != nullptr && batch_->size() != 0) send();
}

void Shard::track(std::span<const wire::Segment> segments) {
  const std::uint64_t before = tracker_.counts().table_full;
  tracker_.track(segments, fates_);
  if (tracker_.counts().table_full != before) count_refused(segments);
}

void Shard::count_refused(std::span<const wire::Segment> segments) noexcept {
  for (std::size_t n = 0; n != segments.size(); ++n) {
    if (fates_[n] == wire::Fate::kTableFull && segments[n].kind == wire::SegmentKind::kTcp) ++refused_;
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
    if (batch->is_full()) send();
  });
}

OutcomeBatch* Shard::room(std::uint64_t ticket) {
  while (batch_ == nullptr) {
    batch_ = outcomes_.empty();
    if (batch_ != nullptr) break;
    if (!await_half()) return nullptr;
  }
  batch_->ticket = ticket;
  return batch_;
}

/// Not woken for each batch that comes back. False once abandoned.
bool Shard::await_half() {
  for (;;) {
    const std::uint32_t seen = outcomes_.returned().look();
    if (abandoned_.load(std::memory_order_relaxed)) return false;
    if (outcomes_.is_half_back()) return true;
    outcomes_.returned().wait(seen);
  }
}

void Shard::send() {
  outcomes_.send(batch_);
  batch_ = nullptr;
  if (!outcomes_.is_half_back()) bell_.ring();
}

}  // namespace finwait::engine

#include "finwait/engine/shard.h"

#include <algorithm>
#include <type_traits>

#include "finwait/base/memory.h"

namespace finwait::engine {
namespace {

/// Segments, which stay in the first cache from when they are completed until they are tracked.
constexpr std::size_t kAtOnce = 256;

void fetch(const wire::Segment& segment) noexcept {
  const auto* at = reinterpret_cast<const std::byte*>(&segment);
  base::prefetch_line(at);
  base::prefetch_line_to_write(at + base::kCacheLine);
}

/// Gives segments what only the sequencer knew. They are where another thread wrote them: those that are to be completed after them are
/// fetched, too, but not what lies behind: that is another shard's.
void complete(const Unit& unit, std::span<wire::Segment> segments, std::span<const wire::Segment> following) noexcept {
  constexpr std::size_t kAhead = 64;
  for (std::size_t n = 0; n != segments.size(); ++n) {
    const std::size_t ahead = n + kAhead;
    if (ahead < segments.size()) {
      fetch(segments[ahead]);
    } else if (ahead - segments.size() < following.size()) {
      fetch(following[ahead - segments.size()]);
    }
    wire::Segment& segment = segments[n];
    segment.clock = unit.clock_at(segment.frame, segment.clock);
    segment.frame += unit.frames_before;
  }
}

}  // namespace

Shard::Shard(const PipelineOptions& options, std::uint32_t number, bool in_full, std::size_t batches, base::Bell& bell,
             const std::atomic<bool>& abandoned)
    : number_(number),
      in_full_(in_full),
      bell_(bell),
      abandoned_(abandoned),
      tracker_(options.tracker),
      outcomes_(batches),
      fates_(std::clamp<std::size_t>(std::min(options.batch, kAtOnce), 1, tracker_.most_at_once()), wire::Fate::kTcp) {}

void Shard::take(Unit& unit, std::uint64_t ticket) {
  for (const capture::LossSpan& loss : unit.losses) tracker_.note_loss(loss.from, loss.to);
  const Parts& parts = unit.cargo->parts;
  std::size_t n = 0;
  for (auto block = parts.block(number_, n); !block.empty();) {
    const auto some = block.first(std::min(block.size(), fates_.size()));
    block = some.size() != block.size() ? block.subspan(some.size()) : parts.block(number_, ++n);
    complete(unit, some, block);
    track(some);
    tracker_.advance(some.back().clock);
    drain(ticket);
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

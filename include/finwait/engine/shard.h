// One thread's share of the connections: a tracker of its own, fed with its part of each unit, in file order and by the clock of the whole
// file. So every connection sees what it would see if there were one tracker for all.
//
// Always true: when a unit is done, every outcome that was certain by its last frame has been sent, in order of release. What may precede
// it in the order of the whole is in the same unit of other shards, or in earlier ones. One thread uses a shard.
#pragma once

#include <atomic>
#include <vector>

#include "finwait/base/bell.h"
#include "finwait/engine/outcome_stream.h"
#include "finwait/engine/pipeline.h"
#include "finwait/engine/unit.h"

namespace finwait::engine {

class Shard {
 public:
  /// Outcomes are sent `in_full`, or as Briefs, in so many `batches` (OutcomeStream). Rings `bell` when much waits to be read; once
  /// `abandoned`, what would be sent is dropped.
  /// `options.batch` segments are looked at at once, or some hundred; `options.tracker` is this shard's own. Throws std::bad_alloc.
  Shard(const PipelineOptions& options, std::uint32_t number, bool in_full, std::size_t batches, base::Bell& bell,
        const std::atomic<bool>& abandoned);

  /// Its part of a unit, of which it changes nothing else. Waits when the reader of its outcomes is behind. Throws std::bad_alloc.
  void take(Unit& unit, std::uint64_t ticket);

  /// For the reader.
  [[nodiscard]] OutcomeStream& outcomes() noexcept { return outcomes_; }

  /// How it stands. In the thread that uses it, or when none does any more.
  [[nodiscard]] ShardStanding standing() const noexcept { return {tracker_.counts(), tracker_.remembered(), refused_}; }
  /// For other threads. To be called before any unit is taken.
  [[nodiscard]] tcp::TableReader reader() const noexcept { return tracker_.reader(); }

 private:
  void track(std::span<const wire::Segment> segments);
  void count_refused(std::span<const wire::Segment> segments) noexcept;
  void drain(std::uint64_t ticket);
  /// A batch with room, waited for if need be; null once abandoned.
  [[nodiscard]] OutcomeBatch* room(std::uint64_t ticket);
  [[nodiscard]] bool await_half();
  void send();

  std::uint32_t number_;
  bool in_full_;
  base::Bell& bell_;
  const std::atomic<bool>& abandoned_;
  tcp::Tracker tracker_;
  OutcomeStream outcomes_;
  OutcomeBatch* batch_ = nullptr;  // being filled
  std::vector<wire::Fate> fates_;  // of the segments looked at at once: kTcp; kTableFull where the tracker had no room
  std::uint64_t refused_ = 0;
};

}  // namespace finwait::engine

// The threads that own shards, and what joins their work again: the part of the data path on several threads that does not depend on where
// units come from.
//
// Whoever has a crew fills and places units (unit_ring.h). Each shard's thread takes its part of every unit, in order; the caller's thread
// gives what comes of it to the reporter, in the order of the output, and one more thread for each part of the hosts' tables learns of them
// in the same order. Everything is bounded: who has no room waits. What a thread cannot go on from ends all of them.
//
// Waking a thread costs more than a unit of few frames, so there are several bells, and each has those waiting who can do something then:
//
//   work      when a unit was placed, or may be filled   shards without a unit
//   room      when a unit may be filled                  who does nothing else than fill them
//   outcomes  when all shards are done with a unit,      readers of outcomes, between two units
//             or one has few batches left
//   sent      when a shard has sent a batch, or is done  readers, in the midst of a unit, each shard its own (outcome_stream.h)
//   returned  when some batches have come back           a shard without an empty batch, likewise
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "finwait/base/bell.h"
#include "finwait/engine/outcome_merge.h"
#include "finwait/engine/pipeline.h"
#include "finwait/engine/shard.h"
#include "finwait/engine/unit_ring.h"

namespace finwait::engine {

/// Who fills units: the threads of the shards when they have nothing else to do, or one that does nothing else.
enum class Filler : std::uint8_t { kShards, kAnother };

class ShardCrew {
 public:
  /// `reporter` outlives it. `threads` shards, each with its partitions of the flows (tcp::Partitions); `feeds`: one for each shard, or
  /// none; they outlive it. Takes all memory for connections; throws std::bad_alloc.
  ShardCrew(report::Reporter& reporter, const PipelineOptions& options, std::uint32_t threads, Filler filler,
            const std::vector<tcp::LiveFeed*>& feeds = {});
  /// Joins.
  ~ShardCrew();
  ShardCrew(const ShardCrew&) = delete;
  ShardCrew& operator=(const ShardCrew&) = delete;

  /// Begins the threads for hosts and one for each of these, whose exceptions are given up on. Throws std::runtime_error that says what to
  /// do; then none runs any more.
  void begin(const std::vector<std::function<void()>>& work);

  /// In the thread of a shard, until the last unit or until abandoned. Before each unit first() may do what is urgent; when there is no
  /// unit, otherwise() what can be done besides. Both say whether they did anything.
  template <class First, class Otherwise>
  void take_units(std::uint32_t number, First&& first, Otherwise&& otherwise) {
    for (std::uint64_t next = 0; !abandoned();) {
      const std::uint32_t seen = work_.look();
      const bool did = first();
      if (ring_.is_placed(next)) {
        if (take(number, next++)) return;
      } else if (!did && !otherwise()) {
        work_.wait(seen);
      }
    }
  }

  /// In the caller's thread: reports unit by unit, until the last one or until abandoned; each(const Unit&) is called with every unit but
  /// the last when all shards are done with it. On an exception everything is abandoned. Joins; then throws what ended a thread, if any.
  template <class Each>
  void report(Each&& each) {
    try {
      report_units(each);
    } catch (...) {
      abandon();
      join();
      throw;
    }
    join();
    if (broken_ != nullptr) std::rethrow_exception(broken_);
  }

  /// Nobody reports any more: all threads end. Any thread.
  void abandon() noexcept;
  [[nodiscard]] bool abandoned() const noexcept { return abandoned_.load(std::memory_order_relaxed); }

  /// To be rung when a unit was placed, or when there may be something to be filled.
  [[nodiscard]] base::Bell& work() noexcept { return work_; }
  /// Rings when a unit may be filled again.
  [[nodiscard]] base::Bell& room() noexcept { return filler_ == Filler::kShards ? work_ : room_; }
  [[nodiscard]] UnitRing& ring() noexcept { return ring_; }
  [[nodiscard]] std::uint32_t threads() const noexcept { return static_cast<std::uint32_t>(shards_.size()); }
  /// One a shard. Before begin().
  [[nodiscard]] std::vector<tcp::TableReader> readers() const;

  /// Once joined: what the shards counted, added to totals that hold every segment as taken.
  void add_counts(report::Totals& totals) const;

 private:
  [[nodiscard]] OutcomeMerge merge_for(Reader reader);
  [[nodiscard]] const Unit* wait_for(std::uint64_t ticket);
  void pass_end() noexcept;
  [[nodiscard]] bool take(std::uint32_t number, std::uint64_t ticket);
  void watch_hosts(hosts::HostPart part);
  void guarded(const std::function<void()>& work) noexcept;
  void join();

  template <class Each>
  void report_units(Each&& each) {
    OutcomeMerge merge = merge_for(Reader::kReport);
    for (std::uint64_t ticket = 0;; ++ticket) {
      const Unit* unit = wait_for(ticket);
      if (unit == nullptr) return;
      if (unit->end) reporter_.conclude_output(unit->clock_after);
      merge.each(ticket, [this](const OutcomeBatch& batch, std::size_t n) { batch.report(n, reporter_); });
      if (unit->end || abandoned()) return;
      each(*unit);
      ring_.set_merged(ticket, Reader::kReport);
      room().ring();
    }
  }

  report::Reporter& reporter_;
  Filler filler_;
  alignas(2 * base::kCacheLine) base::Bell work_;  // on lines of their own, as all that many threads write to
  alignas(2 * base::kCacheLine) base::Bell room_;
  alignas(2 * base::kCacheLine) base::Bell outcomes_;                 // rings when all are done with a unit, or a shard has sent many
  alignas(2 * base::kCacheLine) std::atomic<bool> abandoned_{false};  // relaxed: tells of nothing else
  std::atomic<std::uint32_t> at_end_{0};                              // shards
  base::Pages segments_;                                              // lent to the cargoes
  UnitRing ring_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::thread> running_;
  std::mutex breaking_;
  std::exception_ptr broken_;  // what ended a thread; under breaking_, and after join() by nobody else
};

}  // namespace finwait::engine

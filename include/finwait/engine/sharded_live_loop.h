// A live capture on several threads: what LiveLoop gives, connection by connection, with more than one thread to analyse.
//
//   rings ─▶ one thread reads and decodes ─▶ unit ring ─▶ shard 0 ─▶ merge ─▶ reporter
//            in the order of stamps           bounded      shard 1    the caller's thread
//
// Always true: every connection has one writer, the shard of its flow's hash, whichever ring of the kernel its frames came on; losses, and
// time that passes when nothing comes, reach every shard between the same two frames. Nothing grows: when the shards are behind, the reader
// waits for room, the rings fill, and the kernel counts what it drops.
//
// Not here: events and -w, which want what happens frame by frame in the thread that reports: see LiveLoop.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "finwait/base/seqlock.h"
#include "finwait/capture/live_source.h"
#include "finwait/engine/live_counters.h"
#include "finwait/engine/live_observer.h"
#include "finwait/engine/sequencer.h"
#include "finwait/engine/shard_crew.h"
#include "finwait/engine/unit_decoder.h"
#include "finwait/report/reporter.h"

namespace finwait::engine {

class ShardedLiveLoop {
 public:
  /// `filter` (may be null), `source`, `reporter` and `feeds` (one for each thread, or none) outlive the loop; `options.tracker.events` is
  /// false. Takes all memory for connections; throws std::bad_alloc, CaptureError.
  ShardedLiveLoop(capture::LiveSource& source, capture::Filter* filter, report::Reporter& reporter, const PipelineOptions& options,
                  std::uint32_t threads, const std::vector<tcp::LiveFeed*>& feeds = {});

  /// As LiveLoop::run. The source is used by another thread until it returns.
  void run(LiveObserver& observer);

  /// How it stood at the last look: the same frames for every thread. Any thread.
  [[nodiscard]] LiveCounters counters() const noexcept { return published_.load(); }
  /// One a shard. Before run().
  [[nodiscard]] std::vector<tcp::TableReader> readers() const { return crew_.readers(); }
  /// After run(): as Pipeline::totals.
  [[nodiscard]] report::Totals totals() const;

 private:
  static constexpr std::uint32_t kUnitFrames = 2'048;               ///< enough that handing over costs little of what is handed over
  static constexpr std::size_t kHeldBytes = std::size_t{1} << 20U;  ///< of fragments in a unit

  void read();
  [[nodiscard]] Unit* wait_for_room(std::uint64_t ticket);
  [[nodiscard]] bool fill(Unit& unit);
  [[nodiscard]] bool is_full(const Unit& unit) const noexcept;
  void place(Unit& unit, std::uint64_t ticket);
  void look(const Unit& unit, LiveObserver& observer);
  void write_out(const Unit& unit);
  void publish(const Unit& unit);

  capture::LiveSource& source_;
  report::Reporter& reporter_;
  std::uint32_t most_;
  std::vector<capture::Frame> frames_;
  UnitDecoder decoder_;
  Sequencer sequencer_;
  std::atomic<bool> stopping_{false};  // the source is to be closed: relaxed, tells of nothing else
  LiveCounters counters_;
  base::Seqlock<LiveCounters> published_;
  base::Timestamp written_out_ = 0;
  ShardCrew crew_;  // its threads end before anything they use
};

}  // namespace finwait::engine

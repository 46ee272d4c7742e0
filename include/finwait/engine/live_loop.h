// The loop of a live capture: frames from the rings through the pipeline, time moved on when nothing comes, outputs written out when there
// is a moment, losses marked, and somebody told how it stands.
//
// Always true: nothing waits for an observer longer than its own look takes; a stop lets nothing new in and analyses all that was received
// before. Asks no clock: time is the source's.
#pragma once

#include <cstdint>
#include <vector>

#include "finwait/base/seqlock.h"
#include "finwait/capture/live_source.h"
#include "finwait/engine/live_counters.h"
#include "finwait/engine/live_observer.h"
#include "finwait/engine/pipeline.h"
#include "finwait/report/reporter.h"

namespace finwait::engine {

class LiveLoop {
 public:
  /// All of them outlive the loop; `pipeline` is one over `source` and `reporter`. `most`: connections that can be remembered.
  LiveLoop(capture::LiveSource& source, Pipeline& pipeline, report::Reporter& reporter, std::uint32_t most);

  /// Until stopped, or until every interface is gone; then judges what is still remembered. Call once. Throws report::OutputError.
  void run(LiveObserver& observer);

  /// How it stood at the last look. Any thread.
  [[nodiscard]] LiveCounters counters() const noexcept { return published_.load(); }
  /// Of the one tracker. Before run().
  [[nodiscard]] std::vector<tcp::TableReader> readers() const { return {pipeline_.tracker().reader()}; }
  [[nodiscard]] report::Totals totals() const { return pipeline_.totals(); }

 private:
  [[nodiscard]] bool take(const capture::Arrival& arrival, std::span<const capture::Frame> frames);
  void write_out(const capture::Arrival& arrival);
  void mark_losses();
  void publish(base::Timestamp now);

  capture::LiveSource& source_;
  Pipeline& pipeline_;
  report::Reporter& reporter_;
  std::uint32_t most_;
  LiveCounters counters_;
  base::Seqlock<LiveCounters> published_;
  base::Timestamp written_out_ = 0;
};

}  // namespace finwait::engine

// The data path: frames from a source, a batch at a time, through the filter and the decoder into the tracker, and what it finds to the
// reporter.
//
// Always true: every frame read is counted under exactly one Fate; frames are numbered from 1 in the order read, selected or not; the
// answer does not depend on the size of the batches. Asks no clock: time is the frames'.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "finwait/base/hash.h"
#include "finwait/capture/filter.h"
#include "finwait/capture/source.h"
#include "finwait/engine/trace_clock.h"
#include "finwait/report/reporter.h"
#include "finwait/report/totals.h"
#include "finwait/tcp/tracker.h"
#include "finwait/wire/decode.h"
#include "finwait/wire/reassembly.h"

namespace finwait::engine {

struct PipelineOptions {
  tcp::TrackerOptions tracker;
  wire::DecodeOptions decode;
  bool last_on_threads = false;                                               ///< what is open at the end is given by several threads
  std::size_t batch = 512;                                                    ///< frames
  std::uint32_t snapshot_length = std::numeric_limits<std::uint32_t>::max();  ///< bytes of a frame that are looked at
  std::uint64_t frame_limit = std::numeric_limits<std::uint64_t>::max();      ///< stop after so many selected frames
  base::Timestamp from = std::numeric_limits<base::Timestamp>::min();         ///< first stamp that is selected
  base::Timestamp to = base::kNever;                                          ///< last stamp that is selected
};

/// Whether no frame is left out or looked at otherwise than the next, apart from a filter and a limit.
[[nodiscard]] constexpr bool takes_all(const PipelineOptions& options) noexcept {
  return options.snapshot_length == std::numeric_limits<std::uint32_t>::max() &&
         options.from == std::numeric_limits<base::Timestamp>::min() && options.to == base::kNever;
}

/// How far it has come.
struct Progress {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  double share = -1.0;  ///< of the input; below 0: unknown
};

/// Is asked after each batch whether to go on.
class Steering {
 public:
  virtual ~Steering() = default;
  [[nodiscard]] virtual bool go_on(const Progress& progress) = 0;
};

/// Looks at each segment before the tracker gets it, and at what the tracker makes of it, before it is given to the reporter: for
/// --explain.
class Onlooker {
 public:
  virtual ~Onlooker() = default;
  virtual void before(const wire::Segment& segment, tcp::Tracker& tracker) = 0;
  virtual void after(tcp::Tracker& tracker) = 0;
};

/// Is shown the frames of the segments, before the tracker gets them: once a batch, or a frame where segments go one by one.
class FrameKeeper {
 public:
  virtual ~FrameKeeper() = default;
  /// Segment::frame - `first` is the place of its frame in `frames`.
  virtual void keep(std::span<const capture::Frame> frames, std::uint64_t first, std::span<const wire::Segment> segments) = 0;
};

class Pipeline {
 public:
  /// `filter` (may be null), `source`, `reporter` and `onlooker` (may be null) outlive the pipeline. Takes all memory; throws
  /// std::bad_alloc.
  Pipeline(capture::Source& source, capture::Filter* filter, report::Reporter& reporter, const PipelineOptions& options,
           Onlooker* onlooker = nullptr);

  /// Reads to the end, to the limit, or until told to stop; then judges what is still remembered. Call once. Throws report::OutputError,
  /// std::bad_alloc.
  void run(Steering& steering);

  /// Before anything is fed; outlives the pipeline.
  void set_keeper(FrameKeeper& keeper) noexcept { keeper_ = &keeper; }

  /// The parts of run(), for whoever waits for frames himself. Throw report::OutputError.
  /// Frames of the source, a batch at most. False when the limit is reached: no more is to be fed.
  [[nodiscard]] bool feed(std::span<const capture::Frame> frames);
  /// Every frame stamped before `clock` has been fed: what is due by then happens, though nothing came.
  void pass_time(base::Timestamp clock);
  /// What is still remembered is judged as it stands. Call once, at the end.
  void finish();

  /// Frames were lost between these two moments of the trace clock.
  void note_loss(base::Timestamp from, base::Timestamp to) noexcept { tracker_.note_loss(from, to); }
  void note_stopped() noexcept { totals_.capture.stopped = true; }
  [[nodiscard]] const tcp::Tracker& tracker() const noexcept { return tracker_; }
  [[nodiscard]] base::Timestamp clock() const noexcept { return clock_.now(); }
  [[nodiscard]] const report::FrameCounts& frames() const noexcept { return totals_.frames; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return totals_.performance.bytes; }
  [[nodiscard]] std::size_t batch() const noexcept { return frames_.size(); }

  /// What is known so far: everything but connection counts, file names and performance.
  [[nodiscard]] report::Totals totals() const;

 private:
  [[nodiscard]] bool step();
  template <bool kReadPayload>
  [[gnu::noinline]] void take_all(std::span<const capture::Frame> frames);
  [[nodiscard, gnu::noinline]] bool take_uncommon(const capture::Frame& frame, wire::Segment& segment);
  [[gnu::noinline]] void date(std::uint64_t number, base::Timestamp stamp);
  void take(const capture::Frame& frame);
  [[nodiscard]] wire::Fate examine(const capture::Frame& frame, wire::Segment& segment);
  void hand_on();
  void move_refused();
  void deliver_events();
  void drain();

  capture::Source& source_;
  capture::Filter* filter_;
  report::Reporter& reporter_;
  Onlooker* onlooker_;
  FrameKeeper* keeper_ = nullptr;
  PipelineOptions options_;
  bool one_by_one_;  // what happens is looked at after each frame, so that its order does not depend on the batches
  bool all_alike_;   // no frame is taken otherwise than the next: neither filter nor span, nobody looks on
  tcp::Tracker tracker_;
  base::QuickHash hash_;  // the tracker's
  wire::Reassembler reassembler_;
  TraceClock clock_;
  std::vector<capture::Frame> frames_;
  std::span<const capture::Frame> fed_;  // the batch at hand
  std::uint64_t fed_first_ = 0;          // number of its first frame
  std::vector<wire::Segment> segments_;
  std::vector<wire::Fate> fates_;  // kTcp; kTableFull where the tracker had no room
  std::size_t segment_count_ = 0;
  std::uint64_t selected_ = 0;
  report::Totals totals_;
};

/// What a source itself knows of the capture: link types and losses.
void take_source_facts(const capture::Source& source, report::Totals& totals);

}  // namespace finwait::engine

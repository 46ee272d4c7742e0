// The data path on several threads; what comes out is what Pipeline gives, byte for byte.
//
//   pieces of a file ─▶ decode ─▶ place in order ─▶ shard 0 ─▶ merge ─▶ reporter
//   (or one reader)     any thread   one at a time  shard 1    the caller's thread
//
// Units of some thousand frames go round in a ring (shard_crew.h). Each of the analysis threads owns a shard, and does whatever can be
// done: place units that have been decoded, take the part of its shard, or else decode another piece of the file. What cannot be divided
// (standard input, compressed captures) is read and decoded by one more thread. Everything is bounded: who has no room waits.
//
// Connections are divided over the shards by the hash of their flow, whole partitions of the room at a time (tcp/partitions.h): so with a
// given seed also who has to go when room is short does not depend on the number of threads. Events and --explain are not for here: they
// show what happens frame by frame, and are Pipeline's.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "finwait/capture/divider.h"
#include "finwait/engine/pipeline.h"
#include "finwait/engine/sequencer.h"
#include "finwait/engine/shard_crew.h"
#include "finwait/engine/unit_decoder.h"

namespace finwait::engine {

class ShardedPipeline {
 public:
  /// `filter` (may be null), `source` and `reporter` outlive the pipeline; `options.tracker.events` is false. `threads`, at least 1:
  /// analysis threads. A source that is a FileSequence is read in pieces of `piece` bytes where possible. Takes all memory for connections;
  /// throws std::bad_alloc, CaptureError.
  ShardedPipeline(capture::Source& source, capture::Filter* filter, report::Reporter& reporter, const PipelineOptions& options,
                  unsigned threads, std::uint64_t piece = capture::Divider::kPiece);
  ShardedPipeline(const ShardedPipeline&) = delete;
  ShardedPipeline& operator=(const ShardedPipeline&) = delete;

  /// As Pipeline::run. What a thread could not do for want of memory or the like ends the input there: see totals().capture.damage.
  void run(Steering& steering);

  /// After run(): as Pipeline::totals, and in capture.damage why it ended early, if a thread failed.
  [[nodiscard]] report::Totals totals() const;

 private:
  void settle(const Unit& unit, Steering& steering);
  void work(std::uint32_t number);
  void read_stream();
  [[nodiscard]] std::optional<std::uint64_t> claim_stream();
  void fill(Unit& unit, UnitDecoder& decoder);
  [[nodiscard]] bool decode_piece(UnitDecoder& decoder);
  [[nodiscard]] bool place_decoded(UnitDecoder& decoder);
  void place(std::uint64_t ticket, UnitDecoder& decoder);
  void prove(Unit& unit, UnitDecoder& decoder);

  capture::Source& source_;
  report::Reporter& reporter_;
  PipelineOptions options_;
  std::atomic<bool> stopping_{false};                   // no more is to be read: relaxed, tells of nothing else
  std::vector<std::unique_ptr<UnitDecoder>> decoders_;  // of the analysis threads; the last one is the reader's

  std::mutex sequence_;  // whoever places units
  Sequencer sequencer_;
  std::uint64_t next_placed_ = 0;
  std::string failure_;  // why what follows is left out; empty: nothing is

  std::mutex reading_;  // who reads what
  std::optional<capture::Divider> divider_;
  bool in_pieces_ = false;
  std::uint64_t unproven_ = 0;  // pieces given out and not yet placed
  std::uint64_t next_ticket_ = 0;

  bool limited_ = false;  // the reader's
  bool stopped_ = false;  // the caller's
  ShardCrew crew_;        // its threads end before anything they use
};

}  // namespace finwait::engine

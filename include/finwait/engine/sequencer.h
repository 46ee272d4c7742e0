// Units in file order: what only the order of the file can tell.
//
// Frame numbers, the trace clock, IP fragments put together, and the totals over all frames. Does little for a unit and next to nothing for
// a frame: it is the one place of the data path that does not become faster with more threads. One thread at a time.
#pragma once

#include "finwait/capture/filter.h"
#include "finwait/engine/pipeline.h"
#include "finwait/engine/unit.h"
#include "finwait/engine/unit_decoder.h"

namespace finwait::engine {

class Sequencer {
 public:
  /// `filter` (may be null) outlives it: it learns of the link types that were filtered. Throws std::bad_alloc.
  Sequencer(const PipelineOptions& options, capture::Filter* filter);

  /// The unit follows all units given before. `decoder`: any of this run.
  void place(Unit& unit, const UnitDecoder& decoder);

  /// Where every frame went so far, and what the capture is; no counts of connections, names and performance but bytes.
  [[nodiscard]] report::Totals totals() const;

 private:
  void replay_clock(Unit& unit);
  void place_fragments(Unit& unit, const UnitDecoder& decoder);
  [[nodiscard]] wire::Fate place_fragment(Unit& unit, const HeldFrame& held, const UnitDecoder& decoder);
  void count(Unit& unit);
  void pass_time(Unit& unit);
  void show_types(const Unit& unit);

  PipelineOptions options_;
  capture::Filter* filter_;
  wire::Reassembler reassembler_;
  TraceClock clock_;
  report::Totals totals_;
  capture::LinkTypes shown_types_;
};

}  // namespace finwait::engine

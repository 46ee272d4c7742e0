// A stretch of the capture on its way through the threads: some thousand frames, decoded.
//
// Filled by one thread from frames that it takes for consecutive, without knowing how many came before and what the trace clock stood at.
// Then the sequencer, which sees units in file order, adds both, and what fragments became; from then on nobody changes it until it is
// used again, but each shard its own segments.
//
// What it carries to the shards is its cargo: nearly all of its memory, which goes round sooner than what readers of outcomes want to know.
#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "finwait/base/time.h"
#include "finwait/capture/divider.h"
#include "finwait/capture/live_source.h"
#include "finwait/engine/cargo.h"
#include "finwait/engine/trace_clock.h"
#include "finwait/report/totals.h"
#include "finwait/tcp/tracker.h"
#include "finwait/wire/decode.h"

namespace finwait::engine {

/// How a shard stands between two units.
struct ShardStanding {
  tcp::TrackerCounts counts;
  std::uint32_t remembered = 0;
  std::uint64_t refused = 0;  ///< TCP segments for which there was no room
};

struct Unit {
  // By whoever decodes.
  std::unique_ptr<capture::Piece> piece;  ///< what it was read from; null: the source itself
  std::exception_ptr failure;             ///< why it could not be decoded
  std::uint32_t frames = 0;
  std::uint64_t bytes = 0;
  std::uint64_t cut_short = 0;
  base::Timestamp first = 0;  ///< least and greatest stamp; meaningless without frames
  base::Timestamp last = 0;
  std::array<std::uint64_t, wire::kFates> fates{};
  Cargo* cargo = nullptr;             ///< lent; until all shards are done with the unit
  TraceClock clock;                   ///< as the stamps move one that had seen nothing before
  capture::LinkTypes filtered_types;  ///< link types of the frames shown to the filter, by first appearance
  bool end = false;                   ///< of the input: nothing follows
  bool limited = false;               ///< ... because all that was asked for was read
  double share = -1.0;                ///< of the input read so far; below 0: unknown

  // By whoever reads a live capture.
  base::Timestamp passed = 0;             ///< every frame stamped before it is in this unit or an earlier one; 0: not known
  std::vector<capture::LossSpan> losses;  ///< told when its frames were read
  std::vector<std::string> news;          ///< as LiveSource::take_news
  capture::LiveStats stats;               ///< as of its last frame
  base::Timestamp now = 0;                ///< the machine's clock then

  // By each shard, at its place, when it is done with it; empty if nobody wants to know.
  std::vector<ShardStanding> standings;

  // By the sequencer.
  std::uint64_t frames_before = 0;
  std::uint64_t bytes_before = 0;
  std::uint32_t replayed =
      0;  ///< `stamps` of so many frames in the cargo hold what the trace clock stood at; of the others, their segments do
  base::Timestamp clock_after = 0;
  report::FrameCounts counts_after;  ///< of all frames up to its last one

  /// To be filled: empty, with a cargo that nobody else has.
  void open(Cargo& lent) noexcept {
    cargo = &lent;
    clear();
  }
  /// Empties it and its cargo, but for what they keep of their memory.
  void clear() noexcept;

  /// What the trace clock stood at once frame `number` was read, if `local` is what the unit's own clock did. Once sequenced.
  [[nodiscard]] base::Timestamp clock_at(std::uint64_t number, base::Timestamp local) const noexcept {
    return number <= replayed ? cargo->stamps[number - 1] : local;
  }
};

}  // namespace finwait::engine

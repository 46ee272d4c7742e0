// A stretch of the capture on its way through the threads: some thousand frames, decoded.
//
// Filled by one thread from frames that it takes for consecutive, without knowing how many came before and what the trace clock stood at.
// Then the sequencer, which sees units in file order, adds both, and what fragments became; from then on nobody changes it until it is
// used again, but each shard its own segments. Keeps memory for what its largest content so far needed, which the size of a piece bounds,
// and for no more than some times as much, however the flows were divided.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "finwait/base/memory.h"
#include "finwait/base/time.h"
#include "finwait/capture/divider.h"
#include "finwait/capture/live_source.h"
#include "finwait/engine/trace_clock.h"
#include "finwait/report/totals.h"
#include "finwait/tcp/tracker.h"
#include "finwait/wire/decode.h"
#include "finwait/wire/segment.h"

namespace finwait::engine {

/// A frame that holds an IP fragment: what it is part of is known only in file order.
struct HeldFrame {
  std::uint32_t number = 0;  ///< within the unit, from 1
  std::size_t begin = 0;     ///< its bytes, in Unit::held_bytes
  std::uint32_t captured = 0;
  std::uint32_t length = 0;
  std::uint16_t link_type = 0;
  base::Timestamp time = 0;
  base::Timestamp clock = 0;  ///< by the unit's own clock
};

/// How a shard stands between two units.
struct ShardStanding {
  tcp::TrackerCounts counts;
  std::uint32_t remembered = 0;
  std::uint64_t refused = 0;  ///< TCP segments for which there was no room
};

/// The segments of one shard, one behind the other: the shard reads them straight on, and nobody else's lines. Whoever appends has a copy
/// to give: which shard it is for is known only when a segment is complete. Takes memory of its own where what it was lent is too small.
class Part {
 public:
  Part() noexcept = default;
  /// `lent`, whose contents mean nothing, outlives it and is nobody else's.
  explicit Part(std::span<wire::Segment> lent) noexcept : lent_(lent), begin_(lent.data()), next_(begin_), end_(begin_ + lent.size()) {}
  Part(Part&& other) noexcept = default;
  Part& operator=(Part&& other) noexcept = default;
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  ~Part() = default;

  /// Throws std::bad_alloc.
  void append(const wire::Segment& segment) {
    if (next_ == end_) [[unlikely]]
      grow();
    fetch(next_ + kAhead);
    *next_++ = segment;
  }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(next_ - begin_); }
  [[nodiscard]] std::span<wire::Segment> segments() noexcept { return {begin_, size()}; }
  /// Brings those from place `from` on to their places among the others, by `frame`; both are in order already.
  void merge_from(std::size_t from) noexcept;
  /// Keeps the memory.
  void clear() noexcept { next_ = begin_; }
  /// Gives up memory of its own.
  void shrink() noexcept { *this = Part(lent_); }
  /// Segments for which it has memory of its own.
  [[nodiscard]] std::size_t room() const noexcept { return begin_ == lent_.data() ? 0 : static_cast<std::size_t>(end_ - begin_); }

  static constexpr std::size_t kLeast = 64;  ///< what it takes memory for at first

 private:
  static constexpr std::size_t kAhead = 16;

  /// The shard that read the memory when it was used before still has its lines. Behind the end it fetches for nothing.
  static void fetch(const wire::Segment* segment) noexcept {
    const auto* at = reinterpret_cast<const std::byte*>(segment);
    base::prefetch_line_to_write(at);
    base::prefetch_line_to_write(at + base::kCacheLine);
  }
  void grow();

  std::span<wire::Segment> lent_;
  base::Pages own_;
  wire::Segment* begin_ = nullptr;  // of what was lent, or its own
  wire::Segment* next_ = nullptr;   // where the next one goes
  wire::Segment* end_ = nullptr;
};

struct Unit {
  // By whoever decodes.
  std::unique_ptr<capture::Piece> piece;  ///< what it was read from; null: the source itself
  std::exception_ptr failure;             ///< why it could not be decoded
  std::uint32_t frames = 0;
  std::uint64_t bytes = 0;
  std::uint64_t cut_short = 0;
  std::uint64_t selected = 0;
  base::Timestamp first = 0;  ///< least and greatest stamp; meaningless without frames
  base::Timestamp last = 0;
  std::array<std::uint64_t, wire::kFates> fates{};
  std::vector<base::Timestamp> stamps;  ///< of each frame; kNever: outside the span asked for
  TraceClock clock;                     ///< as the stamps move one that had seen nothing before
  std::vector<Part> parts;              ///< for each shard; `frame` within the unit, `clock` by the clock above, until the shard comes
  std::vector<HeldFrame> held;
  std::vector<std::uint8_t> held_bytes;
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

  std::size_t most_segments = 0;  ///< that it had to be cleared of so far

  // By the sequencer.
  std::uint64_t frames_before = 0;
  std::uint64_t bytes_before = 0;
  std::uint32_t replayed = 0;  ///< `stamps` of so many frames hold what the trace clock stood at; of the others, their segments do
  base::Timestamp clock_after = 0;
  report::FrameCounts counts_after;  ///< of all frames up to its last one

  /// Empties it, but for what it keeps of its memory.
  void clear() noexcept;

  /// What the trace clock stood at once frame `number` was read, if `local` is what the unit's own clock did. Once sequenced.
  [[nodiscard]] base::Timestamp clock_at(std::uint64_t number, base::Timestamp local) const noexcept {
    return number <= replayed ? stamps[number - 1] : local;
  }

 private:
  void clear_parts() noexcept;
};

}  // namespace finwait::engine

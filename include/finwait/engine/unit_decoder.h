// Frames into a unit: counted, dated by its own clock, filtered, decoded, and their segments dealt out to the shards.
//
// What depends on frames of other units is left open: see unit.h. One thread uses a decoder; each thread has its own.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "finwait/base/hash.h"
#include "finwait/capture/filter.h"
#include "finwait/capture/source.h"
#include "finwait/engine/pipeline.h"
#include "finwait/engine/unit.h"

namespace finwait::engine {

class UnitDecoder {
 public:
  /// `filter` may be null; only its expression is used. Throws CaptureError, std::bad_alloc.
  UnitDecoder(const PipelineOptions& options, const capture::Filter* filter, std::uint32_t shards);

  /// Adds the next frames; their bytes are not needed afterwards. Returns how many were taken: fewer if options.frame_limit was reached,
  /// counted over the life of this decoder. Throws std::bad_alloc.
  std::size_t add(Unit& unit, std::span<const capture::Frame> frames);

  /// Whether options.frame_limit has been reached.
  [[nodiscard]] bool is_full() const noexcept { return selected_ >= options_.frame_limit; }

  /// Gives a segment to its shard, behind those that are there; to a unit to which frames were added. Throws std::bad_alloc.
  void deal(Unit& unit, wire::Segment& segment) const;

 private:
  /// Frames are decoded some at a time, and then dealt out: a segment that is copied right after its fields were written would wait for
  /// them to reach the cache.
  static constexpr std::size_t kAtOnce = 32;

  template <bool kReadPayload>
  void take_all(Unit& unit, std::span<const capture::Frame> frames);
  template <bool kReadPayload>
  [[nodiscard]] std::size_t take_some(Unit& unit, std::span<const capture::Frame> frames, base::Timestamp* stamps);
  void date(Unit& unit, base::Timestamp stamp);
  [[nodiscard]] bool take(Unit& unit, const capture::Frame& frame, wire::Segment& segment);
  void deal_all(Unit& unit, std::span<const wire::Segment> segments) const;
  [[nodiscard, gnu::noinline]] bool take_uncommon(Unit& unit, const capture::Frame& frame, wire::Segment& segment);
  [[nodiscard]] bool count(Unit& unit, const capture::Frame& frame, wire::Fate fate, const wire::Segment& segment) const;
  [[nodiscard]] wire::Fate examine(Unit& unit, const capture::Frame& frame, wire::Segment& segment);
  void hold(Unit& unit, const capture::Frame& frame) const;

  PipelineOptions options_;
  std::optional<capture::Filter> filter_;
  base::QuickHash hash_;
  tcp::Partitions partitions_;
  std::uint32_t shards_;
  bool all_alike_;  // as Pipeline::all_alike_
  std::uint64_t selected_ = 0;
  std::array<wire::Segment, kAtOnce> segments_;
};

}  // namespace finwait::engine

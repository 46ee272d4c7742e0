#include "finwait/engine/unit_decoder.h"

#include <algorithm>
#include <limits>

#include "finwait/base/memory.h"
#include "finwait/wire/common_frame.h"

namespace finwait::engine {
namespace {

/// The shards that read the unit when it was used before still have its lines. Past the end of the segments it fetches for nothing.
void fetch_ahead(const wire::Segment* segment) noexcept {
  constexpr std::size_t kAhead = 12;
  const auto* next = reinterpret_cast<const std::byte*>(segment) + kAhead * sizeof(wire::Segment);
  base::prefetch_line_to_write(next);
  base::prefetch_line_to_write(next + base::kCacheLine);
}

}  // namespace

UnitDecoder::UnitDecoder(const PipelineOptions& options, const capture::Filter* filter, std::uint32_t shards)
    : options_(options),
      hash_(options.tracker.seed),
      partitions_(options.tracker.max_connections),
      shards_(shards),
      all_alike_(filter == nullptr && takes_all(options)) {
  if (filter != nullptr) filter_.emplace(filter->expression());
}

std::size_t UnitDecoder::add(Unit& unit, std::span<const capture::Frame> frames) {
  unit.parts.resize(shards_);
  const std::size_t room = unit.segment_count + frames.size();
  if (unit.segments.size() < room) unit.segments.resize(std::max(room, unit.segments.size() * 2));
  if (all_alike_ && frames.size() < options_.frame_limit - selected_) {
    options_.decode.checksums != wire::Checksums::kIgnore ? take_all<true>(unit, frames) : take_all<false>(unit, frames);
    return frames.size();
  }
  std::size_t taken = 0;
  while (taken != frames.size() && selected_ < options_.frame_limit) take(unit, frames[taken++]);
  return taken;
}

/// As Pipeline::take_all.
template <bool kReadPayload>
void UnitDecoder::take_all(Unit& unit, std::span<const capture::Frame> frames) {
  std::uint32_t segments_before = unit.segment_count;
  base::Timestamp latest = std::numeric_limits<base::Timestamp>::min();
  unit.stamps.resize(unit.stamps.size() + frames.size());
  base::Timestamp* stamp = unit.stamps.data() + (unit.stamps.size() - frames.size());
  for (const capture::Frame& frame : frames) {
    ++unit.frames;
    unit.bytes += frame.captured;
    unit.cut_short += frame.captured < frame.length ? 1U : 0U;
    *stamp++ = frame.time;
    if (unit.clock.goes_on(frame.time)) [[likely]] {
      latest = frame.time;
    } else {
      date(unit, frame.time);
      unit.clock.tick(frame.time);
    }
    wire::Segment& segment = unit.segments[unit.segment_count];
    fetch_ahead(&segment);
    if (!wire::decode_common<kReadPayload>(frame.data, frame.captured, frame.length, frame.link_type, segment)) [[unlikely]] {
      if (!take_uncommon(unit, frame, segment)) continue;
      ++segments_before;  // counted by its fate
    }
    segment.time = frame.time;
    segment.clock = unit.clock.now();
    segment.frame = unit.frames;
    deal(unit, segment);
  }
  unit.last = std::max(unit.last, latest);
  selected_ += frames.size();
  unit.fates[static_cast<std::size_t>(wire::Fate::kTcp)] += unit.segment_count - segments_before;
}

/// The least and the greatest stamp.
void UnitDecoder::date(Unit& unit, base::Timestamp stamp) {
  unit.first = unit.frames == 1 ? stamp : std::min(unit.first, stamp);
  unit.last = unit.frames == 1 ? stamp : std::max(unit.last, stamp);
}

bool UnitDecoder::take_uncommon(Unit& unit, const capture::Frame& frame, wire::Segment& segment) {
  const wire::FrameView view{frame.data, frame.captured, frame.length, frame.link_type};
  return count(unit, frame, wire::decode(view, options_.decode, segment), segment);
}

/// Whether there is a segment in it.
bool UnitDecoder::count(Unit& unit, const capture::Frame& frame, wire::Fate fate, const wire::Segment& segment) const {
  ++unit.fates[static_cast<std::size_t>(fate)];
  if (fate == wire::Fate::kFragment) hold(unit, frame);
  return fate == wire::Fate::kTcp || (fate == wire::Fate::kOtherIp && segment.kind == wire::SegmentKind::kIcmpError);
}

/// As Pipeline::take.
void UnitDecoder::take(Unit& unit, const capture::Frame& frame) {
  ++unit.frames;
  unit.bytes += frame.captured;
  date(unit, frame.time);
  if (frame.captured < frame.length) ++unit.cut_short;

  wire::Segment& segment = unit.segments[unit.segment_count];
  if (!count(unit, frame, examine(unit, frame, segment), segment)) return;
  segment.time = frame.time;
  segment.clock = unit.clock.now();
  segment.frame = unit.frames;
  deal(unit, segment);
}

/// As Pipeline::examine, but that fragments stay what they are.
wire::Fate UnitDecoder::examine(Unit& unit, const capture::Frame& frame, wire::Segment& segment) {
  if (frame.time < options_.from || frame.time > options_.to) {
    unit.stamps.push_back(base::kNever);
    return wire::Fate::kFiltered;
  }
  unit.stamps.push_back(frame.time);
  unit.clock.tick(frame.time);
  if (filter_) {
    unit.filtered_types.note(frame.link_type);
    if (!filter_->matches(frame)) return wire::Fate::kFiltered;
  }
  ++selected_;
  const wire::FrameView view{frame.data, std::min(frame.captured, options_.snapshot_length), frame.length, frame.link_type};
  return wire::decode(view, options_.decode, segment);
}

void UnitDecoder::deal(Unit& unit, wire::Segment& segment) const {
  segment.hash = hash_.hash40(&segment.key);
  unit.parts[partitions_.shard_of(segment.hash, shards_)].push_back(unit.segment_count);
  ++unit.segment_count;
}

void UnitDecoder::hold(Unit& unit, const capture::Frame& frame) const {
  const std::uint32_t captured = std::min(frame.captured, options_.snapshot_length);
  unit.held.push_back({unit.frames, unit.held_bytes.size(), captured, frame.length, frame.link_type, frame.time, unit.clock.now()});
  unit.held_bytes.insert(unit.held_bytes.end(), frame.data, frame.data + captured);
}

}  // namespace finwait::engine

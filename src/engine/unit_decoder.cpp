#include "finwait/engine/unit_decoder.h"

#include <algorithm>

namespace finwait::engine {

UnitDecoder::UnitDecoder(const PipelineOptions& options, const capture::Filter* filter, std::uint32_t shards)
    : options_(options), hash_(options.tracker.seed), shards_(shards) {
  if (filter != nullptr) filter_.emplace(filter->expression());
}

std::size_t UnitDecoder::add(Unit& unit, std::span<const capture::Frame> frames) {
  unit.parts.resize(shards_);
  const std::size_t room = unit.segment_count + frames.size();
  if (unit.segments.size() < room) unit.segments.resize(std::max(room, unit.segments.size() * 2));
  std::size_t taken = 0;
  while (taken != frames.size() && selected_ < options_.frame_limit) take(unit, frames[taken++]);
  return taken;
}

/// As Pipeline::take.
void UnitDecoder::take(Unit& unit, const capture::Frame& frame) {
  const std::uint32_t number = ++unit.frames;
  unit.bytes += frame.captured;
  unit.first = number == 1 ? frame.time : std::min(unit.first, frame.time);
  unit.last = number == 1 ? frame.time : std::max(unit.last, frame.time);
  if (frame.captured < frame.length) ++unit.cut_short;

  wire::Segment& segment = unit.segments[unit.segment_count];
  const wire::Fate fate = examine(unit, frame, segment);
  ++unit.fates[static_cast<std::size_t>(fate)];
  if (fate == wire::Fate::kFragment) hold(unit, frame);
  const bool icmp = fate == wire::Fate::kOtherIp && segment.kind == wire::SegmentKind::kIcmpError;
  if (fate != wire::Fate::kTcp && !icmp) return;
  segment.time = frame.time;
  segment.clock = unit.clock.now();
  segment.frame = number;
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
  unit.parts[base::shard_of(segment.hash, shards_)].push_back(unit.segment_count);
  ++unit.segment_count;
}

void UnitDecoder::hold(Unit& unit, const capture::Frame& frame) const {
  const std::uint32_t captured = std::min(frame.captured, options_.snapshot_length);
  unit.held.push_back({unit.frames, unit.held_bytes.size(), captured, frame.length, frame.link_type, frame.time, unit.clock.now()});
  unit.held_bytes.insert(unit.held_bytes.end(), frame.data, frame.data + captured);
}

}  // namespace finwait::engine

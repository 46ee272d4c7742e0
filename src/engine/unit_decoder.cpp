#include "finwait/engine/unit_decoder.h"

#include <algorithm>

#include "finwait/engine/take_alike.h"

namespace finwait::engine {

UnitDecoder::UnitDecoder(const PipelineOptions& options, const capture::Filter* filter, std::uint32_t shards)
    : options_(options),
      hash_(options.tracker.seed),
      partitions_(options.tracker.max_connections),
      shards_(shards),
      all_alike_(filter == nullptr && takes_all(options)) {
  if (filter != nullptr) filter_.emplace(filter->expression());
}

std::size_t UnitDecoder::add(Unit& unit, std::span<const capture::Frame> frames) {
  if (all_alike_ && frames.size() < options_.frame_limit - selected_) {
    options_.decode.checksums != wire::Checksums::kIgnore ? take_all<true>(unit, frames) : take_all<false>(unit, frames);
    return frames.size();
  }
  std::size_t taken = 0;
  std::size_t count = 0;
  while (taken != frames.size() && selected_ < options_.frame_limit) {
    if (!take(unit, frames[taken++], segments_[count])) continue;
    if (++count != kAtOnce) continue;
    deal_all(unit, segments_);
    count = 0;
  }
  deal_all(unit, std::span(segments_).first(count));
  return taken;
}

/// As Pipeline::take_all.
template <bool kReadPayload>
void UnitDecoder::take_all(Unit& unit, std::span<const capture::Frame> frames) {
  std::vector<base::Timestamp>& stamps = unit.cargo->stamps;
  const std::size_t before = stamps.size();
  stamps.resize(before + frames.size());
  selected_ += frames.size();
  for (std::size_t n = 0; n < frames.size(); n += kAtOnce) {
    const auto some = frames.subspan(n, std::min(kAtOnce, frames.size() - n));
    deal_all(unit, std::span(segments_).first(take_some<kReadPayload>(unit, some, stamps.data() + before + n)));
  }
}

/// kAtOnce frames at most, into segments_; returns how many segments they are.
template <bool kReadPayload>
std::size_t UnitDecoder::take_some(Unit& unit, std::span<const capture::Frame> frames, base::Timestamp* stamps) {
  const std::uint32_t before = unit.frames;
  const Taken taken = take_alike<kReadPayload>(
      frames, before + 1, unit.clock, hash_, segments_.data(), stamps,
      [this, &unit](std::uint64_t number, base::Timestamp stamp) {
        unit.frames = static_cast<std::uint32_t>(number);
        date(unit, stamp);
        unit.clock.tick(stamp);
      },
      [this, &unit](std::uint64_t number, const capture::Frame& frame, wire::Segment& segment) {
        unit.frames = static_cast<std::uint32_t>(number);
        return take_uncommon(unit, frame, segment);
      });
  unit.frames = before + static_cast<std::uint32_t>(frames.size());
  unit.bytes += taken.bytes;
  unit.cut_short += taken.cut_short;
  unit.last = std::max(unit.last, taken.latest);
  unit.fates[static_cast<std::size_t>(wire::Fate::kTcp)] += taken.segments - taken.uncommon;
  return taken.segments;
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
  return wire::gives_segment(fate, segment);
}

/// As Pipeline::take. Whether there is a segment in it.
bool UnitDecoder::take(Unit& unit, const capture::Frame& frame, wire::Segment& segment) {
  ++unit.frames;
  unit.bytes += frame.captured;
  date(unit, frame.time);
  if (frame.captured < frame.length) ++unit.cut_short;
  if (!count(unit, frame, examine(unit, frame, segment), segment)) return false;
  segment.time = frame.time;
  segment.clock = unit.clock.now();
  segment.frame = unit.frames;
  segment.hash = hash_.hash40(&segment.key);
  return true;
}

/// As Pipeline::examine, but that fragments stay what they are.
wire::Fate UnitDecoder::examine(Unit& unit, const capture::Frame& frame, wire::Segment& segment) {
  if (frame.time < options_.from || frame.time > options_.to) {
    unit.cargo->stamps.push_back(base::kNever);
    return wire::Fate::kFiltered;
  }
  unit.cargo->stamps.push_back(frame.time);
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
  deal_all(unit, std::span(&segment, 1));
}

void UnitDecoder::deal_all(Unit& unit, std::span<const wire::Segment> segments) const {
  Parts& parts = unit.cargo->parts;
  for (const wire::Segment& segment : segments) parts.append(partitions_.shard_of(segment.hash, shards_), segment);
}

void UnitDecoder::hold(Unit& unit, const capture::Frame& frame) const {
  const std::uint32_t captured = std::min(frame.captured, options_.snapshot_length);
  unit.cargo->held.push_back(
      {unit.frames, unit.cargo->held_bytes.size(), captured, frame.length, frame.link_type, frame.time, unit.clock.now()});
  unit.cargo->held_bytes.insert(unit.cargo->held_bytes.end(), frame.data, frame.data + captured);
}

}  // namespace finwait::engine

#include "finwait/engine/held_frames.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace finwait::engine {
namespace {

constexpr std::size_t kLeast = std::size_t{1} << 20U;
constexpr std::size_t kHeads = std::size_t{1} << 18U;

constexpr std::size_t padded(std::size_t bytes) { return (bytes + 7) / 8 * 8; }

}  // namespace

HeldFrames::HeldFrames(std::size_t bytes) : size_(padded(std::max(bytes, kLeast))), memory_(size_), newest_(kHeads) {}

void HeldFrames::keep(std::span<const capture::Frame> frames, std::uint64_t first, std::span<const wire::Segment> segments) {
  for (const wire::Segment& segment : segments) keep_one(frames[segment.frame - first], segment);
}

/// A frame is in one piece: what is left at the end of the memory is skipped if it does not fit there.
void HeldFrames::keep_one(const capture::Frame& frame, const wire::Segment& segment) {
  static_assert(std::is_trivially_copyable_v<Record>);
  const std::size_t bytes = padded(sizeof(Record) + frame.captured);
  if (bytes > size_ / 2) return;
  if (next_ % size_ + bytes > size_) next_ += size_ - next_ % size_;
  std::uint64_t& newest = newest_[segment.hash % kHeads];
  const Record record{newest, segment.frame, segment.key, frame.time, frame.captured, frame.length, frame.link_type, 0, frame.interface};
  std::memcpy(at(next_), &record, sizeof record);
  if (frame.captured != 0) std::memcpy(at(next_) + sizeof record, frame.data, frame.captured);
  newest = next_ + 1;
  next_ += bytes;
}

std::span<const HeldFrames::Held> HeldFrames::take(const wire::FlowKey& key, std::uint64_t hash, std::uint64_t first, std::uint64_t last) {
  found_.clear();
  Record record;
  for (std::uint64_t next = newest_[hash % kHeads]; next != 0 && there(next - 1); next = record.before) {
    std::byte* const place = at(next - 1);
    std::memcpy(&record, place, sizeof record);
    if (record.number < first) break;
    if (record.number > last || record.key != key || record.taken != 0) continue;
    record.taken = 1;
    std::memcpy(place, &record, sizeof record);
    const auto* const data = reinterpret_cast<const std::uint8_t*>(place) + sizeof record;
    found_.push_back({{data, record.captured, record.length, record.time, record.link_type, record.interface}, record.number});
  }
  std::reverse(found_.begin(), found_.end());
  return found_;
}

}  // namespace finwait::engine

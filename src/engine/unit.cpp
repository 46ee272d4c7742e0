#include "finwait/engine/unit.h"

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>

namespace finwait::engine {

void Part::grow() {
  static_assert(std::is_trivially_copyable_v<wire::Segment> && std::is_trivially_destructible_v<wire::Segment>);
  const std::size_t count = size();
  const std::size_t room = std::max(kLeast, count * 2);
  base::Pages larger(room * sizeof(wire::Segment));
  auto* const segments = reinterpret_cast<wire::Segment*>(larger.data());
  std::uninitialized_copy_n(begin_, count, segments);
  own_ = std::move(larger);
  begin_ = segments;
  next_ = segments + count;
  end_ = segments + room;
}

void Part::merge_from(std::size_t from) noexcept {
  std::inplace_merge(begin_, begin_ + from, next_, [](const wire::Segment& a, const wire::Segment& b) { return a.frame < b.frame; });
}

void Unit::clear() noexcept {
  piece.reset();
  failure = nullptr;
  frames = replayed = 0;
  bytes = cut_short = selected = 0;
  first = last = 0;
  fates.fill(0);
  stamps.clear();
  clock = TraceClock{};
  clear_parts();
  held.clear();
  held_bytes.clear();
  if (!filtered_types.in_order().empty()) filtered_types = capture::LinkTypes{};
  end = limited = false;
  share = -1.0;
  passed = now = 0;
  losses.clear();
  news.clear();
  stats = {};
  frames_before = bytes_before = 0;
  clock_after = 0;
}

/// Where each shard in its turn had nearly all flows, each part would keep memory for nearly all segments.
void Unit::clear_parts() noexcept {
  constexpr std::size_t kKept = 4;  // times the most segments
  std::size_t segments = 0;
  std::size_t room = 0;
  for (const Part& part : parts) {
    segments += part.size();
    room += part.room();
  }
  most_segments = std::max(most_segments, segments);
  const bool keep = room <= kKept * most_segments + parts.size() * Part::kLeast;
  for (Part& part : parts) keep ? part.clear() : part.shrink();
}

}  // namespace finwait::engine

#include "census.h"

#include <algorithm>
#include <limits>

namespace finwait::hosts {

namespace {

constexpr std::size_t column(tcp::State state) noexcept { return static_cast<std::size_t>(state); }

constexpr std::uint32_t kNotCounted =
    1U << column(tcp::State::kUnknown) | 1U << column(tcp::State::kListen) | 1U << column(tcp::State::kClosed);

constexpr bool counted(tcp::State state) noexcept { return (kNotCounted >> column(state) & 1U) == 0; }

}  // namespace

void Census::add(const Life& life) noexcept {
  add_end(life, 0);
  add_end(life, 1);
}

/// One state is left when the next one is entered: both changes are in one row. What is not counted is entered in columns that nobody
/// reads.
void Census::add_end(const Life& life, unsigned end) noexcept {
  const base::Timestamp* times = life.step_times[end].data();
  std::uint64_t states = life.step_states[end];
  const unsigned steps = life.steps[end];
  auto* const rows = changes_.data();
  const std::uint64_t shift = shift_;
  const std::int64_t low = low_;
  const std::uint64_t width = width_;
  std::size_t before = column(tcp::State::kUnknown);
  base::Timestamp since = std::numeric_limits<base::Timestamp>::min();
  std::uint32_t seen = 0;
  unsigned n = 0;
  for (; n != steps; ++n) {
    const base::Timestamp time = times[n];
    const std::int64_t bin = time >> shift;
    if (time < since || static_cast<std::uint64_t>(bin - low) >= width) break;
    auto& row = rows[place(bin)];
    --row[before];
    before = states & 0xff;
    states >>= 8;
    ++row[before];
    seen |= 1U << before;
    since = time;
  }
  seen_ |= seen;
  add_rest(life, end, n);
}

/// From this step on, for stamps in any order and of any time. A state is not left before it was entered, whatever the stamps say.
void Census::add_rest(const Life& life, unsigned end, unsigned n) noexcept {
  tcp::State before = n == 0 ? tcp::State::kUnknown : life.step_state(end, n - 1);
  base::Timestamp since = n == 0 ? 0 : life.step_times[end][n - 1];
  for (; n != life.steps[end]; ++n) {
    const auto [time, state] = life.step(end, n);
    if (counted(before)) --at(std::max(since, time))[column(before)];
    if (counted(state)) ++at(time)[column(state)];
    seen_ |= 1U << column(state);
    before = state;
    since = time;
  }
  if (counted(before) && life.released != base::kNever) --at(std::max(since, life.released))[column(before)];
}

/// The bin of this time comes into use.
[[gnu::noinline]] void Census::make_room(base::Timestamp time) noexcept {
  if (width_ == 0) low_ = time >> shift_;
  const auto highest = [this] { return low_ + static_cast<std::int64_t>(std::max<std::uint64_t>(width_, 1)) - 1; };
  while (std::max(highest(), time >> shift_) - std::min(low_, time >> shift_) >= static_cast<std::int64_t>(kBins)) merge();
  const std::int64_t high = std::max(highest(), time >> shift_);
  low_ = std::min(low_, time >> shift_);
  width_ = static_cast<std::uint64_t>(high - low_) + 1;
}

void Census::merge() noexcept {
  const std::int64_t high = low_ + static_cast<std::int64_t>(width_) - 1;
  std::array<std::array<std::int32_t, kRow>, kBins> merged{};
  for (std::int64_t bin = low_; bin <= high; ++bin) {
    for (std::size_t state = 0; state != kRow; ++state) merged[place(bin >> 1)][state] += changes_[place(bin)][state];
  }
  changes_ = merged;
  low_ >>= 1;
  ++shift_;
  if (width_ != 0) width_ = static_cast<std::uint64_t>((high >> 1) - low_) + 1;
}

Populations Census::populations() const {
  Populations result;
  if (width_ == 0) return result;
  result.from = low_ << shift_;
  result.step = base::Duration{1} << shift_;
  for (std::size_t state = 0; state != result.ends.size(); ++state) {
    if (!counted(static_cast<tcp::State>(state)) || (seen_ >> state & 1U) == 0) continue;
    std::int64_t level = 0;
    for (std::uint64_t n = 0; n != width_; ++n) {
      level += changes_[place(low_ + static_cast<std::int64_t>(n))][state];
      result.ends[state].push_back(level);
    }
  }
  return result;
}

}  // namespace finwait::hosts

#include "finwait/hosts/census.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <tuple>

namespace finwait::hosts {

namespace {

constexpr std::size_t column(tcp::State state) noexcept { return static_cast<std::size_t>(state); }

constexpr std::uint32_t kNotCounted =
    1U << column(tcp::State::kUnknown) | 1U << column(tcp::State::kListen) | 1U << column(tcp::State::kClosed);

constexpr bool counted(tcp::State state) noexcept { return (kNotCounted >> column(state) & 1U) == 0; }

}  // namespace

void Census::add(const Life& life) noexcept {
  for (unsigned end = 0; end != 2; ++end) {
    if (life.steps[end] != 0) add_end({life.step_times[end].data(), life.step_states[end], life.steps[end], life.released});
  }
}

void Census::add_stay(base::Timestamp from, tcp::State state, base::Timestamp until) noexcept {
  const std::int64_t bin = from >> shift_;
  const std::int64_t last = until == base::kNever ? bin : until >> shift_;
  if ((seen_ >> column(state) & 1U) == 0 || !in_use(bin) || last < bin || !in_use(last)) {
    return add_end({&from, static_cast<std::uint64_t>(state), 1, until});
  }
  ++changes_[place(bin)][column(state)];
  if (until != base::kNever) --changes_[place(last)][column(state)];
}

/// One state is left when the next one is entered: both changes are in one row. What is not counted is entered in columns that nobody
/// reads. No branch but for what hardly happens: when ends change bins is not to be foretold.
void Census::add_end(const Course& course) noexcept {
  const std::uint64_t shift = shift_;
  const std::int64_t low = low_;
  const std::uint64_t width = width_;
  auto* const rows = changes_.data();
  note_seen(course.states, course.steps);
  std::uint64_t states = course.states;
  std::size_t before = column(tcp::State::kUnknown);
  base::Timestamp since = std::numeric_limits<base::Timestamp>::min();
  for (unsigned n = 0; n != course.steps; ++n) {
    const base::Timestamp time = course.times[n];
    const std::int64_t bin = time >> shift;
    if (time < since || static_cast<std::uint64_t>(bin - low) >= width) return add_rest(course, n);
    auto& row = rows[place(bin)];
    --row[before];
    before = states & 0xff;
    states >>= 8;
    ++row[before];
    since = time;
  }
  if (course.released == base::kNever) return;
  const std::int64_t bin = std::max(since, course.released) >> shift;
  if (!in_use(bin)) return add_rest(course, course.steps);
  --rows[place(bin)][before];
}

/// Most ends go through the states that others went through before.
void Census::note_seen(std::uint64_t states, unsigned steps) noexcept {
  constexpr unsigned kBits = std::countr_zero(std::tuple_size_v<decltype(noted_)>);
  const std::uint64_t all = states << (64 - 8 * steps);  // those after the last mean nothing
  std::uint64_t& noted = noted_[all * 0x9e37'79b9'7f4a'7c15 >> (64 - kBits)];
  if (noted == all) return;
  noted = all;
  for (unsigned n = 0; n != steps; ++n) seen_ |= 1U << column(tcp::StateSteps::state_of(states, n));
}

/// From this step on, for stamps in any order and of any time. A state is not left before it was entered, whatever the stamps say.
void Census::add_rest(const Course& course, unsigned n) noexcept {
  tcp::State before = n == 0 ? tcp::State::kUnknown : tcp::StateSteps::state_of(course.states, n - 1);
  base::Timestamp since = n == 0 ? 0 : course.times[n - 1];
  for (; n != course.steps; ++n) {
    const base::Timestamp time = course.times[n];
    const tcp::State state = tcp::StateSteps::state_of(course.states, n);
    if (counted(before)) --at(std::max(since, time))[column(before)];
    if (counted(state)) ++at(time)[column(state)];
    before = state;
    since = time;
  }
  if (counted(before) && course.released != base::kNever) --at(std::max(since, course.released))[column(before)];
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

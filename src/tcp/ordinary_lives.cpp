// Connections that are kept short, from their second segment on (attempts.cpp: before): when one is expanded, and how long it is remembered
// (as lifetime.cpp has it, for the few states that an ordinary life knows).
#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

#include "compact_expand.h"
#include "tracker_impl.h"

namespace finwait::tcp {
namespace {

bool is_released(const Compact& c) noexcept { return c.is(trait::kReleased); }

/// What its states say of a life: how easily it is given up, and what it waits for.
enum class Wait : std::uint8_t { kTimeWait, kClosed, kSynReceived, kSynSent, kClosing, kIdle };
static_assert(static_cast<std::size_t>(Wait::kIdle) + 1 == std::tuple_size_v<Waits>);
struct Standing {
  Worth worth;
  Wait wait;
};

constexpr Standing standing_in(State a, State b) noexcept {
  const auto in = [&](State state) { return a == state || b == state; };
  if (in(State::kTimeWait)) return {Worth::kOver, Wait::kTimeWait};
  if (in(State::kClosed)) return {Worth::kOver, Wait::kClosed};
  if (in(State::kSynReceived)) return {Worth::kHalfOpen, Wait::kSynReceived};
  if (in(State::kSynSent)) return {Worth::kUnanswered, Wait::kSynSent};
  const bool both_fins = in(State::kLastAck) || in(State::kClosing) || (a == State::kFinWait1 && b == State::kFinWait1);
  return {Worth::kAlive, both_fins ? Wait::kClosing : Wait::kIdle};
}

constexpr auto kStandings = [] {
  std::array<std::array<Standing, kStates>, kStates> all{};
  for (int a = 0; a != kStates; ++a) {
    for (int b = 0; b != kStates; ++b) {
      all[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)] = standing_in(static_cast<State>(a), static_cast<State>(b));
    }
  }
  return all;
}();

constexpr base::Duration kForEver = std::numeric_limits<base::Duration>::max();

/// How long it waits, after its last segment, for what would take it further.
base::Duration time_of(Wait wait, const Timers& t) noexcept {
  switch (wait) {
    case Wait::kTimeWait:
      return time_wait(t);
    case Wait::kClosed:
      return 2 * t.msl;
    case Wait::kSynReceived:
      return t.syn_ack_unanswered;
    case Wait::kSynSent:
      return t.syn_unanswered;
    case Wait::kClosing:
      return t.closing;
    case Wait::kIdle:
      break;
  }
  return kForEver;
}

Standing standing(const Compact& c) noexcept {
  return kStandings[static_cast<std::size_t>(c.states[0])][static_cast<std::size_t>(c.states[1])];
}

/// As its ends were last counted: until its states are settled, as it stood before.
Standing standing_counted(const Compact& c) noexcept { return kStandings[c.counted[0] - 1U][c.counted[1] - 1U]; }

}  // namespace

// A tick of the clock at least, and no longer than it may be idle.
Waits waits_of(const Timers& timers) noexcept {
  const base::Duration idle = timers.idle != 0 ? timers.idle : kForEver;
  Waits waits{};
  for (std::size_t n = 0; n != waits.size(); ++n) {
    waits[n] = std::max<base::Duration>(std::min(time_of(static_cast<Wait>(n), timers), idle), 1);
  }
  return waits;
}

// True if the segment is the next step of the ordinary life. Otherwise the flow is to be looked up again: the life is over, or stands there
// in full.
bool Tracker::Impl::track_compact(std::uint32_t index, const wire::Segment& s) noexcept {
  Compact& c = memory.compact(index);
  if (may_be_due(c, s.clock) && deadline(c) <= s.clock) {
    due_compact(index, s.clock);
    return false;
  }
  if (s.kind == wire::SegmentKind::kTcp) {
    const CompactMachine::Taken taken = compacts.apply(c, memory.extra(index), index, s);
    if (taken == CompactMachine::Taken::kMoved) settle_compact(index);
    if (taken != CompactMachine::Taken::kRefused) return true;
  }
  expand(index);
  return false;
}

// Something happened that is not ordinary: from here on it is remembered as any other connection.
void Tracker::Impl::expand(std::uint32_t index) noexcept {
  const std::uint32_t whole = memory.replace_compact(index);
  Compact& c = memory.compact(index);
  Connection& w = memory[whole];
  read_history(c, transitions);
  compacts.unfold(c, memory.extra(index), w);
  for (const Transition& t : transitions) journal.write_down(w, t);
  w.hash = c.hash;
  w.deadline = deadline(c);
  zeek.move(index, whole);
  memory.arm(whole);
  memory.free(index);
}

void Tracker::Impl::expand_all() noexcept {
  keeps_short = false;
  memory.for_each_attempt([this](std::uint32_t index) {
    if (!memory.attempt(index).is_released()) outgrow(index);
  });
  memory.for_each_compact([this](std::uint32_t index) {
    if (!is_released(memory.compact(index))) expand(index);
  });
}

void Tracker::Impl::settle_compact(std::uint32_t index) noexcept {
  Compact& c = memory.compact(index);
  const Worth before = standing_counted(c).worth;
  const Worth worth = standing(c).worth;
  for (std::size_t end = 0; end != 2; ++end) count_state(c.counted[end], c.states[end]);
  memory.arm(index, deadline(c));
  if (worth != before) memory.value(index, worth);  // most steps of a close leave it where it is in its list
}

/// It follows from what the record says, and is never written down: quiet segments put it off.
base::Timestamp Tracker::Impl::deadline(const Compact& c) const noexcept {
  const base::Duration wait = waits[static_cast<std::size_t>(standing(c).wait)];
  return wait == kForEver ? base::kNever : base::after(c.last_clock, wait);
}

// Returns when to ask again, or `now` if it has been released.
base::Timestamp Tracker::Impl::due_compact(std::uint32_t index, base::Timestamp now) noexcept {
  Compact& c = memory.compact(index);
  if (is_released(c)) return now;
  const base::Timestamp at = deadline(c);
  if (at > now) return c.armed = at;
  const bool waited = c.in(State::kTimeWait);
  if (waited) compacts.expire_time_wait(c);
  const bool idle = options.timers.idle != 0 && at == base::after(c.last_clock, options.timers.idle) && !waited;
  release_compact(index, idle ? Release::kIdle : Release::kSettled, at);
  return now;
}

void Tracker::Impl::release_compact(std::uint32_t index, Release why, base::Timestamp at) noexcept {
  memory.unlink(index);
  retire(memory.compact(index), index, why, at);
}

/// Nothing is to find it any more: it waits for its turn to be told of.
void Tracker::Impl::retire(Compact& c, std::uint32_t index, Release why, base::Timestamp at) noexcept {
  mark_released(c, why, at);
  let_go(index, why);
}

void Tracker::Impl::mark_released(Compact& c, Release why, base::Timestamp at) noexcept {
  uncount_states(c.counted);
  c.add(trait::kReleased);
  c.release = why;
  c.released_at = at;
}

void Tracker::Impl::evict_compact(std::uint32_t index) noexcept {
  Compact& c = memory.compact(index);
  ++counts.evicted[static_cast<std::size_t>(c.states[c.originator])];
  memory.displace(index, clock, needy);
  mark_released(c, Release::kEvicted, clock);
}

void Tracker::Impl::finish_compacts(base::Timestamp now) noexcept {
  memory.for_each_compact([&](std::uint32_t index) {
    Compact& c = memory.compact(index);
    if (!is_released(c) && deadline(c) <= now) due_compact(index, now);
    if (is_released(c)) return;
    memory.leave_behind(index);
    retire(c, index, Release::kEndOfInput, base::kNever);
  });
}

// The one handed out, in full for as long.
Connection& Tracker::Impl::unfold(std::uint32_t index) noexcept {
  Compact& c = memory.compact(index);
  read_history(c, transitions);
  compacts.unfold(c, memory.extra(index), unfolded);
  unfolded.hash = c.hash;
  return unfolded;
}

// One that was never unfolded.
void Tracker::Impl::forget_compact(std::uint32_t index) noexcept {
  Compact& c = memory.compact(index);
  for (const CompactEnd& end : c.ends) blocks.release_chain(end.in_flight);
  memory.free(index);
}

}  // namespace finwait::tcp

// Attempts (attempt.h): when one begins, what it becomes with the next segment of its flow, and how it leaves.
//
// How long it is remembered, and in which order, is what lifetime.cpp has for a connection in SYN-SENT whose peer said nothing.
#include <algorithm>

#include "compact_expand.h"
#include "tracker_impl.h"

namespace finwait::tcp {

// A tick of the clock at least, like any other deadline.
base::Duration attempt_wait(const Timers& timers) noexcept {
  const base::Duration idle = timers.idle != 0 ? timers.idle : base::kNever;
  return std::max<base::Duration>(std::min(timers.syn_unanswered, idle), 1);
}

/// Its ends are in no state any more.
inline void Tracker::Impl::uncount_attempt() noexcept {
  --counts.ends[static_cast<std::size_t>(State::kSynSent)];
  --counts.ends[static_cast<std::size_t>(State::kUnknown)];
}

inline void Tracker::Impl::count_evicted_attempt() noexcept {
  ++counts.evicted[static_cast<std::size_t>(State::kSynSent)];
  uncount_attempt();
}

/// As make_room() does it where nothing else is to be done. False if that is not all.
inline bool Tracker::Impl::displace_attempt(std::uint32_t part) noexcept {
  if (memory.is_new_tick(clock) || !memory.displace_oldest_attempt(part, clock, needy)) return false;
  count_evicted_attempt();
  return true;
}

// The first segment of a flow nothing is known of. In a flood it displaces another such.
bool Tracker::Impl::begin_attempt(const wire::Segment& s) noexcept {
  const std::uint32_t part = memory.part_of(s.hash);
  needy = s.frame;
  if (!memory.has_room(part) && !displace_attempt(part) && !make_room(s)) return false;
  const std::uint32_t index = memory.allocate_attempt(s, part);
  if (index == kNoBlock) return false;
  while (!memory.insert_attempt(index, part)) {
    const std::uint32_t victim = memory.victim_in_the_way(s.hash);
    if (victim == kNoBlock) {
      memory.discard(index);
      return false;
    }
    evict(victim);
  }
  ++counts.created;
  journal.note_entered(State::kSynSent);
  ++counts.ends[static_cast<std::size_t>(State::kSynSent)];
  ++counts.ends[static_cast<std::size_t>(State::kUnknown)];
  return true;
}

// True if the segment is the next step of the ordinary life that the attempt has become. Otherwise the flow is to be looked up again: it
// was over before, or something happened that is not ordinary.
bool Tracker::Impl::follow_attempt(std::uint32_t index, const wire::Segment& s) noexcept {
  if (memory.until(index) <= s.clock) {
    due_attempt(index);
    return false;
  }
  return track_compact(outgrow(index), s);
}

/// The compact record that goes on in its place.
std::uint32_t Tracker::Impl::outgrow(std::uint32_t index) noexcept {
  const std::uint32_t life = memory.replace_attempt(index);
  const Attempt& a = memory.attempt(index);
  Compact& c = memory.compact(life);
  zeek.begin(life);
  compacts.begin(c, memory.extra(life), life, a, memory.rest(index));
  // Not by c.states: one of these has only just been written, and both would be read at once.
  constexpr auto counted = [](State state) { return static_cast<std::uint8_t>(static_cast<unsigned>(state) + 1); };
  c.counted[a.direction()] = counted(State::kSynSent);
  c.counted[1U - a.direction()] = counted(State::kUnknown);
  memory.free(index);
  return life;
}

base::Timestamp Tracker::Impl::due_attempt(std::uint32_t index) noexcept {
  const base::Timestamp at = memory.until(index);
  release_attempt(index, attempt_wait(options.timers) == options.timers.idle ? Release::kIdle : Release::kSettled);
  return at;
}

void Tracker::Impl::release_attempt(std::uint32_t index, Release why) noexcept {
  memory.unlink(index);
  retire(memory.attempt(index), index, why);
}

/// Nothing is to find it any more: it waits for its turn to be told of.
void Tracker::Impl::retire(Attempt& a, std::uint32_t index, Release why) noexcept {
  uncount_attempt();
  a.be_released(why);
  let_go(index, why);
}

void Tracker::Impl::evict_attempt(std::uint32_t index) noexcept {
  count_evicted_attempt();
  memory.displace(index, clock, needy);
}

void Tracker::Impl::finish_attempts(base::Timestamp now) noexcept {
  std::uint64_t left = 0;
  memory.for_each_attempt([&](std::uint32_t index) {
    if (memory.attempt(index).is_released()) return;
    if (memory.until(index) <= now) {
      due_attempt(index);
      return;
    }
    memory.leave_attempt(index);
    ++left;
  });
  counts.ends[static_cast<std::size_t>(State::kSynSent)] -= left;
  counts.ends[static_cast<std::size_t>(State::kUnknown)] -= left;
}

// The one handed out, in full for as long.
Connection& Tracker::Impl::unfold_attempt(std::uint32_t index) noexcept {
  const Attempt& a = memory.attempt(index);
  Compact c;
  CompactExtra extra;
  zeek.begin(index);
  compacts.begin(c, extra, index, a, memory.rest(index));
  c.add(trait::kReleased);
  c.release = a.release();
  c.released_at = memory.released_at(index);
  read_history(c, transitions);
  compacts.unfold(c, extra, unfolded);
  unfolded.hash = a.hash;
  return unfolded;
}

}  // namespace finwait::tcp

// How long a connection is remembered, and how it leaves (lifecycle, section 7).
#include <algorithm>
#include <limits>

#include "tracker_impl.h"

namespace finwait::tcp {
namespace {

bool has_ended(const Endpoint& e) noexcept { return e.state == State::kClosed || (e.state == State::kUnknown && !e.facts.any()); }

Worth worth(const Connection& c) noexcept {
  const auto in = [&](State state) { return c.ends[0].state == state || c.ends[1].state == state; };
  if (c.is(trait::kCandidate)) return Worth::kUnanswered;
  const bool never_open = !in(State::kEstablished) && !in(State::kCloseWait) && !in(State::kFinWait1) && !in(State::kFinWait2) &&
                          !in(State::kClosing) && !in(State::kLastAck) && !in(State::kTimeWait);
  if (never_open && in(State::kSynReceived)) return Worth::kHalfOpen;
  if (never_open && (in(State::kSynSent) || (in(State::kUnknown) && !in(State::kClosed)))) return Worth::kUnanswered;
  const auto over = [](const Endpoint& e) { return has_ended(e) || e.state == State::kTimeWait; };
  return over(c.ends[0]) && over(c.ends[1]) ? Worth::kOver : Worth::kAlive;
}

/// A candidate that is neither an old duplicate nor segments of no SYN.
bool is_attempt(const Connection& candidate) noexcept {
  return (!candidate.is(trait::kChallenged) || candidate.is(trait::kFreshCandidate)) && !without_syn(candidate);
}

}  // namespace

// When nothing more is to be expected of the connection, on the trace clock.
base::Timestamp Tracker::Impl::expiry(const Connection& c) const noexcept {
  const Timers& t = options.timers;
  const State a = c.ends[0].state;
  const State b = c.ends[1].state;
  base::Timestamp limit = t.idle != 0 ? base::after(c.last_clock, t.idle) : base::kNever;
  if (a == State::kEstablished && b == State::kEstablished && !c.is(trait::kSuperseded)) return limit;
  const auto in = [&](State state) { return a == state || b == state; };
  const auto until = [&](base::Duration wait) { limit = std::min(limit, base::after(c.last_clock, wait)); };
  if (c.is(trait::kCandidate)) {
    until(t.syn_unanswered);
  } else if (in(State::kTimeWait)) {
    limit = std::min(limit, base::after(c.time_wait_since, time_wait(t)));
  } else if (c.is(trait::kSuperseded) || (has_ended(c.ends[0]) && has_ended(c.ends[1]))) {
    until(2 * t.msl);
  } else if (in(State::kSynReceived) && (in(State::kSynSent) || in(State::kUnknown) || in(State::kClosed) || a == b)) {
    until(t.syn_ack_unanswered);
  } else if (in(State::kSynSent) && (in(State::kUnknown) || in(State::kClosed) || a == b)) {
    until(t.syn_unanswered);
  } else if (c.ends[0].knows(known::kFin) && c.ends[1].knows(known::kFin)) {
    until(t.closing);
  }
  return limit;
}

// Each end is counted under the state it is in, for whoever watches.
void Tracker::Impl::count_states(Connection& c) noexcept {
  for (std::size_t end = 0; end != 2; ++end) count_state(c.counted[end], c.ends[end].state);
}

void Tracker::Impl::count_state(std::uint8_t& counted, State state) noexcept {
  const auto now = static_cast<std::uint8_t>(static_cast<unsigned>(state) + 1);
  if (counted == now) return;
  if (counted != 0) --counts.ends[counted - 1U];
  ++counts.ends[now - 1U];
  counted = now;
}

void Tracker::Impl::uncount_states(std::array<std::uint8_t, 2>& counted) noexcept {
  for (const std::uint8_t one : counted) {
    if (one != 0) --counts.ends[one - 1U];
  }
  counted = {};
}

// After what was learnt of it at `at`.
void Tracker::Impl::settle(std::uint32_t index, base::Timestamp at) noexcept {
  Connection& c = memory[index];
  if (c.is(trait::kReleased)) return;
  count_states(c);
  c.deadline = std::max(expiry(c), base::after(at, 1));  // what shows that it is over long ago may come only now
  memory.arm(index);
  memory.value(index, worth(c));
}

// The connection's time has come, or only seemed to: returns when to ask again, or `now` if it has been released. What makes it be over may
// have come later than its own deadline: at `least`. It is not released before, or its place in the order of release would be gone.
// The order in which timers fire within a tick is nobody's, so none moves a connection from one list by worth to another.
base::Timestamp Tracker::Impl::due(std::uint32_t index, base::Timestamp now, base::Timestamp least) noexcept {
  Connection& c = memory[index];
  if (c.is(trait::kReleased)) return now;
  c.armed = base::kNever;
  c.deadline = std::max(expiry(c), c.deadline);
  base::Timestamp at = least;
  while (c.deadline <= now) {
    at = std::max(at, c.deadline);
    bool time_wait_over = false;
    journal.set_frame(0);
    for (const unsigned end : {unsigned{c.originator}, 1U - c.originator}) {
      if (c.ends[end].state != State::kTimeWait) continue;
      const Change change = memory.change(index);
      machine.expire_time_wait(c, index, end, at);
      count_states(c);
      time_wait_over = true;
    }
    const bool both_over = has_ended(c.ends[0]) && has_ended(c.ends[1]);
    if (!time_wait_over || both_over) {
      const bool idle = options.timers.idle != 0 && c.deadline == base::after(c.last_clock, options.timers.idle) && !both_over;
      release(index, idle ? Release::kIdle : Release::kSettled, at);
      return now;
    }
    c.deadline = expiry(c);
  }
  c.armed = c.deadline;
  return c.deadline;
}

// Whatever of this flow is past its time at `now` goes, in the order of deadlines, before anything else is done with the flow: so what is
// said of it depends neither on when the wheel turns nor on batches. True if something went (the head may be another).
bool Tracker::Impl::expire_flow(std::uint32_t head, base::Timestamp now) noexcept {
  const Connection& c = memory[head];
  if (c.deadline > now && c.older == kNoBlock && c.candidates == kNoBlock) return false;
  const wire::FlowKey key = c.key;
  const std::uint64_t hash = c.hash;
  bool any = false;
  base::Timestamp least = std::numeric_limits<base::Timestamp>::min();
  for (; head != kNoBlock; head = memory.find(hash, key)) {
    const std::uint32_t next = first_due(head, now);
    if (next == kNoBlock) break;
    any = true;
    least = std::max(least, memory[next].deadline);
    if (due(next, now, least) <= now) continue;
    memory[next].armed = base::kNever;  // the wheel has it for an earlier time, or not at all
    memory.arm(next);
  }
  return any;
}

/// Of the flow's incarnations and candidates the one with the earliest deadline, if that has come.
std::uint32_t Tracker::Impl::first_due(std::uint32_t head, base::Timestamp now) const noexcept {
  std::uint32_t first = kNoBlock;
  const auto look = [&](std::uint32_t index) {
    const Connection& c = memory[index];
    if (c.deadline > now) return;
    if (first == kNoBlock || c.deadline < memory[first].deadline || (c.deadline == memory[first].deadline && c.id < memory[first].id))
      first = index;
  };
  for (std::uint32_t at = memory[head].candidates; at != kNoBlock; at = memory[at].older) look(at);
  for (std::uint32_t at = head; at != kNoBlock; at = memory[at].older) look(at);
  return first;
}

/// The wheel asks for a connection: its whole flow is looked at, in order.
base::Timestamp Tracker::Impl::called(std::uint32_t index, base::Timestamp now) noexcept {
  if (memory.is_compact(index)) return due_compact(index, now);
  if (memory.is_attempt(index)) return due_attempt(index);
  Connection& c = memory[index];
  if (c.is(trait::kReleased)) return now;
  c.armed = base::kNever;
  const std::uint32_t head = memory.head_of(index);
  expire_flow(head, now);
  if (c.is(trait::kReleased)) return now;
  c.armed = c.deadline;
  return c.deadline;
}

void Tracker::Impl::release(std::uint32_t index, Release why, base::Timestamp at) noexcept {
  Connection& c = memory[index];
  if (c.is(trait::kCandidate)) {
    resolve_candidate(index, why, at);
    return;
  }
  const bool by_its_time = why == Release::kSettled || why == Release::kIdle;
  while (c.is(trait::kHead) && c.older == kNoBlock && c.candidates != kNoBlock) {
    if (by_its_time && is_attempt(memory[c.candidates])) {
      succeed(index, c.candidates, at);
    } else {
      resolve_candidate(c.candidates, why, at);
    }
  }
  const Change change = memory.change(index);
  memory.unlink(index);
  uncount_states(c.counted);
  c.traits |= trait::kReleased;
  c.release = why;
  c.released_at = at;
  let_go(index, why);
}

// Who has to go needs no turn of his own: his place is wanted.
void Tracker::Impl::let_go(std::uint32_t index, Release why) noexcept {
  if (why == Release::kEvicted) {
    memory.give(index, clock, needy);
  } else {
    memory.queue(index);
  }
}

// Rule 24: once what stood before is over, a SYN that waits for its answer is the new incarnation at once. The answer may be on its way.
void Tracker::Impl::succeed(std::uint32_t head, std::uint32_t candidate, base::Timestamp at) noexcept {
  memory.remove_candidate(head, candidate);
  Connection& fresh = memory[candidate];
  {
    const Change change = memory.change(candidate);
    const Change change_of_head = memory.change(head);
    journal.set_frame(fresh.id);
    fresh.traits &= ~(trait::kCandidate | trait::kChallenged);
    name_replaced(head, candidate);
    static_cast<void>(memory.insert_head(candidate, head));  // in its place
    journal.publish(fresh, candidate);
  }
  settle(candidate, at);
}

// Rule 24: a SYN that was challenged, and carries no newer timestamp, was an old duplicate: it belongs to the old incarnation. So do
// segments of no SYN that nobody answered. Any other SYN that was never answered is an attempt of its own.
void Tracker::Impl::resolve_candidate(std::uint32_t candidate, Release why, base::Timestamp at) noexcept {
  Connection& c = memory[candidate];
  const std::uint32_t head = memory.head_of(candidate);
  const unsigned who = c.originator;
  const bool duplicate = !is_attempt(c);
  memory.unlink(candidate);
  uncount_states(c.counted);
  const Change change_of_head = memory.change(head);
  c.traits &= ~trait::kCandidate;
  if (duplicate) {
    machine.adopt(memory[head], head, c);
    c.traits |= trait::kReleased;
    forget(candidate, false);
    --counts.created;
    return;
  }
  const Change change = memory.change(candidate);
  journal.set_frame(c.id);
  name_replaced(head, candidate);
  if (memory[head].ends[who].state == State::kTimeWait) {
    const Sighting& syn = c.ends[who].syns.first;
    machine.reuse_time_wait(memory[head], head, who, syn.frame, syn.frame, syn.time, true);
    settle(head, at);
  }
  journal.publish(c, candidate);
  c.traits |= trait::kReleased;
  c.release = why;
  c.released_at = at;
  let_go(candidate, why);
}

// Gives back all it holds; readers are shown nothing of it from here on.
void Tracker::Impl::forget(std::uint32_t index, bool queued) noexcept {
  const bool full = memory.is_full(index);
  Connection& c = full ? memory[index] : unfolded;
  if (full) memory.hide(index);
  journal.release(c);
  blocks.release_all(c.ends[0]);
  blocks.release_all(c.ends[1]);
  queued ? memory.free(index) : memory.discard(index);
}

void Tracker::Impl::evict(std::uint32_t index) noexcept {
  if (memory.is_attempt(index)) return evict_attempt(index);
  if (memory.is_compact(index)) return evict_compact(index);
  const Connection& c = memory[index];
  ++counts.evicted[static_cast<std::size_t>(c.orig().state)];
  release(index, Release::kEvicted, clock);
}

// A free place in the partition of the flow, at the price of its least valuable connection if need be.
bool Tracker::Impl::make_room(const wire::Segment& s) noexcept {
  const std::uint32_t part = memory.part_of(s.hash);
  needy = s.frame;
  if (memory.has_room(part)) return true;
  if (memory.is_new_tick(clock)) {
    advance(clock);  // what is past its time makes room first
    if (memory.has_room(part)) return true;
  }
  memory.give_waiting(part, clock, needy);
  if (memory.has_room(part)) return true;
  const std::uint32_t victim = memory.victim(part);
  if (victim != kNoBlock) evict(victim);
  memory.prefetch_victims(part);
  return memory.has_room(part);
}

void Tracker::Impl::advance(base::Timestamp now) noexcept {
  clock = std::max(clock, now);
  if (finished) return;
  memory.advance(clock, [this](std::uint32_t index, base::Timestamp begun) { return called(index, begun); });
}

void Tracker::Impl::finish(base::Timestamp now) noexcept {
  advance(now);
  memory.begin_last(needy);
  finish_attempts(now);
  finish_compacts(now);
  memory.for_each([&](std::uint32_t index) {
    const Connection& c = memory[index];
    if (!c.is(trait::kReleased) && c.deadline <= now) expire_flow(memory.head_of(index), now);
  });
  // Candidates first, in order: they may still change what is said of the connection they came upon.
  memory.for_each([&](std::uint32_t index) {
    const Connection& c = memory[index];
    while (!c.is(trait::kReleased) && c.is(trait::kHead) && c.candidates != kNoBlock) {
      resolve_candidate(c.candidates, Release::kEndOfInput, base::kNever);
    }
  });
  memory.for_each([&](std::uint32_t index) {
    if (!memory[index].is(trait::kReleased)) release(index, Release::kEndOfInput, base::kNever);
  });
  memory.end_last();
  finished = true;
}

}  // namespace finwait::tcp

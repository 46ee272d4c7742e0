// From facts to the path of states: the one place where an end's history is decided.
//
// Pure: the path is a function of the facts and two latches, whatever the order in which they became known. So evidence that comes late (a
// FIN captured after its acknowledgment, a SYN-ACK before its SYN) gives the same path as evidence that came in order, and what was wrong
// before is the difference between two paths.
#pragma once

#include <array>
#include <cstdint>

#include "finwait/tcp/endpoint.h"
#include "finwait/tcp/fact.h"
#include "finwait/tcp/state.h"

namespace finwait::tcp {

struct PathStep {
  State from;
  State to;
  Fact fact;
  Proof evidence;
  Evidence why;

  /// The same step for the same cause; proof and time may have become better known.
  [[nodiscard]] bool same_as(const PathStep& other) const noexcept {
    return from == other.from && to == other.to && why.cause == other.why.cause;
  }
};

struct Path {
  static constexpr int kMaxSteps = 8;     ///< opening 3, implied 1, close 3, end 1
  std::array<PathStep, kMaxSteps> steps;  ///< the first `size`; the rest is not even cleared: paths are derived often
  int size = 0;
  State state = State::kUnknown;

  [[nodiscard]] const PathStep* last() const noexcept { return size != 0 ? &steps[static_cast<std::size_t>(size - 1)] : nullptr; }
  /// Index of the step that led to `to`, or -1.
  [[nodiscard]] int find(State to) const noexcept;
};

/// `fin_covers`: the own FIN was sent after the peer's was received. `fast_open_early`: the own FIN left before the own SYN was
/// acknowledged. `fin_acked_first`: the own FIN was acknowledged before the peer's arrived, whatever the order of their frames.
[[nodiscard]] Path derive(const Facts& facts, bool fin_covers, bool fast_open_early, bool fin_acked_first = false) noexcept;

[[nodiscard]] inline Path derive(const Endpoint& end) noexcept {
  return derive(end.facts, end.knows(known::kFinCovers), end.knows(known::kFastOpenEarly), end.knows(known::kFinAckedFirst));
}

/// What the facts new since `before` append to the end's path, which stood at `more.state`: the short cut for evidence that comes in order,
/// as it nearly always does. `more` gets the new steps and the new state. False if something else has changed, or a new fact does not
/// belong at the end of the path; then `more` means nothing. The latches are those of the end now; they count as unchanged.
[[nodiscard]] bool extend(Path& more, const Endpoint& end, const Facts& before) noexcept;

}  // namespace finwait::tcp

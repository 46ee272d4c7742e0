// Of one connection that is over: how long each end stayed in which state.
//
// What was taken back later (`refuted`) never was.
#pragma once

#include <algorithm>
#include <array>

#include "finwait/tcp/connection.h"
#include "finwait/tcp/verdict.h"

namespace finwait::hosts {

/// One end in one state.
struct Stay {
  unsigned end = 0;
  tcp::State state{};
  base::Timestamp from = 0;
  base::Timestamp until = 0;  ///< kNever: to the end of the capture
};

/// Times that run ahead of the trace clock were not believed: they are held at it.
[[nodiscard]] inline base::Timestamp latest_time(const tcp::Connection& c) noexcept {
  return c.released_at == base::kNever ? c.last_clock : std::max(c.last_clock, c.released_at);
}

/// f(const Stay&) for each stay of each end, in order of entry within an end.
template <class F>
void for_each_stay(const tcp::Outcome& outcome, F&& f) noexcept {
  constexpr std::size_t kMost = 16;  // a path has at most half as many steps
  const base::Timestamp latest = latest_time(outcome.connection);
  std::array<std::array<const tcp::Transition*, kMost>, 2> standing;
  std::array<std::size_t, 2> depth{};
  for (const tcp::Transition& t : outcome.transitions) {
    auto& n = depth[t.end];
    if (t.evidence == tcp::Proof::kRefuted) {
      if (n != 0) --n;
    } else if (n != kMost) {
      standing[t.end][n++] = &t;
    }
  }
  for (unsigned end = 0; end != 2; ++end) {
    for (std::size_t n = 0; n != depth[end]; ++n) {
      const bool last = n + 1 == depth[end];
      const base::Timestamp from = std::min(standing[end][n]->time, latest);
      const base::Timestamp until = last ? outcome.connection.released_at : std::min(standing[end][n + 1]->time, latest);
      f(Stay{end, standing[end][n]->to, from, std::max(from, until)});
    }
  }
}

}  // namespace finwait::hosts

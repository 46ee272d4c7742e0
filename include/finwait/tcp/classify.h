// From a connection that is over to its verdict: how it opened and how it ended (lifecycle, sections 4 and 5).
//
// Pure: a function of the connection and how far the capture went.
#pragma once

#include <algorithm>
#include <array>

#include "finwait/base/time.h"
#include "finwait/tcp/connection.h"
#include "finwait/tcp/verdict.h"

namespace finwait::tcp {

/// `clock`: the trace clock when the connection was released, or the end of the capture.
[[nodiscard]] Verdict classify(const Connection& c, base::Timestamp clock) noexcept;

/// How long what is missing is waited for after `since`: the larger of four round trips and a second.
template <class End>
[[nodiscard]] base::Duration patience(const std::array<End, 2>& ends) noexcept {
  constexpr base::Duration kMost = 600 * base::kSecond;
  base::Duration rtt = 0;
  for (const End& e : ends) {
    if (e.knows(known::kRtt)) rtt += std::min<base::Duration>(e.least_rtt, kMost);
  }
  return std::max<base::Duration>(4 * std::min<base::Duration>(rtt, kMost), base::kSecond);
}
[[nodiscard]] inline base::Duration patience(const Connection& c) noexcept { return patience(c.ends); }

}  // namespace finwait::tcp

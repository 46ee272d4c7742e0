// From a connection that is over to its verdict: how it opened and how it ended (lifecycle, sections 4 and 5).
//
// Pure: a function of the connection and how far the capture went.
#pragma once

#include "finwait/tcp/connection.h"
#include "finwait/tcp/verdict.h"

namespace finwait::tcp {

/// `clock`: the trace clock when the connection was released, or the end of the capture.
[[nodiscard]] Verdict classify(const Connection& c, base::Timestamp clock) noexcept;

/// How long what is missing is waited for after `since`: the larger of four round trips and a second.
[[nodiscard]] base::Duration patience(const Connection& c) noexcept;

}  // namespace finwait::tcp

// The full record of an ordinary life, and what the journal would hold of it. Pure.
#pragma once

#include <vector>

#include "blocks.h"
#include "compact.h"
#include "finwait/tcp/connection.h"
#include "finwait/tcp/transition.h"

namespace finwait::tcp {

/// Writes `c`, with what belongs to it, into `whole`, whatever stood there; but the log of transitions and the lists of what is in flight
/// are empty.
void expand(const Compact& c, const CompactExtra& extra, Connection& whole) noexcept;

/// The SYN, SYN-ACK or FIN of this end if it is in flight: no list of the compact record holds it. False: it is not.
[[nodiscard]] bool unlisted_in_flight(const Compact& c, const CompactExtra& extra, unsigned end, Sent& sent) noexcept;

/// What was said of it, in order, into `out` (cleared first; never more than eleven).
void read_history(const Compact& c, std::vector<Transition>& out);

}  // namespace finwait::tcp

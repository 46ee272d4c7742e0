// What is still remembered when the input has ended, on several threads: a million connections are to be written soon, and nothing else is
// left to be done meanwhile.
//
// Always true: the reporter is told the same in the same order as by one thread. The caller's thread takes connections from the tracker and
// judges them, a second one reports them, two more learn of hosts; they are gone when the call returns. What is under way is
// bounded: who is ahead waits.
#pragma once

#include "finwait/report/reporter.h"
#include "finwait/tcp/tracker.h"

namespace finwait::engine {

/// After tracker.finish() and reporter.conclude(). Where threads cannot be had, the caller's does it all. Throws what the reporter throws
/// (report::OutputError), after which what remains is not reported; std::bad_alloc.
void give_last(tcp::Tracker& tracker, report::Reporter& reporter);

}  // namespace finwait::engine

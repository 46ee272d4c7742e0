// How much memory each part of a run may take: --memory shared out.
//
// Always true: with --memory, what everything reserves or may come to use is no more than that; connections get what the rest leaves. Where
// what is learnt of hosts, lines that wait and frames that are held may be smaller, they shrink with it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "options.h"

namespace finwait::app {

struct Budget {
  std::uint32_t connections = 0;  ///< remembered at once
  std::size_t numbers = 0;        ///< bytes for initial sequence numbers (IsnLimits::memory)
  std::size_t waiting = 0;        ///< live: bytes of lines that wait, for each output
  std::size_t held = 0;           ///< live: bytes of frames held for -w
};

/// At most `threads`, and no more than take an eighth of --memory: what connections do not get is the first thing missed. At least 1.
[[nodiscard]] unsigned affordable_threads(const Options& options, unsigned threads);

/// `threads`: of the run. `zeek`: Zeek's view of each connection is kept. Throws UsageError if --memory is too little to work with.
[[nodiscard]] Budget share_out(const Options& options, unsigned threads, bool zeek);

}  // namespace finwait::app

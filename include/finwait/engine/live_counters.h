// How a live capture stands at one moment: a value that the thread that reports publishes and any thread may copy.
//
// Always true: after the capture was closed and read to its end, received = analysed + dropped_by_kernel. Until then what waits in the ring
// is in neither. Counts are from the beginning on.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "finwait/base/time.h"
#include "finwait/capture/live_source.h"
#include "finwait/report/totals.h"
#include "finwait/tcp/anomaly.h"
#include "finwait/tcp/state.h"
#include "finwait/tcp/verdict.h"
#include "finwait/wire/decode.h"

namespace finwait::engine {

struct LiveCounters {
  // The capture.
  std::uint64_t received = 0;  ///< frames that came to the tap, dropped ones included
  std::uint64_t analysed = 0;  ///< frames read: the sum of `fates`
  std::uint64_t bytes = 0;     ///< captured bytes of them
  std::uint64_t dropped_by_kernel = 0;
  std::uint64_t dropped_by_interface = 0;
  std::uint64_t freezes = 0;  ///< how often a ring was full
  std::array<std::uint64_t, wire::kFates> fates{};
  base::Timestamp clock = 0;  ///< the trace clock
  base::Timestamp now = 0;    ///< the machine's clock: behind it by what waits in the ring

  // Connections.
  std::uint64_t created = 0;
  std::uint64_t opened = 0;  ///< as in tcp::TrackerCounts
  std::uint64_t ended = 0;
  std::uint64_t failed = 0;
  std::array<std::uint64_t, tcp::kStates> entered{};  ///< how often an end came into each state
  std::uint64_t segments = 0;
  std::uint64_t strays = 0;
  std::uint64_t evicted = 0;
  std::uint64_t table_full = 0;                          ///< segments for which there was no room
  std::uint32_t remembered = 0;                          ///< now, those that are over and not yet written included
  std::uint32_t most = 0;                                ///< that can be remembered
  std::array<std::uint64_t, tcp::kStates> ends{};        ///< now: ends of connections that are not over, by state
  std::uint64_t reported = 0;                            ///< over and selected
  std::uint64_t passed_over = 0;                         ///< over and not selected
  std::array<std::uint64_t, tcp::kOpenings> openings{};  ///< of those reported
  std::array<std::uint64_t, tcp::kEndings> endings{};
  std::array<std::uint64_t, tcp::kAnomalyKinds> anomalies{};  ///< occurrences in those reported
};
static_assert(std::is_trivially_copyable_v<LiveCounters>);

/// What the counters are made of, all as of the same frame.
struct LiveMoment {
  const capture::LiveStats& stats;
  const report::FrameCounts& frames;
  std::uint64_t bytes;
  base::Timestamp clock;
  base::Timestamp now;
  const tcp::TrackerCounts& tracker;
  std::uint32_t remembered;
  std::uint32_t most;
  const report::ConnectionCounts& connections;
};

[[nodiscard]] LiveCounters counters_at(const LiveMoment& at);

}  // namespace finwait::engine

// The numbers of a live capture in Prometheus' text format, by its conventions: base units, _total for what only grows, every value of a
// label known beforehand, so that the number of series never changes.
//
// A pure function. The format itself is prometheus-cpp's (its core only, which is a serializer and needs nothing).
#pragma once

#include <cstdint>
#include <string>

#include "finwait/engine/live_counters.h"
#include "finwait/service/latencies.h"
#include "finwait/service/process.h"

namespace finwait::service {

struct MetricsInput {
  engine::LiveCounters counters;
  Latencies latencies;
  ProcessNumbers process;
  std::uint64_t lost_lines = 0;  ///< of all outputs
  std::string version;
};

[[nodiscard]] std::string metrics_page(const MetricsInput& input);

}  // namespace finwait::service

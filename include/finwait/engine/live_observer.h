// Who looks on while a capture goes on.
#pragma once

#include <string>

#include "finwait/engine/live_counters.h"

namespace finwait::engine {

/// Looks on after every batch and at every tick (a tenth of a second at most passes between two looks), in the thread that reports.
class LiveObserver {
 public:
  virtual ~LiveObserver() = default;
  /// False: stop.
  [[nodiscard]] virtual bool look(const LiveCounters& counters) = 0;
  /// Something a person should know: a line.
  virtual void tell(const std::string& line) = 0;
};

}  // namespace finwait::engine

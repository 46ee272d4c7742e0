#include "finwait/report/sink.h"

#include <optional>

namespace finwait::report {

void Sink::unopened(std::span<const tcp::Unopened> connections) {
  tcp::Brief made;
  for (const tcp::Unopened& c : connections) {
    write_brief(c, made);
    const std::optional<tcp::Anomaly> found = finding_of(c);
    brief({made, {found ? &*found : nullptr, found ? 1U : 0U}});
  }
}

}  // namespace finwait::report

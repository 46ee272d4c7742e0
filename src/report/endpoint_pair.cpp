#include "finwait/report/endpoint_pair.h"

namespace finwait::report {

EndpointPair pair_of(const wire::FlowKey& key, unsigned originator) noexcept {
  const bool low_first = originator == 0;
  return {low_first ? key.low : key.high, low_first ? key.high : key.low, low_first ? key.high_port : key.low_port,
          static_cast<std::uint8_t>(key.ip_version())};
}

}  // namespace finwait::report

#include "finwait/report/endpoint_pair.h"

#include <array>
#include <cstring>

namespace finwait::report {

EndpointPair pair_of(const wire::FlowKey& key, unsigned originator) noexcept {
  const bool low_first = originator == 0;
  return {low_first ? key.low : key.high, low_first ? key.high : key.low, low_first ? key.high_port : key.low_port,
          static_cast<std::uint8_t>(key.ip_version())};
}

std::size_t PairHash::operator()(const EndpointPair& pair, std::uint8_t kind) const noexcept {
  std::array<std::uint8_t, base::KeyedHash::kBytes> bytes{};
  std::memcpy(bytes.data(), pair.from.bytes.data(), pair.from.bytes.size());
  std::memcpy(bytes.data() + 16, pair.to.bytes.data(), pair.to.bytes.size());
  std::memcpy(bytes.data() + 32, &pair.port, sizeof pair.port);
  bytes[34] = pair.ip_version;
  bytes[35] = kind;
  return hash_.hash40(bytes.data());
}

}  // namespace finwait::report

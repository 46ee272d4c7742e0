#include "finwait/report/endpoint_pair.h"

#include <functional>
#include <string_view>

namespace finwait::report {

EndpointPair pair_of(const tcp::Connection& connection) noexcept {
  const bool low_first = connection.originator == 0;
  const wire::FlowKey& key = connection.key;
  return {low_first ? key.low : key.high, low_first ? key.high : key.low, low_first ? key.high_port : key.low_port,
          static_cast<std::uint8_t>(key.ip_version())};
}

std::size_t hash_of(const EndpointPair& pair) noexcept {
  const auto bytes_of = [](const wire::Address& a) {
    return std::string_view(reinterpret_cast<const char*>(a.bytes.data()), a.bytes.size());
  };
  const std::size_t from = std::hash<std::string_view>{}(bytes_of(pair.from));
  const std::size_t to = std::hash<std::string_view>{}(bytes_of(pair.to));
  return from * 31 + to * 17 + pair.port;
}

}  // namespace finwait::report

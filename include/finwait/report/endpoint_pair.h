// From an originating host to a responder's address and port: what connections are grouped by for a person.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "finwait/tcp/connection.h"
#include "finwait/wire/flow_key.h"

namespace finwait::report {

struct EndpointPair {
  wire::Address from;
  wire::Address to;
  std::uint16_t port = 0;
  std::uint8_t ip_version = 4;
  bool operator==(const EndpointPair&) const = default;
  auto operator<=>(const EndpointPair&) const = default;
};

/// As the connection's note on roles stands.
[[nodiscard]] EndpointPair pair_of(const tcp::Connection& connection) noexcept;

[[nodiscard]] std::size_t hash_of(const EndpointPair& pair) noexcept;

}  // namespace finwait::report

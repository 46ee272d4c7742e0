// One sample as it is kept: 32 bytes, the peer's address reduced to a hash (only its equality matters).
#pragma once

#include <cstdint>
#include <tuple>
#include <type_traits>

#include "finwait/base/time.h"

namespace finwait::hosts {

struct IsnObservation {
  base::Timestamp time;
  std::uint64_t connection;
  std::uint32_t isn;
  std::uint32_t peer;
  std::uint16_t host_port;
  std::uint16_t peer_port;
  std::uint8_t ttl;
  std::uint8_t options;
  /// The number continues the older incarnation's (Linux: old SND.NXT + 65 537): it says nothing about the generator.
  bool continues;

  [[nodiscard]] bool same_tuple(const IsnObservation& o) const noexcept {
    return peer == o.peer && host_port == o.host_port && peer_port == o.peer_port;
  }
  [[nodiscard]] bool operator<(const IsnObservation& o) const noexcept {
    return std::tie(time, connection, isn) < std::tie(o.time, o.connection, o.isn);
  }
};
static_assert(sizeof(IsnObservation) == 32);
static_assert(std::is_trivially_copyable_v<IsnObservation> && std::is_trivially_default_constructible_v<IsnObservation>);

}  // namespace finwait::hosts

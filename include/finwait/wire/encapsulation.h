// What a packet was wrapped in: VLAN tags and tunnels, outermost first, as one 64-bit value.
//
// A note, never part of the flow's key. The three outermost VLAN identifiers and the five outermost tunnels are kept; deeper ones are
// decoded but not noted.
#pragma once

#include <cstdint>

namespace finwait::wire {

enum class Tunnel : std::uint8_t {
  kNone = 0,
  kGre,
  kErspan,
  kIpip,
  kSixInFour,
  kVxlan,
  kGeneve,
  kGtpU,
  kTeredo,
  kAh,
  kMpls,
  kPppoe,
  kL2tp,
  kEtherIp,
  kFabricPath,
  kCiscoMetaData,
  kProviderBackbone,  ///< IEEE 802.1ah
};
inline constexpr int kTunnels = 17;  ///< kNone included; no more than 32

/// "gre", "6in4", ...; nullptr for kNone.
[[nodiscard]] const char* tunnel_name(Tunnel kind) noexcept;

class Encapsulation {
 public:
  static constexpr int kMaxVlans = 3;
  static constexpr int kMaxTunnels = 5;

  void add_vlan(std::uint16_t id) noexcept {
    const int n = vlans();
    if (n < kMaxVlans) {
      bits_ |= static_cast<std::uint64_t>(id & 0xfff) << (12 * n);
      bits_ = (bits_ & ~(3ULL << 36)) | (static_cast<std::uint64_t>(n + 1) << 36);
    }
  }
  void add_tunnel(Tunnel kind) noexcept {
    const int n = tunnels();
    if (n < kMaxTunnels) bits_ |= static_cast<std::uint64_t>(kind) << (38 + 5 * n);
  }
  [[nodiscard]] int vlans() const noexcept { return static_cast<int>(bits_ >> 36 & 3); }
  [[nodiscard]] std::uint16_t vlan(int n) const noexcept { return static_cast<std::uint16_t>(bits_ >> (12 * n) & 0xfff); }
  [[nodiscard]] int tunnels() const noexcept {
    int n = 0;
    while (n < kMaxTunnels && tunnel(n) != Tunnel::kNone) ++n;
    return n;
  }
  [[nodiscard]] Tunnel tunnel(int n) const noexcept { return static_cast<Tunnel>(bits_ >> (38 + 5 * n) & 31); }
  bool operator==(const Encapsulation&) const = default;

 private:
  std::uint64_t bits_ = 0;
};
static_assert(sizeof(Encapsulation) == 8);

}  // namespace finwait::wire

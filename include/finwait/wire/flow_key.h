// The key of a flow: an unordered pair of endpoints {address, port}, within one virtual network.
//
// Always true: (low, low_port) <= (high, high_port), so both directions of a connection have the same key and the direction of a segment is
// one bit beside it. IPv4 addresses stand in their IPv4-mapped form (RFC 4291, 2.5.5.2) and are told from IPv6 by `network`. VLAN tags,
// MPLS labels and tunnels are not part of it: they differ between the two directions of one connection in real captures (see
// Encapsulation).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>

namespace finwait::wire {

struct Address {
  std::array<std::uint8_t, 16> bytes{};

  /// The IPv4-mapped form of four bytes in network order.
  [[nodiscard]] static Address v4(const std::uint8_t* four) noexcept {
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, four[0], four[1], four[2], four[3]}};
  }
  [[nodiscard]] static Address v6(const std::uint8_t* sixteen) noexcept {
    Address a;
    std::memcpy(a.bytes.data(), sixteen, 16);
    return a;
  }
  auto operator<=>(const Address&) const = default;
};

struct FlowKey {
  Address low;
  Address high;
  std::uint16_t low_port = 0;
  std::uint16_t high_port = 0;
  /// Bit 31: IPv6. Bits 24 to 27: which kind of virtual network (VirtualNetwork). Bits 0 to 23: its identifier.
  std::uint32_t network = 0;

  /// Word by word: looked up for every segment.
  [[gnu::always_inline]] bool operator==(const FlowKey& other) const noexcept {
    const auto differ = [this, &other](std::size_t n) { return word(n) ^ other.word(n); };
    return (differ(0) | differ(1) | differ(2) | differ(3) | differ(4)) == 0;
  }

  [[nodiscard]] int ip_version() const noexcept { return (network & kIpv6) != 0 ? 6 : 4; }

  static constexpr std::uint32_t kIpv6 = 0x8000'0000;

 private:
  [[nodiscard, gnu::always_inline]] std::uint64_t word(std::size_t n) const noexcept {
    std::uint64_t eight = 0;
    std::memcpy(&eight, reinterpret_cast<const std::byte*>(this) + n * sizeof eight, sizeof eight);
    return eight;
  }
};
static_assert(sizeof(FlowKey) == 40);

enum class VirtualNetwork : std::uint8_t { kNone = 0, kVxlan = 1, kGeneve = 2 };

}  // namespace finwait::wire

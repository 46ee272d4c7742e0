// Tunnels above UDP: VXLAN, Geneve, GTP-U, Teredo, L2TP, MPLS. A port number is a guess, so what does not look the part is other IP.
#include "walk.h"

namespace finwait::wire {
namespace {

void enter_network(Walk& walk, VirtualNetwork kind, std::uint32_t identifier) noexcept {
  walk.ip.network = (static_cast<std::uint32_t>(kind) << 24) | (identifier & 0xff'ffffU);
}

/// RFC 7348; with `generic` the draft's form that says what it carries.
void read_vxlan(Walk& walk, bool generic) noexcept {
  if (!walk.expect(8)) return;
  const std::uint8_t flags = walk.at[0];
  constexpr std::uint8_t kIdentifierValid = 0x08;
  constexpr std::uint8_t kNextProtocol = 0x04;
  if ((flags & kIdentifierValid) == 0) return walk.stop(Fate::kOtherIp);
  const std::uint8_t carried = generic && (flags & kNextProtocol) != 0 ? walk.at[3] : std::uint8_t{3};
  enter_network(walk, VirtualNetwork::kVxlan, be32(walk.at + 4) >> 8);
  walk.ip.encapsulation.add_tunnel(Tunnel::kVxlan);
  walk.skip(8);
  if (carried == 1) return walk.go(Layer::kIpv4);
  if (carried == 2) return walk.go(Layer::kIpv6);
  if (carried == 3) return walk.go(Layer::kEthernet);
  if (carried == 5) return walk.go(Layer::kMpls);
  walk.stop(Fate::kOtherIp);
}

/// RFC 8926.
void read_geneve(Walk& walk) noexcept {
  if (!walk.expect(8)) return;
  if ((walk.at[0] >> 6) != 0) return walk.stop(Fate::kOtherIp);
  const std::uint32_t header = 8U + (walk.at[0] & 0x3fU) * 4U;
  const std::uint16_t type = be16(walk.at + 2);
  enter_network(walk, VirtualNetwork::kGeneve, be32(walk.at + 4) >> 8);
  if (!walk.expect(header)) return;
  walk.ip.encapsulation.add_tunnel(Tunnel::kGeneve);
  walk.skip(header);
  walk.go(Layer::kEtherType, type);
}

/// 3GPP TS 29.281: version 1, a user packet, with an optional part and a chain of extension headers.
void read_gtp_u(Walk& walk) noexcept {
  if (!walk.expect(8)) return;
  const std::uint8_t flags = walk.at[0];
  constexpr std::uint8_t kUserPacket = 0xff;
  if ((flags >> 4) != 3 || walk.at[1] != kUserPacket) return walk.stop(Fate::kOtherIp);
  const std::uint16_t length = be16(walk.at + 2);
  walk.skip(8);
  if (length != 0) walk.limit(length);
  if ((flags & 0x07) != 0) {
    if (!walk.expect(4)) return;
    std::uint8_t following = (flags & 0x04) != 0 ? walk.at[3] : std::uint8_t{0};
    walk.skip(4);
    while (following != 0) {
      if (!walk.expect(1)) return;
      const std::uint32_t size = walk.at[0] * 4U;
      if (size == 0) return walk.stop(Fate::kMalformed);
      if (!walk.expect(size)) return;
      following = walk.at[size - 1];
      walk.skip(size);
    }
  }
  walk.ip.encapsulation.add_tunnel(Tunnel::kGtpU);
  walk.go(Layer::kIp);
}

/// RFC 4380, 5.1.1: authentication and origin indication, each at most once, then IPv6.
void read_teredo(Walk& walk) noexcept {
  if (!walk.expect(4)) return;
  if (be16(walk.at) == 0x0001) {
    const std::uint32_t size = 4U + walk.at[2] + walk.at[3] + 9U;
    if (!walk.expect(size)) return;
    walk.skip(size);
    if (!walk.expect(2)) return;
  }
  if (be16(walk.at) == 0x0000) {
    if (!walk.expect(8)) return;
    walk.skip(8);
    if (!walk.expect(1)) return;
  }
  if ((walk.at[0] >> 4) != 6) return walk.stop(Fate::kOtherIp);
  walk.ip.encapsulation.add_tunnel(Tunnel::kTeredo);
  walk.go(Layer::kIpv6);
}

/// RFC 2661, 3.1: data messages of version 2, which carry PPP.
void read_l2tp(Walk& walk) noexcept {
  if (!walk.expect(2)) return;
  const std::uint16_t flags = be16(walk.at);
  const bool control = (flags & 0x8000) != 0;
  if (control || (flags & 0x000f) != 2) return walk.stop(Fate::kOtherIp);
  std::uint32_t header = 6;
  if ((flags & 0x4000) != 0) header += 2;  // length
  if ((flags & 0x0800) != 0) header += 4;  // sequence numbers
  if ((flags & 0x0200) != 0) {             // offset
    if (!walk.expect(header + 2)) return;
    header += 2U + be16(walk.at + header);
  }
  if (!walk.expect(header)) return;
  walk.skip(header);
  walk.ip.encapsulation.add_tunnel(Tunnel::kL2tp);
  walk.go(Layer::kPpp);
}

}  // namespace

void read_udp(Walk& walk) noexcept {
  if (!walk.expect(8)) return;
  const std::uint16_t source = be16(walk.at);
  const std::uint16_t destination = be16(walk.at + 2);
  const std::uint16_t length = be16(walk.at + 4);
  walk.skip(8);
  if (length >= 8) walk.limit(length - 8U);
  switch (destination) {
    case 4789:
      return read_vxlan(walk, false);
    case 4790:
      return read_vxlan(walk, true);
    case 6081:
      return read_geneve(walk);
    case 2152:
      return read_gtp_u(walk);
    case 3544:
      return read_teredo(walk);
    case 1701:
      return read_l2tp(walk);
    case 6635:
      return walk.wire != 0 ? walk.go(Layer::kMpls) : walk.stop(Fate::kOtherIp);  // RFC 7510
    default:
      break;
  }
  switch (source) {  // where the other end answers from the same port
    case 2152:
      return read_gtp_u(walk);
    case 3544:
      return read_teredo(walk);
    case 1701:
      return read_l2tp(walk);
    default:
      return walk.stop(Fate::kOtherIp);
  }
}

}  // namespace finwait::wire

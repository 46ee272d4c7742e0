// Ethernet and what stands between it and the packet: VLAN and vendors' tags, LLC/SNAP, FabricPath.
//
// What an EtherType leads to is decided here for every layer that carries EtherTypes.
#include "walk.h"

namespace finwait::wire {
namespace {

constexpr std::uint32_t kEthernetHeader = 14;
constexpr std::uint16_t kLongestLlcFrame = 1500;
constexpr std::uint16_t kLeastEtherType = 1536;

/// A VLAN tag: two bytes of priority and identifier; the EtherType that follows takes the place of the tag's.
void read_vlan(Walk& walk) noexcept {
  if (!walk.need(4)) return;
  walk.ip.encapsulation.add_vlan(be16(walk.at));
  const std::uint16_t type = be16(walk.at + 2);
  walk.skip(4);
  if (type >= kLeastEtherType) return walk.go(Layer::kEtherType, type);
  walk.limit(type);
  walk.go(Layer::kLlc);
}

/// A tag of no interest: `size` bytes and the EtherType at their end.
void read_tag(Walk& walk, std::uint32_t size) noexcept {
  if (!walk.need(size)) return;
  const std::uint16_t type = be16(walk.at + size - 2);
  walk.skip(size);
  walk.go(Layer::kEtherType, type);
}

/// Cisco MetaData: version, length of the options in words of four bytes (each a type and a tag), EtherType.
void read_cisco_metadata(Walk& walk) noexcept {
  if (!walk.need(2)) return;
  const std::uint32_t words = walk.at[1];
  walk.ip.encapsulation.add_tunnel(Tunnel::kCiscoMetaData);
  read_tag(walk, 2 + 4 * words + 2);
}

/// FabricPath: the EtherType stands in an outer header of its own; after it a tag of two bytes and the whole inner frame.
void read_fabric_path(Walk& walk) noexcept {
  if (!walk.need(2)) return;
  walk.skip(2);
  walk.ip.encapsulation.add_tunnel(Tunnel::kFabricPath);
  walk.go(Layer::kEthernet);
}

/// IEEE 802.1ah: a service identifier and the whole inner frame.
void read_provider_backbone(Walk& walk) noexcept {
  if (!walk.need(4)) return;
  walk.skip(4);
  walk.ip.encapsulation.add_tunnel(Tunnel::kProviderBackbone);
  walk.go(Layer::kEthernet);
}

}  // namespace

void read_ethernet(Walk& walk) noexcept {
  if (!walk.descend() || !walk.need(kEthernetHeader)) return;
  const std::uint16_t type = be16(walk.at + 12);
  walk.skip(kEthernetHeader);
  if (type >= kLeastEtherType) return walk.go(Layer::kEtherType, type);
  if (type > kLongestLlcFrame) return walk.stop_foreign();
  walk.limit(type);
  walk.go(Layer::kLlc);
}

void read_ether_type(Walk& walk) noexcept {
  switch (walk.type) {
    case 0x0800:
      return walk.go(Layer::kIpv4);
    case 0x86dd:
      return walk.go(Layer::kIpv6);
    case 0x8100:  // IEEE 802.1Q, 802.1ad, and what came before the latter
    case 0x88a8:
    case 0x9100:
    case 0x9200:
      return read_vlan(walk);
    case 0x8847:
    case 0x8848:
      return walk.go(Layer::kMpls);
    case 0x8864:
      return read_pppoe(walk);
    case 0x880b:
      return walk.go(Layer::kPpp);
    case 0x8909:
      return read_cisco_metadata(walk);
    case 0x8903:
      return read_fabric_path(walk);
    case 0x88e7:
      return read_provider_backbone(walk);
    case 0x6558:
      return walk.go(Layer::kEthernet);  // transparent Ethernet bridging
    case 0x8926:
      return read_tag(walk, 6);  // VN-Tag
    case 0x893f:
      return read_tag(walk, 8);  // IEEE 802.1BR E-Tag
    case 0xdada:
      return read_dsa_tag(walk, 2);  // EtherType DSA: two bytes reserved
    default:
      return walk.stop_foreign();
  }
}

/// Marvell's tag: bit 29 says that it took the place of a VLAN tag, whose identifier it carries. `before`: bytes before the tag itself.
void read_dsa_tag(Walk& walk, std::uint32_t before) noexcept {
  if (!walk.need(before + 4)) return;
  const std::uint32_t tag = be32(walk.at + before);
  if ((tag & 0x2000'0000U) != 0) walk.ip.encapsulation.add_vlan(static_cast<std::uint16_t>(tag & 0xfff));
  // Bit 12: four more bytes, from the switch's classifier.
  const std::uint32_t more = (tag & 0x1000U) != 0 ? 4 : 0;
  if (!walk.need(before + 4 + more + 2)) return;
  const std::uint16_t type = be16(walk.at + before + 4 + more);
  walk.skip(before + 4 + more + 2);
  if (type >= kLeastEtherType) return walk.go(Layer::kEtherType, type);
  walk.limit(type);
  walk.go(Layer::kLlc);
}

/// IEEE 802.2 with SNAP (RFC 1042), or IP directly on its own service access point.
void read_llc(Walk& walk) noexcept {
  if (!walk.need(3)) return;
  const std::uint8_t control = walk.at[2];
  if (walk.at[0] == 0x06 && walk.at[1] == 0x06 && control == 0x03) {
    walk.skip(3);
    return walk.go(Layer::kIp);
  }
  if (walk.at[0] != 0xaa || walk.at[1] != 0xaa || control != 0x03) return walk.stop_foreign();
  if (!walk.need(8)) return;
  const std::uint32_t organisation = be32(walk.at + 2) & 0xff'ffffU;
  const std::uint16_t type = be16(walk.at + 6);
  walk.skip(8);
  constexpr std::uint32_t kEncapsulatedEthernet = 0;
  constexpr std::uint32_t kBridgeTunnel = 0x0000f8;  // IEEE 802.1H
  constexpr std::uint32_t kIeee8021 = 0x0080c2;
  if (organisation == kEncapsulatedEthernet || organisation == kBridgeTunnel) return walk.go(Layer::kEtherType, type);
  // RFC 2684, 5.2: a bridged frame, with its check sequence or without; over ATM two bytes of padding come first and are not seen
  // elsewhere.
  if (organisation == kIeee8021 && (type == 1 || type == 7)) return walk.go(Layer::kEthernet);
  walk.stop_foreign();
}

}  // namespace finwait::wire

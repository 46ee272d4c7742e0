// Serial lines and what descends from them: PPP (RFC 1661, 1662), PPPoE (RFC 2516), Cisco's HDLC, frame relay (RFC 2427).
#include "walk.h"

namespace finwait::wire {

/// Address and control field are optional (RFC 1661, 6.6), and the protocol field has one byte if that byte is odd (6.5).
void read_ppp(Walk& walk) noexcept {
  if (!walk.need(1)) return;
  if (walk.at[0] == 0xff) {
    if (!walk.need(2)) return;
    walk.skip(2);
    if (!walk.need(1)) return;
  }
  if ((walk.at[0] & 1) != 0) {
    const std::uint8_t protocol = walk.at[0];
    walk.skip(1);
    return walk.go(Layer::kPppProtocol, protocol);
  }
  if (!walk.need(2)) return;
  const std::uint16_t protocol = be16(walk.at);
  walk.skip(2);
  walk.go(Layer::kPppProtocol, protocol);
}

void read_ppp_protocol(Walk& walk) noexcept {
  switch (walk.type) {
    case 0x0021:
    case 0x0800:  // seen where an EtherType was written by mistake
      return walk.go(Layer::kIpv4);
    case 0x0057:
    case 0x86dd:
      return walk.go(Layer::kIpv6);
    case 0x0281:
    case 0x0283:
      return walk.go(Layer::kMpls);
    default:
      return walk.stop_foreign();
  }
}

void read_pppoe(Walk& walk) noexcept {
  if (!walk.need(6)) return;
  const bool session = walk.at[0] == 0x11 && walk.at[1] == 0;
  const std::uint16_t length = be16(walk.at + 4);
  walk.skip(6);
  if (!session) return walk.stop_foreign();
  walk.limit(length);
  walk.ip.encapsulation.add_tunnel(Tunnel::kPppoe);
  walk.go(Layer::kPpp);
}

/// Address, control, and a protocol field that is an EtherType. PPP in HDLC framing (RFC 1662) has 0xff for an address.
void read_hdlc(Walk& walk) noexcept {
  if (!walk.need(4)) return;
  if (walk.at[0] == 0xff && walk.at[1] == 0x03) return walk.go(Layer::kPpp);
  const std::uint16_t type = be16(walk.at + 2);
  walk.skip(4);
  walk.go(Layer::kEtherType, type);
}

/// A Q.922 address of two to four bytes, then either control and NLPID (RFC 2427) or an EtherType (Cisco).
void read_frame_relay(Walk& walk) noexcept {
  std::uint32_t address = 0;
  do {
    if (!walk.need(address + 1)) return;
    ++address;
  } while (address < 4 && (walk.at[address - 1] & 1) == 0);
  if (!walk.need(address + 2)) return;
  walk.skip(address);
  if (walk.at[0] != 0x03) {
    const std::uint16_t type = be16(walk.at);
    walk.skip(2);
    return walk.go(Layer::kEtherType, type);
  }
  const std::uint32_t padding = walk.at[1] == 0 ? 1 : 0;
  if (!walk.need(2 + padding)) return;
  const std::uint8_t nlpid = walk.at[1 + padding];
  walk.skip(2 + padding);
  constexpr std::uint8_t kSnap = 0x80;
  if (nlpid == 0xcc) return walk.go(Layer::kIpv4);
  if (nlpid == 0x8e) return walk.go(Layer::kIpv6);
  if (nlpid != kSnap) return walk.stop_foreign();
  if (!walk.need(5)) return;
  const bool ether_type = walk.at[0] == 0 && walk.at[1] == 0 && walk.at[2] == 0;
  const std::uint16_t type = be16(walk.at + 3);
  walk.skip(5);
  if (!ether_type) return walk.stop_foreign();
  walk.go(Layer::kEtherType, type);
}

}  // namespace finwait::wire

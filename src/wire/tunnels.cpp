// Tunnels directly above IP: GRE (RFC 2784, 2890, 2637), ERSPAN, EtherIP (RFC 3378). IP in IP needs nothing but a note.
#include "walk.h"

namespace finwait::wire {
namespace {

constexpr std::uint16_t kErspan2 = 0x88be;
constexpr std::uint16_t kErspan3 = 0x22eb;

/// The version of PPTP (RFC 2637, 4.1): without a sequence number there is no payload, only an acknowledgment.
void read_gre_pptp(Walk& walk, std::uint16_t flags) noexcept {
  const bool numbered = (flags & 0x1000) != 0;
  const std::uint32_t header = 8U + (numbered ? 4U : 0U) + ((flags & 0x0080) != 0 ? 4U : 0U);
  if (!walk.expect(header)) return;
  walk.skip(header);
  if (!numbered) return walk.stop(Fate::kOtherIp);
  walk.go(Layer::kPpp);
}

/// WCCP's redirect header may stand before the packet; it begins unlike IPv4.
void read_redirected(Walk& walk) noexcept {
  if (!walk.expect(1)) return;
  if ((walk.at[0] >> 4) != 4) {
    if (!walk.expect(4)) return;
    walk.skip(4);
  }
  walk.go(Layer::kIpv4);
}

}  // namespace

void read_gre(Walk& walk) noexcept {
  if (!walk.need(4)) return;
  const std::uint16_t flags = be16(walk.at);
  const std::uint16_t type = be16(walk.at + 2);
  walk.ip.encapsulation.add_tunnel(Tunnel::kGre);
  if ((flags & 7) == 1) return read_gre_pptp(walk, flags);
  if ((flags & 7) != 0) return walk.stop(Fate::kOtherIp);
  const bool routed = (flags & 0x4000) != 0;
  std::uint32_t header = 4;
  if (routed || (flags & 0x8000) != 0) header += 4;  // checksum and offset
  if ((flags & 0x2000) != 0) header += 4;            // key
  if ((flags & 0x1000) != 0) header += 4;            // sequence number
  if (!walk.need(header)) return;
  walk.skip(header);
  while (routed) {  // RFC 1701: source route entries, ended by an empty one
    if (!walk.need(4)) return;
    const std::uint32_t length = walk.at[3];
    const bool last = be16(walk.at) == 0 && length == 0;
    if (!walk.need(4 + length)) return;
    walk.skip(4 + length);
    if (last) break;
  }
  if (type == kErspan2 || type == kErspan3) return read_erspan(walk, type, (flags & 0x1000) != 0);
  constexpr std::uint16_t kRedirect = 0x883e;
  if (type == kRedirect) return read_redirected(walk);
  walk.go(Layer::kEtherType, type);
}

/// Types I (no header; its GRE carries no sequence number), II and III, the last with a further part if its lowest bit says so.
void read_erspan(Walk& walk, std::uint16_t kind, bool numbered) noexcept {
  walk.ip.encapsulation.add_tunnel(Tunnel::kErspan);
  if (kind == kErspan2) {
    if (!numbered) return walk.go(Layer::kEthernet);
    if (!walk.need(8)) return;
    walk.skip(8);
    return walk.go(Layer::kEthernet);
  }
  if (!walk.need(12)) return;
  const std::uint32_t header = (walk.at[11] & 1) != 0 ? 20 : 12;
  if (!walk.need(header)) return;
  walk.skip(header);
  walk.go(Layer::kEthernet);
}

void read_etherip(Walk& walk) noexcept {
  if (!walk.need(2)) return;
  if ((walk.at[0] >> 4) != 3) return walk.stop(Fate::kOtherIp);
  walk.skip(2);
  walk.ip.encapsulation.add_tunnel(Tunnel::kEtherIp);
  walk.go(Layer::kEthernet);
}

}  // namespace finwait::wire

// MPLS (RFC 3032). Labels do not say what they carry; the first half-byte after them does, as for routers that spread the load.
#include "walk.h"

namespace finwait::wire {
namespace {

/// A pseudowire without IP directly below the labels carries Ethernet if there is an EtherType at the right place that we know.
bool looks_like_ethernet(const Walk& walk, std::uint32_t offset) noexcept {
  if (walk.captured < offset + 14) return false;
  switch (be16(walk.at + offset + 12)) {
    case 0x0800:
    case 0x86dd:
    case 0x8100:
    case 0x88a8:
    case 0x8847:
    case 0x8848:
    case 0x8864:
      return true;
    default:
      return false;
  }
}

}  // namespace

void read_mpls(Walk& walk) noexcept {
  constexpr std::uint32_t kBottomOfStack = 0x100;
  for (bool bottom = false; !bottom;) {
    if (!walk.need(4)) return;
    bottom = (be32(walk.at) & kBottomOfStack) != 0;
    walk.skip(4);
  }
  walk.ip.encapsulation.add_tunnel(Tunnel::kMpls);
  if (!walk.need(1)) return;
  const int nibble = walk.at[0] >> 4;
  if (nibble == 4) return walk.go(Layer::kIpv4);
  if (nibble == 6) return walk.go(Layer::kIpv6);
  if (nibble == 1) return walk.stop_foreign();  // an associated channel (RFC 4385, 5)
  constexpr std::uint32_t kControlWord = 4;     // RFC 4385, 3: its first half-byte is 0
  if (nibble == 0 && looks_like_ethernet(walk, kControlWord)) {
    walk.skip(kControlWord);
    return walk.go(Layer::kEthernet);
  }
  if (looks_like_ethernet(walk, 0)) return walk.go(Layer::kEthernet);
  walk.stop_foreign();
}

}  // namespace finwait::wire

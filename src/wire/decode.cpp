#include "finwait/wire/decode.h"

#include <algorithm>
#include <array>

#include "walk.h"

namespace finwait::wire {
namespace {

constexpr std::uint8_t kTcpProtocol = 6;

/// What follows an IP header.
void read_ip_protocol(Walk& walk) noexcept {
  switch (walk.type) {
    case 4:
      walk.ip.encapsulation.add_tunnel(Tunnel::kIpip);
      return walk.go(Layer::kIpv4);
    case 41:
      walk.ip.encapsulation.add_tunnel(walk.ip.v6 ? Tunnel::kIpip : Tunnel::kSixInFour);
      return walk.go(Layer::kIpv6);
    case 17:
      return read_udp(walk);
    case 47:
      return read_gre(walk);
    case 97:
      return read_etherip(walk);
    case 137:
      return walk.go(Layer::kMpls);  // RFC 4023
    case 143:
      return walk.go(Layer::kEthernet);  // RFC 8986
    case 51:
      return read_extension(walk);
    case 0:
    case 43:
    case 44:
    case 60:
    case 135:
    case 139:
    case 140:
      return walk.ip.v6 ? read_extension(walk) : walk.stop(Fate::kOtherIp);
    default:
      return walk.stop(Fate::kOtherIp);
  }
}

void step(Walk& walk) noexcept {
  switch (walk.next) {
    case Layer::kStopped:
      return;
    case Layer::kLinkType:
      return read_link_type(walk);
    case Layer::kEthernet:
      return read_ethernet(walk);
    case Layer::kEtherType:
      return read_ether_type(walk);
    case Layer::kLlc:
      return read_llc(walk);
    case Layer::kPpp:
      return read_ppp(walk);
    case Layer::kPppProtocol:
      return read_ppp_protocol(walk);
    case Layer::kHdlc:
      return read_hdlc(walk);
    case Layer::kFrameRelay:
      return read_frame_relay(walk);
    case Layer::kMpls:
      return read_mpls(walk);
    case Layer::kIp:
      return read_ip(walk);
    case Layer::kIpv4:
      return read_ipv4(walk);
    case Layer::kIpv6:
      return read_ipv6(walk);
    case Layer::kIpProtocol:
      return read_ip_protocol(walk);
  }
}

}  // namespace

/// In place: a walk returned would be copied just when its stores are under way.
void begin_walk(const FrameView& frame, const DecodeOptions& options, Walk& walk) noexcept {
  walk.at = frame.data;
  walk.captured = frame.captured;
  walk.wire = std::max(frame.length, frame.captured);
  walk.checksums = options.checksums;
  walk.go(Layer::kLinkType, frame.link_type);
}

Fate walk_on(Walk& walk, Segment& out) noexcept {
  constexpr std::uint16_t kIcmp = 1;
  constexpr std::uint16_t kIcmp6 = 58;
  while (walk.next != Layer::kStopped) {
    if (walk.next == Layer::kIpProtocol) {
      if (walk.type == kTcpProtocol) return read_tcp(walk, out);
      if (walk.type == (walk.ip.v6 ? kIcmp6 : kIcmp)) return read_icmp(walk, out);
    }
    step(walk);
  }
  return walk.fate;
}

Fate decode(const FrameView& frame, const DecodeOptions& options, Segment& out) noexcept {
  out.kind = SegmentKind::kTcp;
  if (decode_common(frame, options, out)) return Fate::kTcp;
  Walk walk;
  begin_walk(frame, options, walk);
  return walk_on(walk, out);
}

const char* fate_name(Fate fate) noexcept {
  static constexpr std::array<const char*, kFates> kNames = {"tcp",       "other_ip",  "not_ip",   "fragment",
                                                             "truncated", "malformed", "filtered", "table_full"};
  const auto index = static_cast<std::size_t>(fate);
  return index < kNames.size() ? kNames[index] : "unknown";
}

}  // namespace finwait::wire

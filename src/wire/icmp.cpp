// ICMP and ICMPv6 errors (RFC 792, RFC 4443) that quote a TCP segment: its flow, its direction, its sequence number.
//
// Only errors: a redirect says nothing about a connection. What is quoted need not be whole; eight bytes above IP are enough.
#include "walk.h"

namespace finwait::wire {
namespace {

constexpr std::uint32_t kIcmpHeader = 8;
constexpr std::uint8_t kTcpProtocol = 6;

bool is_error(bool v6, std::uint8_t type) noexcept {
  if (v6) return type >= 1 && type <= 4;
  return type == 3 || type == 4 || type == 11 || type == 12;
}

/// What the next hop can carry, where the error says so; else 0.
std::uint32_t path_mtu(bool v6, const std::uint8_t* icmp) noexcept {
  if (v6) return icmp[0] == 2 ? be32(icmp + 4) : 0;
  return icmp[0] == 3 && icmp[1] == 4 ? be16(icmp + 6) : 0;
}

/// Steps over the quoted IP header to the quoted TCP header; false if there is none.
bool find_quoted_tcp(Walk& quoted, bool v6) noexcept {
  quoted.checksums = Checksums::kIgnore;
  quoted.depth = 0;
  if (v6) {
    read_ipv6(quoted);
  } else {
    read_ipv4(quoted);
  }
  while (quoted.next == Layer::kIpProtocol && quoted.type != kTcpProtocol) {
    if (!v6 || (quoted.type != 0 && quoted.type != 43 && quoted.type != 60)) return false;
    read_extension(quoted);
  }
  const bool first_fragment =
      quoted.next == Layer::kStopped && quoted.fate == Fate::kFragment && quoted.fragment.offset == 0 && quoted.type == kTcpProtocol;
  return (quoted.next == Layer::kIpProtocol || (!v6 && first_fragment)) && quoted.captured >= 8;
}

}  // namespace

Fate read_icmp(const Walk& walk, Segment& out) noexcept {
  out.kind = SegmentKind::kTcp;
  const std::uint8_t* icmp = walk.at;
  const bool v6 = walk.ip.v6;
  if (walk.captured < kIcmpHeader) return walk.wire >= kIcmpHeader ? Fate::kTruncated : Fate::kOtherIp;
  if (!is_error(v6, icmp[0])) return Fate::kOtherIp;
  Walk quoted = walk;
  quoted.skip(kIcmpHeader);
  // The quotation is cut by the error's sender, and its length field is not: only what is there counts.
  if (!find_quoted_tcp(quoted, v6)) return Fate::kOtherIp;
  write_key(quoted.ip, be16(quoted.at), be16(quoted.at + 2), out);
  out.kind = SegmentKind::kIcmpError;
  out.seq = be32(quoted.at + 4);
  out.ack = (static_cast<std::uint32_t>(icmp[0]) << 8) | icmp[1];
  out.payload_length = 0;
  out.ip_length = path_mtu(v6, icmp);
  out.ts_val = out.ts_ecr = 0;
  out.sack_left = out.sack_right = 0;
  out.encapsulation = walk.ip.encapsulation;
  out.window = 0;
  out.ip_id = walk.ip.id;
  out.flags = quoted.captured >= 14 ? static_cast<std::uint16_t>(be16(quoted.at + 12) & 0x0fffU) : std::uint16_t{0};
  out.mss = 0;
  out.present = 0;
  out.payload_sum = 0;
  out.window_scale = 0;
  out.ttl = walk.ip.ttl;
  return Fate::kOtherIp;
}

}  // namespace finwait::wire

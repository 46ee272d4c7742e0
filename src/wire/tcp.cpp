// The TCP header (RFC 9293, 3.1), its checksum, and the flow's key.
//
// The checksum stands for the payload: its sum follows from the header alone (`payload_sum`), so copies and overlaps can be compared
// without ever touching the payload. Only a check of the checksum itself reads all of it.
#include <algorithm>

#include "finwait/wire/checksum.h"
#include "walk.h"

namespace finwait::wire {
namespace {

constexpr std::uint32_t kTcpHeader = 20;
constexpr std::uint8_t kTcpProtocol = 6;

/// The pseudo-header's sum (RFC 9293, 3.1; RFC 8200, 8.1).
OnesSum sum_pseudo_header(const IpPacket& ip, std::uint32_t length) noexcept {
  OnesSum sum;
  if (ip.v6) {
    sum.add(ip.source, 16);
    sum.add(ip.destination, 16);
  } else {
    sum.add(ip.source, 4);
    sum.add(ip.destination, 4);
  }
  sum.add(std::uint16_t{kTcpProtocol});
  sum.add_long(length);
  return sum;
}

/// A sender that leaves the checksum to its device writes the sum of the pseudo-header there, with the length (Linux) or without it.
bool left_to_device(const IpPacket& ip, std::uint32_t length, std::uint16_t checksum) noexcept {
  return checksum == sum_pseudo_header(ip, length).folded() || checksum == sum_pseudo_header(ip, 0).folded();
}

/// Checks the checksum as far as asked for and possible, and notes the payload's sum.
void note_checksum(const Walk& walk, std::uint32_t header, Segment& out) noexcept {
  if (walk.captured < header) return;
  const std::uint16_t checksum = be16(walk.at + 16);
  OnesSum sum = sum_pseudo_header(walk.ip, walk.claimed);
  add_header(sum, walk.at, kTcpHeader, header);
  const std::uint16_t above = sum.folded();
  const std::uint16_t implied = normal_sum(static_cast<std::uint16_t>(~above));
  out.present |= present::kPayloadSum;
  out.payload_sum = implied;
  if (walk.checksums == Checksums::kIgnore || walk.captured < walk.claimed) {
    if (!left_to_device(walk.ip, walk.claimed, checksum)) return;
    out.payload_sum = 0;
    out.present = static_cast<std::uint16_t>((out.present & ~present::kPayloadSum) | present::kOffloaded);
    return;
  }
  OnesSum payload;
  payload.add(walk.at + header, out.payload_length);
  out.payload_sum = normal_sum(payload.folded());
  if (out.payload_sum == implied) return;
  const bool device = (walk.ip.noted & present::kOffloaded) != 0 || left_to_device(walk.ip, walk.claimed, checksum);
  out.present |= device ? present::kOffloaded : present::kBadChecksum;
}

int compare_v6(const std::uint8_t* a, const std::uint8_t* b) noexcept {
  const std::uint64_t a_high = be64(a);
  const std::uint64_t b_high = be64(b);
  if (a_high != b_high) return a_high < b_high ? -1 : 1;
  const std::uint64_t a_low = be64(a + 8);
  const std::uint64_t b_low = be64(b + 8);
  return a_low == b_low ? 0 : a_low < b_low ? -1 : 1;
}

}  // namespace

/// Each end is written once, to where it belongs: copying addresses that have just been put together would wait for the stores.
void write_key(const IpPacket& ip, std::uint16_t source_port, std::uint16_t destination_port, Segment& out) noexcept {
  FlowKey& key = out.key;
  bool swapped = false;
  if (!ip.v6) {
    const std::uint64_t from = (static_cast<std::uint64_t>(be32(ip.source)) << 16) | source_port;
    const std::uint64_t to = (static_cast<std::uint64_t>(be32(ip.destination)) << 16) | destination_port;
    swapped = from > to;
    key.low = Address::v4(swapped ? ip.destination : ip.source);
    key.high = Address::v4(swapped ? ip.source : ip.destination);
    key.network = ip.network;
  } else {
    const int order = compare_v6(ip.source, ip.destination);
    swapped = order > 0 || (order == 0 && source_port > destination_port);
    key.low = Address::v6(swapped ? ip.destination : ip.source);
    key.high = Address::v6(swapped ? ip.source : ip.destination);
    key.network = ip.network | FlowKey::kIpv6;
  }
  key.low_port = swapped ? destination_port : source_port;
  key.high_port = swapped ? source_port : destination_port;
  out.direction = swapped ? 1 : 0;
}

Fate read_tcp(const Walk& walk, Segment& out) noexcept {
  const std::uint8_t* tcp = walk.at;
  if (walk.captured < kTcpHeader) return walk.wire >= kTcpHeader ? Fate::kTruncated : Fate::kMalformed;
  const std::uint32_t header = (tcp[12] >> 4) * 4U;
  if (header < kTcpHeader) return Fate::kMalformed;
  if (walk.wire < kTcpHeader) return Fate::kMalformed;
  write_key(walk.ip, be16(tcp), be16(tcp + 2), out);
  out.seq = be32(tcp + 4);
  out.ack = be32(tcp + 8);
  const bool beyond = header > walk.wire;  // options that the packet does not have: ports, numbers and flags stand all the same
  out.payload_length = beyond ? 0 : walk.wire - header;
  out.ip_length = walk.ip.length;
  out.ts_val = out.ts_ecr = 0;
  out.sack_left = out.sack_right = 0;
  out.encapsulation = walk.ip.encapsulation;
  out.window = be16(tcp + 14);
  out.ip_id = walk.ip.id;
  out.flags = be16(tcp + 12) & 0x0fffU;
  out.mss = 0;
  out.present = walk.ip.noted;
  out.payload_sum = 0;
  out.window_scale = 0;
  out.ttl = walk.ip.ttl;
  const std::uint32_t claimed = std::min(header, walk.wire);
  if (claimed > kTcpHeader) {
    read_tcp_options(tcp + kTcpHeader, std::min(claimed, walk.captured) - kTcpHeader, claimed - kTcpHeader, out);
  }
  if (beyond) {
    out.present |= present::kOptionsMalformed;
    return Fate::kTcp;
  }
  note_checksum(walk, header, out);
  return walk.checksums == Checksums::kVerify && out.has(present::kBadChecksum) ? Fate::kMalformed : Fate::kTcp;
}

}  // namespace finwait::wire

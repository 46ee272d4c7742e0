// One pass over the headers without a step in between: a third of the instructions of the walk, for nearly every frame of nearly every
// capture (bench/decode_bench.cpp shows both).
#include "common_frame.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#include "finwait/wire/checksum.h"
#include "finwait/wire/load.h"
#include "walk.h"

namespace finwait::wire {
namespace {

constexpr std::uint16_t kLinkEthernet = 1;
constexpr std::uint32_t kEthernetHeader = 14;
constexpr std::uint32_t kTag = 4;
constexpr std::uint32_t kIpv4Header = 20;
constexpr std::uint32_t kIpv6Header = 40;
constexpr std::uint32_t kTcpHeader = 20;
constexpr std::uint8_t kTcpProtocol = 6;

/// Where the TCP header stands, and what its IP header says.
struct Place {
  const std::uint8_t* tcp;
  std::uint32_t captured;  ///< bytes at tcp, padding of the link left out
  std::uint32_t length;    ///< of the TCP segment on the wire
};

/// For sums in native order: the byte order is put right by whoever compares (RFC 1071, 2 B).
std::uint64_t word(const std::uint8_t* at) noexcept { return load_native<std::uint32_t>(at); }

/// Two values put in order without a branch that the processor could only guess.
template <class T>
void exchange(bool swapped, T& a, T& b) noexcept {
  const T difference = (a ^ b) & (T{0} - T{swapped});
  a ^= difference;
  b ^= difference;
}

// The key is read again at once, in words of eight bytes, to be hashed: a word written in two pieces would have to wait for both to reach
// the cache. So each is written whole.
static_assert(offsetof(FlowKey, low_port) == 32 && offsetof(FlowKey, high_port) == 34 && offsetof(FlowKey, network) == 36);

/// The key's last word, and the direction.
void write_ports(bool swapped, std::uint32_t source, std::uint32_t destination, std::uint32_t network, Segment& out) noexcept {
  exchange(swapped, source, destination);
  constexpr bool kLittle = std::endian::native == std::endian::little;
  const std::uint64_t ports = kLittle ? source | destination << 16 : source << 16 | destination;
  const std::uint64_t last = kLittle ? ports | std::uint64_t{network} << 32 : ports << 32 | network;
  std::memcpy(reinterpret_cast<std::uint8_t*>(&out.key) + offsetof(FlowKey, low_port), &last, sizeof(last));
  out.direction = static_cast<std::uint8_t>(swapped);
}

/// As Address::v4 lays it out.
Address mapped(std::uint32_t native) noexcept {
  constexpr std::uint64_t kBefore = 0xffff'0000;  // 0, 0, 0xff, 0xff
  constexpr bool kLittle = std::endian::native == std::endian::little;
  const std::uint64_t second = kLittle ? kBefore | std::uint64_t{native} << 32 : std::uint64_t{0xffff} << 32 | native;
  const std::array<std::uint64_t, 2> words{0, second};
  return std::bit_cast<Address>(words);
}

void write_ipv4_key(const std::uint8_t* header, const std::uint8_t* tcp, Segment& out) noexcept {
  std::uint32_t source = load_native<std::uint32_t>(header + 12);
  std::uint32_t destination = load_native<std::uint32_t>(header + 16);
  const std::uint32_t from_port = be16(tcp);
  const std::uint32_t to_port = be16(tcp + 2);
  const std::uint64_t from = static_cast<std::uint64_t>(be32(header + 12)) << 16 | from_port;
  const std::uint64_t to = static_cast<std::uint64_t>(be32(header + 16)) << 16 | to_port;
  const bool swapped = from > to;
  exchange(swapped, source, destination);
  out.key.low = mapped(source);
  out.key.high = mapped(destination);
  write_ports(swapped, from_port, to_port, 0, out);
}

void write_ipv6_key(const std::uint8_t* header, const std::uint8_t* tcp, Segment& out) noexcept {
  constexpr std::uint32_t kSource = 8;
  constexpr std::uint32_t kDestination = 24;
  const std::uint64_t from = be64(header + kSource);
  const std::uint64_t to = be64(header + kDestination);
  const std::uint64_t from_low = be64(header + kSource + 8);
  const std::uint64_t to_low = be64(header + kDestination + 8);
  const std::uint32_t from_port = be16(tcp);
  const std::uint32_t to_port = be16(tcp + 2);
  const bool swapped = from != to ? from > to : from_low != to_low ? from_low > to_low : from_port > to_port;
  out.key.low = Address::v6(header + (swapped ? kDestination : kSource));
  out.key.high = Address::v6(header + (swapped ? kSource : kDestination));
  write_ports(swapped, from_port, to_port, FlowKey::kIpv6, out);
}

/// The checksum of the segment, as tcp.cpp has it: false if it was left to the device or does not fit. `pseudo`: the addresses' sum.
bool note_payload_sum(const Place& place, std::uint32_t header, std::uint64_t pseudo, bool read_payload, Segment& out) noexcept {
  const std::uint8_t* tcp = place.tcp;
  pseudo += network_order(kTcpProtocol);
  const std::uint64_t with_length = pseudo + network_order(static_cast<std::uint16_t>(place.length));
  const auto checksum = load_native<std::uint16_t>(tcp + 16);
  std::uint64_t sum = with_length + word(tcp) + word(tcp + 4) + word(tcp + 8) + word(tcp + 12) + word(tcp + 16);
  for (std::uint32_t at = kTcpHeader; at < header; at += 4) sum += word(tcp + at);
  const std::uint16_t implied = normal_sum(network_order(static_cast<std::uint16_t>(~fold(sum))));
  if (!read_payload || place.captured < place.length) {
    if (checksum == fold(with_length) || checksum == fold(pseudo)) return false;
  } else {
    OnesSum payload;
    payload.add(tcp + header, place.length - header);
    if (normal_sum(payload.folded()) != implied) return false;
  }
  out.payload_sum = implied;
  out.present |= present::kPayloadSum;
  return true;
}

/// Everything the TCP header says but the ports; false if it is not a common one.
bool read_header(const Place& place, std::uint64_t pseudo, const DecodeOptions& options, Segment& out) noexcept {
  const std::uint8_t* tcp = place.tcp;
  const std::uint32_t header = (tcp[12] >> 4) * 4U;
  if (header < kTcpHeader || header > place.length || header > place.captured) return false;
  out.seq = be32(tcp + 4);
  out.ack = be32(tcp + 8);
  out.payload_length = place.length - header;
  out.ts_val = out.ts_ecr = 0;
  out.sack_left = out.sack_right = 0;
  out.flags = be16(tcp + 12) & 0x0fffU;
  out.window = be16(tcp + 14);
  out.mss = 0;
  out.present = 0;
  out.window_scale = 0;
  if (header > kTcpHeader) read_tcp_options(tcp + kTcpHeader, header - kTcpHeader, header - kTcpHeader, out);
  return note_payload_sum(place, header, pseudo, options.checksums != Checksums::kIgnore, out);
}

bool read_ipv4(const std::uint8_t* header, std::uint32_t captured, std::uint32_t wire, const DecodeOptions& options,
               Segment& out) noexcept {
  if (captured < kIpv4Header + kTcpHeader || header[0] != 0x45 || header[9] != kTcpProtocol) return false;
  const std::uint32_t length = be16(header + 2);
  const bool fragment = (be16(header + 6) & 0x3fffU) != 0;
  if (length < kIpv4Header + kTcpHeader || length > wire || fragment) return false;
  const std::uint64_t addresses = word(header + 12) + word(header + 16);
  if (options.checksums != Checksums::kIgnore) {
    const bool left_to_device = load_native<std::uint16_t>(header + 10) == 0;
    if (left_to_device || fold(word(header) + word(header + 4) + word(header + 8) + addresses) != 0xffff) return false;
  }
  const Place place{header + kIpv4Header, std::min(captured, length) - kIpv4Header, length - kIpv4Header};
  write_ipv4_key(header, place.tcp, out);
  out.ip_length = length;
  out.ip_id = be16(header + 4);
  out.ttl = header[8];
  return read_header(place, addresses, options, out);
}

bool read_ipv6(const std::uint8_t* header, std::uint32_t captured, std::uint32_t wire, const DecodeOptions& options,
               Segment& out) noexcept {
  if (captured < kIpv6Header + kTcpHeader || (header[0] >> 4) != 6 || header[6] != kTcpProtocol) return false;
  const std::uint32_t length = be16(header + 4);
  if (length < kTcpHeader || length + kIpv6Header > wire) return false;
  std::uint64_t addresses = 0;
  for (std::uint32_t at = 8; at != kIpv6Header; at += 4) addresses += word(header + at);
  const Place place{header + kIpv6Header, std::min(captured - kIpv6Header, length), length};
  write_ipv6_key(header, place.tcp, out);
  out.ip_length = length + kIpv6Header;
  out.ip_id = 0;
  out.ttl = header[7];
  return read_header(place, addresses, options, out);
}

}  // namespace

bool decode_common(const FrameView& frame, const DecodeOptions& options, Segment& out) noexcept {
  constexpr std::uint16_t kIpv4 = 0x0800;
  constexpr std::uint16_t kIpv6 = 0x86dd;
  constexpr std::uint16_t kVlan = 0x8100;
  if (frame.link_type != kLinkEthernet || frame.captured < kEthernetHeader + kTag + kIpv4Header) return false;
  std::uint32_t at = kEthernetHeader;
  std::uint16_t type = be16(frame.data + at - 2);
  out.encapsulation = {};
  if (type == kVlan) {
    out.encapsulation.add_vlan(be16(frame.data + at));
    at += kTag;
    type = be16(frame.data + at - 2);
  }
  const std::uint32_t captured = frame.captured - at;
  const std::uint32_t wire = std::max(frame.length, frame.captured) - at;
  if (type == kIpv4) return read_ipv4(frame.data + at, captured, wire, options, out);
  if (type == kIpv6) return read_ipv6(frame.data + at, captured, wire, options, out);
  return false;
}

}  // namespace finwait::wire

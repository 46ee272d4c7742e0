// The common frame, straight on: Ethernet, at most one VLAN tag, IPv4 without options or IPv6 without extension headers, TCP.
//
// A short cut and nothing else: what it gives is what the walk down the headers gives, which a test holds against it. Whatever is not quite
// common (a length that lies, a fragment, a checksum that does not fit, a header the capture cut) it leaves to the walk.
//
// It stands in a header so that the loop over a batch has no call in it, and it counts instructions: the frame's bytes are loaded in long
// words, each once, which serve the fields and the checksums alike, and neighbouring fields of the Segment are stored together. On either
// byte order: whatever is stored as a word is put the right way round by in_memory().
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "finwait/wire/checksum.h"
#include "finwait/wire/decode.h"
#include "finwait/wire/load.h"
#include "finwait/wire/segment.h"

namespace finwait::wire {

/// Fills mss, window scale, timestamps, SACK and their bits from the `size` captured bytes of `whole` bytes of TCP options.
void read_tcp_options(const std::uint8_t* options, std::uint32_t size, std::uint32_t whole, Segment& out) noexcept;  // tcp_options.cpp

namespace common {

inline constexpr std::uint16_t kLinkEthernet = 1;
inline constexpr std::uint32_t kEthernetHeader = 14;
inline constexpr std::uint32_t kTag = 4;
inline constexpr std::uint32_t kIpv4Header = 20;
inline constexpr std::uint32_t kIpv6Header = 40;
inline constexpr std::uint32_t kTcpHeader = 20;
inline constexpr std::uint32_t kTcpWithTimestamps = 32;
inline constexpr std::uint16_t kTcpProtocol = 6;
inline constexpr bool kLittle = std::endian::native == std::endian::little;

// What is stored together.
static_assert(offsetof(FlowKey, low_port) == 32 && offsetof(FlowKey, high_port) == 34 && offsetof(FlowKey, network) == 36);
static_assert(offsetof(Segment, ack) + 4 == offsetof(Segment, seq));
static_assert(offsetof(Segment, ts_ecr) + 4 == offsetof(Segment, ts_val));
static_assert(offsetof(Segment, window) + 2 == offsetof(Segment, flags) && offsetof(Segment, window) + 4 == offsetof(Segment, mss));
static_assert(offsetof(Segment, present) + 2 == offsetof(Segment, payload_sum));
static_assert(offsetof(Segment, mss) + 2 == offsetof(Segment, window_scale) && offsetof(Segment, mss) + 3 == offsetof(Segment, kind));

/// Two neighbouring fields of 32 bits as one word: `halves` has the first in its lower half.
inline std::uint64_t in_memory(std::uint64_t halves) noexcept { return kLittle ? halves : std::rotl(halves, 32); }
/// The same of 16 bits.
inline std::uint32_t in_memory(std::uint32_t halves) noexcept { return kLittle ? halves : std::rotl(halves, 16); }
/// From native order into network order, or back.
inline std::uint64_t network_order(std::uint64_t value) noexcept { return kLittle ? swap_bytes(value) : value; }
inline std::uint32_t network_order(std::uint32_t value) noexcept { return kLittle ? swap_bytes(value) : value; }
using wire::network_order;

/// Writes a word over the fields of a segment that begin at byte `offset`.
template <typename T>
[[gnu::always_inline]] inline void store(T word, Segment& out, std::size_t offset) noexcept {
  std::memcpy(reinterpret_cast<std::uint8_t*>(&out) + offset, &word, sizeof(word));
}

/// An IP header without options, and what it says of itself and the TCP segment in it.
struct Packet {
  const std::uint8_t* at;
  std::uint32_t captured;       ///< bytes there, padding of the link included
  std::uint32_t length;         ///< on the wire, without it
  std::uint32_t native_length;  ///< a number whose sum is that of the TCP segment's length
};

/// The key's last word, and the direction. `ports`: source in the upper half, destination in the lower.
[[gnu::always_inline]] inline void write_ports(bool swapped, std::uint32_t ports, std::uint32_t network, Segment& out) noexcept {
  const std::uint32_t ordered = std::rotl(std::rotl(ports, 16), 16 * static_cast<int>(swapped));  // the low end's in the lower half
  const std::uint64_t last = kLittle ? ordered | std::uint64_t{network} << 32 : std::uint64_t{std::rotl(ordered, 16)} << 32 | network;
  store(last, out, offsetof(Segment, key) + offsetof(FlowKey, low_port));
  out.direction = static_cast<std::uint8_t>(swapped);
}

/// The ends in order by rotations: which of them is the low one, no processor could guess. `addresses` in native order.
///
/// Laid out as by Address::v4. The key is read again at once, in words of eight bytes, to be hashed: a word written in two pieces would
/// have to wait for both to reach the cache. So each is written whole.
[[gnu::always_inline]] inline void write_ipv4_key(const std::uint8_t* header, Segment& out) noexcept {
  constexpr std::uint64_t kBefore = kLittle ? 0xffff'0000 : std::uint64_t{0xffff} << 32;  // 0, 0, 0xff, 0xff
  const auto addresses = load_native<std::uint64_t>(header + 12);
  const std::uint32_t ports = be32(header + kIpv4Header);
  const std::uint64_t both = network_order(addresses);
  const auto from = static_cast<std::uint32_t>(both >> 32);
  const auto to = static_cast<std::uint32_t>(both);
  bool swapped = from > to;
  if (from == to) [[unlikely]]
    swapped = (ports >> 16) > (ports & 0xffffU);
  const std::uint64_t ordered = std::rotl(addresses, 32 * static_cast<int>(swapped));
  const std::uint64_t upper = ordered >> 32;
  store(std::uint64_t{0}, out, offsetof(Segment, key) + offsetof(FlowKey, low));
  store(kBefore | (kLittle ? ordered << 32 : upper), out, offsetof(Segment, key) + offsetof(FlowKey, low) + 8);
  store(std::uint64_t{0}, out, offsetof(Segment, key) + offsetof(FlowKey, high));
  store(kBefore | (kLittle ? upper << 32 : ordered & 0xffff'ffffU), out, offsetof(Segment, key) + offsetof(FlowKey, high) + 8);
  write_ports(swapped, ports, 0, out);
}

[[gnu::always_inline]] inline void write_ipv6_key(const std::uint8_t* header, Segment& out) noexcept {
  const std::uint64_t from = be64(header + 8);
  const std::uint64_t to = be64(header + 24);
  const std::uint32_t ports = be32(header + kIpv6Header);
  bool swapped = from > to;
  if (from == to) {
    const std::uint64_t from_low = be64(header + 16);
    const std::uint64_t to_low = be64(header + 32);
    swapped = from_low > to_low;
    if (from_low == to_low) [[unlikely]]
      swapped = (ports >> 16) > (ports & 0xffffU);
  }
  const std::uint32_t other = 16 * static_cast<std::uint32_t>(swapped);
  const Address low = Address::v6(header + 8 + other);
  const Address high = Address::v6(header + (24 - other));
  out.key.low = low;
  out.key.high = high;
  write_ports(swapped, ports, FlowKey::kIpv6, out);
}

/// The sum of both addresses.
template <std::uint32_t kIpHeader>
[[gnu::always_inline]] inline std::uint64_t sum_addresses(const std::uint8_t* header) noexcept {
  if constexpr (kIpHeader == kIpv4Header) return load_native<std::uint64_t>(header + 12);
  return add_round(add_round(load_native<std::uint64_t>(header + 8), load_native<std::uint64_t>(header + 16)),
                   add_round(load_native<std::uint64_t>(header + 24), load_native<std::uint64_t>(header + 32)));
}

/// Whether a sum, not zero, is one of nothing but zeros in ones' complement: a multiple of 65535. Told by a product with 1/65535 (modulo
/// 2^64), which is the quotient of every multiple, and more than any quotient for everything else.
[[gnu::always_inline]] inline bool sums_to_zero(std::uint64_t sum) noexcept {
  constexpr std::uint64_t kDivisor = 0xffff;
  constexpr std::uint64_t kInverse = 0xfffe'fffe'fffe'ffff;
  static_assert(kDivisor * kInverse == 1);
  return sum * kInverse <= ~std::uint64_t{0} / kDivisor;
}

/// The checksum stands for nothing if the sender left it to the device: then it is the sum of the pseudo-header, with the length or
/// without. May say so of others, never the other way: then the walk looks again.
template <std::uint32_t kIpHeader>
[[gnu::always_inline]] inline bool may_be_left_to_device(const Packet& packet) noexcept {
  const auto checksum = load_native<std::uint16_t>(packet.at + kIpHeader + 16);
  const std::uint64_t addresses = sum_addresses<kIpHeader>(packet.at);
  const std::uint64_t pseudo = (addresses & 0xffff'ffffU) + (addresses >> 32) + network_order(kTcpProtocol);
  const std::uint64_t without = pseudo + 0xffff - checksum;
  return sums_to_zero(without) || sums_to_zero(without + packet.native_length);
}

/// The last `size` bytes before `end`, fewer than eight, as the first of a word; at least eight bytes stand before it. How many there are
/// no processor could guess.
[[gnu::always_inline]] inline std::uint64_t last_bytes(const std::uint8_t* end, std::uint32_t size) noexcept {
  const auto word = load_native<std::uint64_t>(end - sizeof(std::uint64_t));
  return kLittle ? word >> 1 >> (63 - 8 * size) : word << 1 << (63 - 8 * size);
}

/// The sum of the payload of `size` bytes; it is at an even offset, behind headers.
[[gnu::always_inline]] inline std::uint16_t sum_payload(const std::uint8_t* payload, std::uint32_t size) noexcept {
  const std::uint32_t rest = size % sizeof(std::uint64_t);
  std::uint64_t sum = last_bytes(payload + size, rest);
  if (size != rest) sum = add_round(sum, sum_words(payload, size - rest));
  return normal_sum(network_order(fold(sum)));
}

/// Options that are no timestamps alone: reads them, and returns their sum.
inline std::uint64_t read_options(const std::uint8_t* options, std::uint32_t size, Segment& out) noexcept {
  read_tcp_options(options, size, size, out);
  std::uint64_t sum = 0;
  for (std::uint32_t at = 0; at != size; at += 4) sum += load_native<std::uint32_t>(options + at);
  return sum;
}

/// Notes what the segment carried, and the sum of its payload.
[[gnu::always_inline]] inline void write_noted(std::uint32_t noted, std::uint16_t payload_sum, Segment& out) noexcept {
  store(in_memory(noted | std::uint32_t{payload_sum} << 16), out, offsetof(Segment, present));
}

/// Everything the TCP header says but the ports; false if it is not a common one, or its checksum does not fit or was left to the device.
template <std::uint32_t kIpHeader, bool kReadPayload>
[[gnu::always_inline]] inline bool read_header(const Packet& packet, Segment& out) noexcept {
  constexpr std::uint32_t kAlignedTimestamps = 0x0101080a;  // NOP, NOP, timestamps: what most segments carry (RFC 7323, appendix A)
  const std::uint8_t* tcp = packet.at + kIpHeader;
  if (tcp[12] < kTcpHeader / 4 << 4) [[unlikely]]
    return false;
  const std::uint64_t small = std::uint64_t{load_native<std::uint32_t>(tcp)} + packet.native_length + network_order(kTcpProtocol);
  const auto rest = load_native<std::uint64_t>(tcp + 12);
  std::uint64_t sum =
      add_round(add_round(sum_addresses<kIpHeader>(packet.at), load_native<std::uint64_t>(tcp + 4)), add_round(rest, small));
  const std::uint64_t offset_and_flags = network_order(rest);
  const std::uint32_t without_offset = static_cast<std::uint32_t>(offset_and_flags >> 32) & 0x0fff'ffffU;
  store(kLittle ? without_offset : std::uint64_t{in_memory(without_offset)} << 32, out,
        offsetof(Segment, window));  // mss, window_scale and kind are 0
  const std::uint32_t header = static_cast<std::uint32_t>(offset_and_flags >> 60) * 4;
  const std::uint32_t headers = header + kIpHeader;
  if (headers > packet.captured) [[unlikely]]
    return false;
  out.payload_length = packet.length - headers;
  if (headers > packet.length) [[unlikely]]
    return false;
  out.sack_left = out.sack_right = 0;
  store(in_memory(be64(tcp + 4)), out, offsetof(Segment, ack));
  store(std::uint64_t{0}, out, offsetof(Segment, ts_ecr));
  std::uint32_t noted = present::kPayloadSum;
  if (header != kTcpHeader) {
    if (header == kTcpWithTimestamps && be32(tcp + kTcpHeader) == kAlignedTimestamps) {
      const auto native = load_native<std::uint64_t>(tcp + kTcpHeader + 4);
      sum = add_round(add_round(sum, native), network_order(kAlignedTimestamps));
      store(in_memory(network_order(native)), out, offsetof(Segment, ts_ecr));
      noted |= present::kTimestamps;
    } else {
      out.present = present::kPayloadSum;
      sum = add_round(sum, read_options(tcp + kTcpHeader, header - kTcpHeader, out));
      noted = out.present;
    }
  }
  const auto implied = network_order(static_cast<std::uint16_t>(~fold_high(sum) >> 16));  // never 0xffff: the sum is not zero
  write_noted(noted, implied, out);
  if (!kReadPayload || packet.captured < packet.length) {
    if (may_be_left_to_device<kIpHeader>(packet)) [[unlikely]]
      return false;
    return true;
  }
  return implied == sum_payload(packet.at + headers, packet.length - headers);
}

template <bool kReadPayload>
[[gnu::always_inline]] inline bool read_ipv4(const std::uint8_t* header, std::uint32_t captured, std::uint32_t wire,
                                             Segment& out) noexcept {
  constexpr std::uint16_t kMoreOrOffset = 0x3fff;
  constexpr std::uint16_t kLessHeader = 0xffff - kIpv4Header;  // ones' complement
  constexpr std::uint32_t kLeast = kIpv4Header + kTcpHeader;
  if (captured < kLeast || header[0] != 0x45 || header[9] != kTcpProtocol) return false;
  const auto native_length = load_native<std::uint16_t>(header + 2);
  const std::uint32_t length = network_order(native_length);
  const bool fragment = (load_native<std::uint16_t>(header + 6) & network_order(kMoreOrOffset)) != 0;
  if (fragment || length - kLeast > wire - kLeast) [[unlikely]]
    return false;  // too short is too long
  if constexpr (kReadPayload) {
    const bool left_to_device = load_native<std::uint16_t>(header + 10) == 0;
    const std::uint64_t sum = add_round(load_native<std::uint64_t>(header + 12),
                                        add_round(load_native<std::uint64_t>(header), load_native<std::uint32_t>(header + 8)));
    if (left_to_device || !sums_to_zero(sum)) [[unlikely]]
      return false;
  }
  out.ip_length = length;
  out.ip_id = be16(header + 4);
  out.ttl = header[8];
  const std::uint32_t sum_of_length = std::uint32_t{native_length} + network_order(kLessHeader);
  write_ipv4_key(header, out);
  return read_header<kIpv4Header, kReadPayload>({header, captured, length, sum_of_length}, out);
}

template <bool kReadPayload>
[[gnu::always_inline]] inline bool read_ipv6(const std::uint8_t* header, std::uint32_t captured, std::uint32_t wire,
                                             Segment& out) noexcept {
  if (captured < kIpv6Header + kTcpHeader || (header[0] & 0xf0U) != 0x60 || header[6] != kTcpProtocol) return false;
  const auto native_length = load_native<std::uint16_t>(header + 4);
  const std::uint32_t length = network_order(native_length) + kIpv6Header;
  if (length < kIpv6Header + kTcpHeader || length > wire) [[unlikely]]
    return false;
  out.ip_length = length;
  out.ip_id = 0;
  out.ttl = header[7];
  write_ipv6_key(header, out);
  return read_header<kIpv6Header, kReadPayload>({header, captured, length, native_length}, out);
}

/// What follows the EtherType `type`, in native order.
template <bool kReadPayload>
[[gnu::always_inline]] inline bool read_ip(std::uint16_t type, const std::uint8_t* header, std::uint32_t captured, std::uint32_t wire,
                                           Segment& out) noexcept {
  constexpr std::uint16_t kIpv4 = 0x0800;
  constexpr std::uint16_t kIpv6 = 0x86dd;
  if (type == network_order(kIpv4)) return read_ipv4<kReadPayload>(header, captured, wire, out);
  if (type == network_order(kIpv6)) return read_ipv6<kReadPayload>(header, captured, wire, out);
  return false;
}

/// What follows a VLAN tag's EtherType. Apart, so that all is at fixed places in the others.
template <bool kReadPayload>
[[gnu::noinline]] inline bool read_tag(const std::uint8_t* tag, std::uint32_t captured, std::uint32_t wire, Segment& out) noexcept {
  out.encapsulation = {};
  out.encapsulation.add_vlan(be16(tag));
  return read_ip<kReadPayload>(load_native<std::uint16_t>(tag + 2), tag + kTag, captured - kTag, wire - kTag, out);
}

}  // namespace common

/// True: the frame is a common one, its fate is kTcp, and `out` is complete but for `time`, `clock`, `frame` and `hash`. False: `out` means
/// nothing. The frame is `captured` bytes at `data`, `length` on the wire; `kReadPayload`: checksums are looked at. Reads no byte outside
/// the frame. Thread-safe.
template <bool kReadPayload>
[[nodiscard, gnu::always_inline]] inline bool decode_common(const std::uint8_t* data, std::uint32_t captured, std::uint32_t length,
                                                            std::uint16_t link_type, Segment& out) noexcept {
  using namespace common;
  constexpr std::uint16_t kVlan = 0x8100;
  if (link_type != kLinkEthernet || captured < kEthernetHeader + kIpv4Header + kTcpHeader) [[unlikely]]
    return false;
  const std::uint32_t wire = std::max(captured, length) - kEthernetHeader;
  const std::uint8_t* const header = data + kEthernetHeader;
  const auto type = load_native<std::uint16_t>(header - 2);
  if (type == network_order(kVlan)) return read_tag<kReadPayload>(header, captured - kEthernetHeader, wire, out);
  out.encapsulation = {};
  return read_ip<kReadPayload>(type, header, captured - kEthernetHeader, wire, out);
}

[[nodiscard]] inline bool decode_common(const FrameView& frame, const DecodeOptions& options, Segment& out) noexcept {
  return options.checksums != Checksums::kIgnore ? decode_common<true>(frame.data, frame.captured, frame.length, frame.link_type, out)
                                                 : decode_common<false>(frame.data, frame.captured, frame.length, frame.link_type, out);
}

}  // namespace finwait::wire

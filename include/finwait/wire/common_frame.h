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
  std::uint32_t captured;  ///< bytes there, padding of the link included
  std::uint32_t length;    ///< on the wire, without it
  Encapsulation encapsulation;
};

/// The key's last word, and the direction. `ports`: source in the upper half, destination in the lower.
[[gnu::always_inline]] inline void write_ports(bool swapped, std::uint32_t ports, std::uint32_t network, Segment& out) noexcept {
  const std::uint32_t ordered = std::rotl(std::rotl(ports, 16), 16 * static_cast<int>(swapped));  // the low end's in the lower half
  const std::uint64_t last = kLittle ? ordered | std::uint64_t{network} << 32 : std::uint64_t{std::rotl(ordered, 16)} << 32 | network;
  store(last, out, offsetof(Segment, key) + offsetof(FlowKey, low_port));
  out.direction = static_cast<std::uint8_t>(swapped);
}

/// The ends in order without a branch: which of them is the low one, no processor could guess.
///
/// Laid out as by Address::v4. The key is read again at once, in words of eight bytes, to be hashed: a word written in two pieces would
/// have to wait for both to reach the cache. So each is written whole.
[[gnu::always_inline]] inline void write_ipv4_key(const std::uint8_t* header, Segment& out) noexcept {
  constexpr std::uint64_t kBefore = std::uint64_t{0xffff} << 32;  // 0, 0, 0xff, 0xff
  const std::uint64_t onward = be64(header + 12);
  const std::uint64_t back = std::rotl(onward, 32);
  const std::uint32_t ports = be32(header + kIpv4Header);
  bool swapped = onward > back;
  if (onward == back) [[unlikely]]
    swapped = (ports >> 16) > (ports & 0xffffU);
  const std::uint64_t ordered = std::max(onward, back);  // the low end's in the lower half
  store(std::uint64_t{0}, out, offsetof(Segment, key) + offsetof(FlowKey, low));
  store(network_order(kBefore | (ordered & 0xffff'ffffU)), out, offsetof(Segment, key) + offsetof(FlowKey, low) + 8);
  store(std::uint64_t{0}, out, offsetof(Segment, key) + offsetof(FlowKey, high));
  store(network_order(kBefore | ordered >> 32), out, offsetof(Segment, key) + offsetof(FlowKey, high) + 8);
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

/// A number whose sum is that of the TCP segment's length.
template <std::uint32_t kIpHeader>
[[gnu::always_inline]] inline std::uint32_t sum_length(const std::uint8_t* header) noexcept {
  constexpr std::uint16_t kLessHeader = 0xffff - kIpv4Header;  // ones' complement
  if constexpr (kIpHeader == kIpv4Header) return std::uint32_t{load_native<std::uint16_t>(header + 2)} + network_order(kLessHeader);
  return load_native<std::uint16_t>(header + 4);
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
  return sums_to_zero(without) || sums_to_zero(without + sum_length<kIpHeader>(packet.at));
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

/// The options of most segments that have any, twelve bytes: timestamps alone (RFC 7323, appendix A), or those of a SYN without them as
/// Linux and Windows lay them out. False: these are others.
[[gnu::always_inline]] inline bool read_usual_options(const std::uint8_t* options, std::uint32_t& noted, Segment& out) noexcept {
  constexpr std::uint32_t kTimestamps = 0x0101'080a;             // NOP, NOP, timestamps
  constexpr std::uint64_t kMssAndScale = 0x0204'0000'0103'0300;  // MSS, NOP, window scale
  constexpr std::uint64_t kValues = 0x0000'ffff'0000'00ff;
  constexpr std::uint32_t kSackPermitted = 0x0101'0402;  // NOP, NOP, SACK permitted
  const std::uint64_t first = be64(options);
  if (first >> 32 == kTimestamps) {
    store(in_memory(be64(options + 4)), out, offsetof(Segment, ts_ecr));
    noted |= present::kTimestamps;
    return true;
  }
  if ((first & ~kValues) != kMssAndScale || be32(options + 8) != kSackPermitted) return false;
  out.mss = static_cast<std::uint16_t>(first >> 32);
  out.window_scale = static_cast<std::uint8_t>(first);
  noted |= present::kMss | present::kWindowScale | present::kSackPermitted;
  return true;
}

/// Other options: reads them, and returns their sum.
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

/// Flags and window; that there is neither MSS nor window scale, as yet.
[[gnu::always_inline]] inline void write_flags(std::uint32_t flags_and_window, Segment& out) noexcept {
  store(kLittle ? flags_and_window : std::uint64_t{in_memory(flags_and_window)} << 32, out, offsetof(Segment, window));
}

/// What stands behind the `headers` (bytes), whose sum and notes are given; false if the checksum does not fit, or was left to the device.
template <std::uint32_t kIpHeader, bool kReadPayload>
[[gnu::always_inline]] inline bool read_payload(const Packet& packet, std::uint32_t headers, std::uint64_t sum, std::uint32_t noted,
                                                Segment& out) noexcept {
  const std::uint32_t size = packet.length - headers;
  out.payload_length = size;
  if (kReadPayload && size == 0) {  // nothing to be implied or read
    write_noted(noted, 0, out);
    if (!sums_to_zero(sum)) [[unlikely]]
      return false;
    return true;
  }
  const auto implied = network_order(static_cast<std::uint16_t>(~fold_high(sum) >> 16));  // never 0xffff: the sum is not zero
  write_noted(noted, implied, out);
  if (!kReadPayload || packet.captured < packet.length) {
    if (may_be_left_to_device<kIpHeader>(packet)) [[unlikely]]
      return false;
    return true;
  }
  return implied == sum_payload(packet.at + headers, size);
}

/// Everything the TCP header says but the ports; false if it is not a common one, or its checksum does not fit or was left to the device.
/// The packet has a TCP header without options at least, captured and on the wire.
template <std::uint32_t kIpHeader, bool kReadPayload>
[[gnu::always_inline]] inline bool read_header(const Packet& packet, Segment& out) noexcept {
  constexpr std::uint32_t kNoOptions = kTcpHeader / 4 << 28;
  constexpr std::uint32_t kFlags = 0x0fff'ffff;
  const std::uint8_t* tcp = packet.at + kIpHeader;
  const std::uint64_t small =
      std::uint64_t{load_native<std::uint32_t>(tcp)} + sum_length<kIpHeader>(packet.at) + network_order(kTcpProtocol);
  std::uint64_t sum = add_round(add_round(sum_addresses<kIpHeader>(packet.at), load_native<std::uint64_t>(tcp + 4)),
                                add_round(load_native<std::uint64_t>(tcp + 12), small));
  out.sack_left = out.sack_right = 0;
  out.encapsulation = packet.encapsulation;
  store(in_memory(be64(tcp + 4)), out, offsetof(Segment, ack));
  store(std::uint64_t{0}, out, offsetof(Segment, ts_ecr));
  const std::uint32_t flags = be32(tcp + 12) - kNoOptions;
  if (flags <= kFlags) {
    write_flags(flags, out);
    return read_payload<kIpHeader, kReadPayload>(packet, kIpHeader + kTcpHeader, sum, present::kPayloadSum, out);
  }
  write_flags(flags & kFlags, out);
  const std::uint32_t header = tcp[12] / 16 * 4;
  const std::uint32_t headers = header + kIpHeader;
  if (header < kTcpHeader || headers > packet.captured || headers > packet.length) [[unlikely]]
    return false;
  const std::uint8_t* options = tcp + kTcpHeader;
  std::uint32_t noted = present::kPayloadSum;
  if (header == kTcpHeader + 12 && read_usual_options(options, noted, out)) {
    sum = add_round(add_round(sum, load_native<std::uint64_t>(options)), load_native<std::uint32_t>(options + 8));
  } else {
    out.present = present::kPayloadSum;
    sum = add_round(sum, read_options(options, header - kTcpHeader, out));
    noted = out.present;
  }
  return read_payload<kIpHeader, kReadPayload>(packet, headers, sum, noted, out);
}

/// An IPv4 header of 20 bytes.
template <bool kReadPayload>
[[gnu::always_inline]] inline bool read_ipv4(const std::uint8_t* header, std::uint32_t captured, std::int64_t wire,
                                             Encapsulation encapsulation, Segment& out) noexcept {
  constexpr std::uint32_t kFragmentAndProtocol = 0x3fff'00ff;  // more to come, the offset; behind the TTL the protocol
  constexpr std::uint32_t kLeast = kIpv4Header + kTcpHeader;
  if ((load_native<std::uint32_t>(header + 6) & network_order(kFragmentAndProtocol)) != network_order(std::uint32_t{kTcpProtocol}))
    return false;
  const std::uint32_t length = be16(header + 2);
  if (length < kLeast || length > wire) [[unlikely]]
    return false;
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
  write_ipv4_key(header, out);
  return read_header<kIpv4Header, kReadPayload>({header, captured, length, encapsulation}, out);
}

template <bool kReadPayload>
[[gnu::always_inline]] inline bool read_ipv6(const std::uint8_t* header, std::uint32_t captured, std::int64_t wire,
                                             Encapsulation encapsulation, Segment& out) noexcept {
  constexpr std::uint32_t kLeast = kIpv6Header + kTcpHeader;
  if (captured < kLeast || header[6] != kTcpProtocol) return false;
  const std::uint32_t length = be16(header + 4) + kIpv6Header;
  if (length < kLeast || length > wire) [[unlikely]]
    return false;
  out.ip_length = length;
  out.ip_id = 0;
  out.ttl = header[7];
  write_ipv6_key(header, out);
  return read_header<kIpv6Header, kReadPayload>({header, captured, length, encapsulation}, out);
}

/// The EtherType before an IP header of `captured` bytes, 40 at least, and what it says; `wire`: bytes there were.
template <bool kReadPayload>
[[gnu::always_inline]] inline bool read_ip(const std::uint8_t* header, std::uint32_t captured, std::int64_t wire,
                                           Encapsulation encapsulation, Segment& out) noexcept {
  constexpr std::uint32_t kIpv4 = 0x0800'4500;  // with the version and the length of the header
  constexpr std::uint32_t kIpv4Mask = 0xffff'ff00;
  constexpr std::uint32_t kIpv6 = 0x86dd'6000;  // with the version
  constexpr std::uint32_t kIpv6Mask = 0xffff'f000;
  const auto start = load_native<std::uint32_t>(header - 2);
  if ((start & network_order(kIpv4Mask)) == network_order(kIpv4))
    return read_ipv4<kReadPayload>(header, captured, wire, encapsulation, out);
  if ((start & network_order(kIpv6Mask)) == network_order(kIpv6))
    return read_ipv6<kReadPayload>(header, captured, wire, encapsulation, out);
  return false;
}

/// What follows a VLAN tag's EtherType. Apart, so that all is at fixed places in the others.
template <bool kReadPayload>
[[gnu::noinline]] inline bool read_tag(const std::uint8_t* tag, std::uint32_t captured, std::int64_t wire, Segment& out) noexcept {
  if (captured < kTag + kIpv4Header + kTcpHeader) return false;
  Encapsulation encapsulation;
  encapsulation.add_vlan(be16(tag));
  return read_ip<kReadPayload>(tag + kTag, captured - kTag, wire - kTag, encapsulation, out);
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
  if (link_type != kLinkEthernet) return false;
  if (captured < kEthernetHeader + kIpv4Header + kTcpHeader) return false;
  const std::uint8_t* const header = data + kEthernetHeader;
  const std::uint32_t behind = captured - kEthernetHeader;
  const std::int64_t wire = std::int64_t{length} - kEthernetHeader;  // a length below `captured` is for the walk
  if (load_native<std::uint16_t>(header - 2) == network_order(kVlan)) return read_tag<kReadPayload>(header, behind, wire, out);
  return read_ip<kReadPayload>(header, behind, wire, {}, out);
}

[[nodiscard]] inline bool decode_common(const FrameView& frame, const DecodeOptions& options, Segment& out) noexcept {
  return options.checksums != Checksums::kIgnore ? decode_common<true>(frame.data, frame.captured, frame.length, frame.link_type, out)
                                                 : decode_common<false>(frame.data, frame.captured, frame.length, frame.link_type, out);
}

}  // namespace finwait::wire

// IPv4 (RFC 791) and IPv6 (RFC 8200) headers, extension headers, and where a fragment belongs.
//
// Lengths come from the IP header: what the link padded is left out. A header that claims more than the frame held on the wire is believed
// for the checksum only; the payload is what was there, as in Wireshark.
#include <algorithm>

#include "finwait/wire/checksum.h"
#include "walk.h"

namespace finwait::wire {
namespace {

constexpr std::uint32_t kIpv4Header = 20;
constexpr std::uint32_t kIpv6Header = 40;
constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragmentHeader = 44;
constexpr std::uint8_t kAuthentication = 51;
constexpr std::uint8_t kTcp = 6;

/// A sum of 0 in the header is one that the device was to fill in: no IPv4 header sums to it but one of zeros.
std::uint16_t note_ipv4_checksum(const std::uint8_t* header, std::uint32_t size) noexcept {
  if (be16(header + 10) == 0) return present::kOffloaded;
  OnesSum sum;
  add_header(sum, header, kIpv4Header, size);
  return sum.folded() == 0xffff ? std::uint16_t{0} : present::kBadChecksum;
}

/// A source route (RFC 791, 3.1) not yet at its end: the true destination is the last address of the list.
const std::uint8_t* final_ipv4_destination(const std::uint8_t* header, std::uint32_t size) noexcept {
  for (std::uint32_t at = kIpv4Header; at < size && header[at] != 0;) {
    if (header[at] == 1) {
      ++at;
      continue;
    }
    if (at + 2 > size || header[at + 1] < 2 || at + header[at + 1] > size) break;
    const std::uint32_t length = header[at + 1];
    const bool route = header[at] == 131 || header[at] == 137;
    if (route && length >= 7 && header[at + 2] <= length) return header + at + length - 4;
    at += length;
  }
  return header + 16;
}

/// A first fragment that says it is longer than the frame was can never be put together. Its headers stand all the same; of the payload
/// nobody knows how much there was, so none is counted: a packet without payload, as in Wireshark.
void show_headers_alone(Walk& walk, std::uint8_t protocol) noexcept {
  constexpr std::uint32_t kDataOffset = 12;
  if (protocol == kTcp && walk.captured > kDataOffset) walk.limit((walk.at[kDataOffset] >> 4) * 4U);
  walk.go(Layer::kIpProtocol, protocol);
}

void stop_at_ipv4_fragment(Walk& walk, std::uint16_t where, std::uint8_t protocol) noexcept {
  if ((where & 0x1fffU) == 0 && walk.claimed > walk.wire) return show_headers_alone(walk, protocol);
  walk.type = protocol;
  walk.stop_at_fragment({.id = (static_cast<std::uint32_t>(protocol) << 16) | walk.ip.id,
                         .offset = (where & 0x1fffU) * 8U,
                         .header_length = walk.ip.length - walk.claimed,
                         .more = (where & 0x2000U) != 0});
}

/// Routing headers (RFC 8200, 4.4; RFC 6275; RFC 8754) that still have a way to go: the last stop is the flow's and the checksum's
/// destination (RFC 8200, 8.1).
void follow_routing(Walk& walk, std::uint32_t size) noexcept {
  const std::uint8_t type = walk.at[2];
  const std::uint8_t left = walk.at[3];
  constexpr std::uint32_t kFirstAddress = 8;
  if (left == 0 || size < kFirstAddress + 16) return;
  const std::uint32_t addresses = (size - kFirstAddress) / 16;
  if (type == 0 || type == 2) walk.ip.destination = walk.at + kFirstAddress + 16 * (addresses - 1);
  if (type == 4) walk.ip.destination = walk.at + kFirstAddress;  // segments stand in reverse
}

/// The payload length of a jumbogram (RFC 2675), from a hop-by-hop header at the walk's place; 0 if there is none.
std::uint32_t jumbo_length(const Walk& walk) noexcept {
  if (walk.captured < 8) return 0;
  const std::uint32_t size = (walk.at[1] + 1U) * 8U;
  for (std::uint32_t at = 2; at < size && at < walk.captured;) {
    constexpr std::uint8_t kJumbo = 0xc2;
    if (walk.at[at] == 0) {
      ++at;
      continue;
    }
    if (at + 2 > walk.captured) break;
    if (walk.at[at] == kJumbo && walk.at[at + 1] == 4 && at + 6 <= walk.captured) return be32(walk.at + at + 2);
    at += 2U + walk.at[at + 1];
  }
  return 0;
}

/// The length of the extension header `kind` at the walk's place, of which two bytes are there.
std::uint32_t extension_size(const Walk& walk, std::uint16_t kind) noexcept {
  if (kind == kAuthentication) return (walk.at[1] + 2U) * 4U;
  if (kind == kFragmentHeader) return 8;
  return (walk.at[1] + 1U) * 8U;
}

void consume(Walk& walk, std::uint32_t size) noexcept {
  walk.skip(size);
  walk.claimed -= size < walk.claimed ? size : walk.claimed;
}

}  // namespace

void read_ip(Walk& walk) noexcept {
  if (!walk.need(1)) return;
  const int version = walk.at[0] >> 4;
  if (version == 4) return walk.go(Layer::kIpv4);
  if (version == 6) return walk.go(Layer::kIpv6);
  walk.stop_foreign();
}

void read_ipv4(Walk& walk) noexcept {
  walk.in_ip = true;
  if (!walk.descend() || !walk.need(kIpv4Header)) return;
  const std::uint8_t* header = walk.at;
  const std::uint32_t size = (header[0] & 0x0fU) * 4U;
  if ((header[0] >> 4) != 4 || size < kIpv4Header) return walk.stop(Fate::kMalformed);
  if (!walk.need(size)) return;
  std::uint32_t length = be16(header + 2);
  std::uint16_t noted = 0;
  if (length == 0) {  // left to the device, which cuts a larger segment into many
    length = walk.unsaid_length();
    noted = present::kOffloaded;
  }
  if (length < size) return walk.stop(Fate::kMalformed);
  if (walk.checksums != Checksums::kIgnore && noted == 0) noted = note_ipv4_checksum(header, size);
  walk.ip.source = header + 12;
  walk.ip.destination = size == kIpv4Header ? header + 16 : final_ipv4_destination(header, size);
  walk.ip.length = length;
  walk.ip.id = be16(header + 4);
  walk.ip.ttl = header[8];
  walk.ip.noted = noted;
  walk.ip.v6 = false;
  walk.extensions = 0;
  walk.limit(length);
  walk.claimed = length;
  consume(walk, size);
  const std::uint16_t where = be16(header + 6) & 0x3fffU;
  if (where != 0) return stop_at_ipv4_fragment(walk, where, header[9]);
  walk.go(Layer::kIpProtocol, header[9]);
}

void read_ipv6(Walk& walk) noexcept {
  walk.in_ip = true;
  if (!walk.descend() || !walk.need(kIpv6Header)) return;
  const std::uint8_t* header = walk.at;
  if ((header[0] >> 4) != 6) return walk.stop(Fate::kMalformed);
  std::uint32_t length = be16(header + 4);
  const std::uint8_t following = header[6];
  walk.ip.source = header + 8;
  walk.ip.destination = header + 24;
  walk.ip.id = 0;
  walk.ip.ttl = header[7];
  walk.ip.noted = 0;
  walk.ip.v6 = true;
  walk.extensions = 0;
  walk.skip(kIpv6Header);
  if (length == 0 && walk.wire != 0) {
    if (following == kHopByHop) length = std::min(jumbo_length(walk), walk.unsaid_length());
    if (length == 0) length = walk.unsaid_length();
    walk.ip.noted = present::kOffloaded;
  }
  walk.ip.length = length + kIpv6Header;
  walk.claimed = length;
  walk.limit(length);
  walk.go(Layer::kIpProtocol, following);
}

/// An extension header, or AH, which IPv4 has as well (RFC 4302).
void read_extension(Walk& walk) noexcept {
  const std::uint16_t kind = walk.type;
  if (++walk.extensions > kMaxExtensionHeaders) return walk.stop(Fate::kMalformed);
  if (!walk.need(8)) return;
  const std::uint32_t size = extension_size(walk, kind);
  if (!walk.need(size)) return;
  const std::uint8_t following = walk.at[0];
  if (kind == kRouting && walk.ip.v6) follow_routing(walk, size);
  if (kind == kAuthentication) walk.ip.encapsulation.add_tunnel(Tunnel::kAh);
  const std::uint16_t where = kind == kFragmentHeader ? be16(walk.at + 2) : std::uint16_t{0};
  const std::uint32_t id = be32(walk.at + 4);
  consume(walk, size);
  walk.go(Layer::kIpProtocol, following);
  if ((where & 0xfff9U) == 0) return;  // RFC 6946: a fragment that is all there is is none
  if ((where & 0xfff8U) == 0 && walk.claimed > walk.wire) return show_headers_alone(walk, following);
  walk.stop_at_fragment(
      {.id = id, .offset = where & 0xfff8U, .header_length = walk.ip.length - walk.claimed - size, .more = (where & 1) != 0});
}

}  // namespace finwait::wire

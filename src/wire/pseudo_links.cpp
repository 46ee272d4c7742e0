// Headers that no wire ever carried: what capturing systems put before a packet instead of a link layer. And ARCNET as Linux shows it.
#include "walk.h"

namespace finwait::wire {
namespace {

constexpr std::uint16_t kHardwareGre = 778;
constexpr std::uint16_t kHardwareNetlink = 824;

/// The protocol field of both cooked headers: an EtherType, or below 1536 one of Linux's own numbers.
void go_cooked(Walk& walk, std::uint16_t hardware, std::uint16_t protocol) noexcept {
  constexpr std::uint16_t kLlc = 4;
  constexpr std::uint16_t kPpp = 7;
  if (hardware == kHardwareNetlink) return walk.stop_foreign();
  if (hardware != kHardwareGre && protocol == kLlc) return walk.go(Layer::kLlc);
  if (hardware != kHardwareGre && protocol == kPpp) return walk.go(Layer::kPpp);
  walk.go(Layer::kEtherType, protocol);
}

/// Address families as the systems number them: IPv6 has many numbers.
void go_family(Walk& walk, std::uint32_t family) noexcept {
  switch (family) {
    case 2:
      return walk.go(Layer::kIpv4);
    case 10:  // Linux
    case 23:  // Windows
    case 24:  // NetBSD, OpenBSD
    case 28:  // FreeBSD
    case 30:  // macOS
      return walk.go(Layer::kIpv6);
    default:
      return walk.stop_foreign();
  }
}

}  // namespace

void read_linux_cooked(Walk& walk) noexcept {
  if (!walk.need(16)) return;
  const std::uint16_t hardware = be16(walk.at + 2);
  const std::uint16_t protocol = be16(walk.at + 14);
  walk.skip(16);
  go_cooked(walk, hardware, protocol);
}

void read_linux_cooked_2(Walk& walk) noexcept {
  if (!walk.need(20)) return;
  const std::uint16_t protocol = be16(walk.at);
  const std::uint16_t hardware = be16(walk.at + 8);
  walk.skip(20);
  go_cooked(walk, hardware, protocol);
}

/// The family in the byte order of the machine that captured, which nobody noted; OpenBSD's form is always in network order.
void read_null(Walk& walk) noexcept {
  if (!walk.need(4)) return;
  const std::uint32_t big = be32(walk.at);
  const std::uint32_t little = le32(walk.at);
  walk.skip(4);
  go_family(walk, big < little ? big : little);
}

/// Linux's netfilter log: family, version, resource, then attributes in the byte order of the machine that captured.
void read_nflog(Walk& walk) noexcept {
  if (!walk.need(4)) return;
  const std::uint8_t family = walk.at[0];
  if (walk.at[1] != 0) return walk.stop_foreign();
  walk.skip(4);
  while (walk.wire != 0) {
    if (!walk.need(4)) return;
    std::uint16_t length = le16(walk.at);
    std::uint16_t kind = le16(walk.at + 2);
    if (kind > 0xff) {  // kinds are small numbers: the other byte order
      length = be16(walk.at);
      kind = be16(walk.at + 2);
    }
    if (length < 4) return walk.stop(Fate::kMalformed);
    constexpr std::uint16_t kPayload = 9;
    if (kind == kPayload) {
      walk.limit(length);
      walk.skip(4);
      return go_family(walk, family);
    }
    const std::uint32_t padded = (length + 3U) & ~3U;
    if (!walk.need(padded)) return;
    walk.skip(padded);
  }
  walk.stop_foreign();
}

/// Addresses, two bytes of Linux's, the type; with RFC 1201 a split flag and a number follow.
void read_arcnet_linux(Walk& walk) noexcept {
  constexpr std::uint8_t kIp1051 = 240;
  constexpr std::uint8_t kIp1201 = 212;
  if (!walk.need(5)) return;
  const std::uint8_t type = walk.at[4];
  if (type == kIp1051) {
    walk.skip(5);
    return walk.go(Layer::kIpv4);
  }
  if (type != kIp1201) return walk.stop_foreign();
  if (!walk.need(8)) return;
  const bool exception = walk.at[5] == 0xff;  // a frame of a length that ARCNET cannot say otherwise: the header comes again
  const std::uint32_t header = exception ? 12 : 8;
  if (!walk.need(header)) return;
  const bool split = walk.at[header - 3] != 0;
  walk.skip(header);
  if (split) return walk.stop(Fate::kFragment);
  walk.go(Layer::kIpv4);
}

}  // namespace finwait::wire

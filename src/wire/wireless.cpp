// IEEE 802.11 data frames and the radio headers that drivers put before them: radiotap, Prism, AVS, PPI.
//
// Encrypted frames are not IP to us. Of an aggregate (A-MSDU) the first frame is read: a frame gives one segment.
#include "walk.h"

namespace finwait::wire {
namespace {

constexpr std::uint16_t kLinkEthernet = 1;
constexpr std::uint16_t kLinkWlan = 105;

constexpr std::uint8_t kToDistribution = 0x01;
constexpr std::uint8_t kFromDistribution = 0x02;
constexpr std::uint8_t kProtected = 0x40;
constexpr std::uint8_t kOrder = 0x80;

/// Reads the header of a data frame; `padded`: the driver aligned what follows to four bytes.
void read_wlan_frame(Walk& walk, bool padded) noexcept {
  if (!walk.need(2)) return;
  const std::uint8_t control = walk.at[0];
  const std::uint8_t flags = walk.at[1];
  const bool data = (control & 0x0f) == 0x08;  // version 0, type data
  const bool empty = (control & 0x40) != 0;    // subtypes without a body
  if (!data || empty || (flags & kProtected) != 0) return walk.stop_foreign();
  std::uint32_t header = 24;
  if ((flags & kToDistribution) != 0 && (flags & kFromDistribution) != 0) header += 6;
  bool aggregate = false;
  if ((control & 0x80) != 0) {  // quality of service
    if (!walk.need(header + 2)) return;
    aggregate = (walk.at[header] & 0x80) != 0;
    header += (flags & kOrder) != 0 ? 6 : 2;
  }
  if (padded) header = (header + 3U) & ~3U;
  if (!walk.need(header)) return;
  walk.skip(header);
  if (aggregate) {
    constexpr std::uint32_t kSubframeHeader = 14;
    if (!walk.need(kSubframeHeader)) return;
    const std::uint16_t length = be16(walk.at + 12);
    walk.skip(kSubframeHeader);
    walk.limit(length);
  }
  walk.go(Layer::kLlc);
}

/// The flags field of a radiotap header, or 0. Fields stand in the order of their bits, aligned; only the timestamp comes before it.
std::uint8_t radiotap_flags(const std::uint8_t* header, std::uint32_t size) noexcept {
  constexpr std::uint32_t kMore = 0x8000'0000U;
  std::uint32_t at = 4;
  if (at + 4 > size) return 0;
  const std::uint32_t first = le32(header + at);
  std::uint32_t word = first;
  at += 4;
  while ((word & kMore) != 0) {
    if (at + 4 > size) return 0;
    word = le32(header + at);
    at += 4;
  }
  if ((first & 1) != 0) at = ((at + 7U) & ~7U) + 8;
  return (first & 2) != 0 && at < size ? header[at] : std::uint8_t{0};
}

}  // namespace

void read_wlan(Walk& walk) noexcept { read_wlan_frame(walk, false); }

void read_radiotap(Walk& walk) noexcept {
  if (!walk.need(4)) return;
  const std::uint16_t size = le16(walk.at + 2);
  if (walk.at[0] != 0 || size < 8) return walk.stop_foreign();
  if (!walk.need(size)) return;
  constexpr std::uint8_t kPadded = 0x20;
  const bool padded = (radiotap_flags(walk.at, size) & kPadded) != 0;
  walk.skip(size);
  read_wlan_frame(walk, padded);
}

/// The length stands in the byte order of the machine that captured; drivers that say Prism may send AVS.
void read_prism(Walk& walk) noexcept {
  if (!walk.need(8)) return;
  if ((be32(walk.at) & 0xffff'f000U) == 0x8021'1000U) return read_avs(walk);
  const std::uint32_t little = le32(walk.at + 4);
  const std::uint32_t big = be32(walk.at + 4);
  const std::uint32_t size = little < big ? little : big;
  if (size < 8) return walk.stop(Fate::kMalformed);
  if (!walk.need(size)) return;
  walk.skip(size);
  read_wlan_frame(walk, false);
}

void read_avs(Walk& walk) noexcept {
  if (!walk.need(8)) return;
  const std::uint32_t size = be32(walk.at + 4);
  if (size < 8) return walk.stop(Fate::kMalformed);
  if (!walk.need(size)) return;
  walk.skip(size);
  read_wlan_frame(walk, false);
}

/// Per-packet information: fields of no interest, then the frame of another link type. Only 802.11 and Ethernet are used so.
void read_ppi(Walk& walk) noexcept {
  if (!walk.need(8)) return;
  constexpr std::uint8_t kAligned = 0x01;
  const bool aligned = (walk.at[1] & kAligned) != 0;
  const std::uint16_t size = le16(walk.at + 2);
  const std::uint32_t inner = le32(walk.at + 4);
  if (size < 8) return walk.stop(Fate::kMalformed);
  if (!walk.need(size)) return;
  walk.skip(size);
  if (inner == kLinkWlan) return read_wlan_frame(walk, aligned);
  if (inner == kLinkEthernet) return walk.go(Layer::kEthernet);
  walk.stop_foreign();
}

}  // namespace finwait::wire

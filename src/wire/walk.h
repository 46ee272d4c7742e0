// A walk down the headers of one frame: what comes next, where it begins, how much is left of it.
//
// Each step reads one header, moves on and says what follows; the loop in decode.cpp calls step after step until one of them stops. So the
// stack is constant whatever is nested, and since every step but the choice by nibble consumes bytes, the walk ends.
//
// Always true: captured <= wire; [at, at + captured) lies within the frame. `wire` is what the headers so far leave of the bytes on the
// wire.
#pragma once

#include <cstdint>

#include "finwait/wire/common_frame.h"
#include "finwait/wire/decode.h"
#include "finwait/wire/load.h"
#include "finwait/wire/segment.h"

namespace finwait::wire {

enum class Layer : std::uint8_t {
  kStopped,   ///< `fate` is the answer
  kLinkType,  ///< `type` is a LINKTYPE_ value
  kEthernet,
  kEtherType,  ///< `type` is an EtherType, the bytes are what follows it
  kLlc,
  kPpp,          ///< a PPP protocol number, with or without address and control field before it
  kPppProtocol,  ///< `type` is a PPP protocol number, the bytes are what follows it
  kHdlc,
  kFrameRelay,
  kMpls,
  kIp,  ///< version by the first nibble
  kIpv4,
  kIpv6,
  kIpProtocol,  ///< `type` is the protocol or next header, the bytes are what follows it
};

/// How deep IP headers, inner Ethernet headers and the like may nest; beyond it the frame is malformed. No network nests even half as deep.
inline constexpr int kMaxNesting = 16;

/// How many extension headers one IPv6 packet may have; beyond it the packet is malformed (RFC 9288, 3.5: receivers may limit them).
inline constexpr int kMaxExtensionHeaders = 32;

/// What a TCP segment needs to know of the IP packet around it.
struct IpPacket {
  const std::uint8_t* source = nullptr;  ///< 4 or 16 bytes in network order
  const std::uint8_t* destination = nullptr;
  std::uint32_t length = 0;   ///< total length on the wire, as its header says
  std::uint32_t network = 0;  ///< FlowKey::network without the bit for IPv6
  Encapsulation encapsulation;
  std::uint16_t id = 0;
  std::uint16_t noted = 0;  ///< present:: bits that the IP header caused
  std::uint8_t ttl = 0;
  bool v6 = false;
};

/// What the fragment at hand is a fragment of, and where it belongs there.
struct FragmentPlace {
  std::uint32_t id = 0;             ///< IPv4: the protocol in the upper half
  std::uint32_t offset = 0;         ///< bytes
  std::uint32_t header_length = 0;  ///< of all headers before the fragment's data, but for IPv6's fragment header
  bool more = false;
  bool placed = false;  ///< the fields above are set; the fragment is what is left of the walk, its protocol is `type`
};

struct Walk {
  const std::uint8_t* at = nullptr;
  std::uint32_t captured = 0;
  std::uint32_t wire = 0;
  Layer next = Layer::kStopped;
  Fate fate = Fate::kNotIp;
  std::uint16_t type = 0;
  std::uint8_t depth = 0;
  std::uint8_t extensions = 0;  ///< of the IPv6 packet at hand
  bool in_ip = false;           ///< an IP header has been read
  Checksums checksums = Checksums::kCount;
  IpPacket ip;                ///< the innermost so far
  std::uint32_t claimed = 0;  ///< what the IP header says is left from `at` on; more than `wire` if it lies
  FragmentPlace fragment;

  void stop(Fate with) noexcept {
    fate = with;
    next = Layer::kStopped;
  }
  /// Nothing we read comes next.
  void stop_foreign() noexcept { stop(in_ip ? Fate::kOtherIp : Fate::kNotIp); }

  /// True if n bytes are there; otherwise stops: cut by the snap length, or ended on the wire.
  [[nodiscard]] bool need(std::uint32_t n) noexcept {
    if (captured >= n) return true;
    stop(wire >= n ? Fate::kTruncated : Fate::kMalformed);
    return false;
  }
  /// The same where the header was only a guess (a port number): if it ends on the wire, the guess was wrong.
  [[nodiscard]] bool expect(std::uint32_t n) noexcept {
    if (captured >= n) return true;
    stop(wire >= n ? Fate::kTruncated : Fate::kOtherIp);
    return false;
  }
  /// Steps over n bytes that are there.
  void skip(std::uint32_t n) noexcept {
    at += n;
    captured -= n;
    wire -= n;
  }
  /// What lies beyond n bytes from here is padding.
  void limit(std::uint32_t n) noexcept {
    if (wire > n) wire = n;
    if (captured > wire) captured = wire;
  }
  void go(Layer layer, std::uint16_t with = 0) noexcept {
    next = layer;
    type = with;
  }
  /// How long a packet is that does not say so itself: what the frame held, as long as sequence numbers can tell before from after.
  [[nodiscard]] std::uint32_t unsaid_length() const noexcept {
    constexpr std::uint32_t kLongest = 0x7fff'ffff;
    return wire < kLongest ? wire : kLongest;
  }
  /// The rest is a fragment. Its `length` bytes may be claimed and not there: then it has no place.
  void stop_at_fragment(const FragmentPlace& place) noexcept {
    constexpr std::uint32_t kLongestDatagram = 65535;
    fragment = place;
    fragment.placed = claimed == wire;
    const bool odd = claimed == 0 || (place.more && claimed % 8 != 0) || place.offset + claimed > kLongestDatagram;
    stop(odd ? Fate::kMalformed : Fate::kFragment);
  }
  /// One level deeper; false, and stopped, if that is too deep.
  [[nodiscard]] bool descend() noexcept {
    if (++depth <= kMaxNesting) return true;
    stop(Fate::kMalformed);
    return false;
  }
};

// One step each; see the file of the name.
void read_link_type(Walk& walk) noexcept;  // link_types.cpp
void read_ethernet(Walk& walk) noexcept;   // ethernet.cpp
void read_ether_type(Walk& walk) noexcept;
void read_llc(Walk& walk) noexcept;
void read_dsa_tag(Walk& walk, std::uint32_t before) noexcept;
void read_linux_cooked(Walk& walk) noexcept;  // pseudo_links.cpp
void read_linux_cooked_2(Walk& walk) noexcept;
void read_null(Walk& walk) noexcept;
void read_nflog(Walk& walk) noexcept;
void read_arcnet_linux(Walk& walk) noexcept;
void read_ppp(Walk& walk) noexcept;  // serial.cpp
void read_ppp_protocol(Walk& walk) noexcept;
void read_pppoe(Walk& walk) noexcept;
void read_hdlc(Walk& walk) noexcept;
void read_frame_relay(Walk& walk) noexcept;
void read_wlan(Walk& walk) noexcept;  // wireless.cpp
void read_radiotap(Walk& walk) noexcept;
void read_prism(Walk& walk) noexcept;
void read_avs(Walk& walk) noexcept;
void read_ppi(Walk& walk) noexcept;
void read_mpls(Walk& walk) noexcept;  // mpls.cpp
void read_ip(Walk& walk) noexcept;    // ip.cpp
void read_ipv4(Walk& walk) noexcept;
void read_ipv6(Walk& walk) noexcept;
void read_extension(Walk& walk) noexcept;
void read_gre(Walk& walk) noexcept;  // tunnels.cpp
void read_erspan(Walk& walk, std::uint16_t kind, bool numbered) noexcept;
void read_etherip(Walk& walk) noexcept;
void read_udp(Walk& walk) noexcept;  // udp_tunnels.cpp

/// The TCP segment at the walk's place. `walk.ip` is its packet.
[[nodiscard]] Fate read_tcp(const Walk& walk, Segment& out) noexcept;  // tcp.cpp
/// The ICMP message at the walk's place: kOtherIp, with `out` an error about a TCP segment or not; or why it cannot be read.
[[nodiscard]] Fate read_icmp(const Walk& walk, Segment& out) noexcept;  // icmp.cpp
/// Writes addresses, ports, network and direction.
void write_key(const IpPacket& ip, std::uint16_t source_port, std::uint16_t destination_port, Segment& out) noexcept;  // tcp.cpp

/// From where the walk stands to its end.
[[nodiscard]] Fate walk_on(Walk& walk, Segment& out) noexcept;  // decode.cpp
/// Puts a fresh walk at the frame's first byte.
void begin_walk(const FrameView& frame, const DecodeOptions& options, Walk& walk) noexcept;

}  // namespace finwait::wire

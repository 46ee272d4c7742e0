// One TCP segment (or one ICMP error that quotes a TCP segment) as a value: everything later floors ever learn of a frame.
//
// Always true: trivially copyable, two cache lines, no pointer into the frame. Lengths are those on the wire, from the IP header, whatever
// the snap length cut or the link padded. A field whose bit in `present` is not set is zero and means nothing.
#pragma once

#include <cstdint>
#include <type_traits>

#include "finwait/base/time.h"
#include "finwait/wire/encapsulation.h"
#include "finwait/wire/flow_key.h"

namespace finwait::wire {

/// Flags of the TCP header, the ninth (AE, once NS; RFC 3540, RFC 9768) included; bits 9 to 11 are the reserved bits as sent.
namespace tcp_flag {
inline constexpr std::uint16_t kFin = 0x001;
inline constexpr std::uint16_t kSyn = 0x002;
inline constexpr std::uint16_t kRst = 0x004;
inline constexpr std::uint16_t kPsh = 0x008;
inline constexpr std::uint16_t kAck = 0x010;
inline constexpr std::uint16_t kUrg = 0x020;
inline constexpr std::uint16_t kEce = 0x040;
inline constexpr std::uint16_t kCwr = 0x080;
inline constexpr std::uint16_t kAe = 0x100;
}  // namespace tcp_flag

/// What the segment carried beyond the fixed header, and what was noted of it while decoding.
namespace present {
inline constexpr std::uint16_t kMss = 0x0001;
inline constexpr std::uint16_t kWindowScale = 0x0002;
inline constexpr std::uint16_t kSackPermitted = 0x0004;
inline constexpr std::uint16_t kTimestamps = 0x0008;
inline constexpr std::uint16_t kSack = 0x0010;
inline constexpr std::uint16_t kFastOpen = 0x0020;          ///< RFC 7413, or its experimental form (RFC 6994 kind 254, 0xF989)
inline constexpr std::uint16_t kFastOpenCookie = 0x0040;    ///< ... with a cookie, not an empty request
inline constexpr std::uint16_t kMptcp = 0x0080;             ///< RFC 8684
inline constexpr std::uint16_t kSigned = 0x0100;            ///< MD5 (RFC 2385) or AO (RFC 5925)
inline constexpr std::uint16_t kOptionsMalformed = 0x0200;  ///< a length that cannot be; the options before it stand
inline constexpr std::uint16_t kOptionsCut = 0x0400;        ///< the snap length ended within the options
inline constexpr std::uint16_t kBadChecksum = 0x0800;  ///< TCP or IP checksum wrong (looked at only if asked to, and all bytes are there)
inline constexpr std::uint16_t kPayloadSum = 0x1000;   ///< payload_sum is known
inline constexpr std::uint16_t kOffloaded = 0x2000;    ///< a super-segment (total length 0, jumbo) or a checksum left to the device
}  // namespace present

enum class SegmentKind : std::uint8_t {
  kTcp,
  kIcmpError,  ///< `key`, `direction`, `seq` are those of the quoted segment (direction: who had sent it), `flags` too if quoted, else 0;
               ///< icmp_type(), icmp_code() and `ip_length` say what is wrong
};

// In this order because the decoder writes neighbours together (common_frame.h).
struct alignas(64) Segment {
  FlowKey key;
  std::uint64_t hash = 0;     ///< of `key`, by the table's keyed hash; filled in by the engine
  base::Timestamp time = 0;   ///< the frame's own stamp
  base::Timestamp clock = 0;  ///< the trace clock once this frame was read: never goes back in file order

  std::uint64_t frame = 0;  ///< counts from 1 over all inputs
  std::uint32_t ack = 0;
  std::uint32_t seq = 0;
  std::uint32_t ts_ecr = 0;
  std::uint32_t ts_val = 0;          ///< RFC 7323
  std::uint32_t payload_length = 0;  ///< on the wire; never what an IP header claims beyond its frame
  std::uint32_t ip_length = 0;  ///< as its header says: total length (IPv6: header and payload). ICMP errors: the path MTU they tell, or 0
  std::uint32_t sack_left = 0;  ///< the first SACK block (RFC 2018; a D-SACK stands there: RFC 2883)
  std::uint32_t sack_right = 0;
  Encapsulation encapsulation;
  std::uint16_t window = 0;
  std::uint16_t flags = 0;  ///< tcp_flag
  std::uint16_t mss = 0;
  std::uint8_t window_scale = 0;  ///< as sent; more than 14 counts as 14 (RFC 7323, 2.3)
  SegmentKind kind = SegmentKind::kTcp;
  std::uint16_t present = 0;      ///< present::
  std::uint16_t payload_sum = 0;  ///< ones' complement sum of the payload, folded, 0xffff as 0: summed where all of it was captured and
                                  ///< checksums are looked at, else as the checksum implies it
  std::uint16_t ip_id = 0;        ///< 0 for IPv6
  std::uint8_t ttl = 0;           ///< of the innermost IP header; ICMP errors: of the error
  std::uint8_t direction = 0;     ///< 0: sent by (key.low, key.low_port); 1: by the high end

  [[nodiscard]] bool has(std::uint16_t what) const noexcept { return (present & what) != 0; }
  [[nodiscard]] bool flag(std::uint16_t f) const noexcept { return (flags & f) != 0; }
  [[nodiscard]] bool syn() const noexcept { return flag(tcp_flag::kSyn); }
  [[nodiscard]] bool fin() const noexcept { return flag(tcp_flag::kFin); }
  [[nodiscard]] bool rst() const noexcept { return flag(tcp_flag::kRst); }
  [[nodiscard]] bool acks() const noexcept { return flag(tcp_flag::kAck); }
  /// RFC 9293 SEG.LEN: SYN and FIN count.
  [[nodiscard]] std::uint32_t length() const noexcept { return payload_length + (syn() ? 1U : 0U) + (fin() ? 1U : 0U); }
  /// The sequence number after the segment.
  [[nodiscard]] std::uint32_t end() const noexcept { return seq + length(); }
  /// ICMP errors only.
  [[nodiscard]] std::uint8_t icmp_type() const noexcept { return static_cast<std::uint8_t>(ack >> 8); }
  [[nodiscard]] std::uint8_t icmp_code() const noexcept { return static_cast<std::uint8_t>(ack); }
};
static_assert(sizeof(Segment) == 128);
static_assert(std::is_trivially_copyable_v<Segment>);

}  // namespace finwait::wire

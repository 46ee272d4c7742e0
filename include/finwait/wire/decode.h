// Bytes to facts: one frame in, a Segment or the reason why there is none out.
//
// Total: any bytes of any length give an answer; nothing is thrown, allocated or kept, no byte outside [data, data + captured) is read, and
// the stack is constant whatever is nested. Each frame has exactly one Fate.
//
// Nesting ends: beyond 16 levels of IP and inner Ethernet headers, or 32 extension headers in one packet, a frame is malformed. Fragments
// are not put together here (see reassembly.h), nothing is decrypted or decompressed, and of an aggregate frame (802.11 A-MSDU) the first
// packet is read.
#pragma once

#include <cstdint>

#include "finwait/wire/segment.h"

namespace finwait::wire {

/// Where a frame went; every frame read is counted under exactly one (records.md, `frames`).
enum class Fate : std::uint8_t {
  kTcp,      ///< a segment came out of it
  kOtherIp,  ///< IP, but no TCP in it (an ICMP error that quotes TCP gives a segment of kind kIcmpError besides)
  kNotIp,
  kFragment,   ///< an IP fragment; with reassembly, one that did not complete its datagram
  kTruncated,  ///< the capture kept too little: the headers do not end within it
  kMalformed,  ///< the bytes contradict themselves
  kFiltered,   ///< not selected by the filter, or outside --from / --to
  kTableFull,  ///< a TCP segment for which there was no room
};
inline constexpr int kFates = 8;

/// The name of `records.md`: "tcp", "other_ip", ...
[[nodiscard]] const char* fate_name(Fate fate) noexcept;

enum class Checksums : std::uint8_t { kCount, kVerify, kIgnore };

/// One captured frame, borrowed.
struct FrameView {
  const std::uint8_t* data = nullptr;
  std::uint32_t captured = 0;   ///< bytes at data
  std::uint32_t length = 0;     ///< bytes on the wire; below `captured` it is taken for equal
  std::uint16_t link_type = 0;  ///< LINKTYPE_ value (as in the file, not DLT_)
};

struct DecodeOptions {
  Checksums checksums = Checksums::kCount;
};

/// Decodes one frame. `out` gets every field but `time`, `clock`, `frame` and `hash`; it is complete if the answer is kTcp, or if it is
/// kOtherIp and `out.kind` is kIcmpError; otherwise its content means nothing. `out.kind` is always set. With Checksums::kVerify a bad
/// checksum makes kMalformed. Thread-safe. Cost: bounded by the frame's headers.
[[nodiscard]] Fate decode(const FrameView& frame, const DecodeOptions& options, Segment& out) noexcept;

/// Whether `out` is complete.
[[nodiscard]] constexpr bool gives_segment(Fate fate, const Segment& out) noexcept {
  return fate == Fate::kTcp || (fate == Fate::kOtherIp && out.kind == SegmentKind::kIcmpError);
}

/// True if frames of this link type are understood. Of all others every frame is kNotIp: say so once, by name.
[[nodiscard]] bool link_type_known(std::uint16_t link_type) noexcept;

/// What libpcap calls a link type ("EN10MB", "LINUX_SLL2"), understood or not; nullptr for one that has no name here.
[[nodiscard]] const char* link_type_name(std::uint16_t link_type) noexcept;

}  // namespace finwait::wire

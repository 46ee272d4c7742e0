// The bytes of a trace's frames: Ethernet, IPv4 or IPv6, TCP or ICMP, with right checksums.
//
// Always true: decoding the bytes gives the segment that materialise() gives. Payload is a pattern of its sequence number, so that what is
// sent again carries the same bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "support/trace.h"

namespace finwait::testing {

/// The whole frame of a segment or an ICMP error.
[[nodiscard]] std::vector<std::uint8_t> frame_bytes(const TraceStep& step, const Addressing& addressing);

/// A frame that is no TCP, for a clock that moves on without any: an ARP request.
[[nodiscard]] std::vector<std::uint8_t> filler_bytes();

}  // namespace finwait::testing

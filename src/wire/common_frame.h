// The common frame, straight on: Ethernet, at most one VLAN tag, IPv4 without options or IPv6 without extension headers, TCP.
//
// A short cut and nothing else: what it gives is what the walk of walk.h gives, which a test holds against it. Whatever is not quite common
// (a length that lies, a fragment, a checksum that does not fit, a header the capture cut) it leaves to the walk.
#pragma once

#include "finwait/wire/decode.h"

namespace finwait::wire {

/// True: the frame is a common one, its fate is kTcp, and `out` is complete but for `time`, `clock`, `frame`, `hash` and `kind`. False:
/// `out` means nothing. Thread-safe.
[[nodiscard]] bool decode_common(const FrameView& frame, const DecodeOptions& options, Segment& out) noexcept;

}  // namespace finwait::wire

// AF_XDP for the live source: the one door to it, so that a build without libxdp has another behind it, which says so.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "finwait/capture/live_source.h"
#include "frame_ring.h"

namespace finwait::capture {

/// A ring for each queue that the interface receives on, which share the room; `number` is Frame::interface. The filter is left to user
/// space: what it does not select is taken away from this host all the same. Throws CaptureError.
[[nodiscard]] std::vector<std::unique_ptr<FrameRing>> open_xdp(const LiveOptions& options, const std::string& interface,
                                                               std::uint32_t number);

}  // namespace finwait::capture

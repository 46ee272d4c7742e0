#include "xdp_open.h"

#include "xdp_port.h"
#include "xdp_ring.h"

namespace finwait::capture {

bool has_xdp() noexcept { return true; }

std::vector<std::unique_ptr<FrameRing>> open_xdp(const LiveOptions& options, const std::string& interface, std::uint32_t number) {
  const auto port = std::make_shared<XdpPort>(interface, options.promiscuous);
  std::vector<std::unique_ptr<FrameRing>> rings;
  XdpRingOptions ring;
  ring.number = number;
  ring.buffer = options.buffer / port->queues();
  ring.snapshot_length = options.snapshot_length;
  for (; ring.queue < port->queues(); ++ring.queue) rings.push_back(std::make_unique<XdpRing>(port, ring));
  return rings;
}

}  // namespace finwait::capture

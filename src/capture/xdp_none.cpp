// Where libxdp was not there at the build: what xdp_open.cpp would be.
#include "finwait/capture/error.h"
#include "xdp_open.h"

namespace finwait::capture {

bool has_xdp() noexcept { return false; }

std::vector<std::unique_ptr<FrameRing>> open_xdp(const LiveOptions& /*options*/, const std::string& interface, std::uint32_t /*number*/) {
  throw CaptureError(interface +
                     ": this finwait was built without libxdp: leave --capture-method xdp out, or build it with libxdp-dev and libbpf-dev");
}

}  // namespace finwait::capture

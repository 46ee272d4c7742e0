// The interfaces one can capture on.
#pragma once

#include <string>
#include <vector>

namespace finwait::capture {

struct Interface {
  std::string name;
  std::string description;  ///< may be empty
  bool up = false;
  bool loopback = false;
};

/// What libpcap finds, in its order (the usual one first). Empty if the user may capture on none. Throws CaptureError if the system cannot
/// be asked.
[[nodiscard]] std::vector<Interface> list_interfaces();

}  // namespace finwait::capture

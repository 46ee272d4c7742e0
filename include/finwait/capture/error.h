// The one exception of this floor: the world (files, permissions, interfaces) said no. Never thrown for what is on the wire.
#pragma once

#include <stdexcept>
#include <string>

namespace finwait::capture {

/// what() is one line for a person: the name, the reason, what to do.
class CaptureError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace finwait::capture

// The exceptions of this floor: the world (files, permissions, interfaces) said no. Never thrown for what is on the wire.
#pragma once

#include <stdexcept>
#include <string>

namespace finwait::capture {

/// what() is one line for a person: the name, the reason, what to do.
class CaptureError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A file that can be read but has no packets to offer: empty, text, anything. In a folder of captures such files are passed over.
class NotACapture : public CaptureError {
 public:
  using CaptureError::CaptureError;
};

}  // namespace finwait::capture

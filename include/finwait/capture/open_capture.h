// From bytes to the reader of their format, told by the first bytes and never by the file's name.
//
// A new format is one more case in open_capture(); a compressed one is a ByteProvider put in front of it.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "finwait/capture/byte_window.h"
#include "finwait/capture/source.h"

namespace finwait::capture {

/// The reader for what `window` begins with. `name` is the input as the user gave it.
/// Throws CaptureError if it is empty, cut within the file header, or no format we read: one line that says what it looks like and what to
/// do.
[[nodiscard]] std::unique_ptr<Source> open_capture(ByteWindow window, const std::string& name);

/// What a file that begins with `start` looks like and what to do about it: a clause for an error message. For formats that we do not read.
[[nodiscard]] std::string describe_unknown(std::span<const std::uint8_t> start);

}  // namespace finwait::capture

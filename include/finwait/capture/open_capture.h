// From bytes to the reader of their format, told by the first bytes and never by the file's name.
//
// pcap and pcapng are read by our own readers, what only libpcap knows by libpcap's; compressed captures are decompressed in front of
// either.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "finwait/capture/byte_window.h"
#include "finwait/capture/source.h"

namespace finwait::capture {

/// The reader for what `window` begins with. `name` is the input as the user gave it.
/// Throws CaptureError if it is cut within the file header, compressed twice, or no format we read: one line that says what it looks like
/// and what to do; NotACapture if it is empty or does not look like a capture of any kind.
[[nodiscard]] std::unique_ptr<Source> open_capture(ByteWindow window, const std::string& name);

/// What a file that begins with `start` (262 bytes tell all there is) looks like and what to do about it: a clause for an error message.
/// For formats that we do not read.
[[nodiscard]] std::string describe_unknown(std::span<const std::uint8_t> start);

}  // namespace finwait::capture

// Writes classic pcap with nanosecond time stamps, little-endian.
#pragma once

#include <cstdint>
#include <string>

#include "finwait/capture/output_file.h"
#include "finwait/capture/source.h"

namespace finwait::capture {

class PcapWriter {
 public:
  /// Creates or empties `path` ("-": standard output). Throws CaptureError.
  PcapWriter(const std::string& path, std::uint16_t link_type, std::uint32_t snapshot_length = 262144);

  /// Bytes beyond the snapshot length are left out. Times outside 1970 to 2106, which the format cannot hold, are held at its ends.
  /// Throws CaptureError if the frame is of another link type than the file, or cannot be written.
  void write(const Frame& frame);

  /// Everything to the system, the file closed. Throws CaptureError; the destructor does the same and says nothing.
  void close() { file_.close(); }

 private:
  OutputFile file_;
  std::string path_;
  std::uint16_t link_type_;
  std::uint32_t snapshot_length_;
};

}  // namespace finwait::capture

// Writes pcapng with nanosecond time stamps, little-endian: one section, an interface for each one met, a comment where there is something
// to say.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "finwait/capture/output_file.h"
#include "finwait/capture/source.h"

namespace finwait::capture {

class PcapngWriter {
 public:
  /// Creates or empties `path` ("-": standard output). Throws CaptureError.
  explicit PcapngWriter(const std::string& path, std::uint32_t snapshot_length = 262144);

  /// Describes the frame's interface and link type if they are new, then writes it. `comment` is UTF-8, shown by Wireshark at the packet;
  /// beyond 65532 bytes it is cut between characters. Bytes beyond the snapshot length are left out. Times before 1970 become 1970. Throws
  /// CaptureError if it cannot be written.
  void write(const Frame& frame, std::string_view comment = {});

  /// Everything to the system. Throws CaptureError.
  void flush() { file_.flush(); }

  /// Everything to the system, the file closed. Throws CaptureError; the destructor does the same and says nothing.
  void close() { file_.close(); }

 private:
  void put();

  OutputFile file_;
  std::uint32_t snapshot_length_;
  std::string blocks_;                                                           // on their way into the file
  std::map<std::pair<std::uint32_t, std::uint16_t>, std::uint32_t> interfaces_;  // interface and link type, to the number in the file
};

}  // namespace finwait::capture

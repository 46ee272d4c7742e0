// Where frames come from: one interface for files, standard input, libpcap and live rings.
//
// A source hands out borrowed frames a batch at a time; the bytes stay valid until the next call. What stopped it early is told once, in
// words, and everything read before counts. A source is used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "finwait/base/time.h"

namespace finwait::capture {

struct Frame {
  const std::uint8_t* data = nullptr;  ///< borrowed until the next Source::read
  std::uint32_t captured = 0;          ///< bytes at `data`; may be more than `length` in a damaged capture
  std::uint32_t length = 0;            ///< on the wire
  base::Timestamp time = 0;            ///< never base::kNever
  std::uint16_t link_type = 0;         ///< LINKTYPE_ value
  std::uint32_t interface = 0;         ///< counts from 0 within the source
};

/// How a source ended.
struct SourceStatus {
  bool damaged = false;  ///< the input could not be read to its proper end
  std::string what;      ///< for a person: which input, where it stopped and why; a line for each input concerned, no newline at the end
};

class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  /// Fills the front of `batch` (not empty); returns how many frames. 0: the end (see status()), then and ever after. Frames of the call
  /// before are no longer valid. May give less than a full batch at any time. Never throws for anything that is in the data.
  [[nodiscard]] virtual std::size_t read(std::span<Frame> batch) = 0;

  /// After read() gave 0: how it ended.
  [[nodiscard]] virtual SourceStatus status() const = 0;

  /// Share of the input consumed, 0 to 1; below 0 if unknown (standard input).
  [[nodiscard]] virtual double progress() const noexcept { return -1.0; }

  /// LINKTYPE_ values seen so far, in order of appearance.
  [[nodiscard]] virtual std::vector<std::uint16_t> link_types() const = 0;

  /// Interfaces seen so far: every Frame::interface handed out is below it.
  [[nodiscard]] virtual std::uint32_t interface_count() const noexcept { return 1; }

  /// Name of the input as the user gave it.
  [[nodiscard]] virtual std::string name() const = 0;

  /// Frames the capturing side itself said it lost (pcapng interface statistics, kernel counters), so far.
  [[nodiscard]] virtual std::uint64_t dropped_by_kernel() const { return 0; }
  [[nodiscard]] virtual std::uint64_t dropped_by_interface() const { return 0; }
};

/// Opens a capture file, or standard input for "-": pcap of every variant and pcapng by our own readers, anything else by libpcap's;
/// gzip, zstd and lz4 are decompressed on the way.
/// Throws CaptureError with one line that says what to do (no such file, no permission, a directory, empty, not a capture we read).
[[nodiscard]] std::unique_ptr<Source> open_file(const std::string& path);

}  // namespace finwait::capture

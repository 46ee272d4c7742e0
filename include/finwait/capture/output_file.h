// A file being written: a buffer in front of write(2), and one clear line when the disk is full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace finwait::capture {

class OutputFile {
 public:
  /// Creates or empties `path`; "-" is standard output. Throws CaptureError if it cannot be opened.
  explicit OutputFile(const std::string& path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  /// Writes what is left; an error here is lost: call close() first.
  ~OutputFile();

  /// Throws CaptureError if the bytes cannot be written (disk full).
  void write(std::span<const std::uint8_t> bytes);
  /// Little-endian integers.
  void write16(std::uint16_t value);
  void write32(std::uint32_t value);

  /// Hands all bytes to the system. Throws CaptureError.
  void flush();
  /// flush(), then closes. Writing afterwards is an error of the caller. Throws CaptureError.
  void close();

 private:
  void write_out(std::span<const std::uint8_t> bytes);
  int release() noexcept;
  [[noreturn]] void fail(int error) const;

  std::string path_;
  int descriptor_ = -1;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t used_ = 0;
};

}  // namespace finwait::capture

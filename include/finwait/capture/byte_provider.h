// Where the bytes of a capture file come from: a file descriptor, memory; a decompressor would be one more, over another provider.
//
// A provider is asked for a buffer at a time, never for a packet: the virtual call costs nothing that can be measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace finwait::capture {

class ByteProvider {
 public:
  ByteProvider() = default;
  ByteProvider(const ByteProvider&) = delete;
  ByteProvider& operator=(const ByteProvider&) = delete;
  virtual ~ByteProvider() = default;

  /// Fills the front of `into` (not empty) with what is there, waiting for at least one byte; 0: the end, or an error (see error()).
  /// Never throws: what was read before an error still counts.
  [[nodiscard]] virtual std::size_t read(std::span<std::uint8_t> into) = 0;

  /// After read() gave 0: what went wrong, in words; empty at the proper end.
  [[nodiscard]] virtual std::string error() const { return {}; }

  /// Share of the input handed out, 0 to 1; below 0 if unknown.
  [[nodiscard]] virtual double progress() const noexcept { return -1.0; }
};

/// Reads a descriptor with read(2), also one that has no size (pipe, terminal, socket).
class DescriptorProvider final : public ByteProvider {
 public:
  enum class Ownership : bool { kBorrowed, kOwned };

  DescriptorProvider(int descriptor, Ownership ownership);
  ~DescriptorProvider() override;

  [[nodiscard]] std::size_t read(std::span<std::uint8_t> into) override;
  [[nodiscard]] std::string error() const override;
  [[nodiscard]] double progress() const noexcept override;

 private:
  int descriptor_;
  Ownership ownership_;
  int error_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t size_ = 0;  // 0: unknown
};

/// Opens `path` for reading; "-" is standard input. Throws CaptureError (no such file, no permission, a directory).
[[nodiscard]] std::unique_ptr<ByteProvider> open_bytes(const std::string& path);

}  // namespace finwait::capture

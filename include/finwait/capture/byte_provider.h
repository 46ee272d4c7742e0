// Where the bytes of a capture file come from: a file descriptor, memory, a decompressor over another window.
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

  /// Whether read() may have to wait for somebody (pipe, terminal, socket): then nothing is to be read ahead of need.
  [[nodiscard]] virtual bool may_wait() const noexcept { return false; }

  /// Whether the bytes handed out are not those of the input but what they decompress to.
  [[nodiscard]] virtual bool decompresses() const noexcept { return false; }

  /// Another provider of the same input from byte `begin` on, which asks for no more than it must beyond `soft_end`; null where only one
  /// can read (pipe, terminal). Borrows from this one and may be used by another thread, as long as this one lives.
  [[nodiscard]] virtual std::unique_ptr<ByteProvider> piece(std::uint64_t /*begin*/, std::uint64_t /*soft_end*/) const { return nullptr; }

  /// What is read next is byte `offset` of the input. Only where piece() gives something.
  virtual void seek(std::uint64_t /*offset*/) {}

  /// Bytes of the input when it was opened; 0: unknown.
  [[nodiscard]] virtual std::uint64_t size() const noexcept { return 0; }

  /// After read() gave 0: whether the input was written to while it was read, as a capture that is still running does.
  [[nodiscard]] virtual bool changed() const noexcept { return false; }
};

/// Reads a descriptor with read(2), also one that has no size (pipe, terminal, socket). Ends when a stop is requested (stop.h), also while
/// it waits.
class DescriptorProvider final : public ByteProvider {
 public:
  enum class Ownership : bool { kBorrowed, kOwned };

  DescriptorProvider(int descriptor, Ownership ownership);
  ~DescriptorProvider() override;

  [[nodiscard]] std::size_t read(std::span<std::uint8_t> into) override;
  [[nodiscard]] std::string error() const override;
  [[nodiscard]] double progress() const noexcept override;
  [[nodiscard]] bool may_wait() const noexcept override { return may_wait_; }
  [[nodiscard]] bool changed() const noexcept override;
  [[nodiscard]] std::unique_ptr<ByteProvider> piece(std::uint64_t begin, std::uint64_t soft_end) const override;
  void seek(std::uint64_t offset) override;
  [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }

 private:
  [[nodiscard]] bool wait_for_bytes() const noexcept;

  int descriptor_;
  Ownership ownership_;
  int error_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t size_ = 0;    // when it was opened; 0: unknown
  std::int64_t written_ = 0;  // when it was last written to, as of then
  bool may_wait_ = true;
};

/// Opens `path` for reading; "-" is standard input. Throws CaptureError (no such file, no permission, a directory).
[[nodiscard]] std::unique_ptr<ByteProvider> open_bytes(const std::string& path);

}  // namespace finwait::capture

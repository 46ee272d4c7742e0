// Compressed captures: gzip, zstd and lz4 (frame format), told by their first bytes and decompressed as a stream.
//
// Always true: memory is bounded whatever the data says: 32 KiB of history for gzip, 128 MiB for zstd (a frame that wants more is refused),
// blocks of 4 MiB for lz4. Members or frames that follow each other are one stream; zeros after a gzip member are padding. Everything
// before damage is handed out. What was decompressed is not looked at: compression within compression is for the caller to refuse.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "finwait/capture/byte_provider.h"
#include "finwait/capture/byte_window.h"

namespace finwait::capture {

enum class Compression : std::uint8_t { kNone, kGzip, kZstd, kLz4 };

/// "gzip", "zstd", "lz4"; also the name of the program that undoes it. Not for kNone.
[[nodiscard]] std::string_view compression_name(Compression compression) noexcept;

/// How what `window` begins with is compressed. Brings in four bytes, and more only where a skippable frame stands first, which zstd and
/// lz4 have in common; consumes nothing.
[[nodiscard]] Compression compression_at(ByteWindow& window);

class FrameDecoder;

class Decompressor final : public ByteProvider {
 public:
  /// `compressed` stands at data of this kind (not kNone). Throws std::bad_alloc.
  Decompressor(ByteWindow compressed, Compression compression);
  ~Decompressor() override;

  [[nodiscard]] std::size_t read(std::span<std::uint8_t> into) override;
  /// Says where in the compressed data it went wrong.
  [[nodiscard]] std::string error() const override { return error_; }
  /// Share of the compressed input taken in.
  [[nodiscard]] double progress() const noexcept override { return input_.progress(); }
  [[nodiscard]] bool may_wait() const noexcept override { return input_.may_wait(); }
  [[nodiscard]] bool decompresses() const noexcept override { return true; }

 private:
  [[nodiscard]] bool begin_frame();
  [[nodiscard]] bool bring_input();
  [[nodiscard]] std::size_t decode(std::span<std::uint8_t> into);
  void end(std::string error);

  ByteWindow input_;
  Compression compression_;
  std::unique_ptr<FrameDecoder> decoder_;
  bool between_frames_ = true;
  bool pending_ = false;  // the decoder may have output that did not fit
  bool ended_ = false;
  std::string error_;
};

}  // namespace finwait::capture

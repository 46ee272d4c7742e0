// What the decompressor needs of a compression library: some input to some output, and a word when a frame ends or is damaged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace finwait::capture {

struct DecodeStep {
  std::size_t consumed = 0;
  std::size_t produced = 0;
  bool frame_ended = false;  ///< and all of it is out; the next call begins a frame
  std::string error;         ///< a clause for a person; the decoder is of no use afterwards
};

class FrameDecoder {
 public:
  FrameDecoder() = default;
  FrameDecoder(const FrameDecoder&) = delete;
  FrameDecoder& operator=(const FrameDecoder&) = delete;
  virtual ~FrameDecoder() = default;

  /// Decodes a part of `in` into `out` (not empty). `in` is empty if the call before filled its output. Takes input in such small steps
  /// that an error costs no byte of the blocks before: zstd and lz4 do not say what they wrote in a call that fails. Throws std::bad_alloc.
  [[nodiscard]] virtual DecodeStep decode(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) = 0;
};

/// Each throws std::bad_alloc.
[[nodiscard]] std::unique_ptr<FrameDecoder> make_gzip_decoder();
[[nodiscard]] std::unique_ptr<FrameDecoder> make_zstd_decoder();
[[nodiscard]] std::unique_ptr<FrameDecoder> make_lz4_decoder();

}  // namespace finwait::capture

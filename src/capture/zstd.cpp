// zstd frames by libzstd, with its window held at 128 MiB: what the zstd program itself takes without being asked.
#include <fmt/format.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <new>

#include "frame_decoder.h"

namespace finwait::capture {
namespace {

constexpr int kWindowLogMax = 27;
constexpr std::size_t kBlockHeader = 3;
constexpr std::size_t kFirst = 2;  // of a frame: its header follows step by step

class ZstdDecoder final : public FrameDecoder {
 public:
  ZstdDecoder() {
    if (!stream_ || ZSTD_isError(ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kWindowLogMax)) != 0) throw std::bad_alloc();
  }

  DecodeStep decode(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) override {
    ZSTD_inBuffer from{in.data(), std::min(in.size(), wanted_), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t result = ZSTD_decompressStream(stream_.get(), &to, &from);
    DecodeStep step{from.pos, to.pos, result == 0, {}};
    if (ZSTD_isError(result) != 0) {
      step.frame_ended = false;
      step.error = explain(result);
    } else {
      wanted_ = next_step(result);
    }
    return step;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* stream) const noexcept { ZSTD_freeDCtx(stream); }
  };

  /// libzstd asks for a block together with the header of the next one. Without that header, a call does at most one block.
  static std::size_t next_step(std::size_t hint) noexcept {
    if (hint == 0) return kFirst;
    return hint > kBlockHeader ? hint - kBlockHeader : hint;
  }

  static std::string explain(std::size_t result) {
    if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) throw std::bad_alloc();
    if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge) {
      return fmt::format("it needs a window of more than {} MiB; decompress it first with 'zstd -dc --long=31'",
                         (1U << kWindowLogMax) >> 20U);
    }
    return ZSTD_getErrorName(result);
  }

  std::unique_ptr<ZSTD_DCtx, Free> stream_{ZSTD_createDCtx()};
  std::size_t wanted_ = kFirst;
};

}  // namespace

std::unique_ptr<FrameDecoder> make_zstd_decoder() { return std::make_unique<ZstdDecoder>(); }

}  // namespace finwait::capture

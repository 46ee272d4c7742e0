// lz4 frames by liblz4. A block is 4 MiB at most, its history 64 KiB: memory needs no limit of ours.
#include <lz4frame.h>

#include <algorithm>
#include <new>

#include "frame_decoder.h"

namespace finwait::capture {
namespace {

constexpr std::size_t kBlockHeader = 4;
constexpr std::size_t kFirst = 7;  // the smallest frame header

class Lz4Decoder final : public FrameDecoder {
 public:
  Lz4Decoder() {
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)) != 0) throw std::bad_alloc();
  }
  ~Lz4Decoder() override { LZ4F_freeDecompressionContext(context_); }

  DecodeStep decode(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) override {
    std::size_t consumed = std::min(in.size(), wanted_);
    std::size_t produced = out.size();
    const std::size_t result = LZ4F_decompress(context_, out.data(), &produced, in.data(), &consumed, nullptr);
    if (LZ4F_isError(result) != 0) return {0, 0, false, explain(result)};
    wanted_ = next_step(result);
    return {consumed, produced, result == 0, {}};
  }

 private:
  /// liblz4 asks for a block together with the header of the next one. Without that header, a call does at most one block.
  static std::size_t next_step(std::size_t hint) noexcept {
    if (hint == 0) return kFirst;
    return hint > kBlockHeader ? hint - kBlockHeader : hint;
  }

  /// The library tells its errors apart by name only: their numbers are not part of its stable interface.
  static std::string explain(std::size_t result) {
    std::string name = LZ4F_getErrorName(result);
    if (name == "ERROR_allocation_failed") throw std::bad_alloc();
    return name;
  }

  LZ4F_dctx* context_ = nullptr;
  std::size_t wanted_ = kFirst;
};

}  // namespace

std::unique_ptr<FrameDecoder> make_lz4_decoder() { return std::make_unique<Lz4Decoder>(); }

}  // namespace finwait::capture

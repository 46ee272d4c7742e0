#include "finwait/capture/decompressor.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "finwait/capture/bytes.h"
#include "finwait/capture/stop.h"
#include "frame_decoder.h"

namespace finwait::capture {
namespace {

constexpr std::size_t kMagic = 4;
constexpr std::uint32_t kGzipMagic = 0x00088b1f;  // three bytes: deflate is the only method there is
constexpr std::uint32_t kGzipMask = 0x00ffffff;
constexpr std::uint32_t kZstdMagic = 0xfd2fb528;
constexpr std::uint32_t kLz4Magic = 0x184d2204;
constexpr std::uint32_t kSkippableMagic = 0x184d2a50;
constexpr std::uint32_t kSkippableMask = 0xfffffff0;
constexpr std::size_t kSkippableHeader = 8;
constexpr std::size_t kMostSkipped = std::size_t{64} << 10U;  // pzstd puts twelve bytes in front of each frame

bool is_skippable(std::uint32_t magic) noexcept { return (magic & kSkippableMask) == kSkippableMagic; }

std::uint32_t little32(const std::uint8_t* from) noexcept { return load32(from, std::endian::native == std::endian::big); }

Compression compression_of(std::uint32_t magic) noexcept {
  if ((magic & kGzipMask) == kGzipMagic) return Compression::kGzip;
  if (magic == kZstdMagic) return Compression::kZstd;
  return magic == kLz4Magic ? Compression::kLz4 : Compression::kNone;
}

std::unique_ptr<FrameDecoder> make_decoder(Compression compression) {
  switch (compression) {
    case Compression::kZstd:
      return make_zstd_decoder();
    case Compression::kLz4:
      return make_lz4_decoder();
    default:
      return make_gzip_decoder();
  }
}

}  // namespace

std::string_view compression_name(Compression compression) noexcept {
  switch (compression) {
    case Compression::kZstd:
      return "zstd";
    case Compression::kLz4:
      return "lz4";
    default:
      return "gzip";
  }
}

Compression compression_at(ByteWindow& window) {
  std::size_t at = 0;
  while (window.fill(at + kMagic)) {
    const std::uint32_t magic = little32(window.begin() + at);
    if (!is_skippable(magic)) {
      const Compression compression = compression_of(magic);
      return at == 0 || compression == Compression::kLz4 ? compression : Compression::kZstd;
    }
    if (!window.fill(at + kSkippableHeader)) break;
    const std::size_t length = little32(window.begin() + at + kMagic);
    at += kSkippableHeader + length;
    if (at > kMostSkipped) break;
  }
  return at == 0 ? Compression::kNone : Compression::kZstd;
}

Decompressor::Decompressor(ByteWindow compressed, Compression compression)
    : input_(std::move(compressed)), compression_(compression), decoder_(make_decoder(compression)) {}

Decompressor::~Decompressor() = default;

std::size_t Decompressor::read(std::span<std::uint8_t> into) {
  std::size_t produced = 0;
  while (!ended_ && produced < into.size()) {
    if (!pending_) {
      // What is there goes out before anybody waits for more.
      if (produced != 0 && input_.size() < (between_frames_ ? kMagic : 1)) break;
      if (between_frames_ ? !begin_frame() : !bring_input()) break;
    }
    produced += decode(into.subspan(produced));
  }
  return produced;
}

/// Whether another frame follows; if not, the input has ended here, properly or not.
bool Decompressor::begin_frame() {
  while (compression_ == Compression::kGzip && input_.offset() != 0 && input_.fill(1) && *input_.begin() == 0) input_.consume(1);
  if (!input_.fill(kMagic)) {
    // Fewer bytes than a magic number: nothing, or a frame that is cut at once.
    if (input_.size() == 0) end(input_.error());
    return !ended_ && bring_input();
  }
  const std::uint32_t magic = little32(input_.begin());
  if (compression_of(magic) == compression_ || (compression_ != Compression::kGzip && is_skippable(magic))) return true;
  end(fmt::format("what follows the {} data at byte {} of the compressed input is something else", compression_name(compression_),
                  input_.offset()));
  return false;
}

bool Decompressor::bring_input() {
  if (input_.fill(1)) return true;
  std::string error = input_.error();
  if (error.empty() && !stop_requested()) {
    error = fmt::format("the {} data is cut at byte {} of the compressed input{}", compression_name(compression_), input_.offset(),
                        input_.changed() ? "; it is still being written" : "");
  }
  end(std::move(error));
  return false;
}

std::size_t Decompressor::decode(std::span<std::uint8_t> into) {
  // What did not fit goes out alone: an error in what follows would take it along.
  const std::span<const std::uint8_t> in{input_.begin(), pending_ ? 0 : input_.size()};
  const DecodeStep step = decoder_->decode(in, into);
  input_.consume(step.consumed);
  between_frames_ = step.frame_ended;
  pending_ = !step.frame_ended && step.produced == into.size();
  const bool stuck = step.consumed == 0 && step.produced == 0 && !in.empty() && !step.frame_ended;
  if (!step.error.empty() || stuck) {
    end(fmt::format("the {} data is damaged at byte {} of the compressed input: {}", compression_name(compression_), input_.offset(),
                    stuck && step.error.empty() ? "it leads nowhere" : step.error));
  }
  return step.produced;
}

void Decompressor::end(std::string error) {
  ended_ = true;
  error_ = std::move(error);
}

}  // namespace finwait::capture

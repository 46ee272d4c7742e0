// gzip members by zlib. Deflate's window is 32 KiB at most: memory needs no limit of ours.
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

#include "frame_decoder.h"

namespace finwait::capture {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;

class GzipDecoder final : public FrameDecoder {
 public:
  GzipDecoder() {
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~GzipDecoder() override { inflateEnd(&stream_); }

  DecodeStep decode(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) override {
    constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
    const auto offered = static_cast<uInt>(std::min(in.size(), kMost));
    const auto room = static_cast<uInt>(std::min(out.size(), kMost));
    stream_.next_in = const_cast<Bytef*>(in.data());  // an older interface: zlib does not write there
    stream_.avail_in = offered;
    stream_.next_out = out.data();
    stream_.avail_out = room;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    DecodeStep step{offered - stream_.avail_in, room - stream_.avail_out, result == Z_STREAM_END, {}};
    if (result == Z_STREAM_END) {
      inflateReset(&stream_);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {  // the latter: nothing to do, no harm
      if (result == Z_MEM_ERROR) throw std::bad_alloc();
      step.error = stream_.msg != nullptr ? stream_.msg : zError(result);
    }
    return step;
  }

 private:
  z_stream stream_{};
};

}  // namespace

std::unique_ptr<FrameDecoder> make_gzip_decoder() { return std::make_unique<GzipDecoder>(); }

}  // namespace finwait::capture

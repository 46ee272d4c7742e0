// Compresses bytes for the tests, with the libraries themselves.
#pragma once

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "capture/capture_bytes.h"
#include "finwait/capture/decompressor.h"

namespace finwait::capture::testing {

inline void require(bool condition) {
  if (!condition) std::abort();
}

inline Bytes gzip(std::span<const std::uint8_t> plain, int flush_at_end = Z_FINISH) {
  z_stream stream{};
  require(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out(deflateBound(&stream, plain.size()) + 64);
  stream.next_in = const_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  require(deflate(&stream, flush_at_end) == (flush_at_end == Z_FINISH ? Z_STREAM_END : Z_OK));
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline Bytes zstd(std::span<const std::uint8_t> plain) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  require(context != nullptr);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  Bytes out(ZSTD_compressBound(plain.size()));
  const std::size_t size = ZSTD_compress2(context, out.data(), out.size(), plain.data(), plain.size());
  ZSTD_freeCCtx(context);
  require(ZSTD_isError(size) == 0);
  out.resize(size);
  return out;
}

inline Bytes lz4(std::span<const std::uint8_t> plain) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  Bytes out(LZ4F_compressFrameBound(plain.size(), &preferences));
  const std::size_t size = LZ4F_compressFrame(out.data(), out.size(), plain.data(), plain.size(), &preferences);
  require(LZ4F_isError(size) == 0);
  out.resize(size);
  return out;
}

inline Bytes compress(Compression kind, std::span<const std::uint8_t> plain) {
  if (kind == Compression::kGzip) return gzip(plain);
  return kind == Compression::kZstd ? zstd(plain) : lz4(plain);
}

}  // namespace finwait::capture::testing

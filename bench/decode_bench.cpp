// How long a frame takes to become a segment, by kind of frame, size and treatment of checksums.
//
// `warm` decodes one frame again and again; `far` walks over 64 MiB of frames, as a file does, so that each frame's bytes come from memory.
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "finwait/wire/checksum.h"
#include "finwait/wire/decode.h"

namespace {

using namespace finwait::wire;
using Bytes = std::vector<std::uint8_t>;

enum Kind { kIpv4, kIpv6, kVlan, kGre };

void append(Bytes& to, std::initializer_list<int> bytes) {
  for (const int byte : bytes) to.push_back(static_cast<std::uint8_t>(byte));
}
void put16(Bytes& bytes, std::size_t at, std::size_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}
void add_ipv4(Bytes& out, int protocol, std::size_t payload) {
  const std::size_t at = out.size();
  append(out, {0x45, 0, 0, 0, 1, 2, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1});
  put16(out, at + 2, 20 + payload);
  OnesSum sum;
  sum.add(out.data() + at, 20);
  put16(out, at + 10, static_cast<std::uint16_t>(~sum.folded()));
}

/// A frame of `size` bytes (without a check sequence) with timestamps and a right checksum.
Bytes make_frame(Kind kind, std::size_t size) {
  constexpr std::size_t kTcp = 32;
  const std::size_t headers = 14U + (kind == kIpv6 ? 40U : 20U) + (kind == kVlan ? 4U : 0U) + (kind == kGre ? 24U : 0U);
  const std::size_t length = std::max(size, headers + kTcp) - headers;
  Bytes out(12);
  if (kind == kVlan) append(out, {0x81, 0, 0, 7});
  append(out, {kind == kIpv6 ? 0x86 : 0x08, kind == kIpv6 ? 0xdd : 0x00});
  if (kind == kGre) {
    add_ipv4(out, 47, 4 + 20 + length);
    append(out, {0, 0, 8, 0});
  }
  const std::size_t ip = out.size();
  if (kind == kIpv6) {
    append(out, {0x60, 0, 0, 0, 0, 0, 6, 64});
    put16(out, ip + 4, length);
    for (int i = 0; i < 32; ++i) append(out, {i == 15 ? 2 : i == 31 ? 1 : i % 16 == 0 ? 0x20 : 0});
  } else {
    add_ipv4(out, 6, length);
  }
  const std::size_t tcp = out.size();
  append(out, {0x9c, 0x40, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, 0x80, 0x10, 1, 0, 0, 0, 0, 0, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2});
  for (std::size_t i = kTcp; i < length; ++i) out.push_back(static_cast<std::uint8_t>(i * 7));
  OnesSum sum;
  sum.add(out.data() + ip + (kind == kIpv6 ? 8 : 12), kind == kIpv6 ? 32 : 8);
  sum.add(std::uint16_t{6});
  sum.add_long(static_cast<std::uint32_t>(length));
  sum.add(out.data() + tcp, length);
  put16(out, tcp + 16, static_cast<std::uint16_t>(~sum.folded()));
  return out;
}

/// The answer that is timed is the right one; ends the benchmark if not.
bool answers_rightly(benchmark::State& state, const Bytes& frame) {
  Segment segment;
  const auto size = static_cast<std::uint32_t>(frame.size());
  const Fate fate = decode({frame.data(), size, size, 1}, {Checksums::kVerify}, segment);
  const bool right = fate == Fate::kTcp && segment.seq == 0x01020304 && segment.ts_ecr == 2 && segment.key.low_port == 80;
  if (!right) state.SkipWithError("the frame was decoded wrongly");
  return right;
}

void decode_frames(benchmark::State& state, Kind kind, Checksums checksums, std::size_t memory) {
  const Bytes frame = make_frame(kind, static_cast<std::size_t>(state.range(0)));
  if (!answers_rightly(state, frame)) return;
  const auto size = static_cast<std::uint32_t>(frame.size());
  const std::size_t stride = size + 16;  // a record's header stands between two frames
  const std::size_t count = std::max<std::size_t>(1, memory / stride);
  Bytes all(count * stride);
  for (std::size_t i = 0; i < count; ++i) std::memcpy(all.data() + i * stride, frame.data(), size);
  Segment segment;
  std::size_t at = 0;
  std::uint64_t wrong = 0;
  for (auto _ : state) {
    wrong += decode({all.data() + at, size, size, 1}, {checksums}, segment) != Fate::kTcp;
    benchmark::DoNotOptimize(segment);
    at = at + stride < all.size() ? at + stride : 0;
  }
  if (wrong != 0) state.SkipWithError("a frame was not a segment");
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * size);
}

constexpr std::size_t kWarm = 0;
constexpr std::size_t kFar = std::size_t{64} << 20;

BENCHMARK_CAPTURE(decode_frames, ipv4_ignore_warm, kIpv4, Checksums::kIgnore, kWarm)->Arg(66)->Arg(1514);
BENCHMARK_CAPTURE(decode_frames, ipv4_count_warm, kIpv4, Checksums::kCount, kWarm)->Arg(66)->Arg(1514);
BENCHMARK_CAPTURE(decode_frames, ipv6_count_warm, kIpv6, Checksums::kCount, kWarm)->Arg(86)->Arg(1514);
BENCHMARK_CAPTURE(decode_frames, vlan_count_warm, kVlan, Checksums::kCount, kWarm)->Arg(70)->Arg(1514);
BENCHMARK_CAPTURE(decode_frames, gre_count_warm, kGre, Checksums::kCount, kWarm)->Arg(90)->Arg(1514);
BENCHMARK_CAPTURE(decode_frames, ipv4_ignore_far, kIpv4, Checksums::kIgnore, kFar)->Arg(66)->Arg(1514);
BENCHMARK_CAPTURE(decode_frames, ipv4_count_far, kIpv4, Checksums::kCount, kFar)->Arg(66)->Arg(1514);

}  // namespace

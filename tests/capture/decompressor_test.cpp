#include "finwait/capture/decompressor.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "capture/compress.h"
#include "finwait/capture/file_sequence.h"

namespace finwait::capture {
namespace {

using testing::Builder;
using testing::Bytes;
using testing::compress;
using testing::error_of;
using testing::joined;
using testing::MemoryProvider;
using testing::Order;
using testing::Outcome;
using testing::payload;
using testing::PcapFile;
using testing::PcapngFile;
using testing::read_bytes;
using testing::read_memory;
using testing::TemporaryDirectory;

struct Decompressed {
  Bytes bytes;
  std::string error;
};

struct Steps {
  std::size_t input = SIZE_MAX;  // bytes that a read below gives at most
  std::size_t buffer = 4096;
  std::size_t output = 4096;
};

Decompressed decompress(const Bytes& compressed, Compression kind, Steps steps = {}) {
  Decompressor decompressor(ByteWindow(std::make_unique<MemoryProvider>(compressed, steps.input), steps.buffer), kind);
  Decompressed result;
  Bytes piece(steps.output);
  while (const std::size_t count = decompressor.read(piece)) {
    result.bytes.insert(result.bytes.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
  }
  EXPECT_EQ(decompressor.read(piece), 0U) << "stays at its end";
  result.error = decompressor.error();
  return result;
}

/// Bytes that compress by half, in several blocks of each kind.
Bytes mixed(std::size_t length) {
  std::mt19937 random(3);
  Bytes bytes;
  while (bytes.size() < length) {
    const bool runs = random() % 2 == 0;
    for (int i = 0; i < 64; ++i) bytes.push_back(static_cast<std::uint8_t>(runs ? 7U : random()));
  }
  bytes.resize(length);
  return bytes;
}

bool is_prefix(const Bytes& part, const Bytes& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

PcapFile many_frames() {
  PcapFile file(Order::kLittle, 0xa1b2c3d4);
  for (unsigned i = 0; i < 3000; ++i) file.add(1000 + i, i, payload(60 + i % 900, i), 1500);
  return file;
}

class EachCompression : public ::testing::TestWithParam<Compression> {};
INSTANTIATE_TEST_SUITE_P(Decompressor, EachCompression, ::testing::Values(Compression::kGzip, Compression::kZstd, Compression::kLz4),
                         [](const auto& test) { return std::string(compression_name(test.param)); });

TEST_P(EachCompression, IsToldByItsFirstBytes) {
  ByteWindow window(std::make_unique<MemoryProvider>(compress(GetParam(), payload(9)), 1), 1);
  EXPECT_EQ(compression_at(window), GetParam());
  EXPECT_EQ(window.offset(), 0U);
}

TEST_P(EachCompression, GivesBackWhatWasCompressedInStepsOfAnySize) {
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{3000}, std::size_t{300'000}}) {
    const Bytes plain = mixed(length);
    const Bytes compressed = compress(GetParam(), plain);
    for (const Steps steps :
         {Steps{}, Steps{1, 1, 1}, Steps{1, 64, 4096}, Steps{7, 3, 5}, Steps{SIZE_MAX, 4096, 1}, Steps{SIZE_MAX, 1, 1U << 20U}}) {
      const Decompressed result = decompress(compressed, GetParam(), steps);
      ASSERT_EQ(result.bytes, plain) << length;
      ASSERT_EQ(result.error, "") << length;
    }
  }
}

TEST_P(EachCompression, FramesThatFollowEachOtherAreOneStream) {
  const Bytes one = compress(GetParam(), payload(1000, 1));
  const Bytes none = compress(GetParam(), Bytes{});
  const Bytes two = compress(GetParam(), payload(500, 2));
  const Decompressed result = decompress(joined(joined(joined(one, none), joined(none, two)), none), GetParam(), {3, 2, 77});
  EXPECT_EQ(result.bytes, joined(payload(1000, 1), payload(500, 2)));
  EXPECT_EQ(result.error, "");
}

TEST_P(EachCompression, CutAnywhereGivesWhatIsBeforeAndSaysWhere) {
  const Bytes plain = mixed(3000);
  const Bytes one = compress(GetParam(), plain);
  const Bytes two = joined(one, one);
  std::size_t before = 0;
  for (std::size_t cut = 0; cut <= two.size(); ++cut) {
    const Bytes part(two.begin(), two.begin() + static_cast<std::ptrdiff_t>(cut));
    const Decompressed result = decompress(part, GetParam());
    ASSERT_TRUE(is_prefix(result.bytes, joined(plain, plain))) << cut;
    ASSERT_GE(result.bytes.size(), before) << cut << ": a longer part gives no less";
    ASSERT_GE(result.bytes.size(), cut < one.size() ? 0 : plain.size()) << cut;
    before = result.bytes.size();
    const bool proper = cut == 0 || cut == one.size() || cut == two.size();
    ASSERT_EQ(result.error, proper ? ""
                                   : "the " + std::string(compression_name(GetParam())) + " data is cut at byte " + std::to_string(cut) +
                                         " of the compressed input");
  }
  EXPECT_EQ(before, 2 * plain.size());
}

TEST_P(EachCompression, NoBlockBeforeTheDamageIsLost) {
  const Bytes plain = mixed(1'000'000);
  const Bytes good = compress(GetParam(), plain);
  std::mt19937 random(5);
  for (int round = 0; round < 60; ++round) {
    Bytes bad = good;
    const std::size_t at = 30 + random() % (good.size() - 30);
    for (std::size_t i = at; i < std::min(at + 40, bad.size()); ++i) bad[i] = static_cast<std::uint8_t>(random());
    const Decompressed result = decompress(bad, GetParam(), {SIZE_MAX, 1U << 18U, 1U << 18U});
    ASSERT_NE(result.error, "") << at;
    // What the bytes before `at` alone would give, as a whole input.
    const Decompressed before = decompress(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(at)), GetParam());
    ASSERT_GE(result.bytes.size(), before.bytes.size()) << at;
    ASSERT_TRUE(is_prefix(before.bytes, result.bytes)) << at;
  }
}

TEST_P(EachCompression, RandomDamageIsTheSameInStepsOfAnySize) {
  std::mt19937 random(9);
  const Bytes good = joined(compress(GetParam(), mixed(2000)), compress(GetParam(), payload(100)));
  int damaged = 0;
  for (int round = 0; round < 1500; ++round) {
    Bytes bytes = good;
    for (unsigned changes = 1 + random() % 4; changes > 0; --changes) bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    const Decompressed whole = decompress(bytes, GetParam());
    const Decompressed slid = decompress(bytes, GetParam(), {1 + random() % 50, 1 + random() % 50, 1 + random() % 50});
    ASSERT_EQ(slid.bytes, whole.bytes) << round;
    ASSERT_EQ(slid.error.empty(), whole.error.empty()) << round << ": " << slid.error << " / " << whole.error;
    damaged += whole.error.empty() ? 0 : 1;
  }
  EXPECT_GT(damaged, 1200);
}

TEST_P(EachCompression, SomethingElseAfterwardsIsToldAndNotRead) {
  const Bytes good = compress(GetParam(), payload(100));
  const Decompressed result = decompress(joined(good, {'m', 'o', 'r', 'e', '!'}), GetParam());
  EXPECT_EQ(result.bytes, payload(100));
  EXPECT_EQ(result.error, "what follows the " + std::string(compression_name(GetParam())) + " data at byte " + std::to_string(good.size()) +
                              " of the compressed input is something else");
}

TEST_P(EachCompression, ABombStaysInBoundedMemory) {
  // A gigabyte for gzip would take seconds: each kind gets what a compressed file of some 100 KB to 1 MB can hold.
  const Bytes zeros(std::size_t{16} << 20U);
  const Bytes frame = compress(GetParam(), zeros);
  Bytes bomb;
  for (int i = 0; i < 12; ++i) bomb = joined(bomb, frame);
  Decompressor decompressor(ByteWindow(std::make_unique<MemoryProvider>(bomb)), GetParam());
  const auto peak = [] {
    struct rusage usage {};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;  // KiB
  };
  const auto before = peak();
  Bytes piece(65536);
  std::uint64_t total = 0;
  while (const std::size_t count = decompressor.read(piece)) total += count;
  EXPECT_EQ(total, 12 * zeros.size());
  EXPECT_EQ(decompressor.error(), "");
  EXPECT_LT(peak() - before, 48 * 1024) << "less than three frames of it";
}

TEST_P(EachCompression, ACaptureIsReadAsIfItWereNot) {
  const PcapFile file = many_frames();
  const Outcome outcome = read_bytes(compress(GetParam(), file.out.bytes));
  EXPECT_EQ(outcome.frames, file.frames);
  EXPECT_EQ(outcome.what, "");
  PcapngFile ng;
  ng.section().interface(1).enhanced(0, 5, payload(40), 40);
  EXPECT_EQ(read_memory(compress(GetParam(), ng.out.bytes)), read_memory(ng.out.bytes));
}

TEST_P(EachCompression, ACutCaptureIsReadUpToThere) {
  const PcapFile file = many_frames();
  Bytes compressed = compress(GetParam(), file.out.bytes);
  const std::string cut = std::to_string(compressed.size() - compressed.size() / 3);
  compressed.resize(compressed.size() - compressed.size() / 3);
  const Outcome outcome = read_bytes(compressed);
  EXPECT_TRUE(outcome.damaged);
  ASSERT_GT(outcome.frames.size(), 100U);
  ASSERT_LT(outcome.frames.size(), file.frames.size());
  EXPECT_TRUE(std::equal(outcome.frames.begin(), outcome.frames.end(), file.frames.begin()));
  EXPECT_EQ(outcome.what.find("test.cap: damaged at byte "), 0U) << outcome.what;
  const std::string end = " once decompressed, frame " + std::to_string(outcome.frames.size() + 1) + ": the " +
                          std::string(compression_name(GetParam())) + " data is cut at byte " + cut + " of the compressed input";
  EXPECT_NE(outcome.what.find(end), std::string::npos) << outcome.what;
}

TEST_P(EachCompression, CompressionWithinCompressionIsRefused) {
  const Bytes twice = compress(GetParam(), compress(Compression::kGzip, many_frames().out.bytes));
  const std::string name(compression_name(GetParam()));
  EXPECT_EQ(read_bytes(twice).what,
            "test.cap: is compressed twice, with gzip within " + name + "; decompress it once with '" + name + " -dc'");
}

TEST_P(EachCompression, WhatIsNoCaptureIsRefusedByWhatIsInside) {
  EXPECT_EQ(read_bytes(compress(GetParam(), Bytes{'a', 'b', 'c', 'd'})).what,
            "test.cap: once decompressed, it is text, not a capture (it begins with 61 62 63 64); give a pcap or pcapng file");
  EXPECT_EQ(read_bytes(compress(GetParam(), Bytes{})).what, "test.cap: is empty: not even a file header");
  Bytes tar(512);
  const std::string_view mark = "ustar";
  std::copy(mark.begin(), mark.end(), tar.begin() + 257);
  EXPECT_EQ(read_bytes(compress(GetParam(), tar)).what,
            "test.cap: once decompressed, it is a tar archive; extract the captures in it first");
}

TEST_P(EachCompression, ComesThroughAPipeAndInASequence) {
  const PcapFile file = many_frames();
  const TemporaryDirectory directory;
  FileSequence files({directory.write("one", compress(GetParam(), file.out.bytes))});
  EXPECT_DOUBLE_EQ(files.progress(), 0.0);
  Outcome outcome;
  testing::read_to_end(files, 64, outcome);
  EXPECT_EQ(outcome.frames, file.frames);
  EXPECT_FALSE(outcome.damaged);
  EXPECT_DOUBLE_EQ(files.progress(), 1.0);

  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(ends), 0);
  PcapFile one(Order::kLittle, 0xa1b2c3d4);
  one.add(1, 0, payload(60), 60);
  const Bytes compressed = compress(GetParam(), one.out.bytes);
  ASSERT_EQ(::write(ends[1], compressed.data(), compressed.size()), static_cast<ssize_t>(compressed.size()));
  const auto source =
      open_capture(ByteWindow(std::make_unique<DescriptorProvider>(ends[0], DescriptorProvider::Ownership::kOwned)), "pipe");
  std::vector<Frame> batch(4);
  EXPECT_EQ(source->read(batch), 1U) << "the writer has not closed it";
  ::close(ends[1]);
  EXPECT_EQ(source->read(batch), 0U);
  EXPECT_FALSE(source->status().damaged);
}

TEST(Decompressor, FramesOfAStreamThatIsStillBeingWrittenComeAtOnce) {
  PcapFile file(Order::kLittle, 0xa1b2c3d4);
  file.add(1, 0, payload(60), 60);
  const Bytes flushed = testing::gzip(file.out.bytes, Z_SYNC_FLUSH);
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], flushed.data(), flushed.size()), static_cast<ssize_t>(flushed.size()));
  const auto source =
      open_capture(ByteWindow(std::make_unique<DescriptorProvider>(ends[0], DescriptorProvider::Ownership::kOwned)), "pipe");
  std::vector<Frame> batch(4);
  EXPECT_EQ(source->read(batch), 1U);
  ::close(ends[1]);
  EXPECT_EQ(source->read(batch), 0U);
  EXPECT_EQ(source->status().what, "pipe: damaged at byte 100 once decompressed, frame 2: the gzip data is cut at byte " +
                                       std::to_string(flushed.size()) + " of the compressed input");
}

TEST(Decompressor, ZerosAfterAGzipMemberArePadding) {
  const Bytes good = testing::gzip(payload(100));
  EXPECT_EQ(decompress(joined(good, Bytes(1000)), Compression::kGzip, {3, 2, 9}).error, "");
  const Decompressed two = decompress(joined(joined(good, Bytes(7)), good), Compression::kGzip);
  EXPECT_EQ(two.bytes.size(), 200U);
  EXPECT_EQ(two.error, "");
}

TEST(Decompressor, SkippableFramesInFrontAreSkipped) {
  const Bytes skippable = Builder().u32(0x184d2a53).u32(5).raw(payload(5)).bytes;
  for (const Compression kind : {Compression::kZstd, Compression::kLz4}) {
    const Bytes bytes = joined(joined(skippable, skippable), joined(compress(kind, payload(50)), skippable));
    ByteWindow window(std::make_unique<MemoryProvider>(bytes), 4);
    EXPECT_EQ(compression_at(window), kind);
    const Decompressed result = decompress(bytes, kind, {1, 1, 9});
    EXPECT_EQ(result.bytes, payload(50));
    EXPECT_EQ(result.error, "");
  }
  ByteWindow huge(std::make_unique<MemoryProvider>(Builder().u32(0x184d2a50).u32(0xffffffff).bytes), 4);
  EXPECT_EQ(compression_at(huge), Compression::kZstd) << "a length alone makes nobody read ahead";
}

TEST(Decompressor, AZstdWindowIsBounded) {
  // A frame header with nothing but its window, and one empty block, the last.
  const auto frame = [](unsigned log) { return Builder().u32(0xfd2fb528).u8(0).u8((log - 10) << 3U).u8(1).u8(0).u8(0).bytes; };
  EXPECT_EQ(decompress(frame(27), Compression::kZstd).error, "");
  for (const unsigned log : {28U, 31U, 41U}) {
    const Decompressed result = decompress(frame(log), Compression::kZstd);
    EXPECT_NE(result.error.find("it needs a window of more than 128 MiB; decompress it first with 'zstd -dc --long=31'"), std::string::npos)
        << result.error;
  }
}

TEST(Decompressor, AReadErrorBelowIsPassedOn) {
  const Bytes good = testing::gzip(mixed(3000));
  Bytes part(good.begin(), good.begin() + 1000);
  Decompressor decompressor(ByteWindow(std::make_unique<MemoryProvider>(part, SIZE_MAX, "read error: Input/output error")),
                            Compression::kGzip);
  Bytes piece(10'000);
  EXPECT_GT(decompressor.read(piece), 500U);
  EXPECT_EQ(decompressor.read(piece), 0U);
  EXPECT_EQ(decompressor.error(), "read error: Input/output error");
}

TEST(Decompressor, AChecksumThatIsWrongIsDamage) {
  for (const Compression kind : {Compression::kGzip, Compression::kZstd, Compression::kLz4}) {
    Bytes bytes = compress(kind, mixed(3000));
    bytes[bytes.size() - (kind == Compression::kGzip ? 6U : 2U)] ^= 1U;
    EXPECT_NE(decompress(bytes, kind).error.find("data is damaged at byte "), std::string::npos) << compression_name(kind);
  }
}

}  // namespace
}  // namespace finwait::capture

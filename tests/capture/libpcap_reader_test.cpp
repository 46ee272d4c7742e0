#include "finwait/capture/libpcap_reader.h"

#include <gtest/gtest.h>

#include <random>

#include "capture/compress.h"

namespace finwait::capture {
namespace {

using testing::Builder;
using testing::Bytes;
using testing::error_of;
using testing::MemoryProvider;
using testing::Order;
using testing::Outcome;
using testing::payload;
using testing::PcapFile;
using testing::PcapngFile;

Outcome read(const Bytes& bytes, std::size_t batch = 64, std::size_t step = SIZE_MAX, const std::string& error = {}) {
  Outcome outcome;
  try {
    LibpcapReader reader(ByteWindow(std::make_unique<MemoryProvider>(bytes, step, error), 64), "test.cap");
    testing::read_to_end(reader, batch, outcome);
  } catch (const CaptureError& refusal) {
    outcome.refused = true;
    outcome.what = refusal.what();
  }
  return outcome;
}

PcapFile three_frames(Order order, std::uint32_t magic) {
  PcapFile file(order, magic, 113);
  file.add(1'700'000'000, 123'456, payload(60), 60).add(1'700'000'001, 0, payload(0), 1500).add(5, 999'999, payload(33, 5), 70);
  return file;
}

TEST(LibpcapReader, AgreesWithOurOwnReaders) {
  for (const Order order : {Order::kLittle, Order::kBig}) {
    for (const std::uint32_t magic : {0xa1b2c3d4U, 0xa1b23c4dU, 0xa1b2cd34U}) {
      const Bytes bytes = three_frames(order, magic).out.bytes;
      const Outcome ours = testing::read_memory(bytes);
      EXPECT_EQ(read(bytes), ours);
      EXPECT_EQ(read(bytes, 1, 1), ours);
    }
    PcapngFile file(order);
    file.section().interface(101, 65536).enhanced(0, 1'700'000'000'000'123, payload(61), 61).enhanced(0, 5, payload(0), 99);
    EXPECT_EQ(read(file.out.bytes), testing::read_memory(file.out.bytes));
  }
}

TEST(LibpcapReader, LinkTypesAreThoseOfFiles) {
  for (const int number : {0, 1, 9, 100, 101, 102, 103, 105, 106, 113, 127, 228, 246, 276}) {
    PcapFile file(Order::kLittle, 0xa1b2c3d4, static_cast<std::uint16_t>(number));
    file.add(1, 0, payload(9), 9);
    EXPECT_EQ(read(file.out.bytes).frames, file.frames) << number;
  }
}

TEST(LibpcapReader, FramesOfABatchStayUntilTheNext) {
  PcapFile file(Order::kLittle, 0xa1b2c3d4);
  for (unsigned i = 0; i < 11; ++i) file.add(i, 0, payload(262'144, i), 262'144);  // four make a batch full
  file.add(99, 0, payload(0), 0);
  EXPECT_EQ(read(file.out.bytes, 64).frames, file.frames);
  EXPECT_EQ(read(file.out.bytes, 3).frames, file.frames);
}

TEST(LibpcapReader, AFrameTooLargeToBeCopiedGoesAlone) {
  PcapFile file(Order::kLittle, 0xa1b2c3d4, 231, 4U << 20U);  // D-Bus: up to 128 MiB
  file.add(1, 0, payload(9), 9).add(2, 0, payload(3U << 20U, 1), 3U << 20U).add(3, 0, payload(7), 7);
  EXPECT_EQ(read(file.out.bytes).frames, file.frames);
}

TEST(LibpcapReader, AFrameBeyondTheBoundEndsTheInput) {
  PcapFile file(Order::kLittle, 0xa1b2c3d4, 231, 128U << 20U);
  file.add(1, 0, payload(9), 9);
  file.add(2, 0, Bytes(kMaxRecord + 1), kMaxRecord + 1);
  const Outcome outcome = read(file.out.bytes);
  EXPECT_EQ(outcome.frames.size(), 1U);
  EXPECT_EQ(outcome.what, "test.cap: damaged at byte 49, frame 2: captured length 67108865 is impossible (the most is 67108864)");
}

TEST(LibpcapReader, CutAnywhereGivesTheFramesBefore) {
  const PcapFile whole = three_frames(Order::kBig, 0xa1b2c3d4);
  for (std::size_t cut = 0; cut <= whole.out.bytes.size(); ++cut) {
    const Bytes bytes(whole.out.bytes.begin(), whole.out.bytes.begin() + static_cast<std::ptrdiff_t>(cut));
    const Outcome ours = testing::read_memory(bytes);
    const Outcome outcome = read(bytes, 2, 5);
    ASSERT_EQ(outcome.frames, ours.frames) << cut;
    ASSERT_EQ(outcome.damaged, ours.damaged) << cut;
    ASSERT_EQ(outcome.refused, ours.refused) << cut;
  }
}

TEST(LibpcapReader, SaysWhereAndWhyItStopped) {
  PcapFile file = three_frames(Order::kLittle, 0xa1b2c3d4);
  file.out.bytes.pop_back();
  EXPECT_EQ(read(file.out.bytes).what.find("test.cap: damaged at byte 116, frame 3: truncated dump file"), 0U) << read(file.out.bytes).what;
  EXPECT_EQ(read(file.out.bytes, 64, SIZE_MAX, "read error: Input/output error").what,
            "test.cap: damaged at byte 116, frame 3: read error: Input/output error");
  EXPECT_EQ(read({1, 2, 3, 4}).what, "test.cap: libpcap cannot read it: unknown file format");
}

TEST(LibpcapReader, ReadsWhatIsDecompressedOnTheWay) {
  const PcapFile file = three_frames(Order::kLittle, 0xa1b2c3d4);
  auto bytes =
      std::make_unique<Decompressor>(ByteWindow(std::make_unique<MemoryProvider>(testing::gzip(file.out.bytes)), 3), Compression::kGzip);
  LibpcapReader reader(ByteWindow(std::move(bytes), 5), "x");
  Outcome outcome;
  testing::read_to_end(reader, 64, outcome);
  EXPECT_EQ(outcome.frames, file.frames);
}

TEST(LibpcapReader, KnowsAFormatByItsFirstBytes) {
  EXPECT_TRUE(LibpcapReader::knows(Bytes{0xd4, 0xc3, 0xb2, 0xa1}));
  EXPECT_TRUE(LibpcapReader::knows(PcapngFile().section().out.bytes));
  EXPECT_FALSE(LibpcapReader::knows(Bytes{1, 2, 3, 4}));
  EXPECT_FALSE(LibpcapReader::knows(Bytes{'s', 'n', 'o', 'o'}));
}

TEST(LibpcapReader, RandomDamageEndsInAWord) {
  std::mt19937 random(13);
  for (int round = 0; round < 4000; ++round) {
    PcapngFile ng;
    ng.section().interface(1, 65536).enhanced(0, 5, payload(50), 50).enhanced(0, 6, payload(20), 20);
    Bytes bytes = round % 2 == 0 ? three_frames(Order::kLittle, 0xa1b2c3d4).out.bytes : ng.out.bytes;
    for (unsigned changes = 1 + random() % 4; changes > 0; --changes) bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    const Outcome outcome = read(bytes, 1 + random() % 5);
    ASSERT_EQ(outcome.damaged || outcome.refused, !outcome.what.empty());
  }
}

}  // namespace
}  // namespace finwait::capture

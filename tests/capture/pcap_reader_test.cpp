#include "finwait/capture/pcap_reader.h"

#include <gtest/gtest.h>

#include <random>
#include <tuple>

#include "capture/capture_bytes.h"

namespace finwait::capture {
namespace {

using testing::Builder;
using testing::Bytes;
using testing::Order;
using testing::Outcome;
using testing::payload;
using testing::PcapFile;
using testing::read_bytes;
using testing::read_memory;

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kModified = 0xa1b2cd34;
constexpr std::uint32_t kIxiaSoftware = 0x1c0001ab;
constexpr std::uint32_t kIxiaHardware = 0x1c0001ac;

PcapFile three_frames(Order order, std::uint32_t magic) {
  PcapFile file(order, magic, 113);
  file.add(1'700'000'000, 123'456, payload(60), 60);
  file.add(1'700'000'001, 0, payload(0), 1500);
  file.add(4'294'967'295, 999'999, payload(33, 5), 70);
  return file;
}

class EachVariant : public ::testing::TestWithParam<std::tuple<Order, std::uint32_t>> {
 protected:
  [[nodiscard]] static PcapFile file() { return three_frames(std::get<0>(GetParam()), std::get<1>(GetParam())); }
};

INSTANTIATE_TEST_SUITE_P(PcapReader, EachVariant,
                         ::testing::Combine(::testing::Values(Order::kLittle, Order::kBig),
                                            ::testing::Values(kMicroseconds, kNanoseconds, kModified, kIxiaSoftware, kIxiaHardware)));

TEST_P(EachVariant, GivesEachFrameAsItWasWritten) {
  const Outcome outcome = read_memory(file().out.bytes);
  EXPECT_EQ(outcome.frames, file().frames);
  EXPECT_FALSE(outcome.damaged) << outcome.what;
  EXPECT_EQ(outcome.what, "");
}

TEST_P(EachVariant, IsTheSameForEveryBufferAndBatch) {
  const Outcome expected = read_memory(file().out.bytes);
  for (std::size_t capacity = 1; capacity <= 130; ++capacity) {
    for (std::size_t batch = 1; batch <= 4; ++batch)
      ASSERT_EQ(read_bytes(file().out.bytes, capacity, batch), expected) << capacity << ", " << batch;
    ASSERT_EQ(read_bytes(file().out.bytes, capacity, 3, 1), expected) << "a byte at a time, capacity " << capacity;
  }
}

TEST_P(EachVariant, CutAnywhereGivesTheFramesBefore) {
  const PcapFile whole = file();
  for (std::size_t cut = 0; cut <= whole.out.bytes.size(); ++cut) {
    const Bytes bytes(whole.out.bytes.begin(), whole.out.bytes.begin() + static_cast<std::ptrdiff_t>(cut));
    const auto complete = std::count_if(whole.boundaries.begin(), whole.boundaries.end(), [&](std::size_t at) { return at <= cut; }) - 1;
    const bool at_boundary = std::find(whole.boundaries.begin(), whole.boundaries.end(), cut) != whole.boundaries.end();
    for (const Outcome& outcome : {read_memory(bytes), read_bytes(bytes, 5, 2), read_bytes(bytes)}) {
      ASSERT_EQ(outcome.refused, complete < 0) << cut;
      if (complete < 0) continue;
      ASSERT_EQ(outcome.frames, std::vector(whole.frames.begin(), whole.frames.begin() + complete)) << cut;
      ASSERT_EQ(outcome.damaged, !at_boundary) << cut;
      ASSERT_EQ(outcome.what.empty(), at_boundary) << cut;
    }
  }
}

TEST(PcapReader, AFileHeaderAloneIsAnEmptyCapture) {
  const PcapFile file(Order::kLittle, kMicroseconds);
  const Outcome outcome = read_memory(file.out.bytes);
  EXPECT_TRUE(outcome.frames.empty());
  EXPECT_FALSE(outcome.damaged);
  EXPECT_FALSE(outcome.refused);
}

TEST(PcapReader, LinkTypeIsTheLowHalfOfItsField) {
  PcapFile file(Order::kBig, kMicroseconds);
  file.out.bytes[20] = 0x24;  // frame check sequence of four bytes
  file.out.bytes[21] = 0x01;
  file.add(1, 0, payload(4), 4);
  EXPECT_EQ(read_memory(file.out.bytes).frames, file.frames);
}

TEST(PcapReader, MoreBytesThanTheSnapshotOrTheWireHadAreAccepted) {
  PcapFile file(Order::kLittle, kMicroseconds, 1, 64);
  file.add(1, 0, payload(200), 200);
  file.add(2, 0, payload(100), 40);
  const Outcome outcome = read_memory(file.out.bytes);
  EXPECT_EQ(outcome.frames, file.frames);
  EXPECT_FALSE(outcome.damaged);
}

TEST(PcapReader, OldVersionsHaveTheLengthsExchanged) {
  for (const auto& [major, minor, exchanged] : {std::tuple{2U, 2U, true}, {2U, 3U, true}, {543U, 0U, true}, {2U, 4U, false}}) {
    Builder file;
    file.u32(kMicroseconds).u16(major).u16(minor).u32(0).u32(0).u32(65535).u32(1);
    file.u32(1).u32(0).u32(exchanged ? 90 : 30).u32(exchanged ? 30 : 90).raw(payload(30));
    const Outcome outcome = read_memory(file.bytes);
    ASSERT_EQ(outcome.frames.size(), 1U) << major << '.' << minor;
    EXPECT_EQ(outcome.frames[0].bytes, payload(30));
    EXPECT_EQ(outcome.frames[0].length, 90U);
    EXPECT_FALSE(outcome.damaged);
  }
}

TEST(PcapReader, Version23InOrderStaysInOrder) {
  PcapFile file(Order::kLittle, kMicroseconds, 1, 65535, 3);
  file.add(1, 0, payload(30), 90);
  EXPECT_EQ(read_memory(file.out.bytes).frames, file.frames);
}

TEST(PcapReader, AnUnknownVersionIsRefused) {
  Builder file;
  file.u32(kMicroseconds).u16(7).u16(1).u32(0).u32(0).u32(65535).u32(1);
  EXPECT_EQ(read_memory(file.bytes).what, "test.cap: pcap version 7.1 is unknown; the versions in use are 2.0 to 2.4");
}

TEST(PcapReader, AnImpossibleLengthEndsTheInputInOneClearLine) {
  PcapFile file(Order::kLittle, kMicroseconds);
  file.add(1, 0, payload(10), 10);
  file.out.u32(2).u32(0).u32(0xffffffff).u32(60).raw(payload(60));
  const Outcome outcome = read_bytes(file.out.bytes);
  EXPECT_EQ(outcome.frames, file.frames);
  EXPECT_TRUE(outcome.damaged);
  EXPECT_EQ(outcome.what,
            "test.cap: damaged at byte 50, frame 2: captured length 4294967295 is impossible (the most is 262144); if it is an unusual "
            "variant of pcap, 'editcap -F pcapng IN OUT' may convert it");
}

TEST(PcapReader, LateDamageIsNotTakenForAVariant) {
  PcapFile file(Order::kLittle, kMicroseconds);
  for (unsigned i = 0; i < 3; ++i) file.add(i, 0, payload(10), 10);
  file.out.u32(2).u32(0).u32(300000).u32(60);
  EXPECT_EQ(read_bytes(file.out.bytes).what,
            "test.cap: damaged at byte 102, frame 4: captured length 300000 is impossible (the most is 262144)");
}

TEST(PcapReader, ACutRecordSaysHowMuchOfItIsThere) {
  PcapFile file(Order::kLittle, kMicroseconds);
  file.add(1, 0, payload(10), 10);
  file.out.bytes.pop_back();
  EXPECT_EQ(read_bytes(file.out.bytes).what, "test.cap: damaged at byte 24, frame 1: the input ends within the record (25 of 26 bytes)");
}

TEST(PcapReader, AReadErrorIsDamageEvenBetweenRecords) {
  PcapFile file(Order::kLittle, kMicroseconds);
  file.add(1, 0, payload(10), 10);
  const Outcome outcome = testing::read_window(
      ByteWindow(std::make_unique<testing::MemoryProvider>(file.out.bytes, SIZE_MAX, "read error: Input/output error")), 8);
  EXPECT_EQ(outcome.frames, file.frames);
  EXPECT_TRUE(outcome.damaged);
  EXPECT_EQ(outcome.what, "test.cap: damaged at byte 50, frame 2: read error: Input/output error");
}

TEST(PcapReader, TheSnapshotLengthMayRaiseTheLimitAndTheBufferGrows) {
  constexpr std::uint32_t kLarge = 1U << 20U;
  PcapFile promised(Order::kLittle, kMicroseconds, 1, kLarge);
  promised.add(1, 0, payload(kLarge), kLarge).add(2, 0, payload(9), 9);
  EXPECT_EQ(read_bytes(promised.out.bytes, 64).frames, promised.frames);

  for (const std::uint32_t snapshot : {0U, 65535U, 0x80000000U, 0xffffffffU}) {
    PcapFile other(Order::kLittle, kMicroseconds, 1, snapshot);
    other.add(1, 0, payload(kUsualMaxRecord), 1).add(1, 0, payload(kUsualMaxRecord + 1), 1);
    const Outcome outcome = read_bytes(other.out.bytes);
    EXPECT_EQ(outcome.frames.size(), 1U) << snapshot;
    EXPECT_TRUE(outcome.damaged) << snapshot;
  }
}

TEST(PcapReader, NoSnapshotLengthRaisesTheLimitBeyondTheBound) {
  PcapFile file(Order::kLittle, kMicroseconds, 1, 0x7fffffff);
  file.out.u32(0).u32(0).u32(kMaxRecord + 1).u32(0);
  EXPECT_EQ(read_bytes(file.out.bytes).what,
            "test.cap: damaged at byte 24, frame 1: captured length 67108865 is impossible (the most is 67108864); if it is an unusual "
            "variant of pcap, 'editcap -F pcapng IN OUT' may convert it");
}

TEST(PcapReader, StaysAtItsEnd) {
  const PcapFile file = three_frames(Order::kLittle, kMicroseconds);
  const auto source = open_capture(ByteWindow(file.out.bytes), "x");
  std::vector<Frame> batch(8);
  EXPECT_EQ(source->read(batch), 3U);
  EXPECT_EQ(source->read(batch), 0U);
  EXPECT_EQ(source->read(batch), 0U);
  EXPECT_EQ(source->link_types(), std::vector<std::uint16_t>{113});
  EXPECT_EQ(source->interface_count(), 1U);
  EXPECT_DOUBLE_EQ(source->progress(), 1.0);
}

TEST(PcapReader, RandomDamageNeverDependsOnTheBuffer) {
  std::mt19937 random(7);
  for (const std::uint32_t magic : {kMicroseconds, kNanoseconds, kModified}) {
    const Bytes good = three_frames(Order::kBig, magic).out.bytes;
    for (int round = 0; round < 3000; ++round) {
      Bytes bytes = good;
      for (unsigned changes = 1 + random() % 4; changes > 0; --changes)
        bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
      const Outcome whole = read_memory(bytes);
      ASSERT_EQ(read_bytes(bytes, 1 + random() % 100, 1 + random() % 5), whole);
      ASSERT_EQ(whole.damaged || whole.refused, !whole.what.empty());
    }
  }
}

}  // namespace
}  // namespace finwait::capture

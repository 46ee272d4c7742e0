#include "finwait/capture/pcapng_reader.h"

#include <gtest/gtest.h>

#include <random>

#include "capture/capture_bytes.h"

namespace finwait::capture {
namespace {

using testing::Builder;
using testing::Bytes;
using testing::joined;
using testing::Order;
using testing::Outcome;
using testing::payload;
using testing::PcapngFile;
using testing::read_bytes;
using testing::read_memory;
using testing::Seen;

constexpr unsigned kTsresol = 9;
constexpr unsigned kTsoffset = 14;
constexpr unsigned kDropcount = 4;

/// Every kind of block, two interfaces, two sections of different byte order.
PcapngFile everything(Order order) {
  PcapngFile file(order);
  file.section();
  file.interface(1, 262144, joined(file.option(kTsresol, {9}), file.option(0, {})));
  file.interface(113, 0, file.option64(kTsoffset, 1000));
  file.enhanced(0, 1'700'000'000'000'000'001, payload(61), 61, file.option(1, {'h', 'i'}));
  file.block(4, payload(17));          // name resolution
  file.block(0xbad, payload(9));       // custom
  file.block(0x80000001, payload(3));  // of somebody's own
  file.block(10, payload(30));         // decryption secrets
  file.enhanced(1, 5, payload(0), 99);
  file.obsolete(1, 3, 6, payload(14, 9), 14);
  file.simple(payload(21), 21);
  file.other_order().section().interface(101).enhanced(0, 7, payload(5), 5);
  return file;
}

std::vector<Seen> frames_of_everything() {
  return {{1'700'000'000'000'000'001, 61, 1, 0, payload(61)},
          {1000 * base::kSecond + 5000, 99, 113, 1, {}},
          {1000 * base::kSecond + 6000, 14, 113, 1, payload(14, 9)},
          {1000 * base::kSecond + 6000, 21, 1, 0, payload(21)},
          {7000, 5, 101, 2, payload(5)}};
}

class BothOrders : public ::testing::TestWithParam<Order> {};
INSTANTIATE_TEST_SUITE_P(PcapngReader, BothOrders, ::testing::Values(Order::kLittle, Order::kBig));

TEST_P(BothOrders, GivesEachFrameAsItWasWritten) {
  const Outcome outcome = read_memory(everything(GetParam()).out.bytes);
  EXPECT_EQ(outcome.frames, frames_of_everything());
  EXPECT_FALSE(outcome.damaged) << outcome.what;
}

TEST_P(BothOrders, IsTheSameForEveryBufferAndBatch) {
  const Bytes bytes = everything(GetParam()).out.bytes;
  const Outcome expected = read_memory(bytes);
  for (std::size_t capacity = 1; capacity <= 130; ++capacity) {
    for (std::size_t batch = 1; batch <= 6; ++batch) ASSERT_EQ(read_bytes(bytes, capacity, batch), expected) << capacity << ", " << batch;
    ASSERT_EQ(read_bytes(bytes, capacity, 3, 1), expected) << "a byte at a time, capacity " << capacity;
  }
}

TEST_P(BothOrders, CutAnywhereGivesTheFramesBefore) {
  const PcapngFile whole = everything(GetParam());
  const std::vector<Seen> frames = frames_of_everything();
  // After which block each frame is complete.
  const std::vector<std::size_t> frame_blocks = {3, 8, 9, 10, 13};
  for (std::size_t cut = 0; cut <= whole.out.bytes.size(); ++cut) {
    const Bytes bytes(whole.out.bytes.begin(), whole.out.bytes.begin() + static_cast<std::ptrdiff_t>(cut));
    const auto complete =
        std::count_if(frame_blocks.begin(), frame_blocks.end(), [&](std::size_t block) { return whole.boundaries[block] <= cut; });
    const bool at_boundary = std::find(whole.boundaries.begin(), whole.boundaries.end(), cut) != whole.boundaries.end();
    for (const Outcome& outcome : {read_memory(bytes), read_bytes(bytes, 5, 2), read_bytes(bytes)}) {
      ASSERT_EQ(outcome.refused, cut < whole.boundaries[0]) << cut;
      if (outcome.refused) continue;
      ASSERT_EQ(outcome.frames, std::vector(frames.begin(), frames.begin() + complete)) << cut;
      ASSERT_EQ(outcome.damaged, !at_boundary) << cut;
    }
  }
}

TEST_P(BothOrders, CountsWhatTheCaptureLost) {
  PcapngFile file(GetParam());
  file.section().interface(1).interface(1).interface(1);
  const auto statistics = [&](std::uint32_t id, std::uint64_t interface_drops, std::uint64_t kernel_drops) {
    Builder body(file.out.order());
    body.u32(id).u32(0).u32(0).raw(file.option64(5, interface_drops)).raw(file.option64(7, kernel_drops));
    file.block(5, body.bytes);
  };
  statistics(0, 1, 10);
  statistics(0, 2, 20);  // the last word of interface 0
  statistics(1, 100, 1000);
  statistics(9, 7, 7);                                                 // of nobody
  file.enhanced(0, 1, payload(4), 4, file.option64(kDropcount, 500));  // interface 0 gives statistics: they count
  file.enhanced(2, 1, payload(4), 4, file.option64(kDropcount, 5));
  file.obsolete(2, 3, 1, payload(4), 4);
  file.obsolete(2, 0xffff, 1, payload(4), 4);  // unknown
  file.section().interface(1);
  statistics(0, 10'000, 100'000);
  const auto source = open_capture(ByteWindow(file.out.bytes), "x");
  std::vector<Frame> batch(64);
  EXPECT_EQ(source->read(batch), 4U);
  EXPECT_EQ(source->read(batch), 0U);
  EXPECT_EQ(source->dropped_by_interface(), 2U + 100U + 10'000U);
  EXPECT_EQ(source->dropped_by_kernel(), 20U + 1000U + 8U + 100'000U);
  EXPECT_EQ(source->interface_count(), 4U);
  EXPECT_EQ(source->link_types(), std::vector<std::uint16_t>{1});
}

TEST(PcapngReader, DropCountsAreHeldAtTheEndOfTheirRange) {
  PcapngFile file;
  file.section().interface(1);
  for (int i = 0; i < 3; ++i) file.enhanced(0, 1, payload(4), 4, file.option64(kDropcount, ~std::uint64_t{0} - 5));
  const auto source = open_capture(ByteWindow(file.out.bytes), "x");
  std::vector<Frame> batch(64);
  EXPECT_EQ(source->read(batch), 3U);
  EXPECT_EQ(source->dropped_by_kernel(), ~std::uint64_t{0});
}

TEST(PcapngReader, SimplePacketsAreCutAtTheSnapshotLengthOfInterfaceZero) {
  PcapngFile file;
  file.section().interface(1, 16).simple(payload(16), 1500);
  const Outcome outcome = read_memory(file.out.bytes);
  ASSERT_EQ(outcome.frames.size(), 1U);
  EXPECT_EQ(outcome.frames[0], (Seen{0, 1500, 1, 0, payload(16)})) << "no packet before it: time 0";
}

TEST(PcapngReader, TimesBefore1970MayBeWrittenAsNegativeNumbers) {
  PcapngFile file;
  const auto negative = [](std::int64_t ticks) { return static_cast<std::uint64_t>(ticks); };
  file.section().interface(1).interface(1, 0, file.option(kTsresol, {9}));
  file.enhanced(0, negative(-1'500'000), payload(4), 4).enhanced(1, negative(-7), payload(4), 4).enhanced(1, 8, payload(4), 4);
  const Outcome outcome = read_memory(file.out.bytes);
  ASSERT_EQ(outcome.frames.size(), 3U);
  EXPECT_EQ(outcome.frames[0].time, -1'500'000'000);
  EXPECT_EQ(outcome.frames[1].time, -7);
  EXPECT_EQ(outcome.frames[2].time, 8);
  EXPECT_FALSE(outcome.damaged);
}

TEST(PcapngReader, SectionsMayOverlapInTimeAndLieAboutTheirLength) {
  PcapngFile file;
  for (const std::uint64_t length : {~std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{4}, std::uint64_t{1} << 60U}) {
    file.block(0x0a0d0d0a, Builder().u32(0x1a2b3c4d).u16(1).u16(0).u64(length).bytes);
    file.interface(1).enhanced(0, 10, payload(4), 4).enhanced(0, 20, payload(4), 4);
  }
  const Outcome outcome = read_memory(file.out.bytes);
  ASSERT_EQ(outcome.frames.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(outcome.frames[i].time, (i % 2 == 0 ? 10 : 20) * base::kMicrosecond) << "in the order of the file";
    EXPECT_EQ(outcome.frames[i].interface, i / 2);
  }
  EXPECT_FALSE(outcome.damaged) << outcome.what;
}

TEST(PcapngReader, FlagsAndOtherOptionsOfAPacketLeaveItAsItIs) {
  PcapngFile file;
  file.section().interface(1);
  const Bytes flags = file.option(2, Builder().u32(0xffffffff).bytes);  // every direction, every link-layer error
  const Bytes hash = file.option(3, payload(17));
  file.enhanced(0, 5, payload(33), 40, joined(joined(flags, hash), file.option(0, {})));
  EXPECT_EQ(read_memory(file.out.bytes).frames, (std::vector<Seen>{{5000, 40, 1, 0, payload(33)}}));
}

TEST(PcapngReader, OptionsThatDoNotFitEndTheOptionsOnly) {
  PcapngFile file;
  const Bytes too_long = Builder().u16(2).u16(9000).bytes;
  file.section().interface(1, 0, joined(file.option(kTsresol, {9}), too_long)).enhanced(0, 42, payload(8), 8, too_long);
  const Outcome outcome = read_memory(file.out.bytes);
  ASSERT_EQ(outcome.frames.size(), 1U);
  EXPECT_EQ(outcome.frames[0].time, 42);
  EXPECT_FALSE(outcome.damaged);
}

TEST(PcapngReader, AnUnknownBlockLargerThanTheBufferIsReadOver) {
  PcapngFile file;
  file.section().interface(1).block(0x0bad0bad, payload(100'000)).enhanced(0, 1, payload(8), 8);
  const Outcome outcome = read_bytes(file.out.bytes, 64);
  EXPECT_EQ(outcome.frames.size(), 1U);
  EXPECT_FALSE(outcome.damaged);
}

// Each kind of damage: one line with file, byte, block, frames before, reason.

std::string damage(PcapngFile& file, const Bytes& more) {
  const Outcome outcome = read_bytes(joined(file.out.bytes, more), 32);
  EXPECT_TRUE(outcome.damaged);
  EXPECT_EQ(outcome.frames.size(), 1U) << "the frame before is delivered";
  EXPECT_EQ(outcome, read_memory(joined(file.out.bytes, more)));
  return outcome.what;
}

PcapngFile one_frame() {
  PcapngFile file;
  file.section().interface(1).enhanced(0, 1, payload(8), 8);  // 28 + 20 + 40 bytes
  return file;
}

TEST(PcapngDamage, LengthsThatCannotBe) {
  PcapngFile file = one_frame();
  const std::string start = "test.cap: damaged at byte 88, block 4, after 1 frames: ";
  EXPECT_EQ(damage(file, Builder().u32(6).u32(0).u32(0).u32(0).bytes), start + "block length 0 is too small (the least is 12)");
  EXPECT_EQ(damage(file, Builder().u32(6).u32(34).raw(payload(30)).bytes), start + "block length 34 is not a multiple of 4");
  EXPECT_EQ(damage(file, Builder().u32(6).u32(0xfffffffc).raw(payload(30)).bytes),
            start + "block length 4294967292 is impossible (the most is 67174400)");
  EXPECT_EQ(damage(file, Builder().u32(99).u32(16).u32(0).u32(20).bytes), start + "the block ends with length 20 but began with 16");
  EXPECT_EQ(damage(file, Builder().u32(6).u32(32).raw(payload(10)).bytes), start + "the input ends within the block (18 of 32 bytes)");
}

TEST(PcapngDamage, AHugeUnknownBlockThatIsNotThere) {
  PcapngFile file = one_frame();
  EXPECT_EQ(damage(file, Builder().u32(99).u32(0xfffffffc).raw(payload(30)).bytes),
            "test.cap: damaged at byte 88, block 4, after 1 frames: the input ends within the block (38 of 4294967292 bytes)");
}

TEST(PcapngDamage, PacketsThatContradictTheirBlock) {
  const std::string start = "test.cap: damaged at byte 88, block 4, after 1 frames: ";
  {
    PcapngFile file = one_frame();
    file.enhanced(1, 1, payload(8), 8);
    EXPECT_EQ(damage(file, {}), start + "packet of interface 1, but 1 are described");
  }
  {
    PcapngFile file = one_frame();
    file.block(6, Builder().u32(0).u32(0).u32(0).u32(9).u32(9).raw(payload(8)).bytes);
    EXPECT_EQ(damage(file, {}), start + "captured length 9 does not fit its block of 40 bytes");
  }
  {
    PcapngFile file = one_frame();
    file.simple(payload(4), 9);
    EXPECT_EQ(damage(file, {}), start + "captured length 9 does not fit its block of 20 bytes");
  }
  {
    PcapngFile file = one_frame();
    file.block(6, payload(16));
    EXPECT_EQ(damage(file, {}), start + "enhanced packet block is too short");
  }
}

TEST(PcapngDamage, SectionsThatCannotBeRead) {
  PcapngFile file = one_frame();
  EXPECT_EQ(damage(file, Builder().u32(0x0a0d0d0a).u32(28).u32(0x12345678).raw(payload(16)).bytes),
            "test.cap: damaged at byte 88, block 4, after 1 frames: section header with byte-order mark 12345678");
  file.section(2, 0);
  EXPECT_EQ(damage(file, {}),
            "test.cap: damaged at byte 88, block 4, after 1 frames: pcapng version 2.0 is unknown; the version in use is 1.0");
}

TEST(PcapngDamage, ANewSectionForgetsTheInterfacesBefore) {
  PcapngFile file = one_frame();
  file.section().enhanced(0, 1, payload(8), 8);
  EXPECT_EQ(damage(file, {}), "test.cap: damaged at byte 116, block 5, after 1 frames: packet of interface 0, but 0 are described");
}

TEST(PcapngDamage, ASimplePacketNeedsAnInterface) {
  PcapngFile file = one_frame();
  file.section().simple(payload(8), 8);
  EXPECT_EQ(damage(file, {}), "test.cap: damaged at byte 116, block 5, after 1 frames: simple packet, but no interface is described");
}

TEST(PcapngDamage, TooManyInterfaces) {
  PcapngFile file;
  file.section();
  for (std::size_t i = 0; i < kMaxInterfaces; ++i) file.interface(static_cast<std::uint16_t>(i));
  EXPECT_FALSE(read_memory(file.out.bytes).damaged);
  file.interface(1);
  const Outcome outcome = read_memory(file.out.bytes);
  EXPECT_TRUE(outcome.damaged);
  EXPECT_NE(outcome.what.find("more than 65536 interfaces in a section"), std::string::npos) << outcome.what;
}

TEST(PcapngReader, InterfacesBeyondTheBoundShareTheLastNumber) {
  PcapngFile file;
  for (int section = 0; section < 3; ++section) {
    file.section();
    for (int i = 0; i < 30'000; ++i) file.interface(1);
    file.enhanced(29'999, 1, payload(4), 4).simple(payload(4), 4);
  }
  const auto source = open_capture(ByteWindow(file.out.bytes), "x");
  std::vector<Frame> batch(8);
  ASSERT_EQ(source->read(batch), 6U);
  EXPECT_EQ(batch[0].interface, 29'999U);
  EXPECT_EQ(batch[2].interface, 59'999U);
  EXPECT_EQ(batch[4].interface, 65'535U);
  EXPECT_EQ(batch[5].interface, 60'000U);
  EXPECT_EQ(source->interface_count(), 65'536U);
}

TEST(PcapngDamage, AFirstSectionThatCannotBeReadIsRefused) {
  PcapngFile file;
  file.section(9, 1);
  const Outcome outcome = read_memory(file.out.bytes);
  EXPECT_TRUE(outcome.refused);
  EXPECT_EQ(outcome.what, "test.cap: damaged at byte 0, block 1, after 0 frames: pcapng version 9.1 is unknown; the version in use is 1.0");
}

TEST(PcapngReader, RandomDamageNeverDependsOnTheBuffer) {
  std::mt19937 random(11);
  for (const Order order : {Order::kLittle, Order::kBig}) {
    const Bytes good = everything(order).out.bytes;
    for (int round = 0; round < 5000; ++round) {
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

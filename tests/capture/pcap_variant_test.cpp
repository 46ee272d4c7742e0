#include "finwait/capture/pcap_variant.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <utility>

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
using testing::Seen;

constexpr std::uint32_t kUsual = 0xa1b2c3d4;
constexpr std::uint32_t kModified = 0xa1b2cd34;

struct Shape {
  std::uint32_t magic;
  std::size_t record_header;
};

/// Five frames a second apart whose record headers have this size.
struct LongHeaders {
  Builder out;
  std::vector<Seen> frames;
  std::vector<std::size_t> boundaries;

  LongHeaders(Order order, Shape shape) : out(order) {
    out.u32(shape.magic).u16(2).u16(4).u32(0).u32(0).u32(65535).u32(1);
    for (unsigned i = 0; i < 5; ++i) {
      const Bytes bytes = payload(60 + 7 * i, i);
      const auto length = static_cast<std::uint32_t>(bytes.size());
      out.u32(1'700'000'000 + i).u32(999'999 - i).u32(length).u32(length + i);
      for (std::size_t more = 16; more < shape.record_header; ++more) out.u8(static_cast<unsigned>(more));
      out.raw(bytes);
      boundaries.push_back(out.bytes.size());
      frames.push_back({(1'700'000'000 + i) * base::kSecond + base::Timestamp{999'999 - i} * 1000, length + i, 1, 0, bytes});
    }
  }
};

constexpr std::array kShapes = {Shape{kUsual, 16}, Shape{kUsual, 20}, Shape{kUsual, 24}, Shape{kModified, 24}, Shape{kModified, 28}};

TEST(PcapVariant, LongerRecordHeadersAreToldByTheRecords) {
  for (const Order order : {Order::kLittle, Order::kBig}) {
    for (const Shape shape : kShapes) {
      const LongHeaders file(order, shape);
      const Outcome outcome = read_memory(file.out.bytes);
      EXPECT_EQ(outcome.frames, file.frames) << shape.record_header;
      EXPECT_FALSE(outcome.damaged) << outcome.what;
      for (const std::size_t capacity : {std::size_t{1}, std::size_t{33}, std::size_t{500}})
        EXPECT_EQ(read_bytes(file.out.bytes, capacity, 2, 7), outcome) << shape.record_header << ", " << capacity;
    }
  }
}

TEST(PcapVariant, TwoRecordsSufficeAndACutChangesNothing) {
  for (const Shape shape : kShapes) {
    const LongHeaders file(Order::kLittle, shape);
    for (std::size_t cut = file.boundaries[1]; cut <= file.out.bytes.size(); ++cut) {
      const Outcome outcome = read_memory(Bytes(file.out.bytes.begin(), file.out.bytes.begin() + static_cast<std::ptrdiff_t>(cut)));
      const auto complete = std::count_if(file.boundaries.begin(), file.boundaries.end(), [cut](std::size_t at) { return at <= cut; });
      ASSERT_EQ(outcome.frames, std::vector(file.frames.begin(), file.frames.begin() + complete)) << shape.record_header << ", " << cut;
    }
  }
}

TEST(PcapVariant, AStrangeRecordAloneMakesNoVariant) {
  PcapFile file(Order::kLittle, kUsual);
  file.add(1, 4'000'000'000, payload(60), 60).add(2, 0, payload(60), 60).add(3, 0, payload(0), 60);
  EXPECT_EQ(read_memory(file.out.bytes).frames, file.frames);
}

TEST(PcapVariant, APipeIsReadAsItsMagicNumberSays) {
  const LongHeaders file(Order::kLittle, {kUsual, 20});
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], file.out.bytes.data(), file.out.bytes.size()), static_cast<ssize_t>(file.out.bytes.size()));
  ::close(ends[1]);
  const Outcome outcome =
      testing::read_window(ByteWindow(std::make_unique<DescriptorProvider>(ends[0], DescriptorProvider::Ownership::kOwned)), 8);
  ASSERT_EQ(outcome.frames.size(), 1U);
  EXPECT_NE(outcome.what.find("if it is an unusual variant of pcap, 'editcap -F pcapng IN OUT' may convert it"), std::string::npos)
      << outcome.what;
}

TEST(PcapVariant, AixIsToldByItsVersionAndItsLinkTypes) {
  for (const auto& [theirs, ours] : {std::pair{6U, 1}, {9U, 6}, {15U, 10}, {24U, 0}}) {
    Builder file(Order::kBig);
    file.u32(kUsual).u16(2).u16(2).u32(0).u32(0).u32(65535).u32(theirs);
    file.u32(1'000'000'000).u32(123'456'789).u32(20).u32(90).raw(payload(20));
    file.u32(1'000'000'001).u32(5).u32(90).u32(20).raw(payload(20));  // the lengths exchanged
    const auto link_type = static_cast<std::uint16_t>(ours);
    EXPECT_EQ(read_memory(file.bytes).frames, (std::vector<Seen>{{1'000'000'000'123'456'789, 90, link_type, 0, payload(20)},
                                                                 {1'000'000'001'000'000'005, 90, link_type, 0, payload(20)}}));
  }
}

}  // namespace
}  // namespace finwait::capture

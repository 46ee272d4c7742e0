#include "finwait/capture/pcapng_writer.h"

#include <gtest/gtest.h>

#include "capture/capture_bytes.h"

namespace finwait::capture {
namespace {

using testing::Builder;
using testing::Bytes;
using testing::Outcome;
using testing::payload;
using testing::Seen;
using testing::TemporaryDirectory;

constexpr base::Timestamp kTime = 1'700'000'000'123'456'789;

Frame frame_of(const Bytes& bytes, base::Timestamp time, std::uint32_t length, std::uint16_t link_type = 1, std::uint32_t interface = 0) {
  return {bytes.data(), static_cast<std::uint32_t>(bytes.size()), length, time, link_type, interface};
}

Bytes content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {(std::istreambuf_iterator<char>(in)), {}};
}

Outcome read_back(const std::string& path) {
  Outcome outcome;
  testing::read_to_end(*open_file(path), 16, outcome);
  return outcome;
}

TEST(PcapngWriter, EachInterfaceAndLinkTypeIsDescribedOnce) {
  const TemporaryDirectory directory;
  PcapngWriter writer(directory.file("a"));
  for (std::size_t length = 0; length < 5; ++length) {  // every padding
    writer.write(frame_of(payload(length), kTime, 99, 1, 7));
    writer.write(frame_of(payload(length), kTime + 1, 99, 101, 7), "odd");
    writer.write(frame_of(payload(length), -1, 99, 1, 3));
  }
  writer.close();
  const Outcome outcome = read_back(directory.file("a"));
  EXPECT_FALSE(outcome.damaged) << outcome.what;
  ASSERT_EQ(outcome.frames.size(), 15U);
  for (std::size_t length = 0; length < 5; ++length) {
    EXPECT_EQ(outcome.frames[3 * length], (Seen{kTime, 99, 1, 0, payload(length)}));
    EXPECT_EQ(outcome.frames[3 * length + 1], (Seen{kTime + 1, 99, 101, 1, payload(length)}));
    EXPECT_EQ(outcome.frames[3 * length + 2], (Seen{0, 99, 1, 2, payload(length)})) << "before 1970";
  }
}

TEST(PcapngWriter, WritesTheseBytes) {
  const TemporaryDirectory directory;
  PcapngWriter writer(directory.file("a"), 100);
  writer.write(frame_of(payload(5), 0x0000000200000001, 60, 1), "hello");
  writer.close();
  Builder expected;
  expected.u32(0x0a0d0d0a).u32(28).u32(0x1a2b3c4d).u16(1).u16(0).u64(~std::uint64_t{0}).u32(28);
  expected.u32(1).u32(32).u16(1).u16(0).u32(100).u16(9).u16(1).u8(9).pad().u32(0).u32(32);
  expected.u32(6).u32(56).u32(0).u32(2).u32(1).u32(5).u32(60).raw(payload(5)).pad();
  expected.u16(1).u16(5).raw({'h', 'e', 'l', 'l', 'o'}).pad().u32(0).u32(56);
  EXPECT_EQ(content(directory.file("a")), expected.bytes);
}

TEST(PcapngWriter, AFileWithoutFramesIsACapture) {
  const TemporaryDirectory directory;
  PcapngWriter(directory.file("a")).close();
  const Outcome outcome = read_back(directory.file("a"));
  EXPECT_TRUE(outcome.frames.empty());
  EXPECT_FALSE(outcome.damaged);
}

TEST(PcapngWriter, ALongCommentIsCutBetweenCharacters) {
  const TemporaryDirectory directory;
  std::string comment = "x";
  while (comment.size() < 70'000) comment += "\xc3\xa9";  // each of two bytes: the limit falls within one
  PcapngWriter writer(directory.file("a"));
  writer.write(frame_of(payload(4), 0, 4), comment);
  writer.write(frame_of(payload(8), 1, 8));
  writer.close();
  const Outcome outcome = read_back(directory.file("a"));
  EXPECT_EQ(outcome.frames.size(), 2U);
  EXPECT_FALSE(outcome.damaged) << outcome.what;
  const Bytes bytes = content(directory.file("a"));
  const std::size_t option = 28 + 32 + 28 + 4;  // behind the data of the packet
  EXPECT_EQ(bytes[option + 2] + 256 * bytes[option + 3], 65531);
  EXPECT_EQ(bytes[option + 4 + 65530], 0xa9) << "the last byte of a whole character";
}

}  // namespace
}  // namespace finwait::capture

#include "finwait/capture/pcap_writer.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "capture/capture_bytes.h"
#include "finwait/capture/pcapng_writer.h"

namespace finwait::capture {
namespace {

using testing::Bytes;
using testing::error_of;
using testing::Outcome;
using testing::payload;
using testing::Seen;
using testing::TemporaryDirectory;

Frame frame_of(const Bytes& bytes, base::Timestamp time, std::uint32_t length, std::uint16_t link_type = 1, std::uint32_t interface = 0) {
  return {bytes.data(), static_cast<std::uint32_t>(bytes.size()), length, time, link_type, interface};
}

Outcome read_back(const std::string& path) {
  Outcome outcome;
  testing::read_to_end(*open_file(path), 16, outcome);
  return outcome;
}

constexpr base::Timestamp kTime = 1'700'000'000'123'456'789;

TEST(PcapWriter, WhatIsWrittenIsReadBack) {
  const TemporaryDirectory directory;
  PcapWriter writer(directory.file("a"), 113);
  const Bytes large = payload(300'000);  // more than the buffer, more than the snapshot length
  writer.write(frame_of(payload(0), 0, 7, 113));
  writer.write(frame_of(payload(61), kTime, 1500, 113));
  writer.write(frame_of(large, kTime + 1, 300'000, 113));
  writer.close();
  const Outcome outcome = read_back(directory.file("a"));
  const Bytes cut(large.begin(), large.begin() + 262144);
  EXPECT_EQ(outcome.frames, (std::vector<Seen>{{0, 7, 113, 0, {}}, {kTime, 1500, 113, 0, payload(61)}, {kTime + 1, 300'000, 113, 0, cut}}));
  EXPECT_FALSE(outcome.damaged) << outcome.what;
}

TEST(PcapWriter, TheFileHeaderIsLittleEndianNanoseconds) {
  const TemporaryDirectory directory;
  PcapWriter(directory.file("a"), 101, 65535).close();
  std::ifstream in(directory.file("a"), std::ios::binary);
  const Bytes bytes((std::istreambuf_iterator<char>(in)), {});
  EXPECT_EQ(bytes, (Bytes{0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0}));
}

TEST(PcapWriter, TimesTheFormatCannotHoldAreHeldAtItsEnds) {
  const TemporaryDirectory directory;
  PcapWriter writer(directory.file("a"), 1);
  writer.write(frame_of(payload(1), -5, 1));
  writer.write(frame_of(payload(1), base::kNever, 1));
  writer.close();
  const Outcome outcome = read_back(directory.file("a"));
  ASSERT_EQ(outcome.frames.size(), 2U);
  EXPECT_EQ(outcome.frames[0].time, 0);
  EXPECT_EQ(outcome.frames[1].time, 4'294'967'295'999'999'999);
}

TEST(PcapWriter, HoldsOneLinkType) {
  const TemporaryDirectory directory;
  PcapWriter writer(directory.file("a"), 1);
  EXPECT_EQ(error_of([&] { writer.write(frame_of(payload(1), 0, 1, 101)); }),
            directory.file("a") + ": a pcap file holds one link type (1), not also 101; write pcapng");
}

TEST(PcapWriter, TheDestructorWritesWhatIsLeft) {
  const TemporaryDirectory directory;
  { PcapWriter(directory.file("a"), 1).write(frame_of(payload(9), 1, 9)); }
  EXPECT_EQ(read_back(directory.file("a")).frames.size(), 1U);
}

TEST(PcapWriter, SaysWhyItCannotWrite) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("no/such/a");
  EXPECT_EQ(error_of([&] { PcapWriter(path, 1); }),
            path + ": cannot open for writing: No such file or directory; check the directory and its permissions");
}

TEST(PcapWriter, AFullDiskIsOneClearLine) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const std::string expected = "/dev/full: cannot write: No space left on device; free some space or write elsewhere";
  PcapWriter small("/dev/full", 1);
  EXPECT_EQ(error_of([&] { small.close(); }), expected);
  EXPECT_EQ(error_of([&] { small.close(); }), "") << "told once";
  PcapngWriter large("/dev/full");
  const Bytes bytes = payload(200'000);
  EXPECT_EQ(error_of([&] {
              for (int i = 0; i < 3; ++i) large.write(frame_of(bytes, 0, 1));
            }),
            expected);
}

}  // namespace
}  // namespace finwait::capture

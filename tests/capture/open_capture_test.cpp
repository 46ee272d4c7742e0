#include "finwait/capture/open_capture.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "capture/capture_bytes.h"

namespace finwait::capture {
namespace {

using testing::Bytes;
using testing::error_of;
using testing::Order;
using testing::Outcome;
using testing::payload;
using testing::PcapFile;
using testing::read_bytes;
using testing::TemporaryDirectory;

Bytes text(std::string_view chars) { return {chars.begin(), chars.end()}; }

std::string refusal(const Bytes& bytes) {
  const Outcome outcome = read_bytes(bytes, 8);
  EXPECT_TRUE(outcome.refused);
  return outcome.what;
}

PcapFile small_file() {
  PcapFile file(Order::kLittle, 0xa1b2c3d4);
  for (unsigned i = 0; i < 50; ++i) file.add(1000 + i, i, payload(60 + i, i), 60 + i);
  return file;
}

TEST(OpenCapture, SaysWhatAnUnknownFileLooksLikeAndWhatToDo) {
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(refusal({}), "test.cap: is empty: not even a file header");
  EXPECT_EQ(refusal({0xd4, 0xc3}), "test.cap: is no capture: it has 2 bytes only");
  EXPECT_EQ(refusal({0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0}), "test.cap: the gzip data is cut at byte 9 of the compressed input");
  EXPECT_EQ(refusal({0x1f, 0x8b, 7, 0}), "test.cap: is compressed with gzip, but not by deflate; decompress it first");
  EXPECT_EQ(refusal({0x28, 0xb5, 0x2f, 0xfd, 0}), "test.cap: the zstd data is cut at byte 5 of the compressed input");
  EXPECT_EQ(refusal({0x04, 0x22, 0x4d, 0x18, 0}), "test.cap: the lz4 data is cut at byte 5 of the compressed input");
  EXPECT_EQ(refusal({0x02, 0x21, 0x4c, 0x18}), "test.cap: is compressed with lz4 in its legacy format; decompress it first with 'lz4 -dc'");
  EXPECT_EQ(refusal(text("\xfd\x37zXZ\0"sv)), "test.cap: is compressed with xz; decompress it first with 'xz -dc'");
  EXPECT_EQ(refusal(text("snoop\0\0\0\0\0\0\2"sv)), "test.cap: is a Sun snoop capture; convert it with 'editcap -F pcapng IN OUT'");
  EXPECT_EQ(refusal(text("GMBU\0\0\0\2")), "test.cap: is a Network Monitor capture; convert it with 'editcap -F pcapng IN OUT'");
  EXPECT_EQ(refusal(text("RTSS\0\0\0\2")), "test.cap: is a Network Monitor capture; convert it with 'editcap -F pcapng IN OUT'");
  EXPECT_EQ(refusal(text("10.0.0.1 > 10.0.0.2")),
            "test.cap: is text, not a capture (it begins with 31 30 2e 30 2e 30 2e 31); give a pcap or pcapng file");
  EXPECT_EQ(refusal({1, 2, 3, 4, 5}),
            "test.cap: is not a capture of a known format (it begins with 01 02 03 04 05); give a pcap or pcapng file");
}

TEST(OpenFile, ReadsAFileAndKnowsHowFarItIs) {
  const TemporaryDirectory directory;
  const PcapFile file = small_file();
  const std::string path = directory.write("small.pcap", file.out.bytes);
  const auto source = open_file(path);
  EXPECT_EQ(source->name(), path);
  Outcome outcome;
  testing::read_to_end(*source, 7, outcome);
  EXPECT_EQ(outcome.frames, file.frames);
  EXPECT_FALSE(outcome.damaged);
  EXPECT_DOUBLE_EQ(source->progress(), 1.0);
}

TEST(OpenFile, TellsWhyAFileCannotBeOpened) {
  const TemporaryDirectory directory;
  EXPECT_EQ(error_of([&] { (void)open_file(directory.file("none.pcap")); }),
            directory.file("none.pcap") + ": cannot open: No such file or directory; check the name");
  EXPECT_EQ(error_of([&] { (void)open_file(directory.file("")); }), directory.file("") + ": is a directory; give the capture files in it");
  const std::string empty = directory.write("empty.pcap", {});
  EXPECT_EQ(error_of([&] { (void)open_file(empty); }), empty + ": is empty: not even a file header");
}

TEST(OpenFile, TellsOfMissingPermission) {
  if (::geteuid() == 0) GTEST_SKIP() << "the superuser may read everything";
  const TemporaryDirectory directory;
  const std::string path = directory.write("secret.pcap", small_file().out.bytes);
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  EXPECT_EQ(error_of([&] { (void)open_file(path); }),
            path + ": cannot open: Permission denied; make it readable, or run as a user who may read it");
}

TEST(OpenFile, SurvivesAFileThatIsTruncatedWhileItIsRead) {
  const TemporaryDirectory directory;
  PcapFile file(Order::kLittle, 0xa1b2c3d4);
  for (unsigned i = 0; i < 4000; ++i) file.add(i, 0, payload(500), 500);  // several buffers
  const std::string path = directory.write("shrinks.pcap", file.out.bytes);
  const auto source = open_file(path);
  std::vector<Frame> batch(10);
  ASSERT_EQ(source->read(batch), 10U);
  ASSERT_EQ(::truncate(path.c_str(), 24 + 516 * 100), 0);
  Outcome outcome;
  testing::read_to_end(*source, 64, outcome);
  EXPECT_LT(outcome.frames.size(), 3990U);
  EXPECT_GE(outcome.frames.size(), 90U);
}

TEST(OpenFile, ACutInAFileThatIsStillBeingWrittenSaysSo) {
  const TemporaryDirectory directory;
  PcapFile file(Order::kLittle, 0xa1b2c3d4);
  file.add(1, 0, payload(60), 60).add(2, 0, payload(60), 60).add(3, 0, payload(60), 60);
  const Bytes& all = file.out.bytes;
  const std::string path = directory.write("live.pcap", Bytes(all.begin(), all.begin() + 110));
  const auto source = open_file(path);
  std::vector<Frame> batch(1);
  ASSERT_EQ(source->read(batch), 1U);
  std::ofstream(path, std::ios::binary | std::ios::app).write(reinterpret_cast<const char*>(all.data() + 110), 90);
  ASSERT_EQ(source->read(batch), 0U) << "up to the end as it was when we got there";
  EXPECT_EQ(source->status().what,
            path + ": damaged at byte 100, frame 2: the input ends within the record header (10 of 16 bytes; it is still being written)");
}

TEST(OpenFile, ReadsAPipeThatDripsAndDoesNotWaitForAFullBuffer) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const PcapFile file = small_file();
  std::jthread writer([&] {
    const int descriptor = ::open(path.c_str(), O_WRONLY);
    for (std::size_t at = 0; at < file.out.bytes.size(); at += 1000) {
      const std::size_t count = std::min<std::size_t>(1000, file.out.bytes.size() - at);
      if (::write(descriptor, file.out.bytes.data() + at, count) < 0) break;
    }
    ::close(descriptor);
  });
  const auto source = open_file(path);
  EXPECT_LT(source->progress(), 0.0) << "a pipe has no length";
  Outcome outcome;
  testing::read_to_end(*source, 64, outcome);
  EXPECT_EQ(outcome.frames, file.frames);
  EXPECT_FALSE(outcome.damaged);
}

TEST(OpenFile, FramesOfALivePipeComeBeforeItsEnd) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(ends), 0);
  PcapFile file(Order::kLittle, 0xa1b2c3d4);
  file.add(1, 0, payload(60), 60);
  ASSERT_EQ(::write(ends[1], file.out.bytes.data(), file.out.bytes.size()), static_cast<ssize_t>(file.out.bytes.size()));
  auto bytes = std::make_unique<DescriptorProvider>(ends[0], DescriptorProvider::Ownership::kOwned);
  const auto source = open_capture(ByteWindow(std::move(bytes)), "pipe");
  std::vector<Frame> batch(64);
  EXPECT_EQ(source->read(batch), 1U) << "the writer has not closed it";
  ::close(ends[1]);
  EXPECT_EQ(source->read(batch), 0U);
  EXPECT_FALSE(source->status().damaged);
}

}  // namespace
}  // namespace finwait::capture

#include "finwait/capture/file_sequence.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

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
using testing::PcapngFile;
using testing::TemporaryDirectory;

Bytes pcap(std::uint32_t from, unsigned count, std::uint16_t link_type = 1) {
  PcapFile file(Order::kLittle, 0xa1b2c3d4, link_type);
  for (unsigned i = 0; i < count; ++i) file.add(from + i, 0, payload(20, from), 20);
  return file.out.bytes;
}

std::vector<base::Timestamp> seconds(const Outcome& outcome) {
  std::vector<base::Timestamp> all;
  for (const auto& frame : outcome.frames) all.push_back(frame.time / base::kSecond);
  return all;
}

Outcome read(FileSequence& files, std::size_t batch = 2) {
  Outcome outcome;
  testing::read_to_end(files, batch, outcome);
  return outcome;
}

TEST(FileSequence, ReadsInTheOrderOfTheFirstFrames) {
  const TemporaryDirectory directory;
  const std::string late = directory.write("a.pcap", pcap(300, 3));
  const std::string none = directory.write("b.pcap", pcap(0, 0));
  const std::string early = directory.write("c.pcap", pcap(100, 2));
  const std::string same = directory.write("d.pcap", pcap(300, 1));
  FileSequence files({late, none, early, same});
  EXPECT_DOUBLE_EQ(files.progress(), 0.0);
  const Outcome outcome = read(files);
  EXPECT_EQ(seconds(outcome), (std::vector<base::Timestamp>{100, 101, 300, 301, 302, 300}));
  EXPECT_FALSE(outcome.damaged);
  EXPECT_DOUBLE_EQ(files.progress(), 1.0);
  const std::vector<FileSpan> spans = files.files();
  ASSERT_EQ(spans.size(), 4U);
  EXPECT_EQ(spans[0].path, none);
  EXPECT_EQ(spans[0].first_frame, 0U);
  EXPECT_EQ(spans[1].path, early);
  EXPECT_EQ(spans[1].first_frame, 1U);
  EXPECT_EQ(spans[1].frames, 2U);
  EXPECT_EQ(spans[2].path, late);
  EXPECT_EQ(spans[2].first_frame, 3U);
  EXPECT_EQ(spans[3].path, same);
  EXPECT_EQ(spans[3].first_frame, 6U);
  EXPECT_EQ(files.name(), "4 files");
}

TEST(FileSequence, InterfacesAndLinkTypesAreCountedOverAllFiles) {
  const TemporaryDirectory directory;
  PcapngFile two;
  two.section().interface(1).interface(113).enhanced(1, 5, payload(4), 4);
  FileSequence files({directory.write("1", two.out.bytes), directory.write("2", pcap(50, 1, 101))});
  const Outcome outcome = read(files);
  ASSERT_EQ(outcome.frames.size(), 2U);
  EXPECT_EQ(outcome.frames[0].interface, 1U);
  EXPECT_EQ(outcome.frames[1].interface, 2U);
  EXPECT_EQ(files.interface_count(), 3U);
  EXPECT_EQ(files.link_types(), (std::vector<std::uint16_t>{1, 113, 101}));
}

TEST(FileSequence, ADamagedFileDoesNotStopTheOnesAfterIt) {
  const TemporaryDirectory directory;
  Bytes cut = pcap(100, 2);
  cut.pop_back();
  const std::string first = directory.write("cut.pcap", cut);
  const std::string second = directory.write("good.pcap", pcap(200, 2));
  const std::string empty = directory.write("empty.pcap", {});
  FileSequence files({first, second, empty});
  const Outcome outcome = read(files);
  EXPECT_EQ(seconds(outcome), (std::vector<base::Timestamp>{100, 200, 201}));
  EXPECT_TRUE(outcome.damaged);
  EXPECT_EQ(outcome.what, empty + ": is empty: not even a file header\n" + first +
                              ": damaged at byte 60, frame 2: the input ends within the record (35 of 36 bytes)");
}

TEST(FileSequence, AFileThatIsRemovedBeforeItsTurnIsAProblemOfItsOwn) {
  const TemporaryDirectory directory;
  const std::string first = directory.write("1", pcap(100, 1));
  const std::string second = directory.write("2", pcap(200, 1));
  const std::string third = directory.write("3", pcap(300, 1));
  FileSequence files({first, second, third});
  std::filesystem::remove(second);
  const Outcome outcome = read(files);
  EXPECT_EQ(seconds(outcome), (std::vector<base::Timestamp>{100, 300}));
  EXPECT_EQ(outcome.what, second + ": cannot open: No such file or directory; check the name");
}

TEST(FileSequence, OneThatCannotBeReadTwiceKeepsItsFirstFrame) {
  const TemporaryDirectory directory;
  const std::string pipe = directory.file("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Bytes bytes = pcap(200, 5);
  std::jthread writer([&] {
    std::ofstream(pipe, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  });
  FileSequence files({pipe, directory.write("1", pcap(100, 2)), directory.write("2", pcap(300, 1))});
  EXPECT_LT(files.progress(), 0.0);
  const Outcome outcome = read(files);
  EXPECT_EQ(seconds(outcome), (std::vector<base::Timestamp>{100, 101, 200, 201, 202, 203, 204, 300}));
  EXPECT_EQ(outcome.frames[2].bytes, payload(20, 200));
}

TEST(FileSequence, ManyFilesNeedFewDescriptors) {
  const TemporaryDirectory directory;
  std::vector<std::string> paths;
  for (unsigned i = 0; i < 1500; ++i) paths.push_back(directory.write(std::to_string(i), pcap(2000 - i, 1)));
  FileSequence files(paths);
  const Outcome outcome = read(files);
  ASSERT_EQ(outcome.frames.size(), 1500U);
  EXPECT_TRUE(std::is_sorted(outcome.frames.begin(), outcome.frames.end(), [](const auto& a, const auto& b) { return a.time < b.time; }));
  EXPECT_FALSE(outcome.damaged);
}

TEST(FileSequence, AFolderMeansTheCapturesInIt) {
  const TemporaryDirectory directory;
  const std::string late = directory.write("a", pcap(300, 1));
  const std::string early = directory.write("b.log", pcap(100, 1));
  const std::string same = directory.write("c", pcap(300, 2));
  const std::string text = directory.write("readme", {'a', 'b', 'c', 'd'});
  const std::string empty = directory.write("next", {});
  const std::string inner = directory.file("older");
  std::filesystem::create_directory(inner);
  const std::string pipe = directory.file("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  FileSequence files({directory.file("")});
  const Outcome outcome = read(files);
  EXPECT_EQ(seconds(outcome), (std::vector<base::Timestamp>{100, 300, 300, 301}));
  EXPECT_FALSE(outcome.damaged) << outcome.what;
  ASSERT_EQ(files.files().size(), 3U);
  EXPECT_EQ(files.files()[0].path, early);
  EXPECT_EQ(files.files()[1].path, late);
  EXPECT_EQ(files.files()[2].path, same);
  EXPECT_EQ(files.notes(), (std::vector<std::string>{
                               empty + ": is empty: not even a file header (passed over)", inner + ": passed over: is no file",
                               pipe + ": passed over: is no file",
                               text + ": is text, not a capture (it begins with 61 62 63 64); give a pcap or pcapng file (passed over)"}));
}

TEST(FileSequence, ACaptureInAFolderThatCannotBeReadIsAProblem) {
  const TemporaryDirectory directory;
  directory.write("good", pcap(100, 1));
  const std::string cut = directory.write("cut", {0xd4, 0xc3, 0xb2, 0xa1, 2, 0});
  const std::string snoop = directory.write("snoop", {'s', 'n', 'o', 'o', 'p', 0, 0, 0});
  FileSequence files({directory.file("")});
  const Outcome outcome = read(files);
  EXPECT_EQ(outcome.frames.size(), 1U);
  EXPECT_EQ(outcome.what, cut + ": the input ends within the pcap file header (6 of 24 bytes); there is no packet in it\n" + snoop +
                              ": is a Sun snoop capture; convert it with 'editcap -F pcapng IN OUT'");
  EXPECT_TRUE(files.notes().empty());
}

TEST(FileSequence, AFolderWithoutACaptureIsRefusedAloneAndAProblemAmongOthers) {
  const TemporaryDirectory none;
  none.write("readme", {'a', 'b', 'c', 'd'});
  const std::string folder = none.file("");
  EXPECT_EQ(error_of([&] { FileSequence({folder}); }), folder + ": no capture is in this folder (folders within it are not looked into)");
  const TemporaryDirectory directory;
  FileSequence files({folder, directory.write("good", pcap(100, 1))});
  const Outcome outcome = read(files);
  EXPECT_EQ(outcome.frames.size(), 1U);
  EXPECT_EQ(outcome.what, folder + ": no capture is in this folder (folders within it are not looked into)");
}

TEST(FileSequence, NotesAreBounded) {
  const TemporaryDirectory directory;
  directory.write("good", pcap(100, 1));
  for (int i = 0; i < 150; ++i) directory.write("text" + std::to_string(i), {'a', 'b', 'c', 'd'});
  EXPECT_EQ(FileSequence({directory.file("")}).notes().size(), 100U);
}

TEST(FileSequence, RefusesWhatCannotBeASequence) {
  const TemporaryDirectory directory;
  const std::string good = directory.write("good", pcap(1, 1));
  const std::string text = directory.write("text", {'a', 'b', 'c', 'd'});
  EXPECT_EQ(error_of([] { FileSequence({}); }), "no capture file is given");
  EXPECT_EQ(error_of([] { FileSequence({"-", "-"}); }), "standard input ('-') is given twice");
  EXPECT_EQ(error_of([&] {
              FileSequence({good, directory.file("none")});
            }),
            directory.file("none") + ": cannot open: No such file or directory; check the name");
  EXPECT_EQ(error_of([&] { FileSequence({text}); }),
            text + ": is text, not a capture (it begins with 61 62 63 64); give a pcap or pcapng file");
}

}  // namespace
}  // namespace finwait::capture

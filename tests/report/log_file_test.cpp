#include "finwait/report/log_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace finwait::report {
namespace {

namespace fs = std::filesystem;

/// An empty folder of the test's own.
class LogFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ("finwait_log_file_" + std::to_string(getpid()));
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::string content(const std::string& name) const {
    std::ifstream in(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_)) found.push_back(entry.path().filename());
    std::sort(found.begin(), found.end());
    return found;
  }

  fs::path folder_;
};

void write(LogFile& file, std::string_view lines, base::Timestamp at = 0) {
  const LogFile::Written written = file.write(lines, at);
  ASSERT_EQ(written.error, 0);
  ASSERT_EQ(written.taken, lines.size());
}

constexpr FileFrame kFrame{[](Text& text, base::Timestamp at) {
                             text.put("head ");
                             text.number(at / base::kSecond);
                             text.put('\n');
                           },
                           [](Text& text, base::Timestamp at) {
                             text.put("foot ");
                             text.number(at / base::kSecond);
                             text.put('\n');
                           }};
using Names = std::vector<std::string>;

TEST_F(LogFileTest, a_file_never_grows_beyond_its_size_and_holds_whole_lines) {
  LogFile file(path("log"), {.bytes = 10, .every = 0});
  write(file, "one\ntwo\nthree\n");
  write(file, "four\n");
  EXPECT_EQ(file.close(0), 0);
  EXPECT_EQ(names(), (Names{"log", "log.1", "log.2"}));
  EXPECT_EQ(content("log"), "one\ntwo\n");
  EXPECT_EQ(content("log.1"), "three\n") << "with the next line 11 bytes";
  EXPECT_EQ(content("log.2"), "four\n");
}

TEST_F(LogFileTest, a_line_longer_than_a_file_has_one_for_itself) {
  LogFile file(path("log"), {.bytes = 4, .every = 0});
  write(file, "a\nlonger line\nb\n");
  EXPECT_EQ(file.close(0), 0);
  EXPECT_EQ(content("log"), "a\n");
  EXPECT_EQ(content("log.1"), "longer line\n");
  EXPECT_EQ(content("log.2"), "b\n");
}

TEST_F(LogFileTest, files_by_time_begin_at_full_periods_and_are_named_in_utc) {
  LogFile file(path("%Y-%m-%d_%H%M%S"), {.bytes = 0, .every = 60 * base::kSecond});
  constexpr base::Timestamp kNoon = 1'709'208'000 * base::kSecond;  // 2024-02-29 12:00:00
  write(file, "a\n", kNoon + 59 * base::kSecond);
  write(file, "b\n", kNoon + 60 * base::kSecond);
  write(file, "c\n", kNoon + 119 * base::kSecond);
  write(file, "d\n", kNoon + 300 * base::kSecond);
  EXPECT_EQ(file.close(0), 0);
  EXPECT_EQ(names(), (Names{"2024-02-29_120000", "2024-02-29_120100", "2024-02-29_120500"})) << "a period without lines makes no file";
  EXPECT_EQ(content("2024-02-29_120100"), "b\nc\n");
}

TEST_F(LogFileTest, each_file_has_head_and_foot_of_its_own_time) {
  LogFile file(path("%s"), {.bytes = 0, .every = 60 * base::kSecond});
  file.begin(kFrame, 7 * base::kSecond);
  write(file, "a\n", 10 * base::kSecond);
  write(file, "b\n", 70 * base::kSecond);
  EXPECT_EQ(file.advance(125 * base::kSecond), 0);
  EXPECT_EQ(content("0"), "head 7\na\nfoot 60\n");
  EXPECT_EQ(content("60"), "head 70\nb\nfoot 120\n") << "closed when its time was over, without waiting for a line";
  EXPECT_EQ(file.close(130 * base::kSecond), 0);
  EXPECT_EQ(names(), (Names{"0", "60"}));
}

TEST_F(LogFileTest, a_file_without_lines_has_head_and_foot) {
  LogFile file(path("log"));
  file.begin(kFrame, 3 * base::kSecond);
  EXPECT_EQ(file.close(4 * base::kSecond), 0);
  EXPECT_EQ(content("log"), "head 3\nfoot 4\n");
}

TEST_F(LogFileTest, what_an_earlier_run_left_is_not_overwritten_by_rotation) {
  std::ofstream(path("log")) << "earlier\n";
  std::ofstream(path("log.1")) << "earlier too\n";
  LogFile file(path("log"), {.bytes = 1000, .every = 0});
  write(file, "now\n");
  EXPECT_EQ(file.close(0), 0);
  EXPECT_EQ(content("log"), "earlier\n");
  EXPECT_EQ(content("log.2"), "now\n");
}

TEST_F(LogFileTest, reopening_follows_a_file_that_was_moved_away_and_keeps_one_that_was_not) {
  LogFile file(path("log"));
  file.begin(kFrame, 1 * base::kSecond);
  write(file, "a\n", 2 * base::kSecond);
  fs::rename(path("log"), path("log.old"));
  write(file, "b\n", 3 * base::kSecond);
  EXPECT_EQ(file.reopen(), 0);
  write(file, "c\n", 4 * base::kSecond);
  EXPECT_EQ(file.reopen(), 0);
  write(file, "d\n", 5 * base::kSecond);
  EXPECT_EQ(file.close(6 * base::kSecond), 0);
  EXPECT_EQ(content("log.old"), "head 1\na\nb\nfoot 3\n");
  EXPECT_EQ(content("log"), "head 4\nc\nfoot 4\nd\nfoot 6\n") << "nothing is lost when nobody moved it";
}

/// A process may not write files longer than this: the disk that is full at a chosen byte.
class FullAfter {
 public:
  explicit FullAfter(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  FullAfter(const FullAfter&) = delete;
  FullAfter& operator=(const FullAfter&) = delete;
  ~FullAfter() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_F(LogFileTest, without_room_a_file_ends_with_a_whole_line_and_nothing_is_lost_or_doubled) {
  LogFile file(path("log"));
  const std::string lines = "one\ntwo\nthree\nfour\n";
  LogFile::Written written;
  {
    const FullAfter full(10);
    written = file.write(lines, 0);
  }
  EXPECT_NE(written.error, 0);
  EXPECT_EQ(written.taken, 8U);
  EXPECT_EQ(content("log"), "one\ntwo\n");
  write(file, std::string_view(lines).substr(written.taken));
  EXPECT_EQ(file.close(0), 0);
  EXPECT_EQ(content("log"), lines);
}

TEST_F(LogFileTest, without_room_a_head_is_given_again_whole) {
  LogFile file(path("log"));
  file.begin(kFrame, 1 * base::kSecond);
  {
    const FullAfter full(3);
    EXPECT_EQ(file.write("a\n", 0).taken, 0U);
  }
  write(file, "a\n");
  EXPECT_EQ(file.close(2 * base::kSecond), 0);
  EXPECT_EQ(content("log"), "head 1\na\nfoot 2\n");
}

TEST_F(LogFileTest, a_pattern_that_cannot_work_is_refused_at_once) {
  const Rotation rotation{.bytes = 0, .every = base::kSecond};
  EXPECT_THROW(LogFile(path("%Y/log"), rotation), OutputError) << "a folder that changes";
  EXPECT_THROW(LogFile(path("%D"), rotation), OutputError) << "gives 01/01/70";
  EXPECT_THROW(LogFile("/dev/null", rotation), OutputError);
  EXPECT_THROW(LogFile(path("none/log"), rotation), OutputError) << "no such folder";
  EXPECT_NO_THROW(LogFile(path("100%"))) << "no pattern without rotation";
}

TEST_F(LogFileTest, any_stamp_of_a_damaged_capture_has_a_file) {
  LogFile file(path("%Y"), {.bytes = 0, .every = 3600 * base::kSecond});
  write(file, "a\n", std::numeric_limits<base::Timestamp>::min());
  write(file, "b\n", -1);
  write(file, "c\n", base::kNever - 1);
  EXPECT_EQ(file.close(0), 0);
  EXPECT_EQ(names(), (Names{"1677", "1969", "2262"}));
}

/// Records of four bytes, none of which is a newline.
const Lines kFours{"fours", [](std::string_view bytes, std::size_t most) { return std::min(bytes.size(), most) / 4 * 4; },
                   [](std::string_view bytes) { return std::uint64_t{bytes.size() / 4}; }};

TEST_F(LogFileTest, WhatALineIsTheFormatSays) {
  FileFrame frame;
  frame.opening = "<<";
  frame.lines = &kFours;
  LogFile file(path("f"), {.bytes = 12});
  file.begin(frame, 0);
  write(file, "aaaabbbbccccddddeeee");
  write(file, "ffff");
  EXPECT_EQ(file.close(0), 0);
  EXPECT_EQ(content("f"), "<<aaaabbbb");
  EXPECT_EQ(content("f.1"), "<<ccccdddd");
  EXPECT_EQ(content("f.2"), "<<eeeeffff");
  EXPECT_EQ(names(), (Names{"f", "f.1", "f.2"}));
}

TEST_F(LogFileTest, ALineLongerThanAFileMayBeHasOneOfItsOwn) {
  FileFrame frame;
  frame.lines = &kFours;
  LogFile file(path("f"), {.bytes = 3});
  file.begin(frame, 0);
  write(file, "aaaabbbb");
  EXPECT_EQ(file.close(0), 0);
  EXPECT_EQ(content("f"), "aaaa");
  EXPECT_EQ(content("f.1"), "bbbb");
}

}  // namespace
}  // namespace finwait::report

#include "finwait/service/queued_destination.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

namespace finwait::service {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class QueuedDestinationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    pipe_handler_ = std::signal(SIGPIPE, SIG_IGN);
    folder_ = fs::path(::testing::TempDir()) / ("finwait_queue_" + std::to_string(getpid()));
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
  void TearDown() override {
    fs::remove_all(folder_);
    std::signal(SIGPIPE, pipe_handler_);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::string content(const std::string& name) const {
    std::ifstream in(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Small and quick, so that a test sees in a moment what takes weeks.
  [[nodiscard]] QueueOptions options() {
    QueueOptions result;
    result.bytes = 1U << 16U;
    result.retry = 10ms;
    result.patience = 200ms;
    result.calm = 10s;
    result.tell = [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      told_.push_back(line);
    };
    return result;
  }
  [[nodiscard]] std::vector<std::string> told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  template <class F>
  [[nodiscard]] static bool soon(F&& condition) {
    for (int n = 0; n != 5'000 && !condition(); ++n) std::this_thread::sleep_for(1ms);
    return condition();
  }

  fs::path folder_;
  std::mutex mutex_;
  std::vector<std::string> told_;
  void (*pipe_handler_)(int) = nullptr;
};

/// A pipe with a name, whose reader is the test.
class Fifo {
 public:
  explicit Fifo(const std::string& path) {
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    reader_ = open(path.c_str(), O_RDONLY | O_NONBLOCK);
    EXPECT_GE(reader_, 0);
  }
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;
  ~Fifo() { hang_up(); }
  void hang_up() {
    if (reader_ >= 0) ::close(reader_);
    reader_ = -1;
  }
  /// What there is, up to the end or until nothing has come for a while.
  [[nodiscard]] std::string read_some() const {
    std::string text;
    std::array<char, 65536> part{};
    for (int idle = 0; idle < 100;) {
      const ssize_t got = read(reader_, part.data(), part.size());
      if (got > 0) text.append(part.data(), static_cast<std::size_t>(got));
      if (got == 0) break;
      idle = got > 0 ? 0 : idle + 1;
      if (got < 0) std::this_thread::sleep_for(1ms);
    }
    return text;
  }

 private:
  int reader_ = -1;
};

std::string line(int n) { return "line " + std::to_string(n) + "\n"; }

TEST_F(QueuedDestinationTest, writes_everything_in_order) {
  QueueOptions wide = options();
  wide.bytes = 4U << 20U;
  QueuedDestination queue(report::LogFile(path("log")), wide);
  std::string wanted;
  for (int n = 0; n != 100'000; ++n) {
    queue.write(line(n), n);
    wanted += line(n);
  }
  queue.close(0);
  EXPECT_EQ(queue.lost(), 0U);
  EXPECT_TRUE(content("log") == wanted);
  EXPECT_TRUE(told().empty());
}

TEST_F(QueuedDestinationTest, a_reader_that_does_not_read_costs_lines_and_no_time) {
  Fifo fifo(path("fifo"));
  QueuedDestination queue(report::LogFile(path("fifo")), options());
  constexpr int kLines = 100'000;
  const auto start = std::chrono::steady_clock::now();
  for (int n = 0; n != kLines; ++n) queue.write(line(n), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
  EXPECT_GT(queue.lost(), 0U);
  EXPECT_TRUE(soon([&] { return told().size() == 1; }));

  std::string text = fifo.read_some();
  queue.write("last\n", 0);
  std::thread end([&] { queue.close(0); });
  text += fifo.read_some();
  end.join();
  std::istringstream in(text);
  std::string read;
  int kept = 0;
  int next = 0;
  while (std::getline(in, read) && read != "last") {
    ++kept;
    const int number = std::stoi(read.substr(5));
    ASSERT_EQ(read + "\n", line(number)) << "whole";
    ASSERT_GE(number, next) << "in order, and once";
    next = number + 1;
  }
  EXPECT_EQ(read, "last");
  EXPECT_EQ(static_cast<std::uint64_t>(kept) + queue.lost(), kLines);
  const std::vector<std::string> lines = told();
  ASSERT_EQ(lines.size(), 2U) << "once when it begins, once when it is over";
  EXPECT_NE(lines[0].find("too slowly"), std::string::npos);
  EXPECT_NE(lines[1].find(std::to_string(queue.lost()) + " lines were dropped"), std::string::npos);
}

TEST_F(QueuedDestinationTest, a_full_disk_is_waited_for_and_told_once) {
  QueuedDestination queue(report::LogFile(path("log")), options());
  void (*const handler)(int) = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit full{100, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
  std::string wanted;
  for (int n = 0; n != 1'000; ++n) {
    queue.write(line(n), 0);
    wanted += line(n);
  }
  EXPECT_TRUE(soon([&] { return !told().empty(); }));
  std::this_thread::sleep_for(50ms);
  const std::string meanwhile = content("log");
  EXPECT_LE(meanwhile.size(), 100U);
  EXPECT_TRUE(meanwhile.empty() || meanwhile.back() == '\n') << "whole lines";
  setrlimit(RLIMIT_FSIZE, &before);
  queue.close(0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(queue.lost(), 0U);
  EXPECT_TRUE(content("log") == wanted) << "nothing lost, nothing twice";
  ASSERT_EQ(told().size(), 2U);
  EXPECT_NE(told()[1].find("is written again"), std::string::npos);
}

TEST_F(QueuedDestinationTest, at_the_end_it_waits_for_a_reader_that_is_slow) {
  Fifo fifo(path("fifo"));
  QueuedDestination queue(report::LogFile(path("fifo")), options());
  queue.conclude();
  std::string wanted;
  std::string got;
  std::thread reader([&] { got = fifo.read_some(); });
  for (int n = 0; n != 50'000; ++n) {
    queue.write(line(n), 0);
    wanted += line(n);
  }
  queue.close(0);
  reader.join();
  EXPECT_EQ(queue.lost(), 0U);
  EXPECT_TRUE(got == wanted);
}

TEST_F(QueuedDestinationTest, at_the_end_it_does_not_wait_for_ever) {
  Fifo fifo(path("fifo"));
  QueuedDestination queue(report::LogFile(path("fifo")), options());
  queue.conclude();
  for (int n = 0; n != 50'000; ++n) queue.write(line(n), 0);
  EXPECT_THROW(queue.close(0), report::OutputError);
  EXPECT_GT(queue.lost(), 0U);
}

TEST_F(QueuedDestinationTest, falls_silent_when_the_reader_goes_away) {
  Fifo fifo(path("fifo"));
  QueuedDestination queue(report::LogFile(path("fifo")), options());
  queue.write("a\n", 0);
  fifo.hang_up();
  EXPECT_TRUE(soon([&] {
    queue.write("b\n", 0);
    return queue.closed();
  }));
  queue.close(0);
  EXPECT_EQ(queue.lost(), 0U);
}

TEST_F(QueuedDestinationTest, reopens_and_rotates_in_its_own_thread) {
  QueuedDestination queue(report::LogFile(path("log")), options());
  queue.write("a\n", 0);
  EXPECT_TRUE(soon([&] { return content("log") == "a\n"; }));
  fs::rename(path("log"), path("old"));
  queue.reopen();
  EXPECT_TRUE(soon([&] { return fs::exists(path("log")); })) << "without a line to write";
  queue.write("b\n", 0);
  queue.close(0);
  EXPECT_EQ(content("old"), "a\n");
  EXPECT_EQ(content("log"), "b\n");

  QueuedDestination rotated(report::LogFile(path("r"), {.bytes = 4, .every = 0}), options());
  rotated.write("1\n2\n3\n", 0);
  rotated.close(0);
  EXPECT_EQ(content("r"), "1\n2\n");
  EXPECT_EQ(content("r.1"), "3\n");
}

TEST_F(QueuedDestinationTest, a_file_that_cannot_be_opened_anew_is_tried_again_without_a_line) {
  fs::create_directory(path("away"));
  QueuedDestination queue(report::LogFile(path("away/log")), options());
  fs::rename(path("away"), path("elsewhere"));
  queue.reopen();
  EXPECT_TRUE(soon([&] { return told().size() == 1; }));
  fs::create_directory(path("away"));
  EXPECT_TRUE(soon([&] { return fs::exists(path("away/log")); }));
  EXPECT_TRUE(soon([&] { return told().size() == 2; }));
  queue.write("a\n", 0);
  queue.close(0);
  EXPECT_EQ(content("away/log"), "a\n");
  EXPECT_EQ(told().size(), 2U) << "once when it begins, once when it is over";
}

TEST_F(QueuedDestinationTest, the_end_does_not_wait_for_a_file_that_cannot_be_opened_anew) {
  fs::create_directory(path("away"));
  QueuedDestination queue(report::LogFile(path("away/log")), options());
  fs::rename(path("away"), path("elsewhere"));
  queue.reopen();
  EXPECT_TRUE(soon([&] { return told().size() == 1; }));
  queue.write("a\n", 0);
  EXPECT_THROW(queue.close(0), report::OutputError);
  EXPECT_EQ(queue.lost(), 1U);
}

TEST_F(QueuedDestinationTest, an_end_without_close_is_no_hang) {
  Fifo fifo(path("fifo"));
  QueuedDestination queue(report::LogFile(path("fifo")), options());
  for (int n = 0; n != 50'000; ++n) queue.write(line(n), 0);
}

}  // namespace
}  // namespace finwait::service

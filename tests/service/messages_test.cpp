#include "finwait/service/messages.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace finwait::service {
namespace {

using namespace std::chrono_literals;

/// A pipe of one page, whose reader is the test.
class MessagesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0);
    ASSERT_GT(fcntl(ends_[1], F_SETPIPE_SZ, 4096), 0);
  }
  void TearDown() override {
    for (const int end : ends_) close(end);
  }

  [[nodiscard]] MessageOptions options() const {
    MessageOptions result;
    result.name = "name";
    result.descriptor = ends_[1];
    result.bytes = 10'000;
    result.patience = 200ms;
    return result;
  }
  /// What comes, until these words are the last of it; without an end to it the test has failed.
  [[nodiscard]] std::string read_until(std::string_view words) const {
    std::string text;
    std::array<char, 4096> part{};
    struct pollfd wanted {
      ends_[0], POLLIN, 0
    };
    while (!text.ends_with(words) && poll(&wanted, 1, 10'000) == 1) {
      const ssize_t got = read(ends_[0], part.data(), part.size());
      if (got <= 0) break;
      text.append(part.data(), static_cast<std::size_t>(got));
    }
    EXPECT_TRUE(text.ends_with(words)) << text;
    return text;
  }

  std::array<int, 2> ends_{-1, -1};
};

TEST_F(MessagesTest, lines_come_in_order_with_the_name_before_them) {
  Messages messages(options());
  messages.tell("one");
  messages.tell("two");
  messages.finish();
  messages.finish();
  EXPECT_EQ(read_until("two\n"), "name: one\nname: two\n");
}

TEST_F(MessagesTest, an_empty_pipe_is_written_to_at_once) {
  Messages messages(options());
  messages.tell("one");
  EXPECT_EQ(read_until("\n"), "name: one\n");
  messages.tell("two");
  EXPECT_EQ(read_until("\n"), "name: two\n");
}

/// How many lines of 0, 1, 2... are told of, those that were left out with them; -1 if it is not so.
int told_of(const std::string& text) {
  int next = 0;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const int number = std::stoi(line.substr(6));
    if (line == "name: " + std::to_string(number) + " lines were left out here: nobody read them in time") {
      next += number;
    } else if (line == "name: " + std::to_string(next)) {
      ++next;
    } else {
      return -1;
    }
  }
  return next;
}

TEST_F(MessagesTest, without_a_reader_nobody_waits_and_what_is_left_out_is_told_when_there_is_one) {
  Messages messages(options());
  constexpr int kLines = 5'000;
  for (int n = 0; n != kLines; ++n) messages.tell(std::to_string(n));  // the test would hang here
  std::string text;
  for (int told = 0; told != kLines; told = told_of(text)) {
    ASSERT_GE(told, 0) << text;
    text += read_until("\n");
  }
  EXPECT_NE(text.find("left out"), std::string::npos);
  EXPECT_LT(text.size(), 40'000U) << "what fits into the pipe and the memory, and a little that the thread took meanwhile";
  messages.tell("last");
  EXPECT_EQ(read_until("last\n"), "name: last\n");
}

TEST_F(MessagesTest, at_the_end_a_slow_reader_is_waited_for) {
  auto messages = std::make_unique<Messages>(options());
  std::string wanted;
  for (int n = 0; n != 600; ++n) {
    messages->tell(std::to_string(n));
    wanted += "name: " + std::to_string(n) + "\n";
  }
  std::string got;
  std::thread reader([&] { got = read_until("599\n"); });
  messages.reset();
  reader.join();
  EXPECT_EQ(got, wanted);
}

TEST_F(MessagesTest, at_the_end_nobody_is_waited_for_who_does_not_read) {
  const auto start = std::chrono::steady_clock::now();
  {
    Messages messages(options());
    for (int n = 0; n != 600; ++n) messages.tell(std::to_string(n));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
  EXPECT_TRUE(read_until("599\n").starts_with("name: 0\n"));  // and the thread that was left can go
}

TEST_F(MessagesTest, a_pipe_that_does_not_wait_is_waited_for) {
  ASSERT_EQ(fcntl(ends_[1], F_SETFL, O_NONBLOCK), 0);
  Messages messages(options());
  std::string wanted;
  for (int n = 0; n != 600; ++n) {
    messages.tell(std::to_string(n));
    wanted += "name: " + std::to_string(n) + "\n";
  }
  EXPECT_EQ(read_until("599\n"), wanted);
}

TEST_F(MessagesTest, lines_of_several_threads_stay_whole) {
  MessageOptions wide = options();
  wide.bytes = 1U << 20U;
  Messages messages(wide);
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  std::vector<std::thread> threads;
  for (int t = 0; t != kThreads; ++t)
    threads.emplace_back([&messages, t] {
      for (int n = 0; n != kEach; ++n) messages.tell(std::to_string(t) + " " + std::to_string(n));
    });
  for (std::thread& thread : threads) thread.join();
  messages.tell("end 0");
  std::istringstream in(read_until("end 0\n"));
  std::array<int, kThreads> next{};
  std::string name;
  int t = 0;
  int n = 0;
  int lines = 0;
  for (; in >> name >> t >> n; ++lines) {
    ASSERT_EQ(name, "name:");
    ASSERT_EQ(n, next.at(static_cast<std::size_t>(t))++);
  }
  EXPECT_EQ(lines, kThreads * kEach);
}

}  // namespace
}  // namespace finwait::service

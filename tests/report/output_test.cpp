#include "finwait/report/output.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace finwait::report {
namespace {

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Output, writes_everything_in_order) {
  const std::string path = ::testing::TempDir() + "finwait_output_test";
  std::string wanted;
  Output output(path);
  for (int n = 0; n < 50'000; ++n) {
    output.text().number(n);
    output.text().put('\n');
    output.relieve();
    wanted += std::to_string(n) + "\n";
  }
  output.close();
  EXPECT_EQ(content(path), wanted);
  std::filesystem::remove(path);
}

TEST(Output, says_which_file_cannot_be_created) {
  try {
    const Output output("/nonexistent/place");
    FAIL() << "it was created";
  } catch (const OutputError& e) {
    EXPECT_NE(std::string(e.what()).find("/nonexistent/place"), std::string::npos);
  }
}

TEST(Output, says_when_the_disk_is_full) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  Output output("/dev/full");
  output.text().put("x");
  EXPECT_THROW(output.flush(), OutputError);
  EXPECT_TRUE(output.closed());
}

/// A destination that says what it was told.
class Listener final : public Destination {
 public:
  explicit Listener(std::string& heard) : heard_(heard) {}
  void begin(FileFrame /*frame*/, base::Timestamp at) override { hear("begin", at); }
  void write(std::string_view lines, base::Timestamp at) override { hear(lines, at); }
  void advance(base::Timestamp clock) override { hear("advance", clock); }
  void reopen() override { hear("reopen", 0); }
  void close(base::Timestamp at) override { hear("close", at); }
  [[nodiscard]] bool closed() const noexcept override { return false; }
  [[nodiscard]] bool is_terminal() const noexcept override { return false; }
  [[nodiscard]] base::Duration every() const noexcept override { return 10; }

 private:
  void hear(std::string_view what, base::Timestamp at) { heard_ += std::string(what) + "@" + std::to_string(at) + " "; }
  std::string& heard_;
};

TEST(Output, never_hands_on_lines_of_two_periods_together) {
  std::string heard;
  Output output(std::make_unique<Listener>(heard));
  for (const base::Timestamp at : {1, 9, 10, 19, 35}) {
    output.at(at);
    output.text().number(at);
  }
  output.advance(39);
  output.advance(40);
  output.advance(41);
  output.conclude(44);
  output.at(base::kNever);
  output.text().put("end");
  output.close(50);
  EXPECT_EQ(heard, "19@9 1019@19 35@35 advance@40 end@44 close@50 ");
}

}  // namespace
}  // namespace finwait::report

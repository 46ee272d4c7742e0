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

}  // namespace
}  // namespace finwait::report

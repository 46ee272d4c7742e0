#include "../../src/capture/xdp_program.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <ctime>
#include <memory>
#include <vector>

#include "finwait/capture/error.h"

namespace finwait::capture {
namespace {

std::uint64_t monotonic() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

/// The kernel runs the program on a frame without any interface.
class AnXdpProgram : public testing::Test {
 protected:
  void SetUp() override {
    try {
      program_ = std::make_unique<XdpProgram>("x0", 2);
    } catch (const CaptureError& e) {
      GTEST_SKIP() << e.what();
    }
    for (std::size_t n = 0; n < frame_.size(); ++n) frame_[n] = static_cast<std::uint8_t>(n);
  }

  /// What it decided; `out_` is what it left of the frame.
  unsigned run(int times = 1) {
    std::vector<std::uint8_t> out(kFrame + 256);
    bpf_test_run_opts how{};
    how.sz = sizeof how;
    how.data_in = frame_.data();
    how.data_size_in = kFrame;
    how.data_out = out.data();
    how.data_size_out = static_cast<__u32>(out.size());
    how.repeat = times;
    EXPECT_EQ(bpf_prog_test_run_opts(program_->descriptor(), &how), 0);
    out.resize(how.data_size_out);
    out_ = out;
    return how.retval;
  }

  std::unique_ptr<XdpProgram> program_;
  static constexpr __u32 kFrame = 60;
  std::array<std::uint8_t, kFrame> frame_{};
  std::vector<std::uint8_t> out_;
};

constexpr unsigned kPass = 2;

TEST_F(AnXdpProgram, LeavesAFrameToTheHostWhereNoSocketIsAndCountsIt) {
  EXPECT_EQ(program_->passed(), 0U);
  EXPECT_EQ(run(), kPass);
  EXPECT_EQ(program_->passed(), 1U);
  EXPECT_EQ(run(9), kPass);
  EXPECT_EQ(program_->passed(), 10U);
}

TEST_F(AnXdpProgram, WritesTheTimeBeforeTheFrameAndLeavesTheFrameAsItIs) {
  const std::uint64_t before = monotonic();
  (void)run();
  const std::uint64_t after = monotonic();
  std::uint64_t stamp = 0;
  ASSERT_EQ(out_.size(), sizeof stamp + frame_.size());
  std::memcpy(&stamp, out_.data(), sizeof stamp);
  EXPECT_GE(stamp, before);
  EXPECT_LE(stamp, after);
  EXPECT_EQ(std::memcmp(out_.data() + sizeof stamp, frame_.data(), frame_.size()), 0);
}

}  // namespace
}  // namespace finwait::capture

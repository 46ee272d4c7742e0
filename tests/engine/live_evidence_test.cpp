#include "finwait/engine/live_evidence.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>

#include "finwait/engine/pipeline.h"
#include "finwait/report/reporter.h"
#include "stop_after.h"

namespace finwait::engine {
namespace {

namespace fs = std::filesystem;

const std::string kReset = std::string(FINWAIT_SOURCE_DIR) + "/pcaps/reset.pcapng";

class LiveEvidenceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ("finwait_live_evidence_" + std::to_string(getpid()));
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// What a live capture of the file writes. Returns how many packets it knows to be missing.
  std::uint64_t write_all(const report::Rotation& rotation, const std::vector<std::uint16_t>& link_types) {
    HeldFrames held(4U << 20U);
    std::vector<std::unique_ptr<report::Sink>> sinks;
    report::Output output(std::make_unique<report::DirectDestination>(report::LogFile(folder_ / "w", rotation)));
    auto sink = std::make_unique<LiveEvidence>(std::move(output), held, std::vector<std::string>{"x0"}, link_types);
    const LiveEvidence* const evidence = sink.get();
    sinks.push_back(std::move(sink));
    report::Reporter reporter(std::move(sinks), {}, {});
    const auto source = capture::open_file(kReset);
    PipelineOptions options;
    options.tracker.max_connections = 1000;
    Pipeline pipeline(*source, nullptr, reporter, options);
    pipeline.set_keeper(held);
    StopAfter steering(~0ULL);
    pipeline.run(steering);
    report::Totals totals = pipeline.totals();
    reporter.finish(totals);
    return evidence->left_out();
  }

  /// Of all files together.
  struct Found {
    std::size_t files = 0;
    std::uint64_t packets = 0;
    std::uint64_t largest = 0;
  };
  [[nodiscard]] Found read_all() const {
    Found found;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      ++found.files;
      found.largest = std::max(found.largest, static_cast<std::uint64_t>(entry.file_size()));
      const auto source = capture::open_file(entry.path());
      std::array<capture::Frame, 64> batch;
      while (const std::size_t count = source->read(batch)) found.packets += count;
      EXPECT_FALSE(source->status().damaged) << source->status().what;
    }
    return found;
  }

  fs::path folder_;
};

TEST_F(LiveEvidenceTest, EachFileOfARotationIsACaptureOfItsOwn) {
  const std::uint64_t missing = write_all({}, {1});
  const Found whole = read_all();
  EXPECT_EQ(whole.files, 1U);
  EXPECT_GT(whole.packets, 50U);
  fs::remove_all(folder_);
  fs::create_directory(folder_);

  constexpr std::uint64_t kMost = 2000;
  EXPECT_EQ(write_all({.bytes = kMost}, {1}), missing);
  const Found parts = read_all();
  EXPECT_GT(parts.files, 3U);
  EXPECT_EQ(parts.packets, whole.packets);
  EXPECT_LE(parts.largest, kMost);
}

TEST_F(LiveEvidenceTest, WhatNoInterfaceIsDescribedForIsCounted) {
  EXPECT_GT(write_all({}, {101}), 50U);
  EXPECT_EQ(read_all().packets, 0U);
}

}  // namespace
}  // namespace finwait::engine

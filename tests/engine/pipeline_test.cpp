// The data path over all traces one after the other, as frames from memory.
#include "finwait/engine/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>

#include "engine/stop_after.h"
#include "finwait/report/json_record.h"
#include "support/trace.h"
#include "support/trace_frames.h"

namespace finwait::engine {
namespace {

struct StoredFrame {
  std::vector<std::uint8_t> bytes;
  base::Timestamp time = 0;
  std::uint32_t length = 0;  // on the wire; 0: as many as there are bytes
};

/// All traces, each between other hosts, an hour apart.
std::vector<StoredFrame> all_traces() {
  std::vector<StoredFrame> frames;
  testing::Addressing addressing;
  for (const std::string& file : testing::find_traces(std::string(FINWAIT_SOURCE_DIR) + "/tests/traces")) {
    const testing::Trace trace = testing::load_trace(file);
    for (const testing::TraceStep& step : trace.steps) {
      const bool filler = step.kind == testing::TraceStep::Kind::kAdvance;
      frames.push_back({filler ? testing::filler_bytes() : testing::frame_bytes(step, addressing), addressing.start + step.time});
    }
    ++addressing.network;
    addressing.start = frames.back().time + 3'000 * base::kSecond;
  }
  return frames;
}

class MemorySource final : public capture::Source {
 public:
  explicit MemorySource(const std::vector<StoredFrame>& frames) : frames_(frames) {}

  std::size_t read(std::span<capture::Frame> batch) override {
    std::size_t n = 0;
    for (; n < batch.size() && next_ < frames_.size(); ++n, ++next_) {
      const StoredFrame& stored = frames_[next_];
      const auto size = static_cast<std::uint32_t>(stored.bytes.size());
      batch[n] = {stored.bytes.data(), size, stored.length != 0 ? stored.length : size, stored.time, 1, 0};
    }
    return n;
  }
  capture::SourceStatus status() const override { return {}; }
  std::vector<std::uint16_t> link_types() const override { return {1}; }
  std::string name() const override { return "memory"; }

 private:
  const std::vector<StoredFrame>& frames_;
  std::size_t next_ = 0;
};

/// Keeps what it is given as the lines that `json` would write.
class KeepingSink final : public report::Sink {
 public:
  explicit KeepingSink(report::Text& text) : text_(text) {}
  void connection(const tcp::Outcome& outcome) override { report::put_connection(text_, outcome); }
  void event(const tcp::Event& event, const tcp::Connection& connection) override { report::put_event(text_, event, connection); }
  void finish(const report::Totals& /*totals*/) override {}

 private:
  report::Text& text_;
};

struct Result {
  std::string lines;
  report::Totals totals;
};

Result run(const std::vector<StoredFrame>& frames, const PipelineOptions& given, const std::string& expression = {},
           std::uint64_t stop_after = ~0ULL) {
  MemorySource source(frames);
  report::Text text;
  std::vector<std::unique_ptr<report::Sink>> sinks;
  sinks.push_back(std::make_unique<KeepingSink>(text));
  report::Reporter reporter(std::move(sinks), {});
  capture::Filter filter(expression);
  Pipeline pipeline(source, expression.empty() ? nullptr : &filter, reporter, given);
  StopAfter steering(stop_after);
  pipeline.run(steering);
  Result result{{}, pipeline.totals()};
  reporter.finish(result.totals);
  result.lines = text.view();
  return result;
}

PipelineOptions small(std::size_t batch = 64) {
  PipelineOptions options;
  options.batch = batch;
  options.tracker.max_connections = 4096;
  options.tracker.seed = 1;
  return options;
}

std::uint64_t placed(const report::FrameCounts& frames) {
  return std::accumulate(frames.fates.begin(), frames.fates.end(), std::uint64_t{0});
}

TEST(Pipeline, gives_the_same_answer_whatever_the_batches) {
  const auto frames = all_traces();
  ASSERT_GT(frames.size(), 200U);
  const Result one = run(frames, small(1));
  EXPECT_GT(one.totals.counts.connections, 20U);
  for (const std::size_t batch : {2U, 7U, 64U, 100'000U}) {
    const Result other = run(frames, small(batch));
    EXPECT_EQ(other.lines, one.lines) << "batches of " << batch;
    EXPECT_EQ(other.totals.frames.fates, one.totals.frames.fates);
  }
}

/// A limit on the bytes looked at that no frame reaches: each frame is taken by itself, not in the loop over frames that are all alike.
TEST(Pipeline, counts_a_batch_as_it_counts_frame_by_frame) {
  auto frames = all_traces();
  std::mt19937 random(5);
  for (StoredFrame& frame : frames) {
    if (random() % 50 == 0) frame.time -= static_cast<base::Duration>(random() % 100) * base::kSecond;
    if (random() % 500 == 0) frame.time += static_cast<base::Duration>(random() % 100'000) * base::kSecond;
    if (random() % 20 == 0) frame.length = static_cast<std::uint32_t>(frame.bytes.size()) + 1;
    if (random() % 100 == 0) frame.bytes.resize(random() % (frame.bytes.size() + 1));
  }
  for (const base::Timestamp before_1970 : {base::Timestamp{0}, 2 * frames.back().time}) {
    for (StoredFrame& frame : frames) frame.time -= before_1970;
    for (const wire::Checksums checksums : {wire::Checksums::kCount, wire::Checksums::kVerify, wire::Checksums::kIgnore}) {
      PipelineOptions options = small();
      options.decode.checksums = checksums;
      const Result in_one = run(frames, options);
      --options.snapshot_length;
      const Result one_by_one = run(frames, options);
      EXPECT_EQ(in_one.lines, one_by_one.lines);
      EXPECT_EQ(in_one.totals.frames.read, frames.size());
      EXPECT_EQ(in_one.totals.frames.read, one_by_one.totals.frames.read);
      EXPECT_EQ(in_one.totals.frames.fates, one_by_one.totals.frames.fates);
      EXPECT_EQ(in_one.totals.performance.bytes, one_by_one.totals.performance.bytes);
      const report::CaptureFacts& a = in_one.totals.capture;
      const report::CaptureFacts& b = one_by_one.totals.capture;
      EXPECT_EQ(a.first, b.first);
      EXPECT_EQ(a.last, b.last);
      EXPECT_EQ(a.cut_short, b.cut_short);
      EXPECT_EQ(a.time_went_back, b.time_went_back);
      EXPECT_EQ(a.time_disbelieved, b.time_disbelieved);
    }
  }
}

TEST(Pipeline, gives_the_same_answer_whatever_the_seed) {
  const auto frames = all_traces();
  PipelineOptions other = small();
  other.tracker.seed = 0x1234'5678'9abc'def0;
  EXPECT_EQ(run(frames, other).lines, run(frames, small()).lines);
}

TEST(Pipeline, gives_events_in_the_same_order_whatever_the_batches) {
  const auto frames = all_traces();
  const auto events = [&frames](std::size_t batch) {
    PipelineOptions options = small(batch);
    options.tracker.events = true;
    std::string lines = run(frames, options).lines;
    std::string kept;
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t end = lines.find('\n', at) + 1;
      if (lines.compare(at, 20, "{\"type\":\"connection\"") != 0) kept += lines.substr(at, end - at);
      at = end;
    }
    return kept;
  };
  const std::string one = events(1);
  EXPECT_FALSE(one.empty());
  EXPECT_EQ(events(64), one);
}

TEST(Pipeline, accounts_for_every_frame_of_any_bytes) {
  std::mt19937 random(6);
  std::vector<StoredFrame> frames = all_traces();
  for (StoredFrame& frame : frames) {
    const auto kind = random() % 4;
    frame.length = static_cast<std::uint32_t>(frame.bytes.size());
    if (kind == 0) frame.bytes.resize(random() % frame.bytes.size());
    if (kind == 1) {
      for (int n = 0; n < 4; ++n) frame.bytes[random() % frame.bytes.size()] = static_cast<std::uint8_t>(random());
    }
  }
  const Result result = run(frames, small());
  EXPECT_EQ(result.totals.frames.read, frames.size());
  EXPECT_EQ(placed(result.totals.frames), frames.size());
  EXPECT_GT(result.totals.frames.of(wire::Fate::kTruncated), 0U);
}

TEST(Pipeline, accounts_for_every_frame_when_there_is_no_room) {
  PipelineOptions options = small();
  options.tracker.max_connections = 2;
  const auto frames = all_traces();
  const Result result = run(frames, options);
  EXPECT_EQ(placed(result.totals.frames), frames.size());
}

TEST(Pipeline, refuses_no_segment_for_the_size_of_its_batches) {
  for (const std::uint32_t connections : {8U, 40U}) {
    PipelineOptions options = small(512);
    options.tracker.max_connections = connections;
    EXPECT_EQ(run(all_traces(), options).totals.frames.of(wire::Fate::kTableFull), 0U);
  }
}

TEST(Pipeline, numbers_frames_whether_selected_or_not) {
  const auto frames = all_traces();
  const Result result = run(frames, small(), "tcp[tcpflags] & (tcp-syn | tcp-ack) != tcp-syn");
  EXPECT_EQ(placed(result.totals.frames), frames.size());
  EXPECT_GT(result.totals.frames.of(wire::Fate::kFiltered), 0U);
  EXPECT_EQ(result.lines.find("\"id\":1,"), std::string::npos) << "frame 1 is a SYN: left out, and its number with it";
  EXPECT_NE(result.lines.find("\"id\":2,"), std::string::npos);
}

TEST(Pipeline, looks_only_at_the_span_asked_for) {
  const auto frames = all_traces();
  PipelineOptions options = small();
  options.from = frames[2].time;
  options.to = frames[5].time;
  const Result result = run(frames, options);
  EXPECT_EQ(result.totals.frames.read, frames.size());
  EXPECT_EQ(result.totals.frames.of(wire::Fate::kFiltered), frames.size() - 4);

  const std::vector<StoredFrame> alone(frames.begin() + 2, frames.begin() + 6);
  EXPECT_EQ(result.totals.counts.endings, run(alone, small()).totals.counts.endings) << "as if nothing else had been captured";
}

TEST(Pipeline, stops_after_so_many_selected_frames) {
  PipelineOptions options = small();
  options.frame_limit = 3;
  const Result result = run(all_traces(), options, "tcp");
  EXPECT_EQ(result.totals.frames.read, 3U);
  EXPECT_TRUE(result.totals.capture.stopped);
}

TEST(Pipeline, reports_what_it_has_when_told_to_stop) {
  const Result result = run(all_traces(), small(16), {}, 32);
  EXPECT_EQ(result.totals.frames.read, 32U);
  EXPECT_TRUE(result.totals.capture.stopped);
  EXPECT_GT(result.totals.counts.connections, 0U);
}

TEST(Pipeline, reads_nothing_and_says_so) {
  const Result result = run({}, small());
  EXPECT_EQ(result.totals.frames.read, 0U);
  EXPECT_FALSE(result.totals.capture.stopped);
  EXPECT_EQ(result.lines, "");
}

}  // namespace
}  // namespace finwait::engine

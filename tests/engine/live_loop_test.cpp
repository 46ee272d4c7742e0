// Both loops of a live capture, on one thread and on several: what is told must be the same.
#include "finwait/engine/live_loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <tuple>

#include "finwait/engine/sharded_live_loop.h"
#include "finwait/report/json_record.h"
#include "support/trace.h"
#include "support/trace_frames.h"

namespace finwait::engine {
namespace {

struct StoredFrame {
  std::vector<std::uint8_t> bytes;
  base::Timestamp time = 0;
};

/// All traces, each between other hosts, less than an hour apart.
std::vector<StoredFrame> all_traces() {
  std::vector<StoredFrame> frames;
  testing::Addressing addressing;
  for (const std::string& file : testing::find_traces(std::string(FINWAIT_SOURCE_DIR) + "/tests/traces")) {
    for (const testing::TraceStep& step : testing::load_trace(file).steps) {
      const bool filler = step.kind == testing::TraceStep::Kind::kAdvance;
      frames.push_back({filler ? testing::filler_bytes() : testing::frame_bytes(step, addressing), addressing.start + step.time});
    }
    ++addressing.network;
    addressing.start = frames.back().time + 3'000 * base::kSecond;
  }
  return frames;
}

std::vector<StoredFrame> trace(const std::string& name) {
  std::vector<StoredFrame> frames;
  const testing::Addressing addressing;
  for (const testing::TraceStep& step : testing::load_trace(std::string(FINWAIT_SOURCE_DIR) + "/tests/traces/" + name).steps) {
    if (step.kind != testing::TraceStep::Kind::kAdvance)
      frames.push_back({testing::frame_bytes(step, addressing), addressing.start + step.time});
  }
  return frames;
}

/// Hands out frames in bits of any size, and between them moments when nothing came.
class PlayedSource final : public capture::LiveSource {
 public:
  PlayedSource(const std::vector<StoredFrame>& frames, std::uint64_t seed, bool ticks) : frames_(frames), random_(seed), ticks_(ticks) {
    least_after_.assign(frames.size() + 1, base::kNever);
    for (std::size_t n = frames.size(); n-- != 0;) least_after_[n] = std::min(least_after_[n + 1], frames[n].time);
  }

  capture::Arrival next(std::span<capture::Frame> batch, base::Duration /*wait*/) override {
    capture::Arrival arrival;
    arrival.now = next_ < frames_.size() ? frames_[next_].time : quiet_until;
    if (ticks_ && random_() % 3 == 0) {
      arrival.passed = std::min(least_after_[next_], arrival.now);
      return arrival;
    }
    const std::size_t most = std::min<std::size_t>(batch.size(), 1 + random_() % 40);
    for (; arrival.frames < most && next_ < frames_.size(); ++arrival.frames, ++next_) {
      const StoredFrame& stored = frames_[next_];
      const auto size = static_cast<std::uint32_t>(stored.bytes.size());
      batch[arrival.frames] = {stored.bytes.data(), size, size, stored.time, 1, 0};
    }
    if (arrival.frames == 0) {
      arrival.passed = quiet_until;
      arrival.ended = closed || !waits;
    }
    return arrival;
  }
  void close() override { closed = true; }
  capture::LiveStats stats() const noexcept override { return {next_ + dropped, dropped, 0, dropped}; }
  std::vector<capture::RingStats> ring_stats() const override { return {{names_[0], next_ + dropped, dropped, dropped}}; }
  capture::LossSpan take_loss() noexcept override { return std::exchange(loss, {}); }
  std::vector<std::string> take_news() override { return std::exchange(news, {}); }
  const std::vector<std::string>& interfaces() const noexcept override { return names_; }
  capture::SourceStatus status() const override { return {}; }
  std::vector<std::uint16_t> link_types() const override { return {1}; }
  std::string name() const override { return "played"; }

  base::Timestamp quiet_until = 0;  ///< after the last frame
  bool waits = false;               ///< does not end by itself
  bool closed = false;
  std::uint64_t dropped = 0;
  capture::LossSpan loss;
  std::vector<std::string> news;

 private:
  const std::vector<StoredFrame>& frames_;
  std::vector<base::Timestamp> least_after_;
  std::mt19937_64 random_;
  bool ticks_;
  std::size_t next_ = 0;
  std::vector<std::string> names_{"played0"};
};

class KeepingSink final : public report::Sink {
 public:
  explicit KeepingSink(report::Text& text) : text_(text) {}
  void connection(const tcp::Outcome& outcome) override { report::put_connection(text_, outcome); }
  void finish(const report::Totals& /*totals*/) override {}

 private:
  report::Text& text_;
};

class Patient final : public LiveObserver {
 public:
  bool look(const LiveCounters& counters) override {
    last = counters;
    EXPECT_EQ(counters.analysed, std::accumulate(counters.fates.begin(), counters.fates.end(), std::uint64_t{0}));
    EXPECT_GE(counters.received, counters.analysed + counters.dropped_by_kernel);
    return !stop || !stop(counters);
  }
  void tell(const std::string& line) override { told.push_back(line); }

  std::function<bool(const LiveCounters&)> stop;
  LiveCounters last;
  std::vector<std::string> told;
};

constexpr std::uint32_t kMost = 4096;

/// A loop over a played source, with all that it needs: LiveLoop for one thread, else ShardedLiveLoop.
struct Capturing {
  explicit Capturing(PlayedSource& source, unsigned threads = 1, std::uint32_t most = kMost) : reporter(make_sinks(), {}) {
    if (threads == 1) {
      pipeline.emplace(source, nullptr, reporter, options(most));
      loop.emplace(source, *pipeline, reporter, most);
    } else {
      sharded.emplace(source, nullptr, reporter, options(most), threads);
    }
  }

  static PipelineOptions options(std::uint32_t most) {
    PipelineOptions result;
    result.batch = 64;
    result.tracker.max_connections = most;
    return result;
  }
  std::vector<std::unique_ptr<report::Sink>> make_sinks() {
    std::vector<std::unique_ptr<report::Sink>> sinks;
    sinks.push_back(std::make_unique<KeepingSink>(text));
    return sinks;
  }
  void run() { loop ? loop->run(observer) : sharded->run(observer); }
  [[nodiscard]] LiveCounters counters() const { return loop ? loop->counters() : sharded->counters(); }
  [[nodiscard]] report::Totals totals() const { return loop ? loop->totals() : sharded->totals(); }
  std::string lines() { return std::string(text.view()); }

  report::Text text;
  report::Reporter reporter;
  std::optional<Pipeline> pipeline;
  std::optional<LiveLoop> loop;
  std::optional<ShardedLiveLoop> sharded;
  Patient observer;
};

class LiveLoops : public ::testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(threads, LiveLoops, ::testing::Values(1U, 2U, 3U), ::testing::PrintToStringParamName());

TEST_P(LiveLoops, moments_without_frames_change_no_answer) {
  const auto frames = all_traces();
  PlayedSource plain(frames, 1, false);
  Capturing expected(plain);
  expected.run();
  EXPECT_GT(expected.observer.last.reported + expected.observer.last.remembered, 20U);
  for (const std::uint64_t seed : {2U, 3U, 4U, 5U}) {
    PlayedSource source(frames, seed, true);
    Capturing run(source, GetParam());
    run.run();
    EXPECT_EQ(run.lines(), expected.lines()) << "seed " << seed;
    const LiveCounters& a = run.observer.last;
    const LiveCounters& b = expected.observer.last;
    EXPECT_EQ(std::tie(a.analysed, a.bytes, a.fates, a.clock, a.created, a.opened, a.ended, a.failed, a.entered, a.segments, a.strays),
              std::tie(b.analysed, b.bytes, b.fates, b.clock, b.created, b.opened, b.ended, b.failed, b.entered, b.segments, b.strays));
  }
}

TEST_P(LiveLoops, what_is_missing_is_told_before_anything_else_comes) {
  const auto frames = trace("open/unanswered.trace");
  PlayedSource source(frames, 1, false);
  source.waits = true;
  source.quiet_until = frames.back().time + 131 * base::kSecond;
  Capturing run(source, GetParam());
  run.observer.stop = [&](const LiveCounters& c) { return c.reported != 0; };
  run.run();
  EXPECT_NE(run.lines().find("\"opening\":\"unanswered\""), std::string::npos) << run.lines();
}

TEST_P(LiveLoops, a_stop_lets_nothing_new_in_and_judges_what_is_open) {
  const auto frames = trace("close/normal.trace");
  const std::vector<StoredFrame> opening(frames.begin(), frames.begin() + 3);
  PlayedSource source(opening, 1, false);
  source.waits = true;
  Capturing run(source, GetParam());
  run.observer.stop = [&](const LiveCounters& c) { return c.analysed == opening.size(); };
  run.run();
  EXPECT_TRUE(source.closed);
  EXPECT_NE(run.lines().find("\"ending\":\"open\""), std::string::npos) << run.lines();
}

TEST_P(LiveLoops, counts_each_end_under_its_state_while_it_lives) {
  const auto frames = trace("close/normal.trace");
  const std::vector<StoredFrame> opening(frames.begin(), frames.begin() + 3);
  PlayedSource source(opening, 1, false);
  Capturing run(source, GetParam());
  run.run();
  EXPECT_EQ(run.observer.last.ends[static_cast<std::size_t>(tcp::State::kEstablished)], 2U);
  const auto over = run.totals().tracker.ends;
  EXPECT_EQ(std::accumulate(over.begin(), over.end(), std::uint64_t{0}), 0U) << "all are over at the end";
}

TEST_P(LiveLoops, a_loss_is_counted_and_marks_the_findings_of_its_time) {
  const auto frames = trace("open/unanswered.trace");
  for (const bool lost : {false, true}) {
    PlayedSource source(frames, 1, false);
    source.quiet_until = frames.back().time + 200 * base::kSecond;
    if (lost) {
      source.dropped = 5;
      source.loss = {frames.front().time, frames.back().time};
    }
    Capturing run(source, GetParam());
    run.run();
    EXPECT_EQ(run.observer.last.dropped_by_kernel, lost ? 5U : 0U);
    EXPECT_EQ(run.observer.last.received, run.observer.last.analysed + run.observer.last.dropped_by_kernel);
    ASSERT_NE(run.lines().find("\"kind\":\"syn-retransmitted\""), std::string::npos) << run.lines();
    EXPECT_EQ(run.lines().find("\"capture\"]") != std::string::npos, lost) << run.lines();
  }
}

TEST_P(LiveLoops, news_of_interfaces_are_passed_on) {
  const std::vector<StoredFrame> none;
  PlayedSource source(none, 1, false);
  source.news = {"eth0: is down; waiting for it"};
  Capturing run(source, GetParam());
  run.run();
  EXPECT_EQ(run.observer.told, std::vector<std::string>{"eth0: is down; waiting for it"});
}

TEST_P(LiveLoops, every_frame_is_accounted_for_when_there_is_no_room) {
  const auto frames = all_traces();
  PlayedSource source(frames, 1, true);
  Capturing run(source, GetParam(), 2 * GetParam());
  run.run();
  const report::Totals totals = run.totals();
  EXPECT_EQ(totals.frames.read, frames.size());
  EXPECT_EQ(std::accumulate(totals.frames.fates.begin(), totals.frames.fates.end(), std::uint64_t{0}), frames.size());
  EXPECT_NE(run.observer.last.evicted + run.observer.last.table_full, 0U);
  EXPECT_EQ(totals.performance.segments.size(), GetParam() == 1 ? 0U : GetParam());
  EXPECT_TRUE(totals.capture.stopped);
}

/// A sink that cannot go on.
class BrokenSink final : public report::Sink {
 public:
  void connection(const tcp::Outcome& /*outcome*/) override { throw std::runtime_error("no more"); }
  void finish(const report::Totals& /*totals*/) override {}
};

TEST_P(LiveLoops, an_output_that_fails_ends_every_thread) {
  const auto frames = all_traces();
  PlayedSource source(frames, 1, true);
  Capturing run(source, GetParam());
  std::vector<std::unique_ptr<report::Sink>> sinks;
  sinks.push_back(std::make_unique<BrokenSink>());
  run.reporter = report::Reporter(std::move(sinks), {});
  EXPECT_THROW(run.run(), std::runtime_error);
}

TEST_P(LiveLoops, counters_can_be_copied_by_another_thread) {
  const auto frames = all_traces();
  PlayedSource source(frames, 1, true);
  Capturing run(source, GetParam());
  std::atomic<bool> over{false};
  std::thread reader([&] {
    std::uint64_t before = 0;
    while (!over.load()) {
      const LiveCounters c = run.counters();
      EXPECT_EQ(c.analysed, std::accumulate(c.fates.begin(), c.fates.end(), std::uint64_t{0})) << "one whole value";
      EXPECT_GE(c.analysed, before);
      before = c.analysed;
    }
  });
  run.run();
  over.store(true);
  reader.join();
  EXPECT_EQ(run.counters().analysed, frames.size());
}

}  // namespace
}  // namespace finwait::engine

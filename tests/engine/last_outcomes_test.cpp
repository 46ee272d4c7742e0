// What is open at the end, given by several threads: the same, in the same order, as by one.
#include "finwait/engine/last_outcomes.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "finwait/report/json_record.h"
#include "finwait/report/log_file.h"
#include "finwait/report/reporter.h"

namespace finwait::engine {
namespace {

constexpr std::uint32_t kConnections = 1'500;  // some dozen batches, the last one not full

/// One host's SYNs to many ports of another, every third one answered.
std::unique_ptr<tcp::Tracker> full_tracker() {
  tcp::TrackerOptions options;
  options.max_connections = 2 * kConnections;
  auto tracker = std::make_unique<tcp::Tracker>(options);
  std::uint64_t frame = 0;
  const auto send = [&](std::uint32_t n, std::uint8_t direction) {
    wire::Segment s;
    s.key.low.bytes[15] = 7;
    s.key.high = s.key.low;
    s.key.high.bytes[0] = 1;
    s.key.low_port = 50'000;
    s.key.high_port = static_cast<std::uint16_t>(1 + n);
    s.hash = tracker->hash(s.key);
    s.direction = direction;
    s.seq = 1000 * n + direction;
    s.ack = direction == 0 ? 0 : 1000 * n + 1;
    s.flags = static_cast<std::uint16_t>(wire::tcp_flag::kSyn | (direction == 0 ? 0 : wire::tcp_flag::kAck));
    s.ip_length = 40;
    s.frame = ++frame;
    s.time = s.clock = static_cast<base::Timestamp>(frame) * base::kMillisecond;
    tracker->track({&s, 1});
  };
  for (std::uint32_t n = 0; n != kConnections; ++n) {
    send(n, 0);
    if (n % 3 == 0) send(n, 1);
  }
  tracker->finish(static_cast<base::Timestamp>(frame) * base::kMillisecond);
  return tracker;
}

/// Notes what it is given; fails at connection `fails_at`.
class Notes final : public report::Sink {
 public:
  Notes(std::string& text, std::size_t fails_at) : text_(text), fails_at_(fails_at) {}
  void connection(const tcp::Outcome& outcome) override {
    if (++given_ == fails_at_) throw report::OutputError("the disk is full");
    report::Text line;
    report::put_connection(line, outcome);
    text_ += line.view();
  }
  [[nodiscard]] bool tells_of_sound_numbers() const noexcept override { return true; }
  void finish(const report::Totals& /*totals*/) override {}

 private:
  std::string& text_;
  std::size_t fails_at_;
  std::size_t given_ = 0;
};

struct Told {
  std::string lines;
  std::string findings;
  std::string failure;
  std::uint64_t connections = 0;
};

Told tell(bool threads, std::size_t fails_at = 0) {
  Told told;
  const auto tracker = full_tracker();
  std::vector<std::unique_ptr<report::Sink>> sinks;
  sinks.push_back(std::make_unique<Notes>(told.lines, fails_at));
  report::Reporter reporter(std::move(sinks), report::Selection{}, hosts::HostOptions{});
  reporter.conclude(base::kSecond);
  try {
    if (threads) {
      give_last(*tracker, reporter);
    } else {
      tracker->drain([&](const tcp::Outcome& outcome) { reporter.connection(outcome); });
    }
  } catch (const report::OutputError& e) {
    told.failure = e.what();
  }
  told.connections = reporter.counts().connections;
  report::Totals totals;
  reporter.finish(totals);
  for (const hosts::HostFinding& finding : totals.hosts) told.findings += finding.text + "\n";
  EXPECT_EQ(tracker->remembered(), 0U);
  return told;
}

TEST(LastOutcomes, AreThoseThatOneThreadGives) {
  const Told expected = tell(false);
  EXPECT_EQ(expected.connections, kConnections);
  EXPECT_NE(expected.findings, "");
  for (int round = 0; round != 5; ++round) {
    const Told told = tell(true);
    EXPECT_EQ(told.lines, expected.lines);
    EXPECT_EQ(told.findings, expected.findings);
    EXPECT_EQ(told.connections, expected.connections);
  }
}

TEST(LastOutcomes, AnOutputThatFailsIsTold) {
  for (const std::size_t at : {1U, 64U, 65U, 700U, 1500U}) {
    const Told told = tell(true, at);
    EXPECT_EQ(told.failure, "the disk is full");
    EXPECT_EQ(told.connections, at);
  }
}

}  // namespace
}  // namespace finwait::engine

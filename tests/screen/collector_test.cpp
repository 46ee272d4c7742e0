#include "finwait/screen/collector.h"

#include <gtest/gtest.h>

#include <memory>

#include "finwait/tcp/tracker.h"
#include "screen/sample.h"

namespace finwait::screen {
namespace {

namespace flag = wire::tcp_flag;

class CollectorTest : public testing::Test {
 protected:
  CollectorTest() {
    tcp::TrackerOptions options;
    options.max_connections = 5'000;
    options.feed = &feed_;
    tracker_ = std::make_unique<tcp::Tracker>(options);
    Sources sources;
    sources.interfaces = "l0";
    sources.counters = [this] { return counters_; };
    sources.readers = {tracker_->reader()};
    sources.feeds = {&feed_};
    collector_ = std::make_unique<Collector>(std::move(sources));
    counters_.now = counters_.clock = kNow;
  }

  /// 10.0.0.`host`:`port` and 192.0.2.1:80.
  void send(std::uint8_t host, std::uint16_t port, unsigned direction, std::uint16_t flags, std::uint32_t seq, std::uint32_t ack,
            std::uint32_t payload = 0) {
    wire::Segment s;
    s.key = {v4(10, 0, 0, host), v4(192, 0, 2, 1), port, 80, 0};
    s.hash = tracker_->hash(s.key);
    s.direction = static_cast<std::uint8_t>(direction);
    s.flags = flags;
    s.seq = seq;
    s.ack = ack;
    s.window = 65535;
    s.payload_length = payload;
    s.ip_length = 40 + payload;
    s.frame = ++frame_;
    s.time = s.clock = counters_.now;
    tracker_->track({&s, 1});
  }
  void open(std::uint8_t host, std::uint16_t port) {
    send(host, port, 0, flag::kSyn, 100, 0);
    send(host, port, 1, flag::kSyn | flag::kAck, 500, 101);
    send(host, port, 0, flag::kAck, 101, 501);
  }
  void round(const Ui& ui = {}) {
    collector_->look(model_.status);
    collector_->listen(model_, ui.paused);
    collector_->round(model_, ui, [] {});
    collector_->follow(model_, ui);
  }
  void later(base::Duration by) {
    counters_.now += by;
    counters_.clock += by;
  }

  tcp::LiveFeed feed_;
  engine::LiveCounters counters_;
  std::unique_ptr<tcp::Tracker> tracker_;
  std::unique_ptr<Collector> collector_;
  Model model_;
  std::uint64_t frame_ = 0;
};

TEST_F(CollectorTest, GathersConnectionsByPair) {
  open(1, 1'000);
  open(1, 1'001);
  open(2, 1'000);
  round();
  EXPECT_EQ(model_.all_connections, 3U);
  ASSERT_EQ(model_.pairs.size(), 2U);
  const PairRow& one = model_.pairs[0].connections == 2 ? model_.pairs[0] : model_.pairs[1];
  EXPECT_EQ(text_of(one.pair), "10.0.0.1 > 192.0.2.1:80");
  EXPECT_EQ(one.packets, 6U);
  EXPECT_EQ(one.bytes, 240U);
}

TEST_F(CollectorTest, MeasuresWhatGrewSinceTheRoundBefore) {
  open(1, 1'000);
  round();
  EXPECT_EQ(model_.connections[0].byte_rate, 0) << "nothing to compare with";
  later(2 * base::kSecond);
  send(1, 1'000, 0, flag::kAck, 101, 501, 960);
  open(2, 1'000);
  round();
  for (const ConnectionRow& row : model_.connections) EXPECT_EQ(row.byte_rate, row.view.id == 1 ? 500 : 60) << "a new one, by all it has";
  later(base::kSecond);
  round();
  for (const ConnectionRow& row : model_.connections) EXPECT_EQ(row.byte_rate, 0);
}

TEST_F(CollectorTest, RatesAreThoseOfTheLastSeconds) {
  for (int second = 0; second != 10; ++second) {
    collector_->look(model_.status);
    later(base::kSecond);
    counters_.analysed += second < 5 ? 100 : 200;
    counters_.dropped_by_kernel += 3;
  }
  collector_->look(model_.status);
  EXPECT_EQ(model_.status.rates.packets, 200);
  EXPECT_EQ(model_.status.rates.dropped, 3);
  EXPECT_EQ(model_.status.elapsed, 10 * base::kSecond);
}

TEST_F(CollectorTest, KeepsTheBestRowsByWhatIsAskedFor) {
  for (std::uint16_t n = 0; n != 1'500; ++n) open(1, static_cast<std::uint16_t>(1'000 + n));
  send(1, 2'499, 0, flag::kAck, 101, 501, 500);
  Ui ui;
  ui.page = Page::kConnections;
  ui.sort[static_cast<std::size_t>(Page::kConnections)] = 1;
  ASSERT_EQ(*ui.sorted_by(), Sort::kBytes);
  round(ui);
  EXPECT_EQ(model_.all_connections, 1'500U);
  EXPECT_EQ(model_.connections.size(), Model::kMostRows);
  EXPECT_EQ(model_.connections[arranged(model_, ui).front()].view.ends[0].port, 2'499);
  ui.filter = ":1007 ";
  round(ui);
  ASSERT_EQ(model_.connections.size(), 1U);
  EXPECT_EQ(model_.connections[0].view.ends[0].port, 1'007);
}

TEST_F(CollectorTest, FindsAConnectionByItsId) {
  open(1, 1'000);
  open(1, 1'001);
  Ui ui;
  ui.searched = 4;
  round(ui);
  ASSERT_TRUE(collector_->found().has_value());
  EXPECT_EQ(collector_->found()->id, 4U);
  ui.searched = 5;
  round(ui);
  EXPECT_FALSE(collector_->found().has_value());
}

TEST_F(CollectorTest, FollowsAConnectionWithItsSegmentsToItsEnd) {
  open(1, 1'000);
  Ui ui;
  ui.searched = 1;
  round(ui);
  ui.open = collector_->found();
  ui.searched.reset();
  round(ui);
  ASSERT_TRUE(model_.closeup.has_value());
  EXPECT_GE(model_.closeup->details.transitions.size(), 4U);
  EXPECT_TRUE(model_.closeup->steps.empty());
  send(1, 1'000, 0, flag::kAck, 101, 501, 10);
  open(1, 1'001);
  send(1, 1'000, 0, flag::kRst | flag::kAck, 111, 501);
  round(ui);
  EXPECT_EQ(model_.closeup->steps.size(), 2U) << "its own only";
  EXPECT_EQ(model_.closeup->details.view.ends[0].state, tcp::State::kClosed);
  EXPECT_FALSE(model_.closeup->gone);
  tracker_->advance(kNow + 3'600 * base::kSecond);
  tracker_->drain([](const tcp::Outcome&) {});
  tracker_->drain([](const tcp::Outcome&) {});
  round(ui);
  EXPECT_TRUE(model_.closeup->gone);
  EXPECT_EQ(model_.closeup->steps.size(), 2U);
  ui.open.reset();
  round(ui);
  EXPECT_FALSE(model_.closeup.has_value());
}

TEST_F(CollectorTest, FindingsComeTheNewestFirstAndAreHeldBackWhileTheListsAre) {
  const auto refuse = [&](std::uint16_t port) {
    send(1, port, 0, flag::kSyn, 100, 0);
    send(1, port, 1, flag::kRst | flag::kAck, 0, 101);
    later(600 * base::kSecond);
    tracker_->advance(counters_.now);
    tracker_->drain([](const tcp::Outcome&) {});
  };
  refuse(1'000);
  round();
  ASSERT_EQ(model_.notices.size(), 1U);
  refuse(1'001);
  Ui held;
  held.paused = true;
  collector_->listen(model_, true);
  EXPECT_EQ(model_.notices.size(), 1U);
  round();
  ASSERT_EQ(model_.notices.size(), 2U);
  EXPECT_EQ(model_.notices[0].key.low_port, 1'001);
}

}  // namespace
}  // namespace finwait::screen

#include "finwait/tcp/live_feed.h"

#include <gtest/gtest.h>

#include <memory>

#include "finwait/tcp/tracker.h"

namespace finwait::tcp {
namespace {

namespace flag = wire::tcp_flag;

wire::FlowKey key_of(std::uint16_t port) {
  wire::FlowKey key;
  key.low.bytes[15] = 1;
  key.high.bytes[15] = 2;
  key.low_port = port;
  key.high_port = 80;
  return key;
}

class LiveFeedTest : public testing::Test {
 protected:
  LiveFeedTest() {
    TrackerOptions options;
    options.max_connections = 64;
    options.feed = &feed_;
    tracker_ = std::make_unique<Tracker>(options);
  }
  void send(std::uint16_t port, unsigned direction, std::uint16_t flags, std::uint32_t seq, std::uint32_t ack) {
    wire::Segment s;
    s.key = key_of(port);
    s.hash = tracker_->hash(s.key);
    s.direction = static_cast<std::uint8_t>(direction);
    s.flags = flags;
    s.seq = seq;
    s.ack = ack;
    s.window = 65535;
    s.frame = ++frame_;
    s.time = s.clock = static_cast<base::Timestamp>(frame_) * base::kMillisecond;
    tracker_->track({&s, 1});
  }
  void open(std::uint16_t port) {
    send(port, 0, flag::kSyn, 100, 0);
    send(port, 1, flag::kSyn | flag::kAck, 500, 101);
    send(port, 0, flag::kAck, 101, 501);
  }

  LiveFeed feed_;
  std::unique_ptr<Tracker> tracker_;
  std::uint64_t frame_ = 0;
};

TEST_F(LiveFeedTest, TellsOfAFindingOnceForEachConnection) {
  Notice notice;
  open(1000);
  EXPECT_FALSE(feed_.take(notice));
  send(1001, 0, flag::kSyn, 100, 0);
  send(1001, 1, flag::kRst | flag::kAck, 0, 101);
  tracker_->advance(1'000 * base::kSecond);
  tracker_->drain([](const Outcome&) {});
  ASSERT_TRUE(feed_.take(notice));
  EXPECT_EQ(notice.kind, AnomalyKind::kConnectionRefused);
  EXPECT_EQ(notice.connection, 4U);
  EXPECT_EQ(notice.frame, 0U);
  EXPECT_EQ(notice.key, key_of(1001));
  EXPECT_EQ(notice.originator, 0);
  EXPECT_FALSE(feed_.take(notice));
}

TEST_F(LiveFeedTest, TellsOfTheSegmentsOfTheFlowAskedForOnly) {
  LiveStep step;
  open(1000);
  feed_.ask({true, key_of(1001)});
  send(1000, 0, flag::kAck, 101, 501);
  open(1001);
  for (const State originator : {State::kSynSent, State::kSynSent, State::kEstablished}) {
    ASSERT_TRUE(feed_.take(step));
    EXPECT_EQ(step.segment.key, key_of(1001));
    EXPECT_EQ(step.connection, 5U);
    if (step.segment.frame != 6) {
      EXPECT_EQ(step.states[0], originator);  // what the SYN-ACK makes of it is the machine's business
    }
  }
  EXPECT_EQ(step.states, (std::array{State::kEstablished, State::kEstablished}));
  EXPECT_FALSE(feed_.take(step));
  feed_.ask({});
  send(1001, 0, flag::kAck, 101, 501);
  EXPECT_FALSE(feed_.take(step));
}

TEST_F(LiveFeedTest, DropsAndCountsWhatThereIsNoRoomFor) {
  feed_.ask({true, key_of(1000)});
  for (int n = 0; n != 5000; ++n) send(1000, 0, flag::kAck, 101, 501);
  std::uint64_t taken = 0;
  for (LiveStep step; feed_.take(step);) ++taken;
  EXPECT_EQ(taken + feed_.lost(), 5000U);
  EXPECT_GT(feed_.lost(), 0U);
}

TEST_F(LiveFeedTest, LivesAreCountedAsTheyOpenEndAndFail) {
  open(1000);
  EXPECT_EQ(tracker_->counts().opened, 1U);
  send(1001, 0, flag::kSyn, 100, 0);
  EXPECT_EQ(tracker_->counts().created, 2U);
  EXPECT_EQ(tracker_->counts().failed, 0U);
  send(1001, 1, flag::kRst | flag::kAck, 0, 101);
  EXPECT_EQ(tracker_->counts().failed, 1U);
  send(1000, 1, flag::kRst | flag::kAck, 501, 101);
  EXPECT_EQ(tracker_->counts().ended, 1U);
  EXPECT_EQ(tracker_->counts().opened, 1U);
  EXPECT_EQ(tracker_->counts().entered[static_cast<std::size_t>(State::kEstablished)], 2U);
  EXPECT_EQ(tracker_->counts().entered[static_cast<std::size_t>(State::kSynSent)], 2U);
}

TEST_F(LiveFeedTest, AnAttemptNobodyAnsweredHasFailedWhenItIsGivenUp) {
  send(1001, 0, flag::kSyn, 100, 0);
  tracker_->advance(1'000 * base::kSecond);
  EXPECT_EQ(tracker_->counts().failed, 1U);
  EXPECT_EQ(tracker_->counts().ended, 0U);
}

}  // namespace
}  // namespace finwait::tcp

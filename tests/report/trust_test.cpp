#include "finwait/report/trust.h"

#include <gtest/gtest.h>

#include <string>

#include "finwait/report/reporter.h"
#include "outcomes.h"

namespace finwait::report {
namespace {

std::string words(const Totals& totals) {
  std::string text;
  for (const Doubt& doubt : doubts(totals)) text += (text.empty() ? "" : " ") + std::string(doubt.name);
  return text;
}

Totals of_frames(std::uint64_t read) {
  Totals totals;
  totals.frames.read = read;
  totals.counts.packets = read;
  totals.counts.data_packets = static_cast<double>(read);
  totals.counts.payload_bytes = 1000 * read;
  return totals;
}

TEST(Doubts, there_are_none_of_a_whole_capture_nor_of_an_empty_one) {
  EXPECT_EQ(words(of_frames(1000)), "");
  EXPECT_EQ(words(Totals{}), "");
}

TEST(Doubts, begin_at_one_in_a_hundred_lost) {
  Totals totals = of_frames(1000);
  totals.counts.missing_bytes = 9'000;
  EXPECT_EQ(words(totals), "");
  totals.counts.missing_bytes = 11'000;
  EXPECT_EQ(words(totals), "loss");
}

TEST(Doubts, begin_at_one_in_a_hundred_lost_by_packets_alone) {
  Totals totals = of_frames(1000);
  totals.counts.missing_bytes = 100;
  totals.counts.missing_packets = 20.0;
  EXPECT_LT(totals.loss_estimate(), kDoubtfulShare);
  EXPECT_EQ(words(totals), "loss");
}

TEST(Doubts, name_everything_that_spoils_a_capture_the_worst_first) {
  Totals totals = of_frames(1000);
  totals.capture.damage.emplace_back("a.pcap: cut off");
  totals.frames.dropped_by_kernel = 20;
  totals.frames.fates[static_cast<std::size_t>(wire::Fate::kTruncated)] = 30;
  totals.capture.time_went_back = 40;
  totals.counts.missing_bytes = 50'000;
  totals.counts.duplicates = 300;
  totals.counts.connections = totals.counts.one_direction = 1;
  EXPECT_EQ(words(totals), "damage loss one-direction drops snap-length time duplicates");
}

TEST(Doubts, begin_at_one_connection_in_a_hundred_of_which_one_end_was_never_captured) {
  Totals totals = of_frames(1000);
  totals.counts.connections = 1000;
  totals.counts.one_direction = 9;
  EXPECT_EQ(words(totals), "");
  totals.counts.one_direction = 10;
  EXPECT_EQ(words(totals), "one-direction");
}

TEST(Doubts, are_not_raised_by_the_copies_of_a_mirror_port_that_doubles_one_direction_now_and_then) {
  Totals totals = of_frames(1000);
  totals.counts.duplicates = 100;
  EXPECT_EQ(words(totals), "");
}

class Kept final : public Sink {
 public:
  explicit Kept(Totals& totals) : totals_(totals) {}
  void finish(const Totals& totals) override { totals_ = totals; }

 private:
  Totals& totals_;
};

/// Hands on to the reporter.
class Door final : public Sink {
 public:
  explicit Door(Reporter& reporter) : reporter_(reporter) {}
  void connection(const tcp::Outcome& outcome) override { reporter_.connection(outcome); }
  void finish(const Totals&) override {}

 private:
  Reporter& reporter_;
};

Totals judged(test::Player& player) {
  Totals kept;
  std::vector<std::unique_ptr<Sink>> sinks;
  sinks.push_back(std::make_unique<Kept>(kept));
  Reporter reporter(std::move(sinks), Selection());
  Door door(reporter);
  player.give(door);
  Totals totals;
  reporter.finish(totals);
  return kept;
}

TEST(LossEstimate, counts_what_was_acknowledged_and_never_seen_by_bytes_and_by_packets) {
  test::Player player;
  player.client("S", 0, 0).server("SA", 0, 1).client("A", 1, 1);
  for (std::uint32_t n = 0; n < 10; ++n) {
    if (n == 4 || n == 7) continue;  // lost by the capture
    player.client("PA", 1 + 1000 * n, 1, 1000);
  }
  const Totals totals = judged(player.server("A", 1, 10'001));
  EXPECT_EQ(totals.counts.missing_bytes, 2000U);
  EXPECT_DOUBLE_EQ(totals.loss_estimate(), 0.2);
  EXPECT_DOUBLE_EQ(totals.packet_loss_estimate(), 0.2);
}

TEST(LossEstimate, counts_a_hole_whose_acknowledgment_was_captured_before_it_showed) {
  test::Player player;
  player.client("S", 0, 0).server("SA", 0, 1).client("A", 1, 1).client("PA", 1, 1, 1000);
  player.server("A", 1, 3001).client("PA", 3001, 1, 1000);  // the last one is never acknowledged
  EXPECT_EQ(judged(player).counts.missing_bytes, 2000U);
}

TEST(LossEstimate, knows_where_one_end_was_never_captured) {
  test::Player one;
  EXPECT_EQ(judged(one.client("A", 1, 1).client("A", 1, 5001)).counts.one_direction, 1U);
  test::Player unanswered;
  EXPECT_EQ(judged(unanswered.client("S", 0, 0)).counts.one_direction, 0U) << "nobody is known to have said anything";
  test::Player both;
  EXPECT_EQ(judged(both.client("A", 1, 1).server("A", 1, 1).client("A", 1, 5001)).counts.one_direction, 0U);
}

TEST(LossEstimate, does_not_count_what_was_never_acknowledged) {
  test::Player player;
  player.client("S", 0, 0).server("SA", 0, 1).client("A", 1, 1).client("PA", 1, 1, 1000).server("A", 1, 1001).client("PA", 3001, 1, 1000);
  EXPECT_EQ(judged(player).counts.missing_bytes, 0U);
}

TEST(LossEstimate, counts_what_the_syn_ack_shows_that_was_sent_before_the_first_captured_segment) {
  test::Player player;
  player.server("SA", 0, 1).server("A", 1, 3001).client("PA", 3001, 1, 1000).server("A", 1, 4001);
  EXPECT_EQ(judged(player).counts.missing_bytes, 3000U);
}

TEST(LossEstimate, by_packets_counts_a_short_message_as_a_packet_and_a_transfer_as_many) {
  test::Player player;
  player.client("S", 0, 0).server("SA", 0, 1).client("A", 1, 1);
  player.server("A", 1, 101);  // a request of 100 bytes was lost
  for (std::uint32_t n = 0; n < 4; ++n) player.server("PA", 1 + 1460 * n, 101, 1460);
  const Totals totals = judged(player.client("A", 101, 5841));
  EXPECT_DOUBLE_EQ(totals.loss_estimate(), 100.0 / 5940.0);
  EXPECT_DOUBLE_EQ(totals.packet_loss_estimate(), 1.0 / 5.0);
}

TEST(LossEstimate, by_packets_does_not_take_a_lost_fin_for_data) {
  test::Player player;
  player.client("S", 0, 0).server("SA", 0, 1).client("A", 1, 1).server("PA", 1, 1, 1000).client("A", 1, 1001);
  const Totals totals = judged(player.server("A", 1001, 2));  // acknowledges a FIN that was lost
  EXPECT_EQ(totals.counts.missing_bytes, 1U);
  EXPECT_DOUBLE_EQ(totals.packet_loss_estimate(), 0.0);
}

}  // namespace
}  // namespace finwait::report

#include "finwait/tcp/anomaly_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "finwait/tcp/thresholds.h"

namespace finwait::tcp {
namespace {

Anomaly anomaly(AnomalyKind kind, std::uint32_t count = 1, std::int64_t first = 0, std::int64_t second = 0) {
  Anomaly a;
  a.kind = kind;
  a.count = count;
  a.values = {first, second};
  return a;
}

bool plain(std::string_view text) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') return false;
  }
  return true;
}

TEST(AnomalyTable, has_a_row_of_its_own_for_each_kind) {
  std::set<std::string_view> names;
  for (const KindInfo& row : anomaly_kinds()) {
    EXPECT_EQ(&info(row.kind), &row);
    EXPECT_EQ(anomaly_kind(row.name), row.kind);
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_NE(row.origins, 0) << row.name;
    for (const std::string_view text : {row.name, row.group, row.meaning, row.causes, row.next_step, row.otherwise})
      EXPECT_FALSE(text.empty()) << row.name;
    for (const std::string_view text : {row.name, row.rfc, row.meaning}) EXPECT_TRUE(plain(text)) << row.name;
    EXPECT_EQ(row.meaning.back(), '.') << row.name;
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kAnomalyKinds));
  EXPECT_EQ(anomaly_kind("no-such-kind"), std::nullopt);
}

/// The reasons name the defaults: they must be the same numbers.
TEST(AnomalyTable, says_the_thresholds_that_hold) {
  const Thresholds t;
  const auto says = [](AnomalyKind kind, const std::string& text) {
    return reported_when(kind).find(text) != std::string_view::npos ? "" : std::string(info(kind).name) + ": " + text;
  };
  const auto percent = [](double share) { return std::to_string(std::lround(share * 100)) + " %"; };
  const auto seconds = [](base::Duration d) { return std::to_string(d / base::kSecond) + " s"; };
  EXPECT_EQ(says(AnomalyKind::kRetransmission, std::to_string(t.retransmissions) + " segments"), "");
  EXPECT_EQ(says(AnomalyKind::kRetransmission, percent(t.retransmitted_share)), "");
  EXPECT_EQ(says(AnomalyKind::kSpuriousRetransmission, std::to_string(t.spurious) + " segments"), "");
  EXPECT_EQ(says(AnomalyKind::kSpuriousRetransmission, percent(t.spurious_share)), "");
  EXPECT_EQ(says(AnomalyKind::kOutOfOrder, std::to_string(t.out_of_order) + " segments"), "");
  EXPECT_EQ(says(AnomalyKind::kOutOfOrder, percent(t.out_of_order_share)), "");
  EXPECT_EQ(says(AnomalyKind::kKeepaliveUnanswered, std::to_string(t.tries) + " probes"), "");
  EXPECT_EQ(says(AnomalyKind::kDataUnanswered, std::to_string(t.tries) + " times"), "");
  EXPECT_EQ(says(AnomalyKind::kDataUnanswered, seconds(t.idle_before)), "");
  EXPECT_EQ(says(AnomalyKind::kPeerSilent, seconds(t.silence)), "");
  EXPECT_EQ(says(AnomalyKind::kZeroWindowStall, seconds(t.stall)), "");
  EXPECT_EQ(says(AnomalyKind::kTimestampRegression, std::to_string(t.timestamp_ticks) + " ticks"), "");
  EXPECT_EQ(says(AnomalyKind::kResetStorm, std::to_string(t.storm) + " RSTs"), "");
}

TEST(AnomalyTable, names_severities_both_ways) {
  for (const Severity s : {Severity::kInfo, Severity::kNotice, Severity::kWarning, Severity::kAlert}) EXPECT_EQ(severity(name(s)), s);
  EXPECT_EQ(severity("fatal"), std::nullopt);
}

TEST(AnomalyText, puts_count_and_numbers_into_the_sentence) {
  const Connection c;
  EXPECT_EQ(anomaly_text(anomaly(AnomalyKind::kSynRetransmitted, 3, 7 * base::kSecond), c),
            "The originator repeated its SYN 3 times, the last 7.0 s after the first");
  EXPECT_EQ(anomaly_text(anomaly(AnomalyKind::kRetransmission, 12, 17'376, std::int64_t{5} << 32 | 240), c),
            "The originator sent 12 of its 240 segments again, 17376 bytes; 5 of them had been lost before the tap");
  EXPECT_EQ(anomaly_text(anomaly(AnomalyKind::kDataUnanswered, 6, unanswered::kLarger << 32 | 1448, 4 * base::kSecond), c),
            "The originator sent 1448 bytes again 6 times, for 4.0 s, and got no acknowledgment; nothing that large ever was: the path MTU "
            "may be smaller");
  EXPECT_EQ(anomaly_text(anomaly(AnomalyKind::kIcmpError, 1, 3 << 8 | 4, icmp::kWentOn | 1400), c),
            "An ICMP error quoted a segment of the originator once: packet too big, path MTU 1400; the end went on");
  EXPECT_EQ(anomaly_text(anomaly(AnomalyKind::kSynFlagsIllegal, 1, 0x3), c), "The originator sent flags that no TCP sends once: FIN+SYN");
  EXPECT_EQ(anomaly_text(anomaly(AnomalyKind::kResetSuspectedForged, 1, forged::kTtl | forged::kWentOn, -9), c),
            "The RST in the name of the originator is probably not its own: it went on, another TTL; its TTL is off by -9");
}

TEST(AnomalyText, leaves_out_what_is_unknown) {
  const Connection c;
  EXPECT_EQ(anomaly_text(anomaly(AnomalyKind::kSynRetransmitted), c), "The originator repeated its SYN once");
  EXPECT_EQ(anomaly_text(anomaly(AnomalyKind::kHalfClose, 1, 0, 500), c),
            "The originator closed its direction first; the responder kept sending, 500 bytes");
}

TEST(AnomalyText, speaks_of_the_right_end) {
  Connection c;
  Anomaly a = anomaly(AnomalyKind::kFinalAckLost, 1, 1);
  a.end = 1;
  EXPECT_EQ(anomaly_text(a, c),
            "The responder acknowledged the last FIN, yet the originator repeated it once: that ACK was lost beyond the tap, on the side "
            "of the originator");
  c.originator = 1;
  EXPECT_EQ(anomaly_text(a, c),
            "The originator acknowledged the last FIN, yet the responder repeated it once: that ACK was lost beyond the tap, on the side "
            "of the responder");
}

TEST(AnomalyText, tells_on_which_side_of_the_tap_something_was_lost) {
  Connection c;
  const auto text = [&](std::int64_t sides) { return anomaly_text(anomaly(AnomalyKind::kFinRetransmitted, 1, 0, sides), c); };
  EXPECT_EQ(text(0), "The originator repeated its FIN once");
  EXPECT_EQ(text(lost::kBeyond), "The originator repeated its FIN once; lost beyond the tap, on the side of the responder");
  EXPECT_EQ(text(lost::kHere),
            "The originator repeated its FIN once; the answer had passed the tap and was lost or not taken on the side of the originator");
  EXPECT_EQ(text(lost::kHere | lost::kBeyond), "The originator repeated its FIN once; lost on both sides of the tap");
  c.originator = 1;
  EXPECT_EQ(text(lost::kBeyond), "The responder repeated its FIN once; lost beyond the tap, on the side of the originator");
}

TEST(AnomalyText, is_plain_and_fits_its_room_for_any_numbers) {
  const Connection c;
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::max(),
                                   std::numeric_limits<std::int64_t>::min()}) {
    for (const KindInfo& row : anomaly_kinds()) {
      const std::string text = anomaly_text(anomaly(row.kind, 4'000'000'000, value, value), c);
      EXPECT_LT(text.size(), kAnomalyTextRoom) << row.name;
      EXPECT_TRUE(plain(text)) << text;
      EXPECT_EQ(text.find_first_of("{}[]"), std::string::npos) << text;
    }
  }
}

TEST(AnomalyText, is_cut_off_when_the_room_is_short) {
  const Connection c;
  std::array<char, 14> room{};
  EXPECT_EQ(anomaly_text(anomaly(AnomalyKind::kSynRetransmitted), c, room), "The originator");
  EXPECT_EQ(anomaly_text(anomaly(AnomalyKind::kSynRetransmitted), c, {}), "");
}

}  // namespace
}  // namespace finwait::tcp

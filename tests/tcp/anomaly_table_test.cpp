// The table of kinds against the list of the design (lifecycle, section 6), written down here apart from the code.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "finwait/tcp/anomaly.h"

namespace finwait::tcp {
namespace {

struct Group {
  std::string_view name;
  std::string_view kinds;  ///< in their order, separated by blanks
};

constexpr std::array kGroups{
    Group{"handshake",
          "syn-retransmitted syn-ack-retransmitted handshake-ack-missing handshake-ack-lost handshake-ack-invalid syn-ack-invalid "
          "syn-ack-isn-changed syn-with-data fast-open-refused old-duplicate-syn simultaneous-open split-handshake half-open "
          "connection-refused syn-flags-illegal"},
    Group{"established",
          "syn-in-established challenge-ack half-open-discovered ack-of-unsent-data data-outside-window keepalive-unanswered "
          "zero-window-stall window-shrunk retransmission spurious-retransmission out-of-order overlap-inconsistent "
          "timestamp-regression data-unanswered peer-silent icmp-error"},
    Group{"close",
          "final-ack-missing final-ack-lost fin-retransmitted fin-unanswered fin-moved data-after-fin half-close close-wait-lingering "
          "fin-wait-2-lingering simultaneous-close time-wait-reused time-wait-reuse-violation time-wait-assassinated "
          "late-segment-in-time-wait closed-with-pending-data"},
    Group{"reset",
          "reset-in-handshake reset-established reset-after-fin reset-out-of-window reset-in-window-not-exact reset-ignored "
          "reset-suspected-forged data-after-reset reset-storm"},
};

TEST(AnomalyKinds, AreThoseOfTheDesignInItsOrder) {
  std::size_t n = 0;
  for (const Group& group : kGroups) {
    std::string_view rest = group.kinds;
    while (!rest.empty()) {
      const std::string_view wanted = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(wanted.size() + 1, rest.size()));
      ASSERT_LT(n, anomaly_kinds().size());
      const KindInfo& row = anomaly_kinds()[n];
      EXPECT_EQ(row.name, wanted);
      EXPECT_EQ(row.group, group.name) << wanted;
      EXPECT_EQ(static_cast<std::size_t>(row.kind), n) << wanted;
      EXPECT_EQ(anomaly_kind(wanted), row.kind);
      EXPECT_EQ(&info(row.kind), &row);
      ++n;
    }
  }
  EXPECT_EQ(n, anomaly_kinds().size());
  EXPECT_EQ(n, static_cast<std::size_t>(kAnomalyKinds));
  EXPECT_LE(kAnomalyKinds, 64) << "a connection keeps them as bits of one word";
}

TEST(AnomalyKinds, ThatDoNotExistHaveNoName) {
  EXPECT_EQ(anomaly_kind(""), std::nullopt);
  EXPECT_EQ(anomaly_kind("half-open "), std::nullopt);
  EXPECT_EQ(anomaly_kind("Half-Open"), std::nullopt);
}

TEST(AnomalyKinds, NameSomebodyWhoMayHaveCausedThem) {
  for (const KindInfo& row : anomaly_kinds()) {
    EXPECT_NE(row.origins, 0) << row.name;
    EXPECT_EQ(row.origins & ~(origin::kEndpoint | origin::kNetwork | origin::kCapture | origin::kAttacker), 0) << row.name;
  }
  EXPECT_EQ(info(AnomalyKind::kHandshakeAckMissing).origins & origin::kCapture, origin::kCapture);
  EXPECT_EQ(info(AnomalyKind::kResetSuspectedForged).origins & origin::kAttacker, origin::kAttacker);
}

TEST(AnomalyKinds, AreNoCauseForAlarmWhenTheyAreOrdinary) {
  for (const AnomalyKind kind : {AnomalyKind::kSimultaneousOpen, AnomalyKind::kSimultaneousClose, AnomalyKind::kTimeWaitReused})
    EXPECT_EQ(info(kind).severity, Severity::kInfo) << info(kind).name;
  EXPECT_EQ(info(AnomalyKind::kHalfClose).severity, Severity::kNotice);
}

TEST(AnomalyKinds, AreExplainedInSentences) {
  for (const KindInfo& row : anomaly_kinds()) {
    for (const std::string_view text : {row.meaning, row.causes, row.next_step, row.otherwise}) {
      ASSERT_FALSE(text.empty()) << row.name;
      EXPECT_EQ(text.back(), '.') << row.name << ": " << text;
      EXPECT_NE(text.front(), ' ') << row.name;
      for (const char ch : text) EXPECT_TRUE(ch >= ' ' && ch <= '~') << row.name << ": " << text;
    }
    EXPECT_TRUE(row.rfc.empty() || row.rfc.substr(0, 4) == "RFC ") << row.name;
  }
}

}  // namespace
}  // namespace finwait::tcp

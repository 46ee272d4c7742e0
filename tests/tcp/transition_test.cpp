#include "finwait/tcp/transition.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace finwait::tcp {
namespace {

using S = State;
using F = Fact;

constexpr int kFacts = 11;

/// lifecycle, section 2, row by row in its order. An end of which nothing was seen stands for CLOSED (it sends a SYN) and for LISTEN (it
/// answers one).
struct DesignRow {
  std::string_view says;
  S from;
  F what;
  S to;
  std::string_view rfc;
};

constexpr std::array kDesign{
    DesignRow{"sends SYN", S::kUnknown, F::kSyn, S::kSynSent, "3.5"},
    DesignRow{"peer's SYN, shown by its SYN-ACK", S::kUnknown, F::kPeerSyn, S::kSynReceived, "3.10.7.2"},
    DesignRow{"peer's SYN-ACK, shown by its ACK", S::kSynSent, F::kPeerSynAck, S::kEstablished, "3.10.7.3"},
    DesignRow{"peer's SYN without ACK, shown by its SYN-ACK", S::kSynSent, F::kPeerSyn, S::kSynReceived, "3.5"},
    DesignRow{"peer's ACK of its SYN", S::kSynReceived, F::kSynAcked, S::kEstablished, "3.10.7.4"},
    DesignRow{"sends FIN", S::kSynReceived, F::kFin, S::kFinWait1, "3.10.4"},
    DesignRow{"sends FIN", S::kEstablished, F::kFin, S::kFinWait1, "3.10.4"},
    DesignRow{"peer's FIN, shown by its ACK", S::kEstablished, F::kPeerFin, S::kCloseWait, "3.10.7.4"},
    DesignRow{"peer's ACK of its FIN", S::kFinWait1, F::kFinAcked, S::kFinWait2, "3.10.7.4"},
    DesignRow{"peer's FIN, shown; own FIN not yet acknowledged", S::kFinWait1, F::kPeerFin, S::kClosing, "3.10.7.4"},
    DesignRow{"peer's FIN, shown", S::kFinWait2, F::kPeerFin, S::kTimeWait, "3.10.7.4"},
    DesignRow{"sends FIN", S::kCloseWait, F::kFin, S::kLastAck, "3.10.4"},
    DesignRow{"peer's ACK of its FIN", S::kClosing, F::kFinAcked, S::kTimeWait, "3.10.7.4"},
    DesignRow{"peer's ACK of its FIN", S::kLastAck, F::kFinAcked, S::kClosed, "3.10.7.4"},
    DesignRow{"2 MSL without a retransmitted FIN", S::kTimeWait, F::kTimer, S::kClosed, "3.6.1"},
    DesignRow{"a new incarnation (section 9, rule 25)", S::kTimeWait, F::kReused, S::kClosed, "3.6.1"},
    DesignRow{"sends data or ACK outside a handshake", S::kUnknown, F::kSpoke, S::kEstablished, ""},
    DesignRow{"sends FIN, as from ESTABLISHED", S::kUnknown, F::kFin, S::kFinWait1, "3.10.4"},
    DesignRow{"its ACK covers the peer's FIN, as from ESTABLISHED", S::kUnknown, F::kPeerFin, S::kCloseWait, "3.10.7.4"},
};

TEST(TransitionTable, TakesEveryRowOfTheDesign) {
  for (const DesignRow& row : kDesign) {
    const auto to = next_state(row.from, row.what);
    ASSERT_TRUE(to.has_value()) << name(row.from) << ": " << row.says;
    EXPECT_EQ(name(*to), name(row.to)) << name(row.from) << ": " << row.says;
  }
}

TEST(TransitionTable, HasNoOtherRows) {
  EXPECT_EQ(transition_table().size(), kDesign.size());
  std::set<std::pair<S, F>> seen;
  for (const Row& row : transition_table()) EXPECT_TRUE(seen.emplace(row.from, row.fact).second) << "two rows from " << name(row.from);
}

TEST(TransitionTable, NamesTheSectionOfTheRfc) {
  for (const DesignRow& wanted : kDesign) {
    for (const Row& row : transition_table()) {
      if (row.from != wanted.from || row.fact != wanted.what) continue;
      EXPECT_EQ(std::string_view(row.rfc), wanted.rfc) << wanted.says;
    }
  }
}

// Every state against every fact; "." moves nothing. RFC 9293, figure 5, read as a matrix.
// clang-format off
constexpr std::array<std::array<std::string_view, kFacts>, kStates> kMatrix{{
    // Syn       Spoke          PeerSyn         PeerSynAck     SynAcked       Fin           PeerFin       FinAcked      Reset     Reused    Timer
    {"SYN-SENT", "ESTABLISHED", "SYN-RECEIVED", ".",           ".",           "FIN-WAIT-1", "CLOSE-WAIT", ".",          "CLOSED", ".",      "."},       // UNKNOWN
    {".",        ".",           ".",            ".",           ".",           ".",          ".",          ".",          "CLOSED", ".",      "."},       // LISTEN
    {".",        ".",           "SYN-RECEIVED", "ESTABLISHED", ".",           ".",          ".",          ".",          "CLOSED", ".",      "."},       // SYN-SENT
    {".",        ".",           ".",            ".",           "ESTABLISHED", "FIN-WAIT-1", ".",          ".",          "CLOSED", ".",      "."},       // SYN-RECEIVED
    {".",        ".",           ".",            ".",           ".",           "FIN-WAIT-1", "CLOSE-WAIT", ".",          "CLOSED", ".",      "."},       // ESTABLISHED
    {".",        ".",           ".",            ".",           ".",           ".",          "CLOSING",    "FIN-WAIT-2", "CLOSED", ".",      "."},       // FIN-WAIT-1
    {".",        ".",           ".",            ".",           ".",           ".",          "TIME-WAIT",  ".",          "CLOSED", ".",      "."},       // FIN-WAIT-2
    {".",        ".",           ".",            ".",           ".",           "LAST-ACK",   ".",          ".",          "CLOSED", ".",      "."},       // CLOSE-WAIT
    {".",        ".",           ".",            ".",           ".",           ".",          ".",          "TIME-WAIT",  "CLOSED", ".",      "."},       // CLOSING
    {".",        ".",           ".",            ".",           ".",           ".",          ".",          "CLOSED",     "CLOSED", ".",      "."},       // LAST-ACK
    {".",        ".",           ".",            ".",           ".",           ".",          ".",          ".",          "CLOSED", "CLOSED", "CLOSED"},  // TIME-WAIT
    {".",        ".",           ".",            ".",           ".",           ".",          ".",          ".",          ".",      ".",      "."},       // CLOSED
}};
// clang-format on

TEST(TransitionTable, IsThisMatrix) {
  for (int from = 0; from != kStates; ++from) {
    for (int fact = 0; fact != kFacts; ++fact) {
      const auto to = next_state(static_cast<S>(from), static_cast<F>(fact));
      EXPECT_EQ(to ? name(*to) : ".", kMatrix[static_cast<std::size_t>(from)][static_cast<std::size_t>(fact)])
          << name(static_cast<S>(from)) << ", fact " << fact;
    }
  }
}

TEST(TransitionTable, LeadsFromAnyStateToClosedByAReset) {
  for (int from = 0; from != kStates; ++from) {
    const auto state = static_cast<S>(from);
    if (state == S::kClosed) {
      EXPECT_FALSE(next_state(state, F::kReset)) << "it is closed already";
    } else {
      EXPECT_EQ(next_state(state, F::kReset), S::kClosed) << name(state);
    }
  }
}

}  // namespace
}  // namespace finwait::tcp

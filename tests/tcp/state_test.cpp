#include "finwait/tcp/state.h"

#include <gtest/gtest.h>

#include <array>

namespace finwait::tcp {
namespace {

TEST(State, IsSpeltAsInRfc9293) {
  constexpr std::array<std::string_view, kStates> kSpelling{"UNKNOWN",     "LISTEN",     "SYN-SENT",   "SYN-RECEIVED",
                                                            "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT",
                                                            "CLOSING",     "LAST-ACK",   "TIME-WAIT",  "CLOSED"};
  for (std::size_t n = 0; n != kSpelling.size(); ++n) EXPECT_EQ(name(static_cast<State>(n)), kSpelling[n]);
  EXPECT_EQ(name(State::kSynReceived), "SYN-RECEIVED");
  EXPECT_EQ(name(State::kFinWait2), "FIN-WAIT-2");
  EXPECT_EQ(name(State::kTimeWait), "TIME-WAIT");
}

TEST(State, OfAnEndNotSeenYetIsUnknown) { EXPECT_EQ(State{}, State::kUnknown); }

}  // namespace
}  // namespace finwait::tcp

#include <gtest/gtest.h>

#include <set>

#include "finwait/tcp/verdict.h"

namespace finwait::tcp {
namespace {

TEST(VerdictNames, of_openings_and_endings_are_different_and_lead_back) {
  std::set<std::string_view> openings;
  for (int n = 0; n < kOpenings; ++n) {
    const auto value = static_cast<Opening>(n);
    EXPECT_EQ(opening(name(value)), value);
    EXPECT_TRUE(openings.insert(name(value)).second);
    EXPECT_FALSE(describe(value).meaning.empty());
  }
  std::set<std::string_view> endings;
  for (int n = 0; n < kEndings; ++n) {
    const auto value = static_cast<Ending>(n);
    EXPECT_EQ(ending(name(value)), value);
    EXPECT_TRUE(endings.insert(name(value)).second);
    EXPECT_FALSE(describe(value).meaning.empty());
  }
  EXPECT_EQ(opening("graceful"), std::nullopt) << "that is an ending";
  EXPECT_EQ(ending("three-way"), std::nullopt) << "that is an opening";
}

TEST(VerdictNames, are_those_of_the_output) {
  EXPECT_EQ(name(Opening::kBackscatter), "backscatter");
  EXPECT_EQ(name(Ending::kEvicted), "evicted");
  EXPECT_EQ(name(Ending::kResetAfterFin), "reset-after-fin");
  EXPECT_EQ(name(CompletedBy::kNothing), "");
  EXPECT_EQ(name(CompletedBy::kFin), "fin");
  EXPECT_EQ(name(Replaced::kInTimeWaitViolating), "in-time-wait-violating");
  EXPECT_EQ(name(RoleEvidence::kFirstPacket), "first-packet");
  EXPECT_EQ(name(TimeWaitEnd::kCaptureEnd), "capture-end");
  EXPECT_EQ(name(Who::kThirdPartySuspected), "third-party-suspected");
}

}  // namespace
}  // namespace finwait::tcp

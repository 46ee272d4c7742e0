// The words for openings, endings and their kin: each its own, leading back to its value, spelled as the output spells them.
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string_view>

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

// lifecycle, sections 3 to 5, in their order.
TEST(VerdictNames, are_the_words_of_the_design) {
  constexpr std::array<std::string_view, kOpenings> kOpeningWords{"three-way",  "fast-open", "simultaneous", "split",
                                                                  "unanswered", "refused",   "unreachable",  "half-open",
                                                                  "aborted",    "midstream", "backscatter"};
  for (std::size_t n = 0; n != kOpeningWords.size(); ++n) EXPECT_EQ(name(static_cast<Opening>(n)), kOpeningWords[n]);
  constexpr std::array<std::string_view, kEndings> kEndingWords{
      "graceful", "final-ack-missing", "fin-unanswered", "half-closed", "reset", "reset-after-fin", "closing",    "refused", "unreachable",
      "aborted",  "unanswered",        "half-open",      "backscatter", "open",  "timeout",         "superseded", "evicted"};
  for (std::size_t n = 0; n != kEndingWords.size(); ++n) EXPECT_EQ(name(static_cast<Ending>(n)), kEndingWords[n]);
  constexpr std::array<std::string_view, 6> kReplacedWords{
      "", "after-closed", "in-time-wait", "in-time-wait-violating", "over-half-open", "over-established"};
  for (std::size_t n = 0; n != kReplacedWords.size(); ++n) EXPECT_EQ(name(static_cast<Replaced>(n)), kReplacedWords[n]);
  constexpr std::array<std::string_view, 4> kRoleWords{"syn", "syn-ack", "port", "first-packet"};
  for (std::size_t n = 0; n != kRoleWords.size(); ++n) EXPECT_EQ(name(static_cast<RoleEvidence>(n)), kRoleWords[n]);
  constexpr std::array<std::string_view, 4> kTimeWaitWords{"expired", "reused", "assassinated", "capture-end"};
  for (std::size_t n = 0; n != kTimeWaitWords.size(); ++n) EXPECT_EQ(name(static_cast<TimeWaitEnd>(n)), kTimeWaitWords[n]);
  constexpr std::array<std::string_view, 5> kWhoWords{"", "originator", "responder", "both", "third-party-suspected"};
  for (std::size_t n = 0; n != kWhoWords.size(); ++n) EXPECT_EQ(name(static_cast<Who>(n)), kWhoWords[n]);
  constexpr std::array<std::string_view, 4> kCompletedWords{"", "ack", "data", "fin"};
  for (std::size_t n = 0; n != kCompletedWords.size(); ++n) EXPECT_EQ(name(static_cast<CompletedBy>(n)), kCompletedWords[n]);
}

}  // namespace
}  // namespace finwait::tcp

#include "finwait/report/describe.h"

#include <gtest/gtest.h>

#include <sstream>

#include "finwait/hosts/finding.h"
#include "finwait/report/wrap.h"
#include "finwait/tcp/anomaly.h"
#include "finwait/tcp/verdict.h"

namespace finwait::report {
namespace {

void expect_good(std::string_view kind) {
  const std::string text = describe(kind);
  EXPECT_NE(text.find("meaning"), std::string::npos) << kind;
  EXPECT_NE(text.find("causes"), std::string::npos) << kind;
  EXPECT_NE(text.find("next"), std::string::npos) << kind;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << kind;
}

TEST(Describe, explains_every_kind_within_80_columns) {
  for (int n = 0; n < tcp::kOpenings; ++n) expect_good(tcp::name(static_cast<tcp::Opening>(n)));
  for (int n = 0; n < tcp::kEndings; ++n) expect_good(tcp::name(static_cast<tcp::Ending>(n)));
  for (const tcp::KindInfo& kind : tcp::anomaly_kinds()) expect_good(kind.name);
  for (const hosts::HostKindInfo& kind : hosts::host_kinds()) expect_good(kind.name);
}

TEST(Describe, gives_each_meaning_of_a_name) {
  const std::string text = describe("half-open");
  EXPECT_NE(text.find("an opening"), std::string::npos);
  EXPECT_NE(text.find("an ending"), std::string::npos);
  EXPECT_NE(text.find("an anomaly"), std::string::npos);
}

TEST(Describe, knows_nothing_else) { EXPECT_EQ(describe("full-open"), ""); }

TEST(Wrap, breaks_between_words_and_indents_what_follows) {
  EXPECT_EQ(wrap("one two three four", 9, 2, 0), "one two\n  three\n  four\n");
  EXPECT_EQ(wrap("one two", 80, 2, 76), "one\n  two\n") << "the first line begins at its column";
  EXPECT_EQ(wrap("incomprehensibilities a", 10, 2, 2), "incomprehensibilities\n  a\n") << "a long word stands alone";
  EXPECT_EQ(wrap("", 10, 2, 2), "\n");
}

}  // namespace
}  // namespace finwait::report

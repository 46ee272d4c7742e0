#include "finwait/report/selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace finwait::report {
namespace {

bool selects(const Selection& selection, tcp::Opening opening, tcp::Ending ending, std::vector<tcp::AnomalyKind> kinds = {}) {
  tcp::Brief brief{};
  brief.opening = opening;
  brief.ending = ending;
  std::vector<tcp::Anomaly> anomalies(kinds.size());
  for (std::size_t n = 0; n < kinds.size(); ++n) anomalies[n].kind = kinds[n];
  return selection.selects({brief, anomalies});
}

TEST(Selection, of_nothing_is_everything) { EXPECT_TRUE(selects(Selection(), tcp::Opening::kThreeWay, tcp::Ending::kOpen)); }

TEST(Selection, takes_a_connection_with_any_of_the_kinds) {
  Selection selection;
  EXPECT_TRUE(selection.add("refused"));
  EXPECT_TRUE(selection.add("reset"));
  EXPECT_TRUE(selection.add("half-close"));
  EXPECT_TRUE(selects(selection, tcp::Opening::kRefused, tcp::Ending::kRefused));
  EXPECT_TRUE(selects(selection, tcp::Opening::kThreeWay, tcp::Ending::kReset));
  EXPECT_TRUE(selects(selection, tcp::Opening::kThreeWay, tcp::Ending::kOpen, {tcp::AnomalyKind::kHalfClose}));
  EXPECT_FALSE(selects(selection, tcp::Opening::kThreeWay, tcp::Ending::kOpen, {tcp::AnomalyKind::kOutOfOrder}));
}

TEST(Selection, takes_findings_about_hosts_by_kind_and_no_connections_for_them) {
  Selection selection;
  ASSERT_TRUE(selection.add("port-scan"));
  EXPECT_TRUE(selection.selects(hosts::HostKind::kPortScan));
  EXPECT_FALSE(selection.selects(hosts::HostKind::kSynFlood));
  EXPECT_TRUE(Selection().selects(hosts::HostKind::kSynFlood)) << "of nothing is everything";
  EXPECT_FALSE(selects(selection, tcp::Opening::kRefused, tcp::Ending::kRefused));
}

TEST(Selection, takes_events_by_kind_and_no_transitions) {
  Selection selection;
  ASSERT_TRUE(selection.add("half-close"));
  tcp::Event event;
  EXPECT_FALSE(selection.selects(event)) << "a transition";
  event.kind = tcp::Event::Kind::kAnomaly;
  event.anomaly.kind = tcp::AnomalyKind::kHalfClose;
  EXPECT_TRUE(selection.selects(event));
  event.anomaly.kind = tcp::AnomalyKind::kOutOfOrder;
  EXPECT_FALSE(selection.selects(event));
}

TEST(Selection, refuses_unknown_names) {
  Selection selection;
  EXPECT_FALSE(selection.add("nothing-like-it"));
  EXPECT_FALSE(selection.add(""));
  EXPECT_TRUE(selection.everything());
}

TEST(KnownKinds, all_are_known_and_fit_the_screen) {
  std::istringstream lines(known_kinds());
  std::size_t names = 0;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 80U);
    if (!line.empty() && line.back() == ':') continue;
    std::istringstream words(line);
    for (std::string word; words >> word; ++names) {
      Selection selection;
      EXPECT_TRUE(selection.add(word)) << word;
    }
  }
  EXPECT_EQ(names, static_cast<std::size_t>(tcp::kOpenings + tcp::kEndings + tcp::kAnomalyKinds + hosts::kHostKinds));
}

}  // namespace
}  // namespace finwait::report

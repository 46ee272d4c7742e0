#include "finwait/report/reporter.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace finwait::report {
namespace {

/// Takes Briefs and knows nothing of those that never opened.
class Recorder final : public Sink {
 public:
  explicit Recorder(std::vector<std::uint64_t>& ids) : ids_(ids) {}
  [[nodiscard]] bool takes_briefs() const noexcept override { return true; }
  void brief(const tcp::BriefOutcome& outcome) override {
    EXPECT_EQ(outcome.brief.opening, outcome.brief.syn_ack_seen ? tcp::Opening::kHalfOpen : tcp::Opening::kUnanswered);
    EXPECT_EQ(outcome.anomalies.size(), outcome.brief.id == 4 ? 1U : 0U);
    ids_.push_back(outcome.brief.id);
  }
  void finish(const Totals& /*totals*/) override {}

 private:
  std::vector<std::uint64_t>& ids_;
};

struct Reported {
  std::vector<std::uint64_t> ids;
  Totals totals;
};

/// Four SYNs that came to nothing, one of them for want of room, two of them answered, one of these long ago; together, or one by one.
Reported reported(const std::string& only, bool together) {
  std::array<tcp::Unopened, 4> some{};
  for (std::size_t n = 0; n != some.size(); ++n) {
    some[n].id = n + 1;
    some[n].ends[0].ip_bytes = some[n].ends[1].ip_bytes = 60;
    some[n].syn_ack_frame = n < 2 ? 0 : n + 10;
    some[n].left_half_open = n == 3;
    some[n].ending = n == 1 ? tcp::Ending::kEvicted : n < 2 ? tcp::Ending::kUnanswered : tcp::Ending::kHalfOpen;
  }
  Reported result;
  Selection selection;
  EXPECT_TRUE(only.empty() || selection.add(only));
  std::vector<std::unique_ptr<Sink>> sinks;
  sinks.push_back(std::make_unique<Recorder>(result.ids));
  Reporter reporter(std::move(sinks), selection);
  if (together) reporter.connections(some);
  for (std::size_t n = 0; n != some.size() && !together; ++n) {
    tcp::Brief brief;
    write_brief(some[n], brief);
    const std::optional<tcp::Anomaly> found = finding_of(some[n]);
    reporter.connection(tcp::BriefOutcome{brief, {found ? &*found : nullptr, found ? 1U : 0U}});
  }
  reporter.finish(result.totals);
  return result;
}

TEST(Reporter, takes_lone_some_together_as_one_by_one) {
  for (const char* only : {"", "evicted", "unanswered", "half-open", "reset"}) {
    const Reported together = reported(only, true);
    const Reported one_by_one = reported(only, false);
    EXPECT_EQ(together.ids, one_by_one.ids) << only;
    const ConnectionCounts& a = together.totals.counts;
    const ConnectionCounts& b = one_by_one.totals.counts;
    EXPECT_EQ(a.connections, b.connections) << only;
    EXPECT_EQ(a.passed_over, b.passed_over) << only;
    EXPECT_EQ(a.openings, b.openings) << only;
    EXPECT_EQ(a.endings, b.endings) << only;
    EXPECT_EQ(a.packets, b.packets) << only;
    EXPECT_EQ(a.anomalies, b.anomalies) << only;
    EXPECT_EQ(a.affected, b.affected) << only;
    EXPECT_EQ(a.severities, b.severities) << only;
    const auto groups_of = [](const Totals& totals) { return totals.anomaly_pairs.groups; };
    ASSERT_EQ(groups_of(together.totals).size(), groups_of(one_by_one.totals).size()) << only;
    for (std::size_t n = 0; n != groups_of(together.totals).size(); ++n) {
      EXPECT_EQ(groups_of(together.totals)[n].pair, groups_of(one_by_one.totals)[n].pair) << only;
      EXPECT_EQ(groups_of(together.totals)[n].examples[0].frame, 13U) << only;
    }
    EXPECT_EQ(a.data_packets, b.data_packets) << only;
  }
  const Reported all = reported("", true);
  EXPECT_EQ(all.ids, (std::vector<std::uint64_t>{1, 2, 3, 4}));
  EXPECT_EQ(all.totals.counts.packets, 6U);
  EXPECT_EQ(all.totals.counts.endings[static_cast<std::size_t>(tcp::Ending::kEvicted)], 1U);
  EXPECT_EQ(reported("evicted", true).ids, (std::vector<std::uint64_t>{2}));
}

class TellsOfHosts final : public Sink {
 public:
  explicit TellsOfHosts(bool sound) : sound_(sound) {}
  [[nodiscard]] bool takes_briefs() const noexcept override { return true; }
  [[nodiscard]] bool tells_of_sound_numbers() const noexcept override { return sound_; }
  void finish(const Totals& /*totals*/) override {}

 private:
  bool sound_;
};

/// What is known of a host that sent five SYNs with numbers of no pattern.
Totals totals_of_host(const std::string& only, bool told) {
  std::array<tcp::Unopened, 5> syns{};
  constexpr std::array<std::uint32_t, 5> kNumbers{0x1b4d'9a77, 0xe620'03f1, 0x52c8'e64c, 0x9f17'7b02, 0x30aa'c5d9};
  for (std::size_t n = 0; n != syns.size(); ++n) {
    syns[n].id = n + 1;
    syns[n].ends[0].time = static_cast<base::Timestamp>(n) * base::kSecond;
    syns[n].ends[0].iss = kNumbers[n];
    syns[n].ends[0].port = static_cast<std::uint16_t>(40'000 + 7 * n);
    syns[n].ends[1].port = 443;
    syns[n].ending = tcp::Ending::kUnanswered;
  }
  Selection selection;
  EXPECT_TRUE(only.empty() || selection.add(only));
  std::vector<std::unique_ptr<Sink>> sinks;
  sinks.push_back(std::make_unique<TellsOfHosts>(false));
  sinks.push_back(std::make_unique<TellsOfHosts>(told));
  Reporter reporter(std::move(sinks), selection);
  reporter.connections(syns);
  Totals totals;
  reporter.finish(totals);
  EXPECT_FALSE(reporter.gravest().has_value()) << "good news is not grave";
  return totals;
}

TEST(Reporter, tells_of_sound_numbers_whom_it_concerns_and_counts_them_for_all) {
  constexpr auto kInconclusive = static_cast<std::size_t>(hosts::IsnVerdict::kInconclusive);
  for (const char* only : {"", "isn-quality"}) {
    EXPECT_EQ(totals_of_host(only, true).hosts.size(), 1U) << only;
    EXPECT_TRUE(totals_of_host(only, false).hosts.empty()) << only;
    for (const bool told : {true, false}) EXPECT_EQ(totals_of_host(only, told).sound_numbers[kInconclusive], 1U) << only;
  }
  for (const bool told : {true, false}) {
    EXPECT_TRUE(totals_of_host("syn-flood", told).hosts.empty());
    EXPECT_EQ(totals_of_host("syn-flood", told).sound_numbers[kInconclusive], 0U) << "not selected";
  }
}

}  // namespace
}  // namespace finwait::report

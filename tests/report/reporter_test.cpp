#include "finwait/report/reporter.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace finwait::report {
namespace {

/// Takes Briefs and knows nothing of lone SYNs.
class Recorder final : public Sink {
 public:
  explicit Recorder(std::vector<std::uint64_t>& ids) : ids_(ids) {}
  [[nodiscard]] bool takes_briefs() const noexcept override { return true; }
  void brief(const tcp::BriefOutcome& outcome) override {
    EXPECT_EQ(outcome.brief.opening, tcp::Opening::kUnanswered);
    EXPECT_TRUE(outcome.anomalies.empty());
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

/// Three SYNs that came to nothing, one of them for want of room; together, or one by one.
Reported reported(const std::string& only, bool together) {
  std::array<tcp::LoneSyn, 3> syns{};
  for (std::size_t n = 0; n != syns.size(); ++n) {
    syns[n].id = n + 1;
    syns[n].ip_bytes = 60;
    syns[n].ending = n == 1 ? tcp::Ending::kEvicted : tcp::Ending::kUnanswered;
  }
  Reported result;
  Selection selection;
  EXPECT_TRUE(only.empty() || selection.add(only));
  std::vector<std::unique_ptr<Sink>> sinks;
  sinks.push_back(std::make_unique<Recorder>(result.ids));
  Reporter reporter(std::move(sinks), selection);
  if (together) reporter.connections(syns);
  for (std::size_t n = 0; n != syns.size() && !together; ++n) {
    tcp::Brief brief;
    write_brief(syns[n], brief);
    reporter.connection(tcp::BriefOutcome{brief, {}});
  }
  reporter.finish(result.totals);
  return result;
}

TEST(Reporter, takes_lone_syns_together_as_one_by_one) {
  for (const char* only : {"", "evicted", "unanswered", "reset"}) {
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
    EXPECT_EQ(a.data_packets, b.data_packets) << only;
  }
  const Reported all = reported("", true);
  EXPECT_EQ(all.ids, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(all.totals.counts.packets, 3U);
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
  std::array<tcp::LoneSyn, 5> syns{};
  constexpr std::array<std::uint32_t, 5> kNumbers{0x1b4d'9a77, 0xe620'03f1, 0x52c8'e64c, 0x9f17'7b02, 0x30aa'c5d9};
  for (std::size_t n = 0; n != syns.size(); ++n) {
    syns[n].id = n + 1;
    syns[n].time = static_cast<base::Timestamp>(n) * base::kSecond;
    syns[n].iss = kNumbers[n];
    syns[n].key.low_port = static_cast<std::uint16_t>(40'000 + 7 * n);
    syns[n].key.high_port = 443;
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

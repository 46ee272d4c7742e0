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

}  // namespace
}  // namespace finwait::report

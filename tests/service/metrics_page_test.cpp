#include "finwait/service/metrics_page.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace finwait::service {
namespace {

MetricsInput filled() {
  MetricsInput input;
  input.counters.received = 1'000'000'000'007;
  input.counters.dropped_by_kernel = 3;
  input.counters.remembered = 42;
  input.counters.ends[static_cast<std::size_t>(tcp::State::kEstablished)] = 84;
  input.counters.openings[static_cast<std::size_t>(tcp::Opening::kThreeWay)] = 5;
  input.counters.anomalies[static_cast<std::size_t>(tcp::AnomalyKind::kHalfOpen)] = 6;
  input.latencies.handshake.add(base::kMillisecond);
  input.latencies.handshake.add(400 * base::kSecond);
  input.lost_lines = 9;
  input.version = "1.2 \"quoted\"";
  return input;
}

/// By the whole series, labels included. Whatever is no well-formed line is kept under its own text.
std::map<std::string, std::string> series(const std::string& page) {
  static const std::regex kSample(R"(([a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-z_]+="([^"\\]|\\.)*"(,[a-z_]+="([^"\\]|\\.)*")*\})?) (\S+))");
  std::map<std::string, std::string> found;
  std::istringstream in(page);
  for (std::string line; std::getline(in, line);) {
    std::smatch match;
    if (line.empty() || line.front() == '#') continue;
    if (std::regex_match(line, match, kSample)) {
      found[match[1]] = match[6];
    } else {
      found[line] = "not a sample";
    }
  }
  return found;
}

TEST(MetricsPage, has_each_number_under_its_name) {
  const auto found = series(metrics_page(filled()));
  EXPECT_EQ(found.at("finwait_packets_received_total"), "1000000000007");
  EXPECT_EQ(found.at("finwait_packets_dropped_total{by=\"kernel\"}"), "3");
  EXPECT_EQ(found.at("finwait_connections"), "42");
  EXPECT_EQ(found.at("finwait_connection_ends{state=\"ESTABLISHED\"}"), "84");
  EXPECT_EQ(found.at("finwait_openings_total{opening=\"three-way\"}"), "5");
  EXPECT_EQ(found.at("finwait_anomalies_total{kind=\"half-open\",severity=\"" +
                     std::string(tcp::name(tcp::info(tcp::AnomalyKind::kHalfOpen).severity)) + "\"}"),
            "6");
  EXPECT_EQ(found.at("finwait_output_lines_dropped_total"), "9");
  EXPECT_EQ(found.at("finwait_build_info{version=\"1.2 \\\"quoted\\\"\"}"), "1");
  EXPECT_EQ(found.at("finwait_handshake_duration_seconds_bucket{le=\"0.001\"}"), "1");
  EXPECT_EQ(found.at("finwait_handshake_duration_seconds_bucket{le=\"300\"}"), "1");
  EXPECT_EQ(found.at("finwait_handshake_duration_seconds_bucket{le=\"+Inf\"}"), "2");
  EXPECT_EQ(found.at("finwait_handshake_duration_seconds_count"), "2");
}

TEST(MetricsPage, has_the_same_series_whatever_happened) {
  const auto names = [](const std::string& page) {
    std::set<std::string> result;
    for (const auto& [name, value] : series(page)) result.insert(name);
    return result;
  };
  MetricsInput nothing;
  nothing.version = filled().version;
  EXPECT_EQ(names(metrics_page(nothing)), names(metrics_page(filled())));
}

/// The rules that promtool has, so that they hold also where it is not installed.
TEST(MetricsPage, keeps_to_prometheus_conventions) {
  const std::string page = metrics_page(filled());
  std::istringstream in(page);
  std::map<std::string, std::string> types;
  std::set<std::string> helped;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string hash, what, name, rest;
    words >> hash >> what >> name >> rest;
    if (what == "HELP") {
      EXPECT_TRUE(helped.insert(name).second && !rest.empty()) << line;
    }
    if (what == "TYPE") {
      EXPECT_TRUE(types.emplace(name, rest).second) << line;
    }
  }
  EXPECT_GT(types.size(), 20U);
  for (const auto& [name, type] : types) {
    EXPECT_EQ(helped.count(name), 1U) << name;
    EXPECT_EQ(name.size() > 6 && name.substr(name.size() - 6) == "_total", type == "counter") << name;
  }
  for (const auto& [name, value] : series(page)) EXPECT_NE(value, "not a sample") << name;
}

TEST(MetricsPage, has_whatever_the_dashboard_asks_for) {
  std::ifstream in(std::string(FINWAIT_SOURCE_DIR) + "/share/finwait-dashboard.json");
  const std::string dashboard{std::istreambuf_iterator<char>(in), {}};
  const std::string page = metrics_page(filled());
  static const std::regex kName(R"((finwait|process)_[a-z_]+(?=\{))");
  std::set<std::string> asked;
  for (std::sregex_iterator at(dashboard.begin(), dashboard.end(), kName); at != std::sregex_iterator(); ++at) asked.insert(at->str());
  EXPECT_GT(asked.size(), 12U);
  for (const std::string& name : asked)
    EXPECT_TRUE(page.find("\n" + name + "{") != std::string::npos || page.find("\n" + name + " ") != std::string::npos) << name;
}

TEST(MetricsPage, satisfies_promtool) {
  if (std::system("promtool --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "promtool (package prometheus) is not installed";
  FILE* tool = popen("promtool check metrics 2>&1", "w");
  ASSERT_NE(tool, nullptr);
  const std::string page = metrics_page(filled());
  EXPECT_EQ(fwrite(page.data(), 1, page.size(), tool), page.size());
  EXPECT_EQ(WEXITSTATUS(pclose(tool)), 0);
}

}  // namespace
}  // namespace finwait::service

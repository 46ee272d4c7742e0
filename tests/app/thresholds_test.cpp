#include "../../src/app/thresholds.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <stdexcept>

namespace finwait::app {
namespace {

/// Every member in order. A member more or less and this does not compile: then it needs a row in the table, too.
std::vector<double> members(const Thresholds& thresholds) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l] = thresholds.tcp;
  const auto& [m, n, o, p, q, r, s, t, u, v, w, x, y, z, last] = thresholds.hosts;
  std::vector<double> values;
  const auto add = [&values](auto... all) { (values.push_back(static_cast<double>(all)), ...); };
  add(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, last);
  return values;
}

std::string value_beside_the_default(const ThresholdName& row) {
  const std::string text = threshold_text({}, row);
  if (text.back() == '%') return "77%";
  return text.back() == 's' ? "77s" : "77";
}

std::string complaint(const std::string& assignment) {
  Thresholds thresholds;
  try {
    set_threshold(thresholds, assignment);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

std::string file_text(const std::string& path) {
  std::ifstream in(std::string(FINWAIT_SOURCE_DIR) + "/" + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Thresholds, each_name_sets_one_member_and_together_they_set_all) {
  const std::vector<double> defaults = members({});
  ASSERT_EQ(threshold_names().size(), defaults.size());
  for (std::size_t n = 0; n != defaults.size(); ++n) {
    const ThresholdName& row = threshold_names()[n];
    Thresholds thresholds;
    set_threshold(thresholds, std::string(row.name) + "=" + value_beside_the_default(row));
    const std::vector<double> now = members(thresholds);
    for (std::size_t other = 0; other != now.size(); ++other) EXPECT_EQ(now[other] != defaults[other], other == n) << row.name;
    EXPECT_EQ(threshold_text(thresholds, row), value_beside_the_default(row));
  }
}

TEST(Thresholds, take_their_own_defaults) {
  for (const ThresholdName& row : threshold_names()) {
    Thresholds thresholds;
    set_threshold(thresholds, std::string(row.name) + "=" + threshold_text({}, row));
    EXPECT_EQ(members(thresholds), members({})) << row.name;
  }
}

TEST(Thresholds, refuse_what_makes_no_sense) {
  for (const ThresholdName& row : threshold_names()) {
    for (const char* word : {"", "-1", "x", "1e3", "99999999999999999999"})
      EXPECT_NE(complaint(std::string(row.name) + "=" + word), "") << row.name;
  }
  EXPECT_EQ(complaint("storm=0"), "a whole number, at least 1");
  EXPECT_EQ(complaint("storm=4294967295"), "");
  EXPECT_EQ(complaint("storm=4294967296"), "at most 4294967295");
  EXPECT_EQ(complaint("host-time-wait-least=63"), "a whole number, at least 64") << "fewer are not followed";
  EXPECT_EQ(complaint("host-leak-connections=9223372036854775808"), "at most 9223372036854775807");
  EXPECT_EQ(complaint("silence"), "give it a value: 3s is the default");
  EXPECT_EQ(complaint("storm=10=10"), "a whole number, at least 1");
}

TEST(Thresholds, list_their_names_for_one_that_is_none) {
  for (const char* word : {"", "=", "=1", "nonsense=1", "Storm=1", "host-storm=1"}) {
    const std::string text = complaint(word);
    for (const ThresholdName& row : threshold_names()) EXPECT_NE(text.find(row.name), std::string::npos) << word << " " << row.name;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U);
  }
}

TEST(Thresholds, stand_in_the_man_page_with_their_defaults) {
  const std::string page = file_text("docs/finwait.1");
  std::set<std::string> rows;
  for (const ThresholdName& row : threshold_names()) rows.insert(".It Cm " + std::string(row.name) + " No = " + threshold_text({}, row));
  std::istringstream section(page.substr(page.find(".Sh THRESHOLDS")));
  std::set<std::string> written;
  for (std::string line; std::getline(section, line) && line != ".Sh SIGNALS";) {
    if (line.rfind(".It Cm ", 0) == 0) written.insert(line);
  }
  EXPECT_EQ(written, rows);
}

TEST(Thresholds, are_completed_by_the_shells) {
  for (const char* path : {"tools/completions/finwait.bash", "tools/completions/_finwait"}) {
    const std::string text = file_text(path);
    for (const ThresholdName& row : threshold_names())
      EXPECT_NE(text.find(std::string(row.name) + "="), std::string::npos) << path << " " << row.name;
  }
}

}  // namespace
}  // namespace finwait::app

#include "finwait/report/selection.h"

#include <algorithm>
#include <vector>

namespace finwait::report {
namespace {

void append_wrapped(std::string& to, std::string_view title, const std::vector<std::string_view>& words) {
  constexpr std::size_t kWidth = 80;
  to += title;
  std::size_t column = kWidth;
  for (const std::string_view word : words) {
    if (column + 1 + word.size() > kWidth) {
      to += "\n ";
      column = 1;
    }
    to += ' ';
    to += word;
    column += 1 + word.size();
  }
  to += '\n';
}

}  // namespace

bool Selection::add(std::string_view kind) noexcept {
  const auto opening = tcp::opening(kind);
  const auto ending = tcp::ending(kind);
  const auto anomaly = tcp::anomaly_kind(kind);
  const auto host = hosts::host_kind(kind);
  if (opening) openings_.set(static_cast<std::size_t>(*opening));
  if (ending) endings_.set(static_cast<std::size_t>(*ending));
  if (anomaly) anomalies_.set(static_cast<std::size_t>(*anomaly));
  if (host) hosts_.set(static_cast<std::size_t>(*host));
  return opening || ending || anomaly || host;
}

bool Selection::selects(const tcp::BriefOutcome& outcome) const noexcept {
  if (everything()) return true;
  if (openings_[static_cast<std::size_t>(outcome.brief.opening)] || endings_[static_cast<std::size_t>(outcome.brief.ending)]) return true;
  return std::any_of(outcome.anomalies.begin(), outcome.anomalies.end(),
                     [this](const tcp::Anomaly& a) { return anomalies_[static_cast<std::size_t>(a.kind)]; });
}

bool Selection::selects(const tcp::Event& event) const noexcept {
  if (everything()) return true;
  return event.kind == tcp::Event::Kind::kAnomaly && anomalies_[static_cast<std::size_t>(event.anomaly.kind)];
}

bool Selection::selects(hosts::HostKind kind) const noexcept { return everything() || hosts_[static_cast<std::size_t>(kind)]; }

std::string known_kinds() {
  std::vector<std::string_view> openings;
  std::vector<std::string_view> endings;
  std::vector<std::string_view> anomalies;
  std::vector<std::string_view> about_hosts;
  for (int n = 0; n < tcp::kOpenings; ++n) openings.push_back(tcp::name(static_cast<tcp::Opening>(n)));
  for (int n = 0; n < tcp::kEndings; ++n) endings.push_back(tcp::name(static_cast<tcp::Ending>(n)));
  for (const tcp::KindInfo& kind : tcp::anomaly_kinds()) anomalies.push_back(kind.name);
  for (const hosts::HostKindInfo& kind : hosts::host_kinds()) about_hosts.push_back(kind.name);
  std::string text;
  append_wrapped(text, "openings:", openings);
  append_wrapped(text, "endings:", endings);
  append_wrapped(text, "anomalies:", anomalies);
  append_wrapped(text, "hosts:", about_hosts);
  return text;
}

}  // namespace finwait::report

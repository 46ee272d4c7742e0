#include "finwait/report/reporter.h"

#include <algorithm>
#include <exception>

namespace finwait::report {

void Reporter::connection(const tcp::Outcome& outcome) {
  hosts_.observe(hosts::life_of(outcome));
  if (!selection_.selects(outcome)) {
    ++counts_.passed_over;
    return;
  }
  count(outcome);
  for (const auto& sink : sinks_) sink->connection(outcome);
}

void Reporter::event(const tcp::Event& event, const tcp::Connection& connection) {
  if (!selection_.selects(event)) return;
  for (const auto& sink : sinks_) sink->event(event, connection);
}

void Reporter::settle() {
  for (const auto& sink : sinks_) sink->settle();
}

void Reporter::finish(Totals& totals) {
  totals.counts = counts_;
  take_hosts(totals);
  std::exception_ptr failure;
  for (const auto& sink : sinks_) {
    try {
      sink->finish(totals);
    } catch (...) {
      if (failure == nullptr) failure = std::current_exception();
    }
  }
  if (failure != nullptr) std::rethrow_exception(failure);
}

void Reporter::take_hosts(Totals& totals) {
  totals.populations = hosts_.populations();
  for (hosts::HostFinding& finding : hosts_.findings()) {
    if (!selection_.selects(finding)) continue;
    const bool good_news = finding.kind == hosts::HostKind::kIsnQuality;
    if (!good_news && (!gravest_ || finding.severity > *gravest_)) gravest_ = finding.severity;
    totals.hosts.push_back(std::move(finding));
  }
}

bool Reporter::closed() const noexcept {
  return !sinks_.empty() && std::all_of(sinks_.begin(), sinks_.end(), [](const auto& sink) { return sink->closed(); });
}

void Reporter::count(const tcp::Outcome& outcome) noexcept {
  ++counts_.connections;
  ++counts_.openings[static_cast<std::size_t>(outcome.verdict.opening)];
  ++counts_.endings[static_cast<std::size_t>(outcome.verdict.ending)];
  std::uint64_t missing = 0;
  for (const tcp::Endpoint& end : outcome.connection.ends) {
    counts_.payload_bytes += end.counters.payload_bytes;
    missing += end.counters.missing_bytes;
  }
  counts_.missing_bytes += missing;
  if (missing != 0) ++counts_.incomplete;
  for (const tcp::Anomaly& anomaly : outcome.anomalies) {
    const auto kind = static_cast<std::size_t>(anomaly.kind);
    counts_.anomalies[kind] += anomaly.count;
    ++counts_.affected[kind];
    ++counts_.severities[kind][static_cast<std::size_t>(anomaly.severity)];
    if (!gravest_ || anomaly.severity > *gravest_) gravest_ = anomaly.severity;
  }
}

}  // namespace finwait::report

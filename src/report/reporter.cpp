#include "finwait/report/reporter.h"

#include <algorithm>
#include <exception>

namespace finwait::report {

bool Reporter::none_in_full(const std::vector<std::unique_ptr<Sink>>& sinks) noexcept {
  return std::all_of(sinks.begin(), sinks.end(), [](const auto& sink) { return sink->takes_briefs(); });
}

void Reporter::connection(const tcp::Outcome& outcome) {
  tcp::Brief brief{};
  tcp::write_brief(outcome, brief);
  hosts_.observe({brief, outcome.anomalies});
  report({brief, outcome.anomalies}, &outcome);
}

void Reporter::report(const tcp::BriefOutcome& outcome, const tcp::Outcome* whole) {
  if (!selection_.selects(outcome)) {
    ++counts_.passed_over;
    return;
  }
  count(outcome);
  for (const auto& sink : sinks_) {
    if (sink->takes_briefs()) {
      sink->brief(outcome);
    } else {
      sink->connection(*whole);
    }
  }
}

/// None has payload.
void Reporter::connections(std::span<const tcp::Unopened> unopened) {
  hosts_.observe(unopened);
  if (!selection_.everything()) {
    tcp::Brief brief;
    for (const tcp::Unopened& c : unopened) {
      write_brief(c, brief);
      const std::optional<tcp::Anomaly> found = finding_of(c);
      report({brief, {found ? &*found : nullptr, found ? 1U : 0U}}, nullptr);
    }
    return;
  }
  counts_.connections += unopened.size();
  for (const tcp::Unopened& c : unopened) {
    counts_.packets += c.packets();
    ++counts_.openings[static_cast<std::size_t>(c.opening())];
    ++counts_.endings[static_cast<std::size_t>(c.ending)];
    if (c.left_half_open) count(*finding_of(c), pair_words_of(c), c.id);
  }
  for (const auto& sink : sinks_) sink->unopened(unopened);
}

void Reporter::event(const tcp::Event& event, const tcp::Connection& connection) {
  if (!selection_.selects(event)) return;
  for (const auto& sink : sinks_) sink->event(event, connection);
}

void Reporter::settle(base::Timestamp clock) {
  for (const auto& sink : sinks_) {
    sink->advance(base::after(clock, -base::kSecond));  // what is released is given a tick of the wheel later
    sink->settle();
  }
}

void Reporter::conclude_output(base::Timestamp clock) {
  for (const auto& sink : sinks_) sink->conclude(clock);
}

void Reporter::reopen() {
  for (const auto& sink : sinks_) sink->reopen();
}

void Reporter::finish(Totals& totals) {
  totals.counts = counts_;
  groups_.enter_waiting();
  take_hosts(totals);
  take_groups(totals);
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
  const bool sound_selected = selection_.selects(hosts::HostKind::kIsnQuality);
  const bool sound_told =
      sound_selected && std::any_of(sinks_.begin(), sinks_.end(), [](const auto& sink) { return sink->tells_of_sound_numbers(); });
  totals.sound_numbers = {};
  totals.hosts = sound_told ? hosts_.findings() : hosts_.findings(totals.sound_numbers);
  if (!sound_selected) totals.sound_numbers = {};
  std::erase_if(totals.hosts, [this](const hosts::HostFinding& finding) { return !selection_.selects(finding.kind); });
  for (const hosts::HostFinding& finding : totals.hosts) {
    if (finding.kind == hosts::HostKind::kIsnQuality) {
      ++totals.sound_numbers[static_cast<std::size_t>(finding.isn->verdict)];
    } else if (!gravest_ || finding.severity > *gravest_) {
      gravest_ = finding.severity;
    }
  }
}

void Reporter::take_groups(Totals& totals) const {
  constexpr std::size_t kOfEachKind = 10;
  totals.anomaly_pairs.groups = groups_.top(kOfEachKind);
  totals.anomaly_pairs.exact = groups_.exact();
  for (const tcp::KindInfo& kind : tcp::anomaly_kinds())
    totals.anomaly_pairs.pairs[static_cast<std::size_t>(kind.kind)] = groups_.of(kind.kind);
}

bool Reporter::closed() const noexcept {
  return !sinks_.empty() && std::all_of(sinks_.begin(), sinks_.end(), [](const auto& sink) { return sink->closed(); });
}

/// An end that sent payload, or of which payload is missing, also counts for the estimate by packets. One number missing of an end without
/// any payload is its FIN: such ends are found by their loss alone, so they would count too much.
void Reporter::count_bytes(const tcp::Brief::End& n) noexcept {
  counts_.packets += n.packets;
  counts_.duplicates += n.duplicates;
  counts_.payload_bytes += n.payload_bytes;
  counts_.missing_bytes += n.missing_bytes;
  if (n.payload_bytes == 0 && n.missing_bytes <= 1) return;
  const auto missing = static_cast<double>(n.missing_bytes);
  const double sent = static_cast<double>(n.payload_bytes) + missing;
  constexpr double kFull = 1460.0;  // of Ethernet; that others fill theirs with less or more hardly moves a mean
  const double packets = std::max(1.0, sent / kFull);
  counts_.data_packets += packets;
  if (missing != 0.0) counts_.missing_packets += packets * missing / sent;
}

void Reporter::count(const tcp::BriefOutcome& outcome) {
  const tcp::Brief& c = outcome.brief;
  ++counts_.connections;
  ++counts_.openings[static_cast<std::size_t>(c.opening)];
  ++counts_.endings[static_cast<std::size_t>(c.ending)];
  for (const tcp::Brief::End& end : c.ends) count_bytes(end);
  if (c.ends[0].missing_bytes + c.ends[1].missing_bytes != 0) {
    ++counts_.incomplete;
    counts_.one_direction += c.ends[0].packets == 0 || c.ends[1].packets == 0;
  }
  for (const tcp::Anomaly& anomaly : outcome.anomalies) count(anomaly, pair_words_of(c.key, c.originator), c.id);
}

/// A finding of one connection.
void Reporter::count(const tcp::Anomaly& anomaly, const PairWords& pair, std::uint64_t id) {
  const auto kind = static_cast<std::size_t>(anomaly.kind);
  counts_.anomalies[kind] += anomaly.count;
  ++counts_.affected[kind];
  ++counts_.severities[kind][static_cast<std::size_t>(anomaly.severity)];
  if (!gravest_ || anomaly.severity > *gravest_) gravest_ = anomaly.severity;
  groups_.add(anomaly, pair, id);
}

}  // namespace finwait::report

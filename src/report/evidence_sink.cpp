#include "finwait/report/evidence_sink.h"

#include <algorithm>
#include <tuple>

#include "finwait/tcp/anomaly_text.h"

namespace finwait::report {
namespace {

bool before(const EvidencePlace& a, const EvidencePlace& b) noexcept { return std::tie(a.frame, a.remark) < std::tie(b.frame, b.remark); }
bool same(const EvidencePlace& a, const EvidencePlace& b) noexcept { return a.frame == b.frame && a.remark == b.remark; }

}  // namespace

/// An ICMP error is no segment of the connection: when it is evidence it may come after the last one.
void EvidenceSink::connection(const tcp::Outcome& outcome) {
  const tcp::Connection& c = outcome.connection;
  if (evidence_.spans.size() >= limits_.connections) {
    ++evidence_.connections_left_out;
    return;
  }
  EvidenceSpan span{c.key, c.id, c.last_frame};
  for (const tcp::Anomaly& anomaly : outcome.anomalies) {
    if (anomaly.kind == tcp::AnomalyKind::kIcmpError) span.last = std::max(span.last, std::ranges::max(anomaly.frames));
    add_finding(anomaly, c);
  }
  evidence_.last_frame = std::max(evidence_.last_frame, span.last);
  evidence_.spans.push_back(span);
}

void EvidenceSink::add_finding(const tcp::Anomaly& anomaly, const tcp::Connection& connection) {
  if (evidence_.remarks.size() >= limits_.findings) {
    ++evidence_.findings_left_out;
    return;
  }
  const auto remark = static_cast<std::uint32_t>(evidence_.remarks.size());
  std::string text(tcp::name(anomaly.severity));
  text += ' ';
  text += tcp::info(anomaly.kind).name;
  text += ": ";
  text += tcp::anomaly_text(anomaly, connection);
  evidence_.remarks.push_back(std::move(text));
  for (const std::uint64_t frame : anomaly.frames) {
    if (frame != 0) evidence_.places.push_back({frame, remark});
  }
}

void EvidenceSink::finish(const Totals& /*totals*/) {
  std::sort(evidence_.spans.begin(), evidence_.spans.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  auto& places = evidence_.places;
  std::sort(places.begin(), places.end(), before);
  places.erase(std::unique(places.begin(), places.end(), same), places.end());
}

}  // namespace finwait::report

#include "finwait/report/summary_sink.h"

#include <cstdlib>

namespace finwait::report {

/// Examples are those that began first, whatever the order of release.
void SummaryData::add(const tcp::BriefOutcome& outcome) {
  const tcp::Brief& c = outcome.brief;
  busiest.add(c);
  if (c.syn_seen && c.syn_ack_seen) handshakes.add(base::elapsed(c.syn_time, c.syn_ack_time));
  for (const tcp::Anomaly& anomaly : outcome.anomalies) {
    keep_first(examples[static_cast<std::size_t>(anomaly.kind)], {c.id, anomaly.frames[0]});
  }
}

void SummaryData::add(std::span<const tcp::Unopened> connections) {
  busiest.add(connections);
  for (const tcp::Unopened& c : connections) {
    if (!c.answered()) continue;
    handshakes.add(base::elapsed(c.ends[0].time, c.ends[1].time));
    if (c.left_half_open) keep_first(examples[static_cast<std::size_t>(tcp::AnomalyKind::kHalfOpen)], {c.id, c.syn_ack_frame});
  }
}

void SummarySink::finish(const Totals& totals) {
  const bool colour = output_.is_terminal() && std::getenv("NO_COLOR") == nullptr;
  data_.busiest.enter_waiting();
  put_summary_screen(output_.text(), data_, totals, options_, colour);
  output_.close(totals.capture.last);
}

}  // namespace finwait::report

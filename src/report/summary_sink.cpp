#include "finwait/report/summary_sink.h"

#include <cstdlib>

namespace finwait::report {

/// Examples are those that began first, whatever the order of release.
void SummaryData::add(const tcp::Outcome& outcome) {
  busiest.add(outcome.connection);
  const tcp::Handshake& h = outcome.connection.handshake;
  if (h.syn_frame != 0 && h.syn_ack_frame != 0) handshakes.add(base::elapsed(h.syn_time, h.syn_ack_time));
  for (const tcp::Anomaly& anomaly : outcome.anomalies) {
    keep_first(examples[static_cast<std::size_t>(anomaly.kind)], {outcome.connection.id, anomaly.frames[0]});
  }
}

void SummarySink::finish(const Totals& totals) {
  const bool colour = output_.is_terminal() && std::getenv("NO_COLOR") == nullptr;
  put_summary_screen(output_.text(), data_, totals, options_, colour);
  output_.close(totals.capture.last);
}

}  // namespace finwait::report

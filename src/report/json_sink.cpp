#include "finwait/report/json_sink.h"

#include "finwait/report/json_record.h"

namespace finwait::report {

void JsonSink::connection(const tcp::Outcome& outcome) {
  output_.at(outcome.connection.released_at);
  put_connection(output_.text(), outcome);
  output_.relieve();
}

void JsonSink::finish(const Totals& totals) {
  for (const hosts::HostFinding& finding : totals.hosts) {
    put_host(output_.text(), finding);
    output_.relieve();
  }
  put_summary(output_.text(), totals);
  output_.close(totals.capture.last);
}

void EventsSink::event(const tcp::Event& event, const tcp::Connection& connection) {
  output_.at(event.kind == tcp::Event::Kind::kTransition ? event.transition.time : event.anomaly.time);
  put_event(output_.text(), event, connection);
  output_.relieve();
}

void EventsSink::finish(const Totals& totals) { output_.close(totals.capture.last); }

}  // namespace finwait::report

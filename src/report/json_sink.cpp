#include "finwait/report/json_sink.h"

#include "finwait/report/json_record.h"

namespace finwait::report {

void JsonSink::connection(const tcp::Outcome& outcome) {
  put_connection(output_.text(), outcome);
  output_.relieve();
}

void JsonSink::settle() {
  if (prompt_) output_.flush();
}

void JsonSink::finish(const Totals& totals) {
  for (const hosts::HostFinding& finding : totals.hosts) {
    put_host(output_.text(), finding);
    output_.relieve();
  }
  put_summary(output_.text(), totals);
  output_.close();
}

void EventsSink::event(const tcp::Event& event, const tcp::Connection& connection) {
  put_event(output_.text(), event, connection);
  output_.relieve();
}

void EventsSink::settle() {
  if (prompt_) output_.flush();
}

void EventsSink::finish(const Totals& /*totals*/) { output_.close(); }

}  // namespace finwait::report

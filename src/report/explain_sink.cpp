#include "finwait/report/explain_sink.h"

#include <algorithm>

namespace finwait::report {

void ExplainSink::add(const tcp::Step& step, std::uint64_t connection, std::uint64_t beside, std::span<const tcp::Event> events,
                      std::span<const std::uint64_t> whose) {
  if (wanted_ && connection != *wanted_ && beside != *wanted_ && std::find(whose.begin(), whose.end(), *wanted_) == whose.end()) return;
  if (data_.rows.size() >= kMaxRows) {
    ++data_.left_out;
    return;
  }
  LadderRow row;
  row.segment = step.segment;
  row.connection = connection;
  row.beside = beside;
  row.states = step.states;
  row.first_event = data_.events.size();
  data_.events.insert(data_.events.end(), events.begin(), events.end());
  data_.whose.insert(data_.whose.end(), whose.begin(), whose.end());
  row.last_event = data_.events.size();
  data_.rows.push_back(row);
}

void ExplainSink::add(const tcp::Event& event, std::uint64_t connection) {
  tcp::Step step;
  step.segment.time = event.kind == tcp::Event::Kind::kTransition ? event.transition.time : event.anomaly.time;
  add(step, connection, 0, std::span(&event, 1), std::span(&connection, 1));
}

void ExplainSink::connection(const tcp::Outcome& outcome) {
  if (!key_ || !(outcome.connection.key == *key_)) return;
  if (wanted_ && outcome.connection.id != *wanted_) return;
  data_.connections.push_back({outcome.connection, outcome.verdict, {outcome.anomalies.begin(), outcome.anomalies.end()}});
}

void ExplainSink::finish(const Totals& totals) {
  std::sort(data_.connections.begin(), data_.connections.end(),
            [](const auto& a, const auto& b) { return a.connection.id < b.connection.id; });
  for (const LadderConnection& connection : data_.connections) {
    if (&connection != &data_.connections.front()) output_.text().put('\n');
    put_ladder(output_.text(), data_, connection, totals.capture.files);
    output_.relieve();
  }
  output_.close();
}

}  // namespace finwait::report

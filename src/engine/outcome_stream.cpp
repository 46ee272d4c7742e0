#include "finwait/engine/outcome_stream.h"

#include <utility>

namespace finwait::engine {

void OutcomeBatch::clear() noexcept {
  outcomes.clear();
  transitions.clear();
  anomalies.clear();
  zeek.clear();
}

void OutcomeBatch::add(const tcp::Outcome& outcome) {
  transitions.insert(transitions.end(), outcome.transitions.begin(), outcome.transitions.end());
  anomalies.insert(anomalies.end(), outcome.anomalies.begin(), outcome.anomalies.end());
  if (outcome.zeek != nullptr) zeek.push_back(*outcome.zeek);
  outcomes.push_back({hosts::life_of(outcome), outcome.connection, outcome.verdict, static_cast<std::uint32_t>(transitions.size()),
                      static_cast<std::uint32_t>(anomalies.size())});
}

tcp::Outcome OutcomeBatch::operator[](std::size_t n) const noexcept {
  const KeptOutcome& kept = outcomes[n];
  const std::size_t transition = n == 0 ? 0 : outcomes[n - 1].transitions_end;
  const std::size_t anomaly = n == 0 ? 0 : outcomes[n - 1].anomalies_end;
  return {kept.connection, kept.verdict, std::span(transitions).subspan(transition, kept.transitions_end - transition),
          std::span(anomalies).subspan(anomaly, kept.anomalies_end - anomaly), zeek.empty() ? nullptr : &zeek[n]};
}

OutcomeStream::OutcomeStream() {
  for (OutcomeBatch& batch : batches_) {
    batch.outcomes.reserve(OutcomeBatch::kOutcomes);
    for (Lane& lane : lanes_) (void)lane.empty.push(&batch);
  }
}

/// Both readers give batches back in the order in which they were sent.
OutcomeBatch* OutcomeStream::empty() noexcept {
  for (Lane& lane : lanes_) {
    if (lane.returned == nullptr && !lane.empty.pop(lane.returned)) return nullptr;
  }
  OutcomeBatch* batch = nullptr;
  for (Lane& lane : lanes_) batch = std::exchange(lane.returned, nullptr);
  batch->clear();
  return batch;
}

void OutcomeStream::send(OutcomeBatch* batch) noexcept {
  for (Lane& lane : lanes_) (void)lane.full.push(batch);
}

OutcomeBatch* OutcomeStream::next(Reader reader) noexcept {
  OutcomeBatch* batch = nullptr;
  return lanes_[static_cast<std::size_t>(reader)].full.pop(batch) ? batch : nullptr;
}

void OutcomeStream::give_back(Reader reader, OutcomeBatch* batch) noexcept {
  (void)lanes_[static_cast<std::size_t>(reader)].empty.push(batch);
  returned_.ring();
}

}  // namespace finwait::engine

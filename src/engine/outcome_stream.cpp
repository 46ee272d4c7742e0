#include "finwait/engine/outcome_stream.h"

#include <utility>

namespace finwait::engine {

void OutcomeBatch::clear() noexcept {
  outcomes.clear();
  wholes.clear();
  transitions.clear();
  anomalies.clear();
  zeek.clear();
}

void OutcomeBatch::add(const tcp::Outcome& outcome, bool in_full) {
  tcp::Brief brief;
  tcp::write_brief(outcome, brief);
  add({brief, outcome.anomalies, outcome.turn});
  if (!in_full) return;
  transitions.insert(transitions.end(), outcome.transitions.begin(), outcome.transitions.end());
  if (outcome.zeek != nullptr) zeek.push_back(*outcome.zeek);
  wholes.push_back({outcome.connection, outcome.verdict, static_cast<std::uint32_t>(transitions.size())});
}

void OutcomeBatch::add(const tcp::BriefOutcome& outcome) {
  anomalies.insert(anomalies.end(), outcome.anomalies.begin(), outcome.anomalies.end());
  KeptOutcome& kept = outcomes.emplace_back();
  hosts::write_life(outcome, kept.life);
  kept.brief = outcome.brief;
  kept.turn = outcome.turn;
  kept.anomalies_end = static_cast<std::uint32_t>(anomalies.size());
}

void OutcomeBatch::report(std::size_t n, report::Reporter& reporter) const {
  const KeptOutcome& kept = outcomes[n];
  const std::size_t anomaly = n == 0 ? 0 : outcomes[n - 1].anomalies_end;
  const tcp::BriefOutcome brief{kept.brief, std::span(anomalies).subspan(anomaly, kept.anomalies_end - anomaly)};
  if (wholes.empty()) return reporter.report(brief, nullptr);
  const KeptWhole& rest = wholes[n];
  const std::size_t transition = n == 0 ? 0 : wholes[n - 1].transitions_end;
  const tcp::Outcome whole{rest.connection, rest.verdict, std::span(transitions).subspan(transition, rest.transitions_end - transition),
                           brief.anomalies, zeek.empty() ? nullptr : &zeek[n]};
  reporter.report(brief, &whole);
}

OutcomeStream::OutcomeStream() {
  for (OutcomeBatch& batch : batches_) {
    batch.outcomes.reserve(OutcomeBatch::kOutcomes);
    batch.wholes.reserve(OutcomeBatch::kOutcomes);
    for (Lane& lane : lanes_) (void)lane.empty.push(&batch);
  }
}

/// All readers give batches back in the order in which they were sent.
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

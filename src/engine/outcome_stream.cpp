#include "finwait/engine/outcome_stream.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "finwait/base/apart.h"

namespace finwait::engine {

void OutcomeBatch::clear() noexcept {
  turns.clear();
  outcomes.clear();
  wholes.clear();
  transitions.clear();
  anomalies.clear();
  zeek.clear();
}

void OutcomeBatch::add(const tcp::Outcome& outcome, bool in_full) {
  tcp::Brief brief{};
  tcp::write_brief(outcome, brief);
  add({brief, outcome.anomalies, outcome.turn});
  if (!in_full) return;
  transitions.insert(transitions.end(), outcome.transitions.begin(), outcome.transitions.end());
  if (outcome.zeek != nullptr) zeek.push_back(*outcome.zeek);
  wholes.push_back({outcome.connection, outcome.verdict, static_cast<std::uint32_t>(transitions.size())});
}

void OutcomeBatch::add(const tcp::BriefOutcome& outcome) {
  prefetch_to_fill(outcomes.size() + kAhead);
  anomalies.insert(anomalies.end(), outcome.anomalies.begin(), outcome.anomalies.end());
  const tcp::Turn& turn = outcome.turn;
  turns.push_back({base::apart(turn.tick), base::apart(turn.frame), base::apart(turn.at), base::apart(turn.id)});
  KeptOutcome& kept = outcomes.emplace_back();
  hosts::write_life(outcome, kept.life);
  base::copy_words(outcome.brief, kept.brief);
  kept.anomalies_end = static_cast<std::uint32_t>(anomalies.size());
}

void OutcomeBatch::prefetch(std::size_t n) const noexcept {
  if (n >= outcomes.size()) return;
  base::prefetch_lines(&outcomes[n].brief, sizeof(KeptOutcome) - offsetof(KeptOutcome, brief));
  if (!wholes.empty()) base::prefetch_lines(&wholes[n], sizeof(KeptWhole));
}

void OutcomeBatch::prefetch_life(std::size_t n, hosts::HostPart part) const noexcept {
  if (n < outcomes.size())
    base::prefetch_lines(&outcomes[n].life, part == hosts::HostPart::kNumbers ? hosts::Life::kNumberBytes : sizeof(hosts::Life));
}

void OutcomeBatch::prefetch_to_fill(std::size_t n) const noexcept {
  if (n >= outcomes.capacity()) return;
  const auto* at = reinterpret_cast<const std::byte*>(outcomes.data() + n);
  for (std::size_t line = 0; line < sizeof(KeptOutcome); line += base::kCacheLine) base::prefetch_line_to_write(at + line);
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

OutcomeStream::OutcomeStream(std::size_t batches) : batches_(batches) {
  for (OutcomeBatch& batch : batches_) {
    batch.turns.reserve(OutcomeBatch::kOutcomes);
    batch.outcomes.reserve(OutcomeBatch::kOutcomes);
    batch.wholes.reserve(OutcomeBatch::kWholes);
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
  for (std::size_t n = 0; n != OutcomeBatch::kAhead; ++n) batch->prefetch_to_fill(n);
  return batch;
}

void OutcomeStream::send(OutcomeBatch* batch) noexcept {
  for (Lane& lane : lanes_) (void)lane.full.push(batch);
  sent_.ring();
}

bool OutcomeStream::is_half_back() noexcept {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [this](Lane& lane) { return lane.empty.size() + (lane.returned != nullptr ? 1 : 0) >= half(); });
}

bool OutcomeStream::has_much(Reader reader) noexcept { return lanes_[static_cast<std::size_t>(reader)].full.size() >= much(); }

OutcomeBatch* OutcomeStream::next(Reader reader) noexcept {
  OutcomeBatch* batch = nullptr;
  return lanes_[static_cast<std::size_t>(reader)].full.pop(batch) ? batch : nullptr;
}

void OutcomeStream::give_back(Reader reader, OutcomeBatch* batch) noexcept {
  Lane& lane = lanes_[static_cast<std::size_t>(reader)];
  (void)lane.empty.push(batch);
  if (++lane.given_back % some() == 0) returned_.ring();
}

}  // namespace finwait::engine

#include "finwait/report/anomaly_groups.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace finwait::report {
namespace {

auto weight(const AnomalyGroup& g) noexcept { return std::tie(g.severity, g.connections, g.occurrences); }

/// The gravest and widest first; a fixed order among equals.
bool before(const AnomalyGroup& a, const AnomalyGroup& b) noexcept {
  if (weight(a) != weight(b)) return weight(b) < weight(a);
  return std::tie(a.kind, a.pair) < std::tie(b.kind, b.pair);
}

}  // namespace

void keep_first(std::span<Example> examples, Example next) noexcept {
  if (examples.back().connection != 0 && next.connection >= examples.back().connection) return;
  for (Example& place : examples) {
    if (place.connection == 0 || next.connection < place.connection) std::swap(place, next);
    if (next.connection == 0) return;
  }
}

void AnomalyGroup::add(const AnomalyGroup& more) noexcept {
  severity = std::max(severity, more.severity);
  connections += more.connections;
  occurrences += more.occurrences;
  for (const Example& example : more.examples) {
    if (example.connection != 0) keep_first(examples, example);
  }
}

void AnomalyGroups::add(const tcp::Anomaly& anomaly, const PairWords& pair, std::uint64_t id) {
  const std::uint64_t mixed = mixed_of(pair, static_cast<std::uint8_t>(anomaly.kind));
  may_be_known(mixed) ? groups_.prefetch(hash_of(anomaly.kind, pair)) : anteroom_.prefetch(mixed);
  Waiting& one = waiting_[waiting_count_];
  one = {pair, mixed, {anomaly.kind, EndpointPair::of(pair), anomaly.severity, 1, anomaly.count, {}}};
  one.group.examples[0] = {id, anomaly.frames[0]};
  if (++waiting_count_ == waiting_.size()) enter_waiting();
}

void AnomalyGroups::enter_waiting() {
  for (Waiting& one : std::span(waiting_).first(std::exchange(waiting_count_, 0))) enter(one);
}

inline void AnomalyGroups::enter(Waiting& one) {
  const PairWords& pair = one.pair;
  AnomalyGroup& group = one.group;
  if (may_be_known(one.mixed)) {
    const auto same = [&](const AnomalyGroup& known) { return known.kind == group.kind && are_same(known.pair.words(), pair); };
    if (AnomalyGroup* known = groups_.find(hash_of(group.kind, pair), same)) return known->add(group);
  }
  const auto kind = static_cast<std::uint8_t>(group.kind);
  if (!exact_) {
    auto& place = anteroom_.place_of(one.mixed);
    if (const AnomalyGroup* earlier = place.recall(pair, kind)) {
      group.add(*earlier);
    } else if (weight(group) <= weight(least_)) {
      return place.wait(pair, kind, group);
    }
  }
  if (groups_.full()) forget_lesser_half();
  groups_.add(hash_of(group.kind, pair), group);
  if (!exact_) filter_.note(one.mixed);
  ++counts_[kind];
}

std::vector<AnomalyGroup> AnomalyGroups::top(std::size_t n) const {
  std::array<std::vector<const AnomalyGroup*>, tcp::kAnomalyKinds> by_kind;
  for (const AnomalyGroup& group : groups_.entries()) by_kind[static_cast<std::size_t>(group.kind)].push_back(&group);
  std::vector<AnomalyGroup> most;
  for (auto& groups : by_kind) {
    const auto last = groups.begin() + static_cast<std::ptrdiff_t>(std::min(n, groups.size()));
    std::partial_sort(groups.begin(), last, groups.end(), [](const AnomalyGroup* a, const AnomalyGroup* b) { return before(*a, *b); });
    for (auto at = groups.begin(); at != last; ++at) most.push_back(**at);
  }
  return most;
}

/// Apart from what every finding does.
[[gnu::noinline]] void AnomalyGroups::forget_lesser_half() {
  exact_ = false;
  groups_.keep_first(kRoom / 2, before, [this](const AnomalyGroup& group) { return hash_of(group.kind, group.pair.words()); });
  least_ = groups_.entries().back();
  counts_ = {};
  filter_.clear();
  for (const AnomalyGroup& group : groups_.entries()) {
    ++counts_[static_cast<std::size_t>(group.kind)];
    filter_.note(mixed_of(group.pair.words(), static_cast<std::uint8_t>(group.kind)));
  }
}

}  // namespace finwait::report

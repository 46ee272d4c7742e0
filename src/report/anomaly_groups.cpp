#include "finwait/report/anomaly_groups.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace finwait::report {
namespace {

/// The gravest and widest first; a fixed order among equals.
bool before(const AnomalyGroup& a, const AnomalyGroup& b) noexcept {
  const auto weight = [](const AnomalyGroup& g) { return std::tie(g.severity, g.connections, g.occurrences); };
  if (weight(a) != weight(b)) return weight(b) < weight(a);
  return std::tie(a.kind, a.pair) < std::tie(b.kind, b.pair);
}

}  // namespace

void keep_first(std::span<Example> examples, Example next) noexcept {
  for (Example& place : examples) {
    if (place.connection == 0 || next.connection < place.connection) std::swap(place, next);
    if (next.connection == 0) return;
  }
}

void AnomalyGroups::add(const tcp::Anomaly& anomaly, const tcp::Brief& connection) {
  const Key key{anomaly.kind, pair_of(connection.key, connection.originator)};
  auto at = groups_.find(key);
  if (at == groups_.end()) {
    if (groups_.size() >= kRoom) forget_lesser_half();
    at = groups_.emplace(key, AnomalyGroup{key.kind, key.pair, {}, 0, 0, {}}).first;
    ++counts_[static_cast<std::size_t>(key.kind)];
  }
  AnomalyGroup& group = at->second;
  group.severity = std::max(group.severity, anomaly.severity);
  ++group.connections;
  group.occurrences += anomaly.count;
  keep_first(group.examples, {connection.id, anomaly.frames[0]});
}

std::vector<AnomalyGroup> AnomalyGroups::top(std::size_t n) const {
  std::vector<AnomalyGroup> all;
  all.reserve(groups_.size());
  for (const auto& [key, group] : groups_) all.push_back(group);
  std::sort(all.begin(), all.end(),
            [](const AnomalyGroup& a, const AnomalyGroup& b) { return a.kind != b.kind ? a.kind < b.kind : before(a, b); });
  std::vector<AnomalyGroup> most;
  std::size_t of_kind = 0;
  for (const AnomalyGroup& group : all) {
    of_kind = most.empty() || most.back().kind != group.kind ? 0 : of_kind;
    if (of_kind++ < n) most.push_back(group);
  }
  return most;
}

void AnomalyGroups::forget_lesser_half() {
  exact_ = false;
  std::vector<AnomalyGroup> all;
  all.reserve(groups_.size());
  for (const auto& [key, group] : groups_) all.push_back(group);
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(kRoom / 2);
  std::nth_element(all.begin(), middle, all.end(), before);
  for (auto gone = middle; gone != all.end(); ++gone) {
    groups_.erase(Key{gone->kind, gone->pair});
    --counts_[static_cast<std::size_t>(gone->kind)];
  }
}

}  // namespace finwait::report

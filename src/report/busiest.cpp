#include "finwait/report/busiest.h"

#include <algorithm>

namespace finwait::report {
namespace {

/// A total order: what is kept does not depend on how the map lies.
bool is_larger(const Busiest::Entry& a, const Busiest::Entry& b) {
  if (a.load.bytes != b.load.bytes) return a.load.bytes > b.load.bytes;
  if (a.load.packets != b.load.packets) return a.load.packets > b.load.packets;
  return a.pair > b.pair;
}

}  // namespace

void Busiest::add(const tcp::Brief& connection) {
  const auto& ends = connection.ends;
  add(pair_of(connection.key, connection.originator), {1, ends[0].packets + ends[1].packets, ends[0].ip_bytes + ends[1].ip_bytes});
}

void Busiest::add(std::span<const tcp::LoneSyn> syns) {
  for (const tcp::LoneSyn& syn : syns) add(pair_of(syn.key, syn.originator), {1, 1, syn.ip_bytes});
}

inline void Busiest::add(const Pair& pair, Load load) {
  if (exact_ && pairs_.size() < kRoom) {
    pairs_[pair].add(load);
    return;
  }
  const auto at = pairs_.find(pair);
  if (at != pairs_.end()) {
    at->second.add(load);
    return;
  }
  if (!exact_) {
    auto& place = anteroom_.place_of(pair, 0);
    Load earlier;
    if (place.recall(pair, 0, earlier)) {
      load.add(earlier);
    } else if (load.bytes <= least_) {
      return place.wait(pair, 0, load);
    }
  }
  if (pairs_.size() >= kRoom) forget_smaller_half();
  pairs_.emplace(pair, load);
}

std::vector<Busiest::Entry> Busiest::top(std::size_t n) const {
  std::vector<Entry> entries;
  entries.reserve(pairs_.size());
  for (const auto& [pair, load] : pairs_) entries.push_back({pair, load});
  const auto last = entries.begin() + static_cast<std::ptrdiff_t>(std::min(n, entries.size()));
  std::partial_sort(entries.begin(), last, entries.end(), is_larger);
  entries.erase(last, entries.end());
  return entries;
}

void Busiest::forget_smaller_half() {
  exact_ = false;
  std::vector<Entry> entries;
  entries.reserve(pairs_.size());
  for (const auto& [pair, load] : pairs_) entries.push_back({pair, load});
  const auto middle = entries.begin() + static_cast<std::ptrdiff_t>(kRoom / 2);
  std::nth_element(entries.begin(), middle - 1, entries.end(), is_larger);
  least_ = (middle - 1)->load.bytes;
  pairs_.clear();
  for (auto kept = entries.begin(); kept != middle; ++kept) pairs_.emplace(kept->pair, kept->load);
}

}  // namespace finwait::report

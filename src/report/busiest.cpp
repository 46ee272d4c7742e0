#include "finwait/report/busiest.h"

#include <algorithm>
#include <tuple>

namespace finwait::report {

void Busiest::add(const tcp::Connection& connection) {
  const Pair pair = pair_of(connection);
  if (pairs_.size() >= kRoom && pairs_.find(pair) == pairs_.end()) forget_smaller_half();
  Load& load = pairs_[pair];
  ++load.connections;
  for (const tcp::Endpoint& end : connection.ends) {
    load.packets += end.counters.packets;
    load.bytes += end.counters.ip_bytes;
  }
}

std::vector<Busiest::Entry> Busiest::top(std::size_t n) const {
  std::vector<Entry> entries;
  entries.reserve(pairs_.size());
  for (const auto& [pair, load] : pairs_) entries.push_back({pair, load});
  const auto larger = [](const Entry& a, const Entry& b) {
    const auto order = [](const Entry& e) { return std::tie(e.load.bytes, e.load.packets, e.pair.from, e.pair.to, e.pair.port); };
    return order(b) < order(a);
  };
  n = std::min(n, entries.size());
  std::partial_sort(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(n), entries.end(), larger);
  entries.resize(n);
  return entries;
}

void Busiest::forget_smaller_half() {
  exact_ = false;
  const std::vector<Entry> keep = top(kRoom / 2);
  pairs_.clear();
  for (const Entry& entry : keep) pairs_.emplace(entry.pair, entry.load);
}

}  // namespace finwait::report

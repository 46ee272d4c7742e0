#include "finwait/report/busiest.h"

#include <algorithm>
#include <tuple>

namespace finwait::report {
namespace {

/// A total order: what is kept does not depend on how the map lies.
bool is_larger(const Busiest::Entry& a, const Busiest::Entry& b) {
  const auto order = [](const Busiest::Entry& e) { return std::tie(e.load.bytes, e.load.packets, e.pair.from, e.pair.to, e.pair.port); };
  return order(b) < order(a);
}

}  // namespace

void Busiest::add(const tcp::Brief& connection) {
  const Pair pair = pair_of(connection.key, connection.originator);
  if (pairs_.size() >= kRoom && pairs_.find(pair) == pairs_.end()) forget_smaller_half();
  Load& load = pairs_[pair];
  ++load.connections;
  for (const tcp::Brief::End& end : connection.ends) {
    load.packets += end.packets;
    load.bytes += end.ip_bytes;
  }
}

std::vector<Busiest::Entry> Busiest::largest(std::size_t n) const {
  std::vector<Entry> entries;
  entries.reserve(pairs_.size());
  for (const auto& [pair, load] : pairs_) entries.push_back({pair, load});
  if (n >= entries.size()) return entries;
  std::nth_element(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(n), entries.end(), is_larger);
  entries.resize(n);
  return entries;
}

std::vector<Busiest::Entry> Busiest::top(std::size_t n) const {
  std::vector<Entry> entries = largest(n);
  std::sort(entries.begin(), entries.end(), is_larger);
  return entries;
}

void Busiest::forget_smaller_half() {
  exact_ = false;
  const std::vector<Entry> keep = largest(kRoom / 2);
  pairs_.clear();
  for (const Entry& entry : keep) pairs_.emplace(entry.pair, entry.load);
}

}  // namespace finwait::report

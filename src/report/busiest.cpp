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
  add(pair_of(connection.key, connection.originator), ends[0].packets + ends[1].packets, ends[0].ip_bytes + ends[1].ip_bytes);
}

void Busiest::add(std::span<const tcp::LoneSyn> syns) {
  for (const tcp::LoneSyn& syn : syns) add(pair_of(syn.key, syn.originator), 1, syn.ip_bytes);
}

/// Numbers, not a Load: what is written word by word and copied in larger pieces right after waits until it has reached the cache.
inline void Busiest::add(const Pair& pair, std::uint64_t packets, std::uint64_t bytes) {
  const std::uint64_t hash = hash_(pair);
  Load load{1, packets, bytes};
  if (Entry* known = pairs_.find(hash, [&pair](const Entry& entry) { return entry.pair == pair; })) return known->load.add(load);
  if (!exact_) {
    auto& place = anteroom_.place_of(pair, 0);
    Load earlier;
    if (place.recall(pair, 0, earlier)) {
      load.add(earlier);
    } else if (load.bytes <= least_) {
      return place.wait(pair, 0, load);
    }
  }
  if (pairs_.full()) forget_smaller_half();
  pairs_.add(hash, {pair, load});
}

std::vector<Busiest::Entry> Busiest::top(std::size_t n) const {
  const auto all = pairs_.entries();
  std::vector<Entry> most(std::min(n, all.size()));
  std::partial_sort_copy(all.begin(), all.end(), most.begin(), most.end(), is_larger);
  return most;
}

void Busiest::forget_smaller_half() {
  exact_ = false;
  pairs_.keep_first(kRoom / 2, is_larger, [this](const Entry& entry) { return hash_(entry.pair); });
  least_ = pairs_.entries().back().load.bytes;
}

}  // namespace finwait::report

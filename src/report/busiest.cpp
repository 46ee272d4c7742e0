#include "finwait/report/busiest.h"

#include <algorithm>
#include <array>

namespace finwait::report {
namespace {

/// A total order: what is kept does not depend on how the map lies.
bool is_larger(const Busiest::Entry& a, const Busiest::Entry& b) {
  if (a.load.bytes != b.load.bytes) return a.load.bytes > b.load.bytes;
  if (a.load.packets != b.load.packets) return a.load.packets > b.load.packets;
  return a.pair > b.pair;
}

}  // namespace

inline Busiest::Asked Busiest::ask(const wire::FlowKey& key, unsigned originator) const noexcept {
  const PairWords pair = pair_words_of(key, originator);
  return {pair, hash_(pair)};
}

void Busiest::add(const tcp::Brief& connection) {
  const auto& ends = connection.ends;
  add(ask(connection.key, connection.originator), ends[0].packets + ends[1].packets, ends[0].ip_bytes + ends[1].ip_bytes);
}

/// Some at a time: while what they are looked for by is put together, the places where they may wait are fetched.
void Busiest::add(std::span<const tcp::Unopened> connections) {
  std::array<Asked, 16> asked;
  while (!connections.empty()) {
    const auto some = connections.first(std::min(asked.size(), connections.size()));
    for (std::size_t n = 0; n != some.size(); ++n) {
      asked[n] = ask(some[n].key, some[n].originator);
      anteroom_.prefetch(asked[n].pair, 0);
    }
    for (std::size_t n = 0; n != some.size(); ++n) add(asked[n], some[n].packets(), some[n].ip_bytes());
    connections = connections.subspan(some.size());
  }
}

/// Numbers, not a Load: what is written word by word and copied in larger pieces right after waits until it has reached the cache.
inline void Busiest::add(const Asked& asked, std::uint64_t packets, std::uint64_t bytes) {
  const PairWords& pair = asked.pair;
  Load load{1, packets, bytes};
  const auto same = [&pair](const Entry& entry) { return are_same(entry.pair.words(), pair); };
  if (Entry* known = pairs_.find(asked.hash, same)) return known->load.add(load);
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
  pairs_.add(asked.hash, {EndpointPair::of(pair), load});
}

std::vector<Busiest::Entry> Busiest::top(std::size_t n) const {
  const auto all = pairs_.entries();
  std::vector<Entry> most(std::min(n, all.size()));
  std::partial_sort_copy(all.begin(), all.end(), most.begin(), most.end(), is_larger);
  return most;
}

void Busiest::forget_smaller_half() {
  exact_ = false;
  pairs_.keep_first(kRoom / 2, is_larger, [this](const Entry& entry) { return hash_(entry.pair.words()); });
  least_ = pairs_.entries().back().load.bytes;
}

}  // namespace finwait::report

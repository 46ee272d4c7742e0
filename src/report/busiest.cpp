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

void Busiest::add(const tcp::Brief& connection) {
  const auto& ends = connection.ends;
  const PairWords pair = pair_words_of(connection.key, connection.originator);
  add(pair, mixed_of(pair, 0), ends[0].packets + ends[1].packets, ends[0].ip_bytes + ends[1].ip_bytes);
}

/// Some at a time: while what they are looked for by is put together, the places where they may wait are fetched.
void Busiest::add(std::span<const tcp::Unopened> connections) {
  struct Asked {
    PairWords pair;
    std::uint64_t mixed;
  };
  std::array<Asked, 16> asked;
  while (!connections.empty()) {
    const auto some = connections.first(std::min(asked.size(), connections.size()));
    for (std::size_t n = 0; n != some.size(); ++n) {
      asked[n].pair = pair_words_of(some[n]);
      asked[n].mixed = mixed_of(asked[n].pair, 0);
      anteroom_.prefetch(asked[n].mixed);
    }
    for (std::size_t n = 0; n != some.size(); ++n) add(asked[n].pair, asked[n].mixed, some[n].packets(), some[n].ip_bytes());
    connections = connections.subspan(some.size());
  }
}

/// Numbers, not a Load: what is written word by word and copied in larger pieces right after waits until it has reached the cache.
[[gnu::always_inline]] inline void Busiest::add(const PairWords& pair, std::uint64_t mixed, std::uint64_t packets, std::uint64_t bytes) {
  Load load{1, packets, bytes};
  if (exact_ || filter_.may_have(mixed)) {
    const auto same = [&pair](const Entry& entry) { return are_same(entry.pair.words(), pair); };
    if (Entry* known = pairs_.find(hash_(pair), same)) return known->load.add(load);
  }
  if (!exact_) {
    auto& place = anteroom_.place_of(mixed);
    if (const Load* earlier = place.recall(pair, 0)) {
      load.add(*earlier);
    } else if (load.bytes <= least_) {
      return place.wait(pair, 0, load);
    }
  }
  if (pairs_.full()) forget_smaller_half();
  pairs_.add(hash_(pair), {EndpointPair::of(pair), load});
  if (!exact_) filter_.note(mixed);
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
  filter_.clear();
  for (const Entry& entry : pairs_.entries()) filter_.note(mixed_of(entry.pair.words(), 0));
}

}  // namespace finwait::report

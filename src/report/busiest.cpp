#include "finwait/report/busiest.h"

#include <algorithm>
#include <utility>

namespace finwait::report {
namespace {

/// A total order: what is kept does not depend on how the map lies.
bool is_larger(const Busiest::Entry& a, const Busiest::Entry& b) {
  if (a.load.bytes != b.load.bytes) return a.load.bytes > b.load.bytes;
  if (a.load.packets != b.load.packets) return a.load.packets > b.load.packets;
  return a.pair > b.pair;
}

}  // namespace

void Busiest::await(const PairWords& pair, std::uint64_t packets, std::uint64_t bytes) {
  const std::uint64_t mixed = mixed_of(pair, 0);
  may_be_known(mixed) ? pairs_.prefetch(hash_(pair)) : anteroom_.prefetch(mixed);
  waiting_[waiting_count_] = {pair, mixed, packets, bytes};
  if (++waiting_count_ == waiting_.size()) enter_waiting();
}

void Busiest::enter_waiting() {
  for (const Waiting& one : std::span(waiting_).first(std::exchange(waiting_count_, 0))) enter(one);
}

/// Numbers come, not a Load: what is written word by word and copied in larger pieces right after waits until it has reached the cache.
inline void Busiest::enter(const Waiting& one) {
  const PairWords& pair = one.pair;
  Load load{1, one.packets, one.bytes};
  if (may_be_known(one.mixed)) {
    const auto same = [&pair](const Entry& entry) { return are_same(entry.pair.words(), pair); };
    if (Entry* known = pairs_.find(hash_(pair), same)) return known->load.add(load);
  }
  if (!exact_) {
    auto& place = anteroom_.place_of(one.mixed);
    if (const Load* earlier = place.recall(pair, 0)) {
      load.add(*earlier);
    } else if (load.bytes <= least_) {
      return place.wait(pair, 0, load);
    }
  }
  if (pairs_.full()) forget_smaller_half();
  pairs_.add(hash_(pair), {EndpointPair::of(pair), load});
  if (!exact_) filter_.note(one.mixed);
}

std::vector<Busiest::Entry> Busiest::top(std::size_t n) const {
  const auto all = pairs_.entries();
  std::vector<Entry> most(std::min(n, all.size()));
  std::partial_sort_copy(all.begin(), all.end(), most.begin(), most.end(), is_larger);
  return most;
}

/// Apart from what every connection does.
[[gnu::noinline]] void Busiest::forget_smaller_half() {
  exact_ = false;
  pairs_.keep_first(kRoom / 2, is_larger, [this](const Entry& entry) { return hash_(entry.pair.words()); });
  least_ = pairs_.entries().back().load.bytes;
  filter_.clear();
  for (const Entry& entry : pairs_.entries()) filter_.note(mixed_of(entry.pair.words(), 0));
}

}  // namespace finwait::report

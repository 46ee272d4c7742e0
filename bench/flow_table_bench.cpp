// From a flow's key to its record: the flow table, a batch at a time, beside other maps.
//
// Each answer is checked before anything is timed. All use the same hash, all end at the record, and all but the flow table hold the key
// themselves; "each" is the time of one look-up. What stands beside it: boost::unordered_flat_map and std::unordered_map, which one thread
// may use; tbb::concurrent_hash_map, libcuckoo and liburcu's table (in its fastest flavour, QSBR), which many may. Those of them whose
// library is not installed are left out.
//
// beside_writer: look-ups of keys that stay, by one thread or several, while a writer takes out and puts back others as fast as it can.
#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <bit>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

#ifdef FINWAIT_BENCH_TBB
#include <tbb/concurrent_hash_map.h>
#endif
#ifdef FINWAIT_BENCH_CUCKOO
#include <libcuckoo/cuckoohash_map.hh>
#endif
#ifdef FINWAIT_BENCH_URCU
#include <urcu/urcu-qsbr.h>
//
#include <urcu/rculfhash.h>
#endif

#include "finwait/base/hash.h"
#include "finwait/base/memory.h"
#include "finwait/flow/table.h"
#include "finwait/wire/flow_key.h"

namespace {

using finwait::base::FixedArray;
using finwait::base::kNone;
using finwait::base::QuickHash;
using finwait::flow::Table;
using finwait::wire::FlowKey;

constexpr std::size_t kBatch = 32;
constexpr std::size_t kLookups = std::size_t{1} << 18;

struct Hasher {
  using is_avalanching = void;
  std::size_t operator()(const FlowKey& key) const noexcept { return keyed.hash40(&key); }
  QuickHash keyed{1};
};

struct Record {
  [[nodiscard]] FlowKey key() const noexcept { return std::bit_cast<FlowKey>(bytes); }

  std::uint64_t packets;
  std::array<std::uint64_t, 5> bytes;
};

FlowKey key_of(std::uint32_t n) {
  FlowKey key;
  const std::array<std::uint8_t, 4> low{10, 0, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 24)};
  const std::array<std::uint8_t, 4> high{192, 0, 2, 1};
  key.low = finwait::wire::Address::v4(low.data());
  key.high = finwait::wire::Address::v4(high.data());
  key.low_port = static_cast<std::uint16_t>(n);
  key.high_port = 443;
  return key;
}

/// The keys looked for, in random order, and who they are.
struct Stream {
  explicit Stream(std::uint32_t entries) : keys(kLookups), numbers(kLookups) {
    std::mt19937_64 random(1);
    for (std::size_t i = 0; i != kLookups; ++i) {
      numbers[i] = static_cast<std::uint32_t>(random() % entries);
      keys[i] = key_of(numbers[i]);
    }
  }
  std::vector<FlowKey> keys;
  std::vector<std::uint32_t> numbers;
};

FixedArray<Record> records_of(std::uint32_t entries) {
  FixedArray<Record> records(entries);
  for (std::uint32_t n = 0; n != entries; ++n) records[n].bytes = std::bit_cast<std::array<std::uint64_t, 5>>(key_of(n));
  return records;
}

/// Three passes over a batch: hash and fetch the buckets, fetch the records, compare. A look-up whose first candidate is another flow's
/// goes to the table again.
template <class Visit>
void find_batch(const Table& table, const QuickHash& keyed, const FixedArray<Record>& records, const FlowKey* keys, Visit&& visit) {
  std::array<std::uint64_t, kBatch> hashes;
  std::array<std::uint32_t, kBatch> likely;
  for (std::size_t i = 0; i != kBatch; ++i) {
    hashes[i] = keyed.hash40(&keys[i]);
    table.prefetch(hashes[i]);
  }
  for (std::size_t i = 0; i != kBatch; ++i) {
    likely[i] = kNone;
    table.candidates(hashes[i], [&](std::uint32_t value) {
      likely[i] = value;
      records.prefetch(value);
    });
  }
  for (std::size_t i = 0; i != kBatch; ++i) {
    const auto is_it = [&](std::uint32_t value) { return records[value].key() == keys[i]; };
    visit(i, likely[i] != kNone && is_it(likely[i]) ? likely[i] : table.find(hashes[i], is_it));
  }
}

void report(benchmark::State& state, std::size_t lookups_each = kLookups) {
  const auto lookups = static_cast<double>(state.iterations()) * static_cast<double>(lookups_each);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(lookups_each));
  state.counters["each"] = benchmark::Counter(lookups, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// The maps by one interface: insert a number, erase it, find the number of a key or kNone.
class Ours {
 public:
  Ours(std::uint32_t entries, const FixedArray<Record>& records) : table_(entries), records_(records) {}
  bool insert(std::uint32_t n) { return table_.insert(hash(n), n); }
  bool erase(std::uint32_t n) { return table_.erase(hash(n), n); }
  template <class Visit>
  void find_all(const FlowKey* keys, std::size_t count, Visit&& visit) const {
    for (std::size_t at = 0; at != count; at += kBatch) {
      find_batch(table_, keyed_, records_, keys + at, [&](std::size_t i, std::uint32_t n) { visit(at + i, n); });
    }
  }
  void enter() {}
  void leave() {}

 private:
  std::uint64_t hash(std::uint32_t n) const { return keyed_.hash40(records_[n].bytes.data()); }
  QuickHash keyed_{1};
  Table table_;
  const FixedArray<Record>& records_;
};

/// What the other maps have in common: one look-up after the other.
template <class Map>
class OneByOne {
 public:
  OneByOne(std::uint32_t entries, const FixedArray<Record>& records) : map_(entries), records_(records) {}
  bool insert(std::uint32_t n) { return map_.insert(records_[n].key(), n); }
  bool erase(std::uint32_t n) { return map_.erase(records_[n].key()); }
  template <class Visit>
  void find_all(const FlowKey* keys, std::size_t count, Visit&& visit) const {
    for (std::size_t i = 0; i != count; ++i) visit(i, map_.find(keys[i]));
  }
  void enter() { map_.enter(); }
  void leave() { map_.leave(); }

 private:
  Map map_;
  const FixedArray<Record>& records_;
};

template <class Map>
struct PlainMap {
  explicit PlainMap(std::uint32_t entries) { map.reserve(entries); }
  bool insert(const FlowKey& key, std::uint32_t n) { return map.emplace(key, n).second; }
  bool erase(const FlowKey& key) { return map.erase(key) != 0; }
  std::uint32_t find(const FlowKey& key) const {
    const auto found = map.find(key);
    return found == map.end() ? kNone : found->second;
  }
  Map map;
};
using Boost = OneByOne<PlainMap<boost::unordered_flat_map<FlowKey, std::uint32_t, Hasher>>>;
using Standard = OneByOne<PlainMap<std::unordered_map<FlowKey, std::uint32_t, Hasher>>>;

#ifdef FINWAIT_BENCH_TBB
struct TbbMap {
  struct Compare : Hasher {
    std::size_t hash(const FlowKey& key) const noexcept { return (*this)(key); }
    bool equal(const FlowKey& a, const FlowKey& b) const noexcept { return a == b; }
  };
  using Map = tbb::concurrent_hash_map<FlowKey, std::uint32_t, Compare>;
  explicit TbbMap(std::uint32_t entries) : map(entries) {}
  bool insert(const FlowKey& key, std::uint32_t n) { return map.insert({key, n}); }
  bool erase(const FlowKey& key) { return map.erase(key); }
  std::uint32_t find(const FlowKey& key) const {
    Map::const_accessor found;
    return map.find(found, key) ? found->second : kNone;
  }
  void enter() {}
  void leave() {}
  Map map;
};
using Tbb = OneByOne<TbbMap>;
#endif

#ifdef FINWAIT_BENCH_CUCKOO
struct CuckooMap {
  explicit CuckooMap(std::uint32_t entries) : map(entries) {}
  bool insert(const FlowKey& key, std::uint32_t n) { return map.insert(key, n); }
  bool erase(const FlowKey& key) { return map.erase(key); }
  std::uint32_t find(const FlowKey& key) const {
    std::uint32_t n = kNone;
    return map.find(key, n) ? n : kNone;
  }
  void enter() {}
  void leave() {}
  libcuckoo::cuckoohash_map<FlowKey, std::uint32_t, Hasher> map;
};
using Cuckoo = OneByOne<CuckooMap>;
#endif

#ifdef FINWAIT_BENCH_URCU
/// Buckets as many as entries, fixed, as the other maps have them reserved. An erased node rests until no reader can hold it.
class UrcuMap {
 public:
  explicit UrcuMap(std::uint32_t entries) : nodes_(entries) {
    const std::uint64_t buckets = std::bit_ceil(std::uint64_t{entries});
    urcu_qsbr_register_thread();
    table_ = cds_lfht_new_flavor(buckets, buckets, buckets, 0, &urcu_qsbr_flavor, nullptr);
    if (table_ == nullptr) throw std::bad_alloc();
  }
  UrcuMap(const UrcuMap&) = delete;
  UrcuMap& operator=(const UrcuMap&) = delete;
  ~UrcuMap() {
    for (Node& node : nodes_) {
      if (node.in) cds_lfht_del(table_, &node.link);
    }
    // Destroying it wants every thread quiescent, and may wait for helpers of its own.
    urcu_qsbr_thread_offline();
    cds_lfht_destroy(table_, nullptr);
    urcu_qsbr_unregister_thread();
  }
  bool insert(const FlowKey& key, std::uint32_t n) {
    Node& node = nodes_[n];
    if (++inserted_ % 64 == 0) urcu_qsbr_synchronize_rcu();
    node.key = key;
    node.n = n;
    node.in = true;
    cds_lfht_node_init(&node.link);
    return cds_lfht_add_unique(table_, hasher_(key), &same, &key, &node.link) == &node.link;
  }
  bool erase(const FlowKey& key) {
    Node* node = lookup(key);
    if (node == nullptr || cds_lfht_del(table_, &node->link) != 0) return false;
    node->in = false;
    return true;
  }
  std::uint32_t find(const FlowKey& key) const {
    const Node* node = lookup(key);
    const std::uint32_t n = node == nullptr ? kNone : node->n;
    urcu_qsbr_quiescent_state();
    return n;
  }
  static void enter() { urcu_qsbr_register_thread(); }
  static void leave() { urcu_qsbr_unregister_thread(); }

 private:
  struct Node {
    cds_lfht_node link;  // first: the table hands out its address
    FlowKey key;
    std::uint32_t n;
    bool in;
  };
  static int same(cds_lfht_node* node, const void* key) {
    return static_cast<int>(reinterpret_cast<const Node*>(node)->key == *static_cast<const FlowKey*>(key));
  }
  Node* lookup(const FlowKey& key) const {
    cds_lfht_iter at{};
    cds_lfht_lookup(table_, hasher_(key), &same, &key, &at);
    return reinterpret_cast<Node*>(cds_lfht_iter_get_node(&at));
  }
  Hasher hasher_;
  std::vector<Node> nodes_;
  cds_lfht* table_ = nullptr;
  std::uint64_t inserted_ = 0;
};
using Urcu = OneByOne<UrcuMap>;
#endif

template <class Map>
bool filled(benchmark::State& state, Map& map, std::uint32_t entries) {
  for (std::uint32_t n = 0; n != entries; ++n) {
    if (map.insert(n)) continue;
    state.SkipWithError("refused");
    return false;
  }
  return true;
}

template <class Map>
void look_up(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  const Stream stream(entries);
  FixedArray<Record> records = records_of(entries);
  Map map(entries, records);
  if (!filled(state, map, entries)) return;
  bool right = true;
  map.find_all(stream.keys.data(), kLookups, [&](std::size_t i, std::uint32_t n) { right = right && n == stream.numbers[i]; });
  if (!right) return state.SkipWithError("wrong answer");
  for (auto _ : state) {
    map.find_all(stream.keys.data(), kLookups, [&](std::size_t, std::uint32_t n) { ++records[n].packets; });
  }
  report(state);
}

/// Keys that are not there: what each first packet costs.
template <class Map>
void look_up_absent(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  Stream stream(entries);
  for (FlowKey& key : stream.keys) key.high_port = 80;
  const FixedArray<Record> records = records_of(entries);
  Map map(entries, records);
  if (!filled(state, map, entries)) return;
  std::uint64_t found = 0;
  for (auto _ : state) map.find_all(stream.keys.data(), kLookups, [&](std::size_t, std::uint32_t n) { found += n != kNone; });
  if (found != 0) state.SkipWithError("wrong answer");
  report(state);
}

/// One in eight keys comes and goes by the writer's hand, the others stay and must be found.
template <class Map>
void beside_writer(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  const auto readers = static_cast<std::size_t>(state.range(1));
  const std::uint32_t standing = entries - entries / 8;
  const Stream stream(standing);
  const FixedArray<Record> records = records_of(entries);
  Map map(entries, records);
  if (!filled(state, map, entries)) return;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> wrong{0};
  const auto read_once = [&] {
    std::uint64_t lost = 0;
    map.find_all(stream.keys.data(), kLookups, [&](std::size_t i, std::uint32_t n) { lost += n != stream.numbers[i]; });
    wrong.fetch_add(lost, std::memory_order_relaxed);
  };
  std::uint64_t writes = 0;
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    map.enter();
    std::mt19937_64 random(2);
    for (; !stop.load(std::memory_order_relaxed); writes += 2) {
      const auto n = standing + static_cast<std::uint32_t>(random() % (entries / 8));
      if (!map.erase(n) || !map.insert(n)) wrong.fetch_add(1);
    }
    map.leave();
  });
  for (std::size_t i = 1; i != readers; ++i) {
    threads.emplace_back([&] {
      map.enter();
      while (!stop.load(std::memory_order_relaxed)) read_once();
      map.leave();
    });
  }
  for (auto _ : state) read_once();
  stop.store(true);
  // A reader that waits for the others must not keep a writer waiting for it (QSBR).
  map.leave();
  for (std::thread& thread : threads) thread.join();
  map.enter();
  if (wrong.load() != 0) state.SkipWithError("wrong answer");
  state.counters["writes"] = benchmark::Counter(static_cast<double>(writes), benchmark::Counter::kIsRate);
  report(state);
}

void hash_only(benchmark::State& state) {
  const QuickHash keyed(1);
  const Stream stream(1000);
  std::uint64_t sum = 0;
  for (auto _ : state) {
    for (const FlowKey& key : stream.keys) sum ^= keyed.hash40(&key);
    benchmark::DoNotOptimize(sum);
  }
  report(state);
}

/// One flow goes, another comes: the table's writing side at half load.
void replacement(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  Table table(entries);
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> hashes(entries);
  for (std::uint32_t n = 0; n != entries; ++n) {
    hashes[n] = random();
    if (!table.insert(hashes[n], n)) return state.SkipWithError("refused");
  }
  for (auto _ : state) {
    for (std::size_t i = 0; i != kLookups; ++i) {
      const std::uint64_t hash = random();
      const auto value = static_cast<std::uint32_t>(((hash >> 32) * entries) >> 32);
      if (!table.erase(hashes[value], value) || !table.insert(hash, value)) return state.SkipWithError("refused");
      hashes[value] = hash;
    }
  }
  report(state);
}

void sizes(benchmark::internal::Benchmark* bench) {
  for (const std::int64_t entries : {1'000, 10'000, 100'000, 1'000'000, 4'000'000, 16'000'000}) bench->Arg(entries);
  bench->Unit(benchmark::kMillisecond);
}

void threaded_sizes(benchmark::internal::Benchmark* bench) {
  for (const std::int64_t entries : {10'000, 1'000'000}) {
    for (const std::int64_t readers : {1, 3}) bench->Args({entries, readers});
  }
  bench->ArgNames({"entries", "readers"})->Unit(benchmark::kMillisecond)->UseRealTime();
}

BENCHMARK(hash_only)->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(look_up, Ours)->Apply(sizes);
BENCHMARK_TEMPLATE(look_up, Boost)->Apply(sizes);
BENCHMARK_TEMPLATE(look_up, Standard)->Apply(sizes);
BENCHMARK_TEMPLATE(look_up_absent, Ours)->Apply(sizes);
BENCHMARK_TEMPLATE(look_up_absent, Boost)->Apply(sizes);
BENCHMARK_TEMPLATE(beside_writer, Ours)->Apply(threaded_sizes);
#ifdef FINWAIT_BENCH_TBB
BENCHMARK_TEMPLATE(look_up, Tbb)->Apply(sizes);
BENCHMARK_TEMPLATE(beside_writer, Tbb)->Apply(threaded_sizes);
#endif
#ifdef FINWAIT_BENCH_CUCKOO
BENCHMARK_TEMPLATE(look_up, Cuckoo)->Apply(sizes);
BENCHMARK_TEMPLATE(beside_writer, Cuckoo)->Apply(threaded_sizes);
#endif
#ifdef FINWAIT_BENCH_URCU
BENCHMARK_TEMPLATE(look_up, Urcu)->Apply(sizes);
BENCHMARK_TEMPLATE(beside_writer, Urcu)->Apply(threaded_sizes);
#endif
BENCHMARK(replacement)->Apply(sizes);

}  // namespace

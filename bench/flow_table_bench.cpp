// From a flow's key to its record: the flow table, a batch at a time, beside two maps that hold the key themselves.
//
// Each answer is checked before anything is timed. All three use the same hash, and all three end at the record. items_per_second counts
// look-ups; "each" is the time of one.
#include <benchmark/benchmark.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <random>
#include <unordered_map>
#include <vector>

#include "finwait/base/hash.h"
#include "finwait/base/memory.h"
#include "finwait/flow/table.h"
#include "finwait/wire/flow_key.h"

namespace {

using finwait::base::FixedArray;
using finwait::base::KeyedHash;
using finwait::base::kNone;
using finwait::flow::Table;
using finwait::wire::FlowKey;

constexpr std::size_t kBatch = 32;
constexpr std::size_t kLookups = std::size_t{1} << 18;

struct Hasher {
  using is_avalanching = void;
  std::size_t operator()(const FlowKey& key) const noexcept { return keyed.hash40(&key); }
  KeyedHash keyed{1};
};

struct Record {
  std::uint64_t packets;
  std::array<std::uint8_t, 40> key;
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
  for (std::uint32_t n = 0; n != entries; ++n) {
    const FlowKey key = key_of(n);
    std::memcpy(records[n].key.data(), &key, sizeof key);
  }
  return records;
}

/// Three passes over a batch: hash and fetch the buckets, fetch the records, compare.
template <class Visit>
void find_batch(const Table& table, const KeyedHash& keyed, const FixedArray<Record>& records, const FlowKey* keys, Visit&& visit) {
  std::array<std::uint64_t, kBatch> hashes;
  for (std::size_t i = 0; i != kBatch; ++i) {
    hashes[i] = keyed.hash40(&keys[i]);
    table.prefetch(hashes[i]);
  }
  for (std::size_t i = 0; i != kBatch; ++i) table.candidates(hashes[i], [&](std::uint32_t value) { records.prefetch(value); });
  for (std::size_t i = 0; i != kBatch; ++i) {
    visit(i, table.find(hashes[i],
                        [&](std::uint32_t value) { return std::memcmp(records[value].key.data(), &keys[i], sizeof keys[i]) == 0; }));
  }
}

void report(benchmark::State& state) {
  const auto lookups = static_cast<double>(state.iterations()) * static_cast<double>(kLookups);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kLookups));
  state.counters["each"] = benchmark::Counter(lookups, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void flow_table(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  const KeyedHash keyed(1);
  const Stream stream(entries);
  FixedArray<Record> records = records_of(entries);
  Table table(entries);
  for (std::uint32_t n = 0; n != entries; ++n) {
    const FlowKey key = key_of(n);
    if (!table.insert(keyed.hash40(&key), n)) return state.SkipWithError("refused");
  }
  for (std::size_t at = 0; at != kLookups; at += kBatch) {
    find_batch(table, keyed, records, &stream.keys[at], [&](std::size_t i, std::uint32_t value) {
      if (value != stream.numbers[at + i]) state.SkipWithError("wrong answer");
    });
  }
  for (auto _ : state) {
    for (std::size_t at = 0; at != kLookups; at += kBatch) {
      find_batch(table, keyed, records, &stream.keys[at], [&](std::size_t, std::uint32_t value) { ++records[value].packets; });
    }
  }
  report(state);
}

template <class Map>
void map(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  const Stream stream(entries);
  FixedArray<Record> records = records_of(entries);
  Map numbers;
  numbers.reserve(entries);
  for (std::uint32_t n = 0; n != entries; ++n) numbers.emplace(key_of(n), n);
  for (std::size_t i = 0; i != kLookups; ++i) {
    const auto found = numbers.find(stream.keys[i]);
    if (found == numbers.end() || found->second != stream.numbers[i]) return state.SkipWithError("wrong answer");
  }
  for (auto _ : state) {
    for (const FlowKey& key : stream.keys) {
      const auto found = numbers.find(key);
      if (found != numbers.end()) ++records[found->second].packets;
    }
  }
  report(state);
}

void boost_flat_map(benchmark::State& state) { map<boost::unordered_flat_map<FlowKey, std::uint32_t, Hasher>>(state); }
void standard_map(benchmark::State& state) { map<std::unordered_map<FlowKey, std::uint32_t, Hasher>>(state); }

void hash_only(benchmark::State& state) {
  const KeyedHash keyed(1);
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
  for (const std::int64_t entries : {1'000, 10'000, 100'000, 1'000'000, 16'000'000}) bench->Arg(entries);
  bench->Unit(benchmark::kMillisecond);
}

BENCHMARK(hash_only)->Unit(benchmark::kMillisecond);
BENCHMARK(flow_table)->Apply(sizes);
BENCHMARK(boost_flat_map)->Apply(sizes);
BENCHMARK(standard_map)->Apply(sizes);
BENCHMARK(replacement)->Apply(sizes);

}  // namespace

// Writing connections as json text: bytes a second of one thread. The connections are a few thousand of the shapes that captures have:
// complete, half-open, reset, IPv4 and IPv6; each is written once before anything is timed, and what was written is looked at.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "finwait/report/community_id.h"
#include "finwait/report/json_record.h"
#include "finwait/report/text.h"
#include "finwait/report/uid.h"
#include "traffic.h"

namespace {

using finwait::bench::Traffic;
using finwait::report::Text;
using finwait::tcp::Outcome;
using finwait::tcp::Tracker;

/// An Outcome that outlives its tracker.
struct Kept {
  explicit Kept(const Outcome& o)
      : connection(o.connection),
        verdict(o.verdict),
        transitions(o.transitions.begin(), o.transitions.end()),
        anomalies(o.anomalies.begin(), o.anomalies.end()) {}
  [[nodiscard]] Outcome outcome() const { return {connection, verdict, transitions, anomalies}; }

  finwait::tcp::Connection connection;
  finwait::tcp::Verdict verdict;
  std::vector<finwait::tcp::Transition> transitions;
  std::vector<finwait::tcp::Anomaly> anomalies;
};

std::deque<Kept> connections(std::uint32_t count) {
  Tracker tracker({});
  Traffic traffic(tracker, count);
  std::deque<Kept> kept;
  const auto flush = [&] {
    tracker.track(traffic.segments());
    traffic.clear();
    tracker.advance(traffic.now());
    tracker.drain([&](const Outcome& outcome) { kept.emplace_back(outcome); });
  };
  for (std::uint32_t n = 0; n != count; ++n) {
    traffic.syn(n);
    if (n % 8 == 0) continue;
    traffic.accept(n);
    for (std::uint32_t i = 0; i != n % 5; ++i) traffic.exchange(n);
    n % 16 == 1 ? traffic.reset(n) : traffic.close(n);
    if (n % 64 == 0) flush();
  }
  flush();
  tracker.finish(traffic.now());
  tracker.drain([&](const Outcome& outcome) { kept.emplace_back(outcome); });
  return kept;
}

void write_connections(benchmark::State& state) {
  constexpr std::uint32_t kCount = 4096;
  const std::deque<Kept> kept = connections(kCount);
  Text text;
  for (const Kept& k : kept) finwait::report::put_connection(text, k.outcome());
  const auto lines = std::count(text.view().begin(), text.view().end(), '\n');
  if (lines != kCount || text.view().find("\"ending\":\"graceful\"") == std::string_view::npos) return state.SkipWithError("wrong text");
  const std::size_t bytes = text.size();
  for (auto _ : state) {
    for (const Kept& k : kept) {
      finwait::report::put_connection(text, k.outcome());
      if (text.size() > (1U << 16)) text.clear();
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kept.size()));
  state.counters["bytes_a_line"] = static_cast<double>(bytes) / kCount;
}

void community_ids(benchmark::State& state) {
  const std::deque<Kept> kept = connections(1024);
  for (auto _ : state) {
    for (const Kept& k : kept) benchmark::DoNotOptimize(finwait::report::community_id(k.connection.key));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kept.size()));
}

void uids(benchmark::State& state) {
  const std::deque<Kept> kept = connections(1024);
  for (auto _ : state) {
    for (const Kept& k : kept) benchmark::DoNotOptimize(finwait::report::uid_of(k.connection));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kept.size()));
}

BENCHMARK(write_connections)->Unit(benchmark::kMillisecond);
BENCHMARK(community_ids)->Unit(benchmark::kMicrosecond);
BENCHMARK(uids)->Unit(benchmark::kMicrosecond);

}  // namespace

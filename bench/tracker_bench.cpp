// What a segment costs behind the decoder, and whether that stays so: with more connections, with a million that end at once, with a table
// that is full.
//
// Only the tracker's own work is timed, in the thread's processor time: the segments of a batch are made before, and dropped after. "each"
// is the time of one segment, from the look-up to the finished connection handed out; "longest" is the longest batch.
#include <benchmark/benchmark.h>

#include <time.h>

#include <algorithm>
#include <random>
#include <vector>

#include "traffic.h"

namespace {

using finwait::base::kMicrosecond;
using finwait::base::kSecond;
using finwait::bench::Traffic;
using finwait::tcp::Outcome;
using finwait::tcp::Tracker;
using finwait::tcp::TrackerOptions;

constexpr std::size_t kBatch = 512;

TrackerOptions options_for(std::uint32_t connections) {
  TrackerOptions options;
  options.max_connections = connections;
  options.seed = 1;
  return options;
}

/// Processor time of this thread, in seconds: other programs on the machine do not count.
double thread_seconds() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Hands on what has gathered, as the pipeline does, and measures that.
class Timed {
 public:
  Timed(Tracker& tracker, Traffic& traffic) : tracker_(tracker), traffic_(traffic) {}

  double batch() {
    const double start = thread_seconds();
    tracker_.track(traffic_.segments());
    tracker_.advance(traffic_.now());
    finished_ += tracker_.drain([](const Outcome& outcome) { benchmark::DoNotOptimize(&outcome); });
    const double seconds = thread_seconds() - start;
    segments_ += traffic_.segments().size();
    longest_ = std::max(longest_, seconds);
    total_ += seconds;
    traffic_.clear();
    return seconds;
  }
  double batch_if_full() { return traffic_.segments().size() < kBatch ? 0.0 : batch(); }
  void forget() {
    longest_ = total_ = 0;
    segments_ = 0;
  }

  void report(benchmark::State& state) const {
    state.SetItemsProcessed(static_cast<std::int64_t>(segments_));
    state.counters["each"] = benchmark::Counter(total_ / static_cast<double>(segments_));
    state.counters["longest"] = benchmark::Counter(longest_);
  }
  [[nodiscard]] std::size_t finished() const noexcept { return finished_; }

 private:
  Tracker& tracker_;
  Traffic& traffic_;
  double longest_ = 0;
  double total_ = 0;
  std::uint64_t segments_ = 0;
  std::size_t finished_ = 0;
};

/// Data and acknowledgments of established connections in random order.
void steady(benchmark::State& state) {
  const auto connections = static_cast<std::uint32_t>(state.range(0));
  Tracker tracker(options_for(2 * connections));
  Traffic traffic(tracker, connections);
  Timed timed(tracker, traffic);
  traffic.set_step(1);
  for (std::uint32_t n = 0; n != connections; ++n) {
    traffic.syn(n);
    traffic.accept(n);
    timed.batch_if_full();
  }
  timed.batch();
  timed.forget();
  std::mt19937_64 random(1);
  std::vector<bool> waiting(connections);
  for (auto _ : state) {
    double seconds = 0;
    for (int i = 0; i != 64; ++i) {
      for (std::size_t k = 0; k != kBatch; ++k) {
        const auto n = static_cast<std::uint32_t>(((random() >> 32) * connections) >> 32);
        if (waiting[n]) {
          traffic.ack(n, 1);
        } else {
          traffic.data(n, 0, 1);
        }
        waiting[n] = !waiting[n];
      }
      seconds += timed.batch();
    }
    state.SetIterationTime(seconds);
  }
  if (tracker.counts().created != connections || tracker.remembered() != connections) state.SkipWithError("a connection was lost");
  timed.report(state);
}

/// A million attempts that nobody answers are given up within one second of trace time, while other connections go on, a packet a
/// microsecond; or all of them between one packet and the next.
void expiry(benchmark::State& state, bool at_once) {
  constexpr std::uint32_t kAttempts = 1'000'000;
  constexpr std::uint32_t kAlive = 10'000;
  for (auto _ : state) {
    Tracker tracker(options_for(2 * kAttempts));
    Traffic traffic(tracker, kAttempts + kAlive);
    Timed timed(tracker, traffic);
    traffic.set_step(at_once ? 0 : kMicrosecond);
    for (std::uint32_t n = 0; n != kAttempts; ++n) {
      traffic.syn(n);
      timed.batch_if_full();
    }
    traffic.set_step(1);
    for (std::uint32_t n = kAttempts; n != kAttempts + kAlive; ++n) {
      traffic.syn(n);
      traffic.accept(n);
      timed.batch_if_full();
    }
    timed.batch();
    timed.forget();
    traffic.set_now(traffic.now() + 129 * kSecond - kSecond / 2);
    traffic.set_step(kMicrosecond);
    double seconds = 0;
    for (std::uint32_t i = 0; i != 3'000'000; ++i) {
      traffic.ack(kAttempts + i % kAlive, i & 1);
      seconds += timed.batch_if_full();
    }
    state.SetIterationTime(seconds);
    if (timed.finished() != kAttempts) return state.SkipWithError("not all were given up");
    timed.report(state);
  }
}

/// Attempts from invented sources: with room for all of them, or in a table that is full, so that each one evicts another.
void attempts(benchmark::State& state, bool full) {
  constexpr std::uint32_t kAttempts = 4'000'000;
  for (auto _ : state) {
    Tracker tracker(options_for(full ? kAttempts / 8 : kAttempts + kAttempts / 4));
    Traffic traffic(tracker, kAttempts);
    Timed timed(tracker, traffic);
    double seconds = 0;
    for (std::uint32_t n = 0; n != kAttempts; ++n) {
      if (full && n == kAttempts / 8) timed.forget();
      traffic.syn(n);
      seconds += timed.batch_if_full();
    }
    state.SetIterationTime(seconds);
    if ((timed.finished() != 0) != full || tracker.counts().table_full != 0) return state.SkipWithError("eviction is not as it should be");
    timed.report(state);
  }
}

BENCHMARK(steady)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Arg(4'000'000)
    ->Arg(16'000'000)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(expiry, within_a_second, false)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK_CAPTURE(expiry, at_once, true)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK_CAPTURE(attempts, with_room, false)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK_CAPTURE(attempts, in_a_full_table, true)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace

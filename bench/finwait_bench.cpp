// The layers of the data path on a capture, each with all that stands below it, and the whole: finwait_bench --pcap FILE.
//
// "each" is the processor time of a frame, so what a layer costs is its figure less that of the one before. Answers are checked before they
// are timed: frames and bytes against libpcap's own loop, segments against the law that every frame has one fate, look-ups against a
// standard map, connections against each other at every height.
//
//   read      frames from the file          track    ... through the tracker, finished connections dropped
//   decode    ... to segments               summary  the whole of it, into a summary, as the program does
//   hash      ... with the hash of the flow json     the whole of it, into json
//   table     look-ups alone: the flows of the capture's first segments, in its order, in a table that has them all
#include <benchmark/benchmark.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "finwait/base/hash.h"
#include "finwait/capture/source.h"
#include "finwait/engine/pipeline.h"
#include "finwait/flow/table.h"
#include "finwait/report/destination.h"
#include "finwait/report/json_sink.h"
#include "finwait/report/summary_sink.h"
#include "finwait/wire/decode.h"
#include "pcap_option.h"

namespace {

using finwait::base::kNone;
using finwait::bench::pcap_path;
using finwait::capture::Frame;
using finwait::tcp::Tracker;
using finwait::wire::Fate;
using finwait::wire::FlowKey;
using finwait::wire::Segment;
namespace engine = finwait::engine;
namespace report = finwait::report;
namespace wire = finwait::wire;

constexpr std::size_t kBatch = 512;
constexpr std::uint32_t kConnections = 1U << 22;

/// What one pass over the capture came to; whatever a layer does not know stays 0.
struct Answer {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  std::uint64_t segments = 0;
  std::uint64_t connections = 0;
  std::uint64_t hash = 0;
};

finwait::tcp::TrackerOptions tracker_options() {
  finwait::tcp::TrackerOptions options;
  options.max_connections = kConnections;
  options.seed = 1;
  return options;
}

/// libpcap's own loop.
Answer by_libpcap() {
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> file(pcap_open_offline(pcap_path().c_str(), error.data()), &pcap_close);
  if (!file) throw std::runtime_error(error.data());
  Answer answer;
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  while (pcap_next_ex(file.get(), &header, &data) == 1) {
    ++answer.frames;
    answer.bytes += header->caplen;
  }
  return answer;
}

/// Reads the capture, and gives each batch to `use`.
template <class Use>
Answer read_all(Use&& use) {
  const auto source = finwait::capture::open_file(pcap_path());
  std::vector<Frame> batch(kBatch);
  Answer answer;
  while (const std::size_t n = source->read(batch)) {
    for (std::size_t i = 0; i != n; ++i) answer.bytes += batch[i].captured;
    use(std::span(batch).first(n), answer);
    answer.frames += n;
  }
  return answer;
}

Answer by_reading() {
  return read_all([](std::span<const Frame>, Answer&) {});
}

/// Decodes; `use` gets the segments of a batch.
template <class Use>
Answer decode_all(Use&& use) {
  wire::Reassembler reassembler(wire::ReassemblyLimits{.seed = 1});
  engine::TraceClock clock;
  std::vector<Segment> segments(kBatch);
  return read_all([&](std::span<const Frame> frames, Answer& answer) {
    std::size_t n = 0;
    for (std::size_t i = 0; i != frames.size(); ++i) {
      const Frame& f = frames[i];
      Segment& s = segments[n];
      clock.tick(f.time);
      if (wire::decode({f.data, f.captured, f.length, f.link_type}, {}, reassembler, clock.now(), s) != Fate::kTcp) continue;
      s.time = f.time;
      s.clock = clock.now();
      s.frame = answer.frames + i + 1;
      ++n;
    }
    answer.segments += n;
    use(std::span(segments).first(n), answer, clock.now());
  });
}

Answer by_decoding() {
  return decode_all([](std::span<Segment> segments, Answer&, auto) { benchmark::DoNotOptimize(segments.data()); });
}

Answer by_hashing() {
  const finwait::base::QuickHash keyed(1);
  return decode_all([&](std::span<Segment> segments, Answer& answer, auto) {
    for (Segment& s : segments) answer.hash ^= s.hash = keyed.hash40(&s.key);
  });
}

Answer by_tracking() {
  Tracker tracker(tracker_options());
  std::uint64_t connections = 0;
  finwait::base::Timestamp end = 0;
  const auto drop = [&](const finwait::tcp::Outcome&) { ++connections; };
  Answer answer = decode_all([&](std::span<Segment> segments, Answer&, finwait::base::Timestamp clock) {
    for (Segment& s : segments) s.hash = tracker.hash(s.key);
    tracker.track(segments);
    tracker.advance(end = clock);
    tracker.drain(drop);
  });
  tracker.finish(end);
  tracker.drain(drop);
  answer.connections = connections;
  return answer;
}

class Onwards final : public engine::Steering {
 public:
  bool go_on(const engine::Progress& /*progress*/) override { return true; }
};

Answer by_the_whole(std::unique_ptr<report::Sink> sink) {
  const auto source = finwait::capture::open_file(pcap_path());
  std::vector<std::unique_ptr<report::Sink>> sinks;
  sinks.push_back(std::move(sink));
  report::Reporter reporter(std::move(sinks), {});
  engine::PipelineOptions options;
  options.tracker = tracker_options();
  engine::Pipeline pipeline(*source, nullptr, reporter, options);
  Onwards onwards;
  pipeline.run(onwards);
  report::Totals totals = pipeline.totals();
  reporter.finish(totals);
  Answer answer{totals.frames.read, totals.performance.bytes, totals.frames.of(Fate::kTcp), totals.counts.connections, 0};
  std::uint64_t fates = 0;
  for (const std::uint64_t n : totals.frames.fates) fates += n;
  if (fates != answer.frames) throw std::runtime_error("a frame has no fate, or two");
  return answer;
}

report::Output nowhere() { return {std::make_unique<report::DirectDestination>(report::LogFile("/dev/null"))}; }

Answer by_summary() { return by_the_whole(std::make_unique<report::SummarySink>(nowhere(), report::SummaryOptions{})); }
Answer by_json() { return by_the_whole(std::make_unique<report::JsonSink>(nowhere(), false)); }

/// Whether two heights agree in what both know.
bool agree(const Answer& a, const Answer& b) {
  const auto same = [](std::uint64_t x, std::uint64_t y) { return x == 0 || y == 0 || x == y; };
  return a.frames == b.frames && a.bytes == b.bytes && same(a.segments, b.segments) && same(a.connections, b.connections);
}

void layer(benchmark::State& state, Answer (*pass)(), Answer (*check)()) {
  const Answer expected = check();
  const Answer answer = pass();
  if (!agree(answer, expected)) return state.SkipWithError("wrong answer");
  for (auto _ : state) benchmark::DoNotOptimize(pass());
  const auto frames = static_cast<double>(state.iterations()) * static_cast<double>(answer.frames);
  state.counters["each"] = benchmark::Counter(frames, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  if (answer.segments != 0) state.counters["segments"] = static_cast<double>(answer.segments);
  if (answer.connections != 0) state.counters["connections"] = static_cast<double>(answer.connections);
}

struct KeyHash {
  std::size_t operator()(const FlowKey& key) const noexcept { return finwait::base::QuickHash(1).hash40(&key); }
};

/// The look-ups of the capture's first segments, each with the number of its flow.
struct LookUps {
  static constexpr std::size_t kMost = 4'000'000;
  LookUps() {
    const finwait::base::QuickHash keyed(1);
    std::unordered_map<FlowKey, std::uint32_t, KeyHash> known;
    decode_all([&](std::span<Segment> segments, Answer&, auto) {
      for (const Segment& s : segments) {
        if (hashes.size() == kMost) return;
        const auto [at, fresh] = known.emplace(s.key, static_cast<std::uint32_t>(known.size()));
        if (fresh) flow_hashes.push_back(keyed.hash40(&s.key));
        hashes.push_back(keyed.hash40(&s.key));
        flows.push_back(at->second);
      }
    });
  }
  std::vector<std::uint64_t> hashes;
  std::vector<std::uint32_t> flows;
  std::vector<std::uint64_t> flow_hashes;
};

void table(benchmark::State& state) {
  constexpr std::size_t kAhead = 32;
  const LookUps all;
  finwait::flow::Table table(all.flow_hashes.size());
  for (std::uint32_t n = 0; n != all.flow_hashes.size(); ++n) {
    if (!table.insert(all.flow_hashes[n], n)) return state.SkipWithError("refused");
  }
  const auto wrong = [&] {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i != all.hashes.size(); ++i) {
      if (i + kAhead < all.hashes.size()) table.prefetch(all.hashes[i + kAhead]);
      count += table.find(all.hashes[i], [&](std::uint32_t n) { return n == all.flows[i]; }) == kNone;
    }
    return count;
  };
  if (wrong() != 0) return state.SkipWithError("wrong answer");
  for (auto _ : state) benchmark::DoNotOptimize(wrong());
  const auto lookups = static_cast<double>(state.iterations()) * static_cast<double>(all.hashes.size());
  state.counters["each"] = benchmark::Counter(lookups, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["flows"] = static_cast<double>(all.flow_hashes.size());
}

void add_benchmarks() {
  const auto add = [](const char* name, Answer (*pass)(), Answer (*check)()) {
    benchmark::RegisterBenchmark(name, [=](benchmark::State& state) { layer(state, pass, check); })->Unit(benchmark::kMillisecond);
  };
  add("libpcap", &by_libpcap, &by_reading);
  add("read", &by_reading, &by_libpcap);
  add("decode", &by_decoding, &by_libpcap);
  add("hash", &by_hashing, &by_decoding);
  add("track", &by_tracking, &by_decoding);
  add("summary", &by_summary, &by_tracking);
  add("json", &by_json, &by_tracking);
  benchmark::RegisterBenchmark("table", &table)->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) { return finwait::bench::run(argc, argv, add_benchmarks); }

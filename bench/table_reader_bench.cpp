// What readers cost the writer: the tracker fed at full speed, alone and beside a thread that copies every live connection in a loop.
//
// Processor time of the writer's thread for a segment; run with --benchmark_enable_random_interleaving and some repetitions. Wall time says
// nothing here: readers take processors.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "finwait/tcp/connection.h"
#include "finwait/tcp/tracker.h"

namespace {

using namespace finwait;

/// How all connections are read, again and again: not at all, with the rests that TableReader asks for, or without a pause,
/// which is the worst there is.
enum class Reader { kNone, kRested, kRestedCopies, kViews, kCopies };

wire::FlowKey key_of(std::uint32_t flow) {
  wire::FlowKey key;
  std::memcpy(key.low.bytes.data() + 12, &flow, 4);
  key.high = key.low;
  key.high.bytes[0] = 1;
  key.low_port = 1024;
  key.high_port = 2048;
  return key;
}

/// Established connections that send data in turn, at random.
class Writer {
 public:
  explicit Writer(std::uint32_t flows) : next_(flows) {
    tcp::TrackerOptions options;
    options.max_connections = 2 * flows;
    options.readers = true;
    tracker_ = std::make_unique<tcp::Tracker>(options);
    std::vector<wire::Segment> opening;
    for (std::uint32_t flow = 0; flow != flows; ++flow) {
      for (int n = 0; n != 3; ++n) opening.push_back(segment(flow, n));
    }
    tracker_->track(opening);
    batch_.resize(512);
  }

  void batch() {
    for (wire::Segment& s : batch_) s = segment(static_cast<std::uint32_t>(random_() % next_.size()), 3);
    tracker_->track(batch_);
  }
  [[nodiscard]] std::size_t size() const { return batch_.size(); }
  [[nodiscard]] tcp::TableReader reader() const { return tracker_->reader(); }

 private:
  wire::Segment segment(std::uint32_t flow, int n) {
    wire::Segment s;
    s.key = key_of(flow);
    s.hash = tracker_->hash(s.key);
    s.frame = ++frame_;
    s.time = s.clock = static_cast<base::Timestamp>(frame_) * 100;
    auto& [seq, turn] = next_[flow];
    s.direction = static_cast<std::uint8_t>(n < 3 ? static_cast<unsigned>(n % 2) : turn);
    s.seq = seq[s.direction];
    s.ack = n == 0 ? 0 : seq[1 - s.direction];
    s.flags = static_cast<std::uint16_t>((n < 2 ? wire::tcp_flag::kSyn : 0) | (n != 0 ? wire::tcp_flag::kAck : 0));
    s.window = 65535;
    s.ttl = 64;
    s.payload_length = n < 3 ? 0 : 100;
    s.ip_length = 40 + s.payload_length;
    seq[s.direction] = s.end();
    turn = 1 - s.direction;
    return s;
  }

  struct Flow {
    std::array<std::uint32_t, 2> seq{};
    unsigned turn = 0;
  };
  std::vector<Flow> next_;
  std::unique_ptr<tcp::Tracker> tracker_;
  std::vector<wire::Segment> batch_;
  std::mt19937 random_{1};
  std::uint64_t frame_ = 0;
};

void read_on(const tcp::TableReader& reader, Reader how, const std::atomic<bool>& stop, std::atomic<std::uint64_t>& copies) {
  tcp::Connection connection;
  tcp::ConnectionView view;
  const bool whole = how == Reader::kCopies || how == Reader::kRestedCopies;
  const bool rested = how == Reader::kRested || how == Reader::kRestedCopies;
  while (!stop.load(std::memory_order_relaxed)) {
    const std::uint32_t limit = reader.limit();
    for (std::uint32_t index = 0; index != limit && !stop.load(std::memory_order_relaxed); ++index) {
      const auto look = whole ? reader.copy(index, connection) : reader.view(index, view);
      copies.fetch_add(look == tcp::TableReader::Look::kSeen, std::memory_order_relaxed);
      if (rested && index % tcp::TableReader::kBurst == 0)
        std::this_thread::sleep_for(std::chrono::microseconds(tcp::TableReader::rest_of(limit)));
    }
  }
}

void track_beside(benchmark::State& state, Reader how) {
  Writer writer(static_cast<std::uint32_t>(state.range(0)));
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> copies{0};
  std::thread reader;
  if (how != Reader::kNone) reader = std::thread([&] { read_on(writer.reader(), how, stop, copies); });
  for (auto _ : state) writer.batch();
  stop.store(true);
  if (reader.joinable()) reader.join();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(writer.size()));
  state.counters["copies"] = benchmark::Counter(static_cast<double>(copies.load()), benchmark::Counter::kIsRate);
}

BENCHMARK_CAPTURE(track_beside, nobody, Reader::kNone)->Arg(10'000)->Arg(200'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(track_beside, rested, Reader::kRested)->Arg(10'000)->Arg(200'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(track_beside, rested_whole_records, Reader::kRestedCopies)->Arg(10'000)->Arg(200'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(track_beside, no_pause, Reader::kViews)->Arg(10'000)->Arg(200'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(track_beside, no_pause_whole_records, Reader::kCopies)->Arg(10'000)->Arg(200'000)->Arg(1'000'000);

}  // namespace

#include "finwait/tcp/table_reader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "finwait/tcp/connection.h"
#include "finwait/tcp/tracker.h"

namespace finwait::tcp {
namespace {

namespace flag = wire::tcp_flag;

constexpr std::uint32_t kHeader = 40;
constexpr std::uint32_t kPayload = 10;

base::Timestamp time_of(std::uint64_t frame) {
  return 1'700'000'000 * base::kSecond + static_cast<base::Timestamp>(frame) * base::kMillisecond;
}

/// The addresses of a connection are made of the number of its first frame, its initial numbers too: parts of two of them do not fit.
wire::FlowKey key_of_life(std::uint64_t id) {
  wire::FlowKey key;
  key.network = wire::FlowKey::kIpv6;
  std::memcpy(key.low.bytes.data() + 4, &id, 8);
  key.high = key.low;
  key.high.bytes[15] = 1;
  key.low_port = static_cast<std::uint16_t>(2000 + id % 1000);
  key.high_port = static_cast<std::uint16_t>(4000 + id % 1000);
  return key;
}
std::uint32_t iss_of(std::uint64_t id, unsigned end) { return static_cast<std::uint32_t>(id * 2'654'435'761U) + end; }

/// Who sends the segment after so many others.
unsigned turn(std::uint64_t segments) { return static_cast<unsigned>(segments < 3 ? segments % 2 : (segments + 1) % 2); }

/// One connection as it is sent: handshake, then each end in turn, in the end a RST. All numbers of its record follow from
/// its first frame and how many segments there were.
struct Life {
  std::uint64_t id = 0;
  std::uint32_t segments = 0;
  std::uint32_t length = 0;
  std::array<std::uint32_t, 2> next{};

  wire::Segment step(std::uint64_t frame) {
    wire::Segment s;
    if (segments == 0) {
      id = frame;
      next = {iss_of(id, 0), iss_of(id, 1)};
    }
    const unsigned direction = turn(segments);
    const bool last = segments + 1 == length;
    s.direction = static_cast<std::uint8_t>(direction);
    s.key = key_of_life(id);
    s.time = s.clock = time_of(frame);
    s.frame = frame;
    s.seq = next[direction];
    s.ack = next[1 - direction];
    s.window = 65535;
    s.ttl = 64;
    s.flags = flag::kAck;
    if (segments == 0) s.flags = flag::kSyn;
    if (segments == 1) s.flags = flag::kSyn | flag::kAck;
    if (segments == 0) s.ack = 0;
    if (segments > 2 && !last) s.payload_length = kPayload;
    if (last) s.flags = flag::kRst | flag::kAck;
    s.ip_length = kHeader + s.payload_length;
    next[direction] = s.end();
    ++segments;
    return s;
  }
};

/// How often each end has sent after so many segments.
std::array<std::uint64_t, 2> packets_after(std::uint64_t segments) {
  const std::uint64_t low = segments < 3 ? (segments + 1) / 2 : segments / 2 + 1;
  return {low, segments - low};
}

std::string fault(const ConnectionView& v) {
  const EndView& low = v.ends[v.originator == 0 ? 0 : 1];
  const EndView& high = v.ends[v.originator == 0 ? 1 : 0];
  const wire::FlowKey key = key_of_life(v.id);
  if (low.address != key.low || high.address != key.high || low.port != key.low_port || high.port != key.high_port) return "key and id";
  if (!(key_of(v) == key)) return "key of the view";
  if (v.start != time_of(v.id)) return "start";
  if (v.end != time_of(v.last_frame)) return "end and last frame";
  const std::uint64_t segments = low.packets + high.packets;
  if (packets_after(segments) != std::array{low.packets, high.packets}) return "packets of the two ends";
  for (const EndView* end : {&low, &high}) {
    if (end->ip_bytes != kHeader * end->packets + end->payload_bytes) return "bytes and packets";
  }
  if (segments == 1 && v.ends[0].state != State::kSynSent) return "state after the SYN";
  if (segments >= 3 && low.state != high.state) return "states of the two ends";
  return "";
}

std::string fault(const Connection& c) {
  const std::string seen = fault(view_of(c, 0));
  if (!seen.empty()) return seen;
  const std::uint64_t segments = c.ends[0].counters.packets + c.ends[1].counters.packets;
  for (unsigned end = 0; end != 2; ++end) {
    const Endpoint& e = c.ends[end];
    if (e.counters.packets == 0) continue;
    if (e.iss != iss_of(c.id, end)) return "initial number";
    if (e.snd_nxt != e.iss + 1 + e.counters.payload_bytes) return "next number and payload";
    const bool spoke_last = segments > 1 && end == turn(segments - 1) && e.state != State::kClosed;
    if (spoke_last && e.rcv_nxt != c.ends[1 - end].snd_nxt) return "acknowledgment";
  }
  return "";
}

std::string fault(const ConnectionDetails& d) {
  std::string seen = fault(d.view);
  std::array<State, 2> states{State::kClosed, State::kListen};
  std::array<bool, 2> any{};
  for (const Transition& t : d.transitions) {
    if (any[t.end] && states[t.end] != t.from) return "transitions that do not follow one another";
    states[t.end] = t.to;
    any[t.end] = true;
    if (t.proof_frame < d.view.id || t.proof_frame > d.view.last_frame) return "a transition of another life";
  }
  for (unsigned end = 0; end != 2; ++end) {
    const unsigned index = end == 0 ? d.view.originator : 1U - d.view.originator;
    if (any[index] && states[index] != d.view.ends[end].state) return "the last transition and the state";
  }
  for (const Anomaly& a : d.anomalies) {
    if ((d.view.anomaly_kinds >> static_cast<unsigned>(a.kind) & 1) == 0) return "a finding that is not of it";
  }
  return seen;
}

/// Lives side by side, at random; each that is over is followed by another.
class Writer {
 public:
  Writer(std::uint32_t flows, std::uint32_t connections) : lives_(flows) {
    TrackerOptions options;
    options.max_connections = connections;
    options.readers = true;
    options.timers.msl = 1'000;  // over and forgotten within a few segments: places are taken again and again
    tracker_ = std::make_unique<Tracker>(options);
    for (Life& life : lives_) life.length = 4 + static_cast<std::uint32_t>(random_() % 60);
  }

  void run(std::uint64_t segments) {
    std::array<wire::Segment, 64> batch;
    for (std::uint64_t n = 0; n < segments; n += batch.size()) {
      for (wire::Segment& s : batch) {
        Life& life = lives_[random_() % lives_.size()];
        s = life.step(++frame_);
        s.hash = tracker_->hash(s.key);
        if (life.segments != life.length) continue;
        life = Life{};
        life.length = 4 + static_cast<std::uint32_t>(random_() % 60);
      }
      tracker_->track(batch);
      tracker_->advance(time_of(frame_));
      tracker_->drain([this](const Outcome&) { ++over_; });
    }
  }
  [[nodiscard]] const Tracker& tracker() const { return *tracker_; }
  [[nodiscard]] std::uint64_t over() const { return over_; }
  [[nodiscard]] base::Timestamp clock() const { return time_of(frame_); }

 private:
  std::vector<Life> lives_;
  std::unique_ptr<Tracker> tracker_;
  std::mt19937 random_{7};
  std::uint64_t frame_ = 0;
  std::uint64_t over_ = 0;
};

std::uint64_t updates() {
  const char* asked = std::getenv("FINWAIT_READER_UPDATES");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 400'000;
}

struct Tally {
  std::uint64_t seen = 0;
  std::uint64_t busy = 0;
  std::string fault;

  void take(TableReader::Look look, const auto& what) {
    busy += look == TableReader::Look::kBusy;
    if (look != TableReader::Look::kSeen) return;
    ++seen;
    if (fault.empty()) fault = tcp::fault(what);
  }
};

/// A reader of each kind of look, until the writer is done.
void read_beside(std::uint32_t flows, std::uint64_t segments) {
  Writer writer(flows, 4 * flows + 64);
  std::atomic<bool> stop{false};
  std::array<Tally, 3> tallies;
  const auto loop = [&](Tally& tally, auto&& look) {
    const TableReader reader = writer.tracker().reader();
    while (!stop.load(std::memory_order_relaxed)) {
      for (std::uint32_t index = 0; index < reader.limit(); ++index) look(reader, index, tally);
    }
  };
  std::thread views([&] {
    loop(tallies[0], [](const TableReader& reader, std::uint32_t index, Tally& tally) {
      ConnectionView view;
      const auto look = reader.view(index, view);
      tally.take(look, view);
    });
  });
  std::thread copies([&] {
    Connection connection;
    loop(tallies[1], [&](const TableReader& reader, std::uint32_t index, Tally& tally) {
      const auto look = reader.copy(index, connection);
      tally.take(look, connection);
    });
  });
  std::thread details([&] {
    ConnectionDetails all;
    loop(tallies[2], [&](const TableReader& reader, std::uint32_t index, Tally& tally) {
      const auto look = reader.details(index, time_of(0), all);
      tally.take(look, all);
    });
  });
  writer.run(segments);
  stop.store(true);
  views.join();
  copies.join();
  details.join();
  for (const Tally& tally : tallies) {
    EXPECT_EQ(tally.fault, "");
    EXPECT_GT(tally.seen, 0U);
  }
  EXPECT_GT(writer.over(), segments / 80) << "places must be taken again for this to say much";
  testing::Test::RecordProperty("seen", std::to_string(tallies[0].seen + tallies[1].seen + tallies[2].seen));
  testing::Test::RecordProperty("busy", std::to_string(tallies[0].busy + tallies[1].busy + tallies[2].busy));
}

TEST(TableReader, SeesNoConnectionTornWhileManyAreChanging) { read_beside(1'000, updates()); }

TEST(TableReader, SeesNoConnectionTornWhileFewAreChangingWithoutAPause) { read_beside(2, updates() / 2); }

TEST(TableReader, SeesEachConnectionAsTheWriterLeftIt) {
  Writer writer(50, 400);
  writer.run(64 * 20);
  const TableReader reader = writer.tracker().reader();
  std::set<std::uint64_t> ids;
  EXPECT_EQ(reader.for_each([&](const ConnectionView& view) {
    EXPECT_EQ(fault(view), "");
    EXPECT_TRUE(ids.insert(view.id).second);
    Connection copy;
    ASSERT_EQ(reader.copy(view.index, copy), TableReader::Look::kSeen);
    EXPECT_EQ(std::memcmp(static_cast<const void*>(&copy), &writer.tracker().connection(view.index), sizeof copy), 0);
    ConnectionDetails details;
    ASSERT_EQ(reader.details(view.index, writer.clock(), details), TableReader::Look::kSeen);
    EXPECT_EQ(fault(details), "");
    EXPECT_FALSE(details.transitions.empty());
  }),
            0U);
  EXPECT_EQ(ids.size(), writer.tracker().remembered());
}

TEST(TableReader, RestsMoreOftenTheMoreHaveChanged) {
  constexpr std::uint32_t kFlows = 2 * TableReader::kBurst * TableReader::kStill;
  Writer writer(kFlows, 4 * kFlows);
  writer.run(20 * kFlows);
  const TableReader reader = writer.tracker().reader();
  std::uint64_t last = 0;
  std::size_t connections = 0;
  const auto look = [&](const ConnectionView& view) {
    last = std::max(last, view.last_frame);
    ++connections;
  };
  std::size_t rests = 0;
  reader.for_each(look, [&] { ++rests; });
  EXPECT_EQ(rests, connections / TableReader::kBurst);
  ASSERT_GT(rests, 0U);
  rests = 0;
  reader.for_each([](const ConnectionView&) {}, [&] { ++rests; }, last);
  EXPECT_EQ(rests, connections / TableReader::kBurst / TableReader::kStill) << "none has changed";
}

TEST(TableReader, SeesNothingWhereNothingIs) {
  Writer writer(1, 16);
  const TableReader reader = writer.tracker().reader();
  EXPECT_EQ(reader.limit(), 0U);
  ConnectionView view;
  EXPECT_EQ(reader.view(3, view), TableReader::Look::kNothing);
  writer.run(64 * 10);
  std::uint32_t seen = 0;
  std::uint32_t nothing = 0;
  for (std::uint32_t index = 0; index != reader.limit(); ++index) {
    const auto look = reader.view(index, view);
    seen += look == TableReader::Look::kSeen;
    nothing += look == TableReader::Look::kNothing;
  }
  EXPECT_EQ(seen, writer.tracker().remembered());
  EXPECT_EQ(seen + nothing, reader.limit());
}

}  // namespace
}  // namespace finwait::tcp

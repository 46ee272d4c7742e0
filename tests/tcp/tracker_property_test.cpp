// What holds of the tracker whatever segments it is given: seeded streams of segments nobody would send, over few flows so that they
// collide.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <random>
#include <set>
#include <sstream>
#include <vector>

#include "finwait/base/hash.h"
#include "finwait/tcp/tracker.h"

// Every allocation of this test program passes here; counted only while asked to.
namespace {
std::atomic<bool> counting{false};
std::atomic<std::uint64_t> allocations{0};
void* allocate(std::size_t size, std::size_t alignment) {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
  void* p = nullptr;
  if (posix_memalign(&p, alignment < sizeof(void*) ? sizeof(void*) : alignment, size == 0 ? 1 : size) != 0) throw std::bad_alloc();
  return p;
}
}  // namespace
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // g++ does not see that new and delete are both replaced
#endif
void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new[](std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) { return allocate(size, static_cast<std::size_t>(alignment)); }
void* operator new[](std::size_t size, std::align_val_t alignment) { return allocate(size, static_cast<std::size_t>(alignment)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, alignof(std::max_align_t)); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, alignof(std::max_align_t)); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace finwait::tcp {
namespace {

namespace tcp_flag = wire::tcp_flag;
using wire::Segment;

wire::FlowKey key_of(std::uint32_t flow, bool ipv6) {
  wire::FlowKey key;
  const auto address = [&](std::uint8_t last) {
    const std::array<std::uint8_t, 4> four{10, static_cast<std::uint8_t>(flow >> 8), static_cast<std::uint8_t>(flow), last};
    wire::Address a = wire::Address::v4(four.data());
    if (ipv6) a.bytes[0] = 0x20;
    return a;
  };
  key.low = address(1);
  key.high = address(2);
  key.low_port = key.high_port = 5000;  // ports say nothing about roles
  key.network = ipv6 ? wire::FlowKey::kIpv6 : 0;
  return key;
}

using Shift = std::array<std::uint32_t, 2>;
constexpr Shift kPast32{0xffff'fc15, 0x7fff'fc10};
constexpr Shift kPast31{0x7fff'fc17, 0x1234'5678};
constexpr Shift kBoth{77, 0x8000'0000};

bool shifted_to_zero(std::uint32_t number) {
  for (const Shift& shift : {kPast32, kPast31, kBoth}) {
    if (number + shift[0] == 0 || number + shift[1] == 0) return true;
  }
  return false;
}

/// How the same stream is dressed: none of it may change what is said.
struct Dress {
  std::array<std::uint32_t, 2> shift{};  ///< added to the numbers of either end
  bool exchanged = false;
  bool ipv6 = false;
  std::size_t batch = 64;
  std::uint32_t shards = 1;
  bool in_full = false;  ///< no connection is kept short
};

/// A stream of `n` segments over `flows` flows; few numbers, so that they often fit and often nearly fit.
std::vector<Segment> stream(std::uint64_t seed, std::size_t n, std::uint32_t flows, bool wild_times) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t bound) { return static_cast<std::uint32_t>(random() % bound); };
  static constexpr std::array<std::uint16_t, 14> kFlags{tcp_flag::kSyn,
                                                        tcp_flag::kSyn,
                                                        tcp_flag::kSyn | tcp_flag::kAck,
                                                        tcp_flag::kSyn | tcp_flag::kAck,
                                                        tcp_flag::kAck,
                                                        tcp_flag::kAck,
                                                        tcp_flag::kAck,
                                                        tcp_flag::kFin | tcp_flag::kAck,
                                                        tcp_flag::kFin | tcp_flag::kAck,
                                                        tcp_flag::kRst,
                                                        tcp_flag::kRst | tcp_flag::kAck,
                                                        tcp_flag::kFin,
                                                        0,
                                                        tcp_flag::kSyn | tcp_flag::kFin};
  static constexpr std::array<std::uint32_t, 8> kFar{0, 0, 0, 0, 0x7fff'ffff, 0x8000'0000, 0x8000'0001, 70'000};
  std::vector<Segment> segments;
  base::Timestamp time = wild_times && seed % 2 == 0 ? -5 * base::kSecond : 1'000'000 * base::kSecond;
  for (std::size_t i = 0; i < n; ++i) {
    Segment s;
    s.key = key_of(below(flows), false);
    s.direction = static_cast<std::uint8_t>(below(2));
    s.flags = below(50) == 0 ? static_cast<std::uint16_t>(below(512)) : kFlags[below(kFlags.size())];
    s.seq = 1000 + below(6) + kFar[below(16) == 0 ? below(kFar.size()) : 0] + (below(8) == 0 ? 100'000 : 0);
    if (s.acks()) s.ack = 1000 + below(6) + kFar[below(16) == 0 ? below(kFar.size()) : 0] + (below(8) == 0 ? 100'000 : 0);
    // A RST with SEQ or ACK 0 says that it has none to give (RFC 9293, 3.10.7.1): numbers that a dress below shifts to 0 are left out.
    while ((s.flags & tcp_flag::kRst) != 0 && shifted_to_zero(s.seq)) ++s.seq;
    while ((s.flags & tcp_flag::kRst) != 0 && shifted_to_zero(s.ack)) ++s.ack;
    s.payload_length = below(3) == 0 ? below(5) : 0;
    s.ip_length = 40 + s.payload_length;
    s.window = static_cast<std::uint16_t>(below(4) == 0 ? below(65536) : 65535);
    s.ip_id = static_cast<std::uint16_t>(below(3) == 0 ? 0 : i);
    s.ttl = 64;
    if (below(4) == 0) s.present |= wire::present::kTimestamps, s.ts_val = below(100), s.ts_ecr = below(100);
    if (below(20) == 0 && s.acks()) s.present |= wire::present::kSack, s.sack_left = s.ack + 1, s.sack_right = s.ack + 3;
    if (s.syn() && below(2) == 0) s.present |= wire::present::kSackPermitted;
    if (s.syn() && below(4) == 0) s.present |= wire::present::kWindowScale, s.window_scale = static_cast<std::uint8_t>(below(256));
    const std::uint32_t jump = below(200);
    time += jump == 0 ? 70 * base::kSecond : jump == 1 ? 200 * base::kSecond : below(30) * base::kMillisecond;
    s.time = wild_times && below(20) == 0 ? time - static_cast<base::Duration>(below(1'000'000)) * base::kMillisecond : time;
    if (wild_times && below(500) == 0) s.time = below(2) == 0 ? std::numeric_limits<base::Timestamp>::min() : -1;
    segments.push_back(s);
  }
  return segments;
}

std::vector<Segment> dressed(std::vector<Segment> segments, const Dress& d) {
  base::Timestamp clock = std::numeric_limits<base::Timestamp>::min();
  std::uint64_t frame = 0;
  for (Segment& s : segments) {
    const std::size_t from = s.direction;
    s.seq += d.shift[from];
    if (s.acks()) s.ack += d.shift[1 - from];
    if (s.has(wire::present::kSack)) s.sack_left += d.shift[1 - from], s.sack_right += d.shift[1 - from];
    if (d.exchanged) s.direction ^= 1;
    if (d.ipv6) s.key = key_of(static_cast<std::uint32_t>(s.key.low.bytes[13] << 8 | s.key.low.bytes[14]), true);
    clock = std::max(clock, s.time);
    s.clock = clock;
    s.frame = ++frame;
  }
  return segments;
}

struct Told {
  std::map<std::uint64_t, std::string> outcomes;  ///< by id
  std::uint64_t drained = 0;
  std::uint64_t packets = 0;
  TrackerCounts counts;
  std::uint64_t opened = 0;
  std::uint64_t ended = 0;
  std::uint64_t failed = 0;
  std::array<std::uint64_t, kStates> entered{};
  std::uint32_t most_remembered = 0;
};

/// What was said of a connection, ends named by whether they were the low one before any exchange; numbers are not said, so that they may
/// differ.
std::string words(const Outcome& o, const Dress& d) {
  std::ostringstream out;
  const Verdict& v = o.verdict;
  const std::size_t flip = d.exchanged ? 1 : 0;
  out << name(v.opening) << ' ' << name(v.ending) << ' ' << name(v.completed_by) << ' ' << name(v.first_fin) << ' ' << name(v.reset_by)
      << ' ' << name(v.replaced) << ' ' << (o.connection.originator ^ flip) << ' ' << name(v.role_evidence) << ' ' << int{v.completeness}
      << ' ' << v.inconclusive;
  if (v.half_close) out << " half_close " << name(v.half_close->by) << ' ' << v.half_close->bytes;
  if (v.time_wait)
    out << " time_wait " << name(v.time_wait->owner) << ' ' << v.time_wait->restarts << ' ' << v.time_wait->until << ' '
        << name(v.time_wait->ended);
  for (std::size_t n = 0; n < 2; ++n) {
    const Endpoint& e = o.connection.ends[n ^ flip];
    out << "\n end " << n << ' ' << name(e.state) << ' ' << e.counters.packets << ' ' << e.counters.payload_bytes << ' '
        << e.counters.retransmitted_segments << ' ' << e.counters.missing_bytes << ' ' << e.counters.duplicates << ' '
        << e.counters.out_of_order << ' ' << e.counters.keepalives;
  }
  for (const Transition& t : o.transitions) {
    out << "\n " << (t.end ^ flip) << ' ' << name(t.from) << " -> " << name(t.to) << ' ' << t.cause_frame << ' ' << t.proof_frame << ' '
        << static_cast<int>(t.evidence);
  }
  for (const Anomaly& a : o.anomalies) out << "\n " << info(a.kind).name << ' ' << (a.end ^ flip) << ' ' << a.count << ' ' << a.frames[0];
  return out.str();
}

Told tell(const std::vector<Segment>& plain, const Dress& d, std::uint32_t max_connections = 4096) {
  const std::vector<Segment> segments = dressed(plain, d);
  TrackerOptions options;
  options.max_connections = max_connections;
  options.seed = 11;
  options.readers = d.in_full;
  std::vector<std::unique_ptr<Tracker>> trackers;
  for (std::uint32_t n = 0; n < d.shards; ++n) trackers.push_back(std::make_unique<Tracker>(options));
  Told told;
  const auto drain = [&](Tracker& t) {
    told.most_remembered = std::max(told.most_remembered, t.remembered());
    t.drain([&](const Outcome& o) {
      ++told.drained;
      told.packets += o.connection.ends[0].counters.packets + o.connection.ends[1].counters.packets;
      const bool fresh = told.outcomes.emplace(o.connection.id, words(o, d)).second;
      EXPECT_TRUE(fresh) << "connection " << o.connection.id << " was given twice";
    });
  };
  for (std::size_t at = 0; at < segments.size(); at += d.batch) {
    std::vector<std::vector<Segment>> parts(d.shards);
    const std::size_t end = std::min(segments.size(), at + d.batch);
    for (std::size_t i = at; i < end; ++i) {
      Segment s = segments[i];
      s.hash = trackers[0]->hash(s.key);
      parts[base::shard_of(s.hash, d.shards)].push_back(s);
    }
    for (std::uint32_t n = 0; n < d.shards; ++n) {
      trackers[n]->track(parts[n]);
      trackers[n]->advance(segments[end - 1].clock);
      drain(*trackers[n]);
    }
  }
  for (auto& t : trackers) {
    t->finish(segments.back().clock);
    drain(*t);
    EXPECT_EQ(t->remembered(), 0U);
    told.counts += t->counts();
    told.opened += t->counts().opened;
    told.ended += t->counts().ended;
    told.failed += t->counts().failed;
    for (std::size_t s = 0; s < kStates; ++s) told.entered[s] += t->counts().entered[s];
  }
  return told;
}

std::uint64_t evicted(const Told& told) {
  std::uint64_t sum = 0;
  for (const auto n : told.counts.evicted) sum += n;
  return sum;
}

class AnySegments : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(AnySegments, EverySegmentIsCountedOnceAndEveryConnectionIsGivenOnce) {
  for (const bool wild : {false, true}) {
    const auto segments = stream(GetParam(), 3000, 3, wild);
    const Told told = tell(segments, {});
    EXPECT_EQ(told.counts.segments, segments.size());
    EXPECT_EQ(told.packets, segments.size() - told.counts.table_full);
    EXPECT_EQ(told.drained, told.counts.created);
    EXPECT_EQ(evicted(told), 0U);
    EXPECT_EQ(told.counts.table_full, 0U);
  }
}

TEST_P(AnySegments, NumbersAddressesBatchesAndShardsChangeNothing) {
  const auto segments = stream(GetParam(), 1500, 5, false);
  const Told plain = tell(segments, {});
  std::vector<std::pair<const char*, Dress>> dresses;
  dresses.push_back({"numbers shifted past 2^32", {.shift = kPast32}});
  dresses.push_back({"numbers shifted past 2^31", {.shift = kPast31}});
  dresses.push_back({"addresses exchanged", {.exchanged = true}});
  dresses.push_back({"IPv6", {.ipv6 = true}});
  dresses.push_back({"one at a time", {.batch = 1}});
  dresses.push_back({"all at once", {.batch = 100'000}});
  dresses.push_back({"three shards", {.shards = 3}});
  dresses.push_back({"all of it", {.shift = kBoth, .exchanged = true, .ipv6 = true, .batch = 5, .shards = 4}});
  for (const auto& [what, dress] : dresses) {
    const Told other = tell(segments, dress);
    ASSERT_EQ(other.outcomes.size(), plain.outcomes.size()) << what << ", seed " << GetParam();
    for (const auto& [id, text] : plain.outcomes) {
      const auto at = other.outcomes.find(id);
      ASSERT_NE(at, other.outcomes.end()) << what << ", connection " << id << ", seed " << GetParam();
      ASSERT_EQ(at->second, text) << what << ", connection " << id << ", seed " << GetParam();
    }
  }
}

TEST_P(AnySegments, NeverMoreIsRememberedThanWasPromised) {
  static constexpr std::uint32_t kMost = 8;
  const auto segments = stream(GetParam(), 4000, 200, true);
  const Told told = tell(segments, {.batch = 16}, kMost);
  EXPECT_LE(told.most_remembered, kMost);
  EXPECT_GT(evicted(told) + told.counts.table_full, 0U);
  EXPECT_EQ(told.drained, told.counts.created);
  EXPECT_EQ(told.packets, segments.size() - told.counts.table_full);
}

/// Each connection with what is said of it, in the order in which trackers that share the flows give them: after each unit of the stream.
std::vector<std::pair<std::uint64_t, std::string>> given(const std::vector<Segment>& plain, std::uint32_t connections,
                                                         std::uint32_t trackers, std::size_t unit, std::uint64_t& evicted) {
  TrackerOptions options;
  options.max_connections = connections;
  options.seed = 11;
  options.shards = trackers;
  std::vector<std::unique_ptr<Tracker>> all;
  for (options.shard = 0; options.shard != trackers; ++options.shard) all.push_back(std::make_unique<Tracker>(options));
  const Partitions partitions(connections);
  std::vector<std::pair<std::uint64_t, std::string>> told;
  std::vector<std::pair<Turn, std::pair<std::uint64_t, std::string>>> of_unit;
  const auto drain = [&](Tracker& t) { t.drain([&](const Outcome& o) { of_unit.push_back({o.turn, {o.connection.id, words(o, {})}}); }); };
  const auto merge = [&] {
    std::stable_sort(of_unit.begin(), of_unit.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& one : of_unit) told.push_back(std::move(one.second));
    of_unit.clear();
  };
  const std::vector<Segment> segments = dressed(plain, {});
  for (std::size_t at = 0; at < segments.size(); at += unit) {
    const std::size_t end = std::min(segments.size(), at + unit);
    for (std::uint32_t n = 0; n != trackers; ++n) {
      Tracker& t = *all[n];
      std::vector<Segment> part;
      for (std::size_t i = at; i != end; ++i) {
        Segment s = segments[i];
        s.hash = t.hash(s.key);
        if (partitions.shard_of(s.hash, trackers) == n) part.push_back(s);
      }
      for (std::size_t from = 0; from < part.size(); from += t.most_at_once()) {
        t.track(std::span<const Segment>(part).subspan(from, std::min(t.most_at_once(), part.size() - from)));
        drain(t);
      }
      t.advance(segments[end - 1].clock);
      drain(t);
    }
    merge();
  }
  evicted = 0;
  for (auto& t : all) {
    t->finish(segments.back().clock);
    drain(*t);
    EXPECT_EQ(t->counts().table_full, 0U);
    for (const auto n : t->counts().evicted) evicted += n;
  }
  merge();
  return told;
}

TEST(TrackerRoom, WhoHasToGoDependsNeitherOnBatchesNorOnHowManyTrackersShareTheFlows) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    for (const auto& [connections, flows] : {std::pair{40U, 60U}, {3'000U, 3'500U}, {6'000U, 30'000U}}) {
      const auto segments = stream(seed, 15'000, flows, seed != 1);
      std::uint64_t evicted = 0;
      const auto one = given(segments, connections, 1, 20'000, evicted);
      EXPECT_GT(evicted, 50U);
      for (const auto& [trackers, unit] : {std::pair{1U, 1U}, {1U, 100U}, {2U, 700U}, {3U, 64U}, {5U, 3'000U}, {8U, 20'000U}}) {
        std::uint64_t evicted_there = 0;
        const auto many = given(segments, connections, trackers, unit, evicted_there);
        EXPECT_EQ(evicted_there, evicted);
        ASSERT_TRUE(many == one) << connections << " connections, " << trackers << " trackers, units of " << unit << ", seed " << seed;
      }
    }
  }
}

/// Conversations from SYN to the last ACK, all on flows of their own, and again with other ports when they are over.
std::vector<Segment> conversations(std::uint32_t round, std::uint32_t flows) {
  struct Line {
    int direction;
    std::uint16_t flags;
    std::uint32_t seq, ack, payload;
  };
  static constexpr std::uint16_t kA = tcp_flag::kAck;
  static constexpr std::array<Line, 9> kLines{{{0, tcp_flag::kSyn, 0, 0, 0},
                                               {1, tcp_flag::kSyn | kA, 0, 1, 0},
                                               {0, kA, 1, 1, 0},
                                               {0, kA, 1, 1, 100},
                                               {1, kA, 1, 101, 50},
                                               {0, kA, 101, 51, 0},
                                               {0, tcp_flag::kFin | kA, 101, 51, 0},
                                               {1, tcp_flag::kFin | kA, 51, 102, 0},
                                               {0, kA, 102, 52, 0}}};
  std::vector<Segment> segments;
  base::Timestamp time = (1 + round) * 100 * base::kSecond;
  for (const Line& line : kLines) {
    for (std::uint32_t f = 0; f < flows; ++f) {
      Segment s;
      s.key = key_of(f, false);
      s.key.low_port = static_cast<std::uint16_t>(6000 + round);
      s.direction = static_cast<std::uint8_t>(line.direction);
      s.flags = line.flags;
      s.seq = line.seq;
      s.ack = line.ack;
      s.payload_length = line.payload;
      s.ip_length = 40 + line.payload;
      s.window = 65535;
      s.ip_id = static_cast<std::uint16_t>(round * 10 + 1);
      s.time = s.clock = time += base::kMicrosecond;
      s.frame = static_cast<std::uint64_t>(time);
      segments.push_back(s);
    }
  }
  return segments;
}

/// Ordinary lives with something odd here and there: segments left out, repeated, changed places; flows used again.
std::vector<Segment> nearly_ordinary(std::uint64_t seed, std::uint32_t oddity) {
  std::mt19937_64 random(seed);
  const auto once_in = [&](std::uint32_t n) { return random() % n == 0; };
  std::vector<Segment> segments;
  for (std::uint32_t round = 0; round != 3; ++round) {
    for (Segment s : conversations(round, 40)) {
      s.key.low_port = static_cast<std::uint16_t>(6000 + round / 2);  // the second round meets the first in TIME-WAIT
      if (round != 0) s.seq += 1000, s.ack += s.acks() ? 1000U : 0U;
      if (once_in(oddity)) continue;
      if (once_in(oddity) && !segments.empty()) std::swap(s, segments.back());
      if (once_in(oddity)) s.flags = static_cast<std::uint16_t>(s.flags ^ 1U << random() % 5);
      segments.push_back(s);
      if (once_in(oddity)) segments.push_back(s);
    }
    if (once_in(2)) segments.back().time += 70 * base::kSecond;
  }
  return segments;
}

/// Whether a connection is kept short or in full, nothing else is said of it; nor is another one given up for it.
TEST_P(AnySegments, KeptShortOrInFullTheSameIsSaid) {
  const std::vector<std::vector<Segment>> streams{stream(GetParam(), 3000, 30, true), nearly_ordinary(GetParam(), 1000),
                                                  nearly_ordinary(GetParam(), 40)};
  for (const std::uint32_t room : {16U, 4096U}) {
    for (std::size_t n = 0; n != streams.size(); ++n) {
      const Told brief = tell(streams[n], {}, room);
      const Told full = tell(streams[n], {.in_full = true}, room);
      ASSERT_EQ(brief.outcomes, full.outcomes) << "stream " << n << ", room for " << room << ", seed " << GetParam();
      EXPECT_EQ(brief.counts.created, full.counts.created);
      EXPECT_EQ(brief.counts.evicted, full.counts.evicted);
      EXPECT_EQ(brief.counts.strays, full.counts.strays);
      EXPECT_EQ(brief.opened, full.opened);
      EXPECT_EQ(brief.ended, full.ended);
      EXPECT_EQ(brief.failed, full.failed);
      EXPECT_EQ(brief.entered, full.entered);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnySegments, ::testing::Range<std::uint64_t>(1, 41));

TEST(TrackerMemory, NothingIsAllocatedForASegment) {
  TrackerOptions options;
  options.max_connections = 1024;
  Tracker tracker(options);
  std::vector<std::vector<Segment>> rounds;
  for (std::uint32_t r = 0; r < 20; ++r) {
    rounds.push_back(conversations(r, 300));
    for (Segment& s : rounds.back()) s.hash = tracker.hash(s.key);
  }
  std::uint64_t drained = 0;
  allocations = 0;
  counting = true;
  for (const auto& round : rounds) {
    for (std::size_t at = 0; at < round.size(); at += 60) {
      const auto batch = std::span<const Segment>(round).subspan(at, 60);
      tracker.track(batch);
      tracker.advance(batch.back().clock);
      drained += tracker.drain([](const Outcome&) {});
    }
  }
  tracker.finish(rounds.back().back().clock);
  drained += tracker.drain([](const Outcome&) {});
  counting = false;
  EXPECT_EQ(allocations.load(), 0U);
  EXPECT_EQ(tracker.counts().table_full, 0U);
  EXPECT_EQ(std::accumulate(tracker.counts().evicted.begin(), tracker.counts().evicted.end(), std::uint64_t{0}), 0U);
  EXPECT_EQ(drained, 20U * 300U);
}

TEST(TrackerMemory, NothingIsAllocatedForSegmentsNobodyWouldSend) {
  TrackerOptions options;
  options.max_connections = 64;
  Tracker tracker(options);
  auto segments = dressed(stream(5, 20'000, 100, true), {});
  for (Segment& s : segments) s.hash = tracker.hash(s.key);
  std::uint64_t drained = 0;
  allocations = 0;
  counting = true;
  for (std::size_t at = 0; at < segments.size(); at += 50) {
    tracker.track(std::span<const Segment>(segments).subspan(at, 50));
    drained += tracker.drain([](const Outcome&) {});
  }
  counting = false;
  EXPECT_EQ(allocations.load(), 0U);
  EXPECT_GT(drained, 0U);
}

}  // namespace
}  // namespace finwait::tcp

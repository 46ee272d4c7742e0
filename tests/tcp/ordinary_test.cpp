// The short cut for ordinary segments leaves the record that the long way leaves, or does nothing at all.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "../../src/tcp/machine.h"

namespace finwait::tcp {
namespace {

using wire::Segment;
namespace flag = wire::tcp_flag;
namespace present = wire::present;

/// A connection in a machine of its own.
struct Way {
  Blocks blocks{256};
  Journal journal{blocks, false};
  ZeekViews zeek{1};
  Timers timers;
  Machine machine{blocks, journal, zeek, timers};
  Connection c;

  Way() { zeek.begin(0); }
};

/// All that stands in a record but its padding.
struct Fields {
  explicit Fields(const Connection& c) {
    put(c.traits, c.originator, c.role_evidence, c.completeness, c.completeness_pending, c.deadline, c.end, c.last_clock, c.last_frame,
        c.log_entries, c.log_frame, c.log_time, c.anomaly_kinds, c.time_wait_since, c.time_wait_restarts, c.half_close_from,
        c.half_close_bytes, c.half_close_packets, c.half_close_next, c.handshake.syn_frame, c.handshake.ack_frame, c.handshake.syn_retries);
    for (const Endpoint& e : c.ends) put_end(e);
  }
  bool operator==(const Fields&) const = default;

 private:
  template <class... T>
  void put(T... values) {
    (all.push_back(static_cast<std::uint64_t>(values)), ...);
  }
  void put_end(const Endpoint& e) {
    put(e.known, e.snd_nxt, e.rcv_nxt, e.max_window, e.iss, e.right_edge, e.timed_end, e.timed_at, e.stream_block == kNoBlock,
        e.largest_acked, e.state, e.window_scale, e.ttl, e.next_print, e.in_flight_count, e.clock_base_val, e.clock_base_time, e.spoke_at,
        e.least_rtt, e.newest_ts_val, e.newest_ip_id, e.clock_first_val, e.clock_first_time, e.fin_seq, e.hole, e.syn_acked_ts_val, e.mss,
        e.syn_ip_id, e.growth_count, e.options_signature, e.not_covering_at, e.syns.count, e.fins.count, e.gap.frame, e.own_reset.frame);
    const Counters& n = e.counters;
    put(n.packets, n.ip_bytes, n.payload_bytes, n.retransmitted_bytes, n.missing_bytes, n.retransmitted_segments, n.out_of_order,
        n.duplicates, n.zero_windows, n.keepalives, n.syn, n.syn_ack, n.fin, n.rst, n.bad_checksums);
    for (const std::uint32_t print : e.prints) put(print);
    for (const AckGrowth& growth : e.growth) put(growth.frame, growth.time, growth.ack, growth.ts_val);
    put(e.facts.present(), e.facts.changes());
  }

  std::vector<std::uint64_t> all;
};

bool same(const Connection& a, const Connection& b) { return Fields(a) == Fields(b); }

bool same_in_flight(const Way& a, const Way& b, unsigned end) {
  std::vector<Sent> x;
  std::vector<Sent> y;
  a.blocks.for_each_sent(a.c.ends[end], [&](const Sent& sent) { x.push_back(sent); });
  b.blocks.for_each_sent(b.c.ends[end], [&](const Sent& sent) { y.push_back(sent); });
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const Sent& p, const Sent& q) {
    return p.frame == q.frame && p.time == q.time && p.seq == q.seq && p.end == q.end && p.ack == q.ack && p.ts_val == q.ts_val;
  });
}

/// A conversation that is mostly in order; sometimes something is lost, repeated, late, odd.
class Conversation {
 public:
  explicit Conversation(unsigned seed) : random_(seed), stamped_(random_() % 2 == 0), counted_(random_() % 3 != 0) {
    for (std::uint32_t& number : next_) number = static_cast<std::uint32_t>(random_());
    acked_ = {next_[1], next_[0]};
  }

  Segment syn() { return made(0, flag::kSyn, 0); }
  Segment syn_ack() { return made(1, flag::kSyn | flag::kAck, 0); }

  Segment next() {
    if (random_() % 24 == 0 && sent_.frame != 0) return odd(sent_);
    const auto from = static_cast<unsigned>(random_() % 2);
    const std::uint32_t payload = random_() % 3 == 0 ? 0 : static_cast<std::uint32_t>(random_() % 1460);
    if (random_() % 200 == 0) next_[from] += 100;  // lost before the tap
    sent_ = made(from, flag::kAck, payload);
    if (random_() % 100 == 0) sent_.flags |= flag::kFin;
    return random_() % 30 == 0 ? odd(sent_) : sent_;
  }

 private:
  Segment made(unsigned from, std::uint16_t flags, std::uint32_t payload) {
    time_ += static_cast<base::Duration>(random_() % 30'000'000);
    Segment s;
    s.direction = static_cast<std::uint8_t>(from);
    s.key.low_port = 40000;
    s.key.high_port = 80;
    s.time = s.clock = time_;
    s.frame = ++frame_;
    s.flags = flags;
    s.seq = next_[from];
    if (random_() % 4 != 0 || (flags & flag::kSyn) != 0) acked_[from] = next_[1 - from];
    if ((flags & flag::kAck) != 0) s.ack = acked_[from];
    s.payload_length = payload;
    next_[from] = s.end();
    s.ip_length = 40 + payload;
    s.window = 60000;
    s.ttl = 64;
    s.payload_sum = static_cast<std::uint16_t>(random_());
    s.present = present::kPayloadSum;
    if ((flags & flag::kSyn) != 0) {
      s.present |= present::kWindowScale | present::kMss;
      s.window_scale = 7;
      s.mss = 1460;
    }
    if (stamped_) {
      s.present |= present::kTimestamps;
      s.ts_val = static_cast<std::uint32_t>(time_ / base::kMillisecond);
    }
    if (counted_) s.ip_id = ++ip_id_[from];
    return s;
  }

  Segment odd(Segment s) {
    time_ += base::kMillisecond;
    s.frame = ++frame_;
    s.time = s.clock = time_;
    switch (random_() % 12) {
      case 0:
        return s;  // a copy
      case 1:
        s.seq -= static_cast<std::uint32_t>(random_() % 3000);
        break;
      case 2:
        s.seq += static_cast<std::uint32_t>(random_() % 3000);
        break;
      case 3:
        s.ack += static_cast<std::uint32_t>(random_() % 3000);
        break;
      case 4:
        s.ack -= static_cast<std::uint32_t>(random_() % 3000);
        break;
      case 5:
        s.window = 0;
        break;
      case 6:
        s.window = static_cast<std::uint16_t>(random_());
        break;
      case 7:
        s.ip_id = static_cast<std::uint16_t>(random_());
        break;
      case 8:
        s.ts_val -= static_cast<std::uint32_t>(random_() % 1000);
        break;
      case 9:
        s.present |= static_cast<std::uint16_t>(1U << random_() % 14);
        break;
      case 10:
        s.time -= static_cast<base::Duration>(random_() % base::kSecond);
        break;
      default:
        s.flags ^= static_cast<std::uint16_t>(1U << random_() % 9);
        break;
    }
    return s;
  }

  std::mt19937 random_;
  bool stamped_;
  bool counted_;
  std::array<std::uint32_t, 2> next_{};
  std::array<std::uint32_t, 2> acked_{};
  std::array<std::uint16_t, 2> ip_id_{};
  base::Timestamp time_ = 1'700'000'000 * base::kSecond;
  std::uint64_t frame_ = 0;
  Segment sent_;
};

/// How many segments of the conversation took the short cut.
int compare(unsigned seed) {
  Conversation conversation(seed);
  Way quick;
  Way slow;
  int ordinary = 0;
  for (int n = 0; n < 120; ++n) {
    const Segment s = n == 0 ? conversation.syn() : n == 1 ? conversation.syn_ack() : conversation.next();
    const Connection before = quick.c;
    for (Way* way : {&quick, &slow}) way->journal.set_frame(s.frame);
    const bool took = quick.machine.apply_ordinary(quick.c, 0, s);
    if (!took) {
      EXPECT_TRUE(same(quick.c, before)) << "seed " << seed << ", frame " << s.frame << ": refused, and yet something changed";
      quick.machine.apply(quick.c, 0, s);
    }
    ordinary += took;
    const bool moved = slow.machine.apply(slow.c, 0, s);
    EXPECT_FALSE(took && moved) << "seed " << seed << ", frame " << s.frame;
    EXPECT_TRUE(same(quick.c, slow.c)) << "seed " << seed << ", frame " << s.frame;
    EXPECT_TRUE(same_in_flight(quick, slow, 0) && same_in_flight(quick, slow, 1)) << "seed " << seed << ", frame " << s.frame;
    EXPECT_EQ(quick.zeek.of(0)->history().view(), slow.zeek.of(0)->history().view());
    if (testing::Test::HasFailure()) break;
  }
  return ordinary;
}

TEST(Ordinary, LeavesWhatTheLongWayLeaves) {
  int ordinary = 0;
  for (unsigned seed = 1; seed <= 2000 && !HasFailure(); ++seed) ordinary += compare(seed);
  EXPECT_GT(ordinary, 30000);
}

}  // namespace
}  // namespace finwait::tcp

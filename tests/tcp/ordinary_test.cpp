// The short cut for ordinary segments leaves the record that the long way leaves, or does nothing at all.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "../../src/tcp/machine.h"
#include "odd_segment.h"
#include "record_fields.h"

namespace finwait::tcp {
namespace {

using wire::Segment;
namespace flag = wire::tcp_flag;
namespace present = wire::present;

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
    if (random_() % 12 != 0) make_odd(s, random_);  // else a copy
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

enum class Captured : std::uint8_t { kBoth, kOriginator, kResponder };

bool passes_the_tap(Captured captured, const Segment& s) {
  return captured == Captured::kBoth || (captured == Captured::kOriginator) == (s.direction == 0);
}

/// How many segments of the conversation took the short cut.
int compare(unsigned seed, Captured captured) {
  Conversation conversation(seed);
  Way quick;
  Way slow;
  int ordinary = 0;
  const bool midstream = seed % 3 == 0;
  for (int n = 0; n < 120; ++n) {
    const Segment s = n == 0 ? conversation.syn() : n == 1 ? conversation.syn_ack() : conversation.next();
    if (!passes_the_tap(captured, s) || (midstream && n < 2)) continue;
    const Connection before = quick.c;
    for (Way* way : {&quick, &slow}) way->journal.set_frame(s.frame);
    const bool took = quick.machine.apply_ordinary(quick.c, 0, s);
    if (!took) {
      EXPECT_TRUE(same(quick.c, before)) << "seed " << seed << ", frame " << s.frame << ": refused, and yet something changed";
      quick.machine.apply(quick.c, 0, s);
    }
    ordinary += took;
    const bool moved = slow.machine.apply(slow.c, 0, s);
    EXPECT_FALSE(took && moved && quick.c.ends[1 - s.direction].state != State::kUnknown) << "seed " << seed << ", frame " << s.frame;
    EXPECT_TRUE(same(quick.c, slow.c)) << "seed " << seed << ", frame " << s.frame;
    EXPECT_TRUE(same_in_flight(quick, slow, 0) && same_in_flight(quick, slow, 1)) << "seed " << seed << ", frame " << s.frame;
    EXPECT_EQ(quick.zeek.of(0)->history().view(), slow.zeek.of(0)->history().view());
    if (testing::Test::HasFailure()) break;
  }
  return ordinary;
}

TEST(Ordinary, LeavesWhatTheLongWayLeaves) {
  int ordinary = 0;
  for (unsigned seed = 1; seed <= 2000 && !HasFailure(); ++seed) ordinary += compare(seed, Captured::kBoth);
  EXPECT_GT(ordinary, 30000);
}

// The long way says of an end alone that something may have moved, since a deadline has: the states have not, and a deadline is reckoned
// anew when it comes.
TEST(Ordinary, LeavesWhatTheLongWayLeavesOfOneDirection) {
  for (const Captured captured : {Captured::kOriginator, Captured::kResponder}) {
    int ordinary = 0;
    for (unsigned seed = 1; seed <= 2000 && !HasFailure(); ++seed) ordinary += compare(seed, captured);
    EXPECT_GT(ordinary, 15000);
  }
}

}  // namespace
}  // namespace finwait::tcp

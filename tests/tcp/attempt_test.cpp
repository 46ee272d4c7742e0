#include "../../src/tcp/attempt.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "../../src/tcp/compact_machine.h"
#include "odd_segment.h"

namespace finwait::tcp {
namespace {

using wire::Segment;
namespace flag = wire::tcp_flag;
namespace present = wire::present;

/// Every field that a SYN may have, at random; so are the values of those it does not use.
Segment any_syn(std::mt19937& random) {
  const auto some = [&random]<class T>(T& field) { field = static_cast<T>(random()); };
  Segment s;
  for (std::uint8_t& byte : s.key.low.bytes) some(byte);
  for (std::uint8_t& byte : s.key.high.bytes) some(byte);
  some(s.key.low_port);
  some(s.key.high_port);
  some(s.key.network);
  some(s.hash);
  some(s.frame);
  some(s.ack);
  some(s.seq);
  some(s.ts_ecr);
  some(s.ts_val);
  some(s.ip_length);
  some(s.window);
  some(s.mss);
  some(s.window_scale);
  some(s.ip_id);
  some(s.ttl);
  s.clock = static_cast<base::Timestamp>(random()) * base::kSecond;
  s.time = s.clock - static_cast<base::Duration>(random() % 3);
  s.direction = static_cast<std::uint8_t>(random() % 2);
  s.encapsulation.add_vlan(static_cast<std::uint16_t>(random()));
  s.encapsulation.add_tunnel(wire::Tunnel::kGre);
  s.flags = static_cast<std::uint16_t>(flag::kSyn | (random() % 4 == 0 ? flag::kEce | flag::kCwr : 0));
  s.present = static_cast<std::uint16_t>(random() & (present::kTimestamps | present::kPayloadSum | present::kOffloaded | present::kMss |
                                                     present::kWindowScale | present::kSackPermitted));
  if (s.has(present::kOffloaded)) some(s.payload_sum);
  return s;
}

TEST(Attempt, IsTheSegmentItself) {
  std::mt19937 random(1);
  unsigned begun = 0;
  for (unsigned n = 0; n != 20000; ++n) {
    Segment s = any_syn(random);
    if (n % 2 != 0) make_odd(s, random);
    if (!CompactMachine::may_begin(s)) continue;
    ++begun;
    const Segment again = Attempt(s, 17).segment();
    ASSERT_EQ(std::memcmp(&again, &s, sizeof s), 0) << n;
  }
  EXPECT_GT(begun, 10'000U);
}

/// Attempts are given up in the order they began: one that would have to wait longer than those after it may not be among them.
TEST(Attempt, BeginsNoLaterThanTheClock) {
  std::mt19937 random(1);
  Segment s = any_syn(random);
  s.ip_length = 60;
  s.time = s.clock;
  EXPECT_TRUE(CompactMachine::may_begin(s));
  ++s.time;
  EXPECT_FALSE(CompactMachine::may_begin(s));
}

}  // namespace
}  // namespace finwait::tcp

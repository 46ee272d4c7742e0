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
  s.ip_length = static_cast<std::uint16_t>(random());
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

/// The same of IPv4, without what few have.
Segment usual_syn(std::mt19937& random) {
  Segment s = any_syn(random);
  s.key.low = wire::Address::v4(&s.key.low.bytes[12]);
  s.key.high = wire::Address::v4(&s.key.high.bytes[12]);
  s.encapsulation = {};
  s.ack = s.ts_ecr = s.payload_sum = 0;
  s.clock = s.time + static_cast<base::Duration>(random());
  return s;
}

constexpr AttemptRest kNoRest{};

TEST(Attempt, IsTheSegmentItself) {
  std::mt19937 random(1);
  unsigned begun = 0;
  for (unsigned n = 0; n != 20000; ++n) {
    Segment s = n % 4 < 2 ? any_syn(random) : usual_syn(random);
    if (n % 2 != 0) make_odd(s, random);
    if (!CompactMachine::may_begin(s)) continue;
    ++begun;
    const Attempt a(s);
    const AttemptRest rest = Attempt::rest_of(s);
    const Segment again = a.segment(rest);
    ASSERT_EQ(std::memcmp(&again, &s, sizeof s), 0) << n;
    ASSERT_EQ(a.key(rest), s.key);
    ASSERT_EQ(a.clock(rest), s.clock);
    ASSERT_TRUE(a.is_of(s.key, rest));
  }
  EXPECT_GT(begun, 10'000U);
}

TEST(Attempt, IsALineAndNoMoreIfItIsUsual) {
  std::mt19937 random(2);
  for (unsigned n = 0; n != 1000; ++n) {
    const Segment s = usual_syn(random);
    const Attempt a(s);
    ASSERT_FALSE(a.has_rest());
    const Segment again = a.segment(kNoRest);
    ASSERT_EQ(std::memcmp(&again, &s, sizeof s), 0) << n;
  }
}

/// Each by itself.
TEST(Attempt, HasARestForWhatFewSynsHave) {
  std::mt19937 random(3);
  const auto has_rest = [&random](auto&& change) {
    Segment s = usual_syn(random);
    change(s);
    return Attempt(s).has_rest();
  };
  EXPECT_FALSE(has_rest([](Segment& s) { s.clock = s.time; }));
  EXPECT_FALSE(has_rest([](Segment& s) { s.clock = s.time + 0xffff'ffff; }));
  EXPECT_TRUE(has_rest([](Segment& s) { s.clock = s.time + 0x1'0000'0000; }));
  EXPECT_TRUE(has_rest([](Segment& s) { s.encapsulation.add_vlan(1); }));
  EXPECT_TRUE(has_rest([](Segment& s) { s.ack = 1; }));
  EXPECT_TRUE(has_rest([](Segment& s) { s.ts_ecr = 1; }));
  EXPECT_TRUE(has_rest([](Segment& s) { s.payload_sum = 1; }));
  for (std::size_t byte = 0; byte != 12; ++byte) {
    EXPECT_TRUE(has_rest([byte](Segment& s) { s.key.low.bytes[byte] ^= 1; }));
    EXPECT_TRUE(has_rest([byte](Segment& s) { s.key.high.bytes[byte] ^= 1; }));
  }
}

TEST(Attempt, KnowsItsFlowFromAnyOther) {
  std::mt19937 random(4);
  for (unsigned n = 0; n != 1000; ++n) {
    const Segment s = n % 2 != 0 ? any_syn(random) : usual_syn(random);
    const Attempt a(s);
    wire::FlowKey other = s.key;
    const std::size_t bit = random() % (8 * sizeof other);
    std::byte changed{};
    auto* const at = reinterpret_cast<std::byte*>(&other) + bit / 8;
    std::memcpy(&changed, at, 1);
    changed ^= std::byte{1} << bit % 8;
    std::memcpy(at, &changed, 1);
    ASSERT_FALSE(a.is_of(other, Attempt::rest_of(s))) << bit;
  }
}

TEST(Attempt, IsNotBegunByNumbersThatDoNotFit) {
  std::mt19937 random(5);
  Segment s = usual_syn(random);
  s.frame = (std::uint64_t{1} << 48) - 1;
  s.ip_length = 0xffff;
  EXPECT_TRUE(CompactMachine::may_begin(s));
  ++s.frame;
  EXPECT_FALSE(CompactMachine::may_begin(s));
  --s.frame;
  ++s.ip_length;
  EXPECT_FALSE(CompactMachine::may_begin(s));
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

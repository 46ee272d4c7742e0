#include "../../src/tcp/freshness.h"

#include <gtest/gtest.h>

namespace finwait::tcp {
namespace {

using base::kMillisecond;
using wire::Segment;
namespace present = wire::present;
namespace flag = wire::tcp_flag;

struct Judged {
  bool copy;
  bool stale;
  base::Timestamp sent_at;
};

/// Segments of one connection, looked at in their order.
class Tap {
 public:
  Judged look(const Segment& s) {
    Observation o(c, 0, s);
    judge_freshness(o);
    return {o.copy, o.stale, o.sent_at};
  }
  Connection c;
};

/// A segment with an IP ID (0: none) and a timestamp.
Segment segment(std::uint16_t ip_id) {
  Segment s;
  s.flags = flag::kAck;
  s.seq = 1000;
  s.ack = 2000;
  s.window = 512;
  s.ip_id = ip_id;
  return s;
}
Segment stamped(std::uint32_t ts_val, std::uint16_t ip_id = 0) {
  Segment s = segment(ip_id);
  s.ts_val = ts_val;
  s.ts_ecr = 1;
  s.present = present::kTimestamps;
  return s;
}
Segment at(base::Timestamp time, const Segment& given) {
  Segment s = given;
  s.time = time;
  return s;
}

// ---- copies

TEST(Copy, IsASegmentWithTheSameIpIdAndNumbers) {
  Tap tap;
  EXPECT_FALSE(tap.look(segment(7)).copy);
  EXPECT_TRUE(tap.look(segment(7)).copy);
  EXPECT_TRUE(tap.look(segment(7)).copy) << "and again";
}

TEST(Copy, CannotBeToldWithoutIpIdAndTimestamps) {
  Tap tap;
  tap.look(segment(0));
  EXPECT_FALSE(tap.look(segment(0)).copy);
}

TEST(Copy, CanBeToldByTimestampsAlone) {
  Tap tap;
  tap.look(stamped(5));
  EXPECT_TRUE(tap.look(stamped(5)).copy);
  EXPECT_FALSE(tap.look(stamped(6)).copy);
}

TEST(Copy, HasEverythingInCommon) {
  const auto changed = [](const auto& how) {
    Tap tap;
    tap.look(stamped(5, 7));
    Segment s = stamped(5, 7);
    how(s);
    return tap.look(s).copy;
  };
  EXPECT_TRUE(changed([](Segment&) {}));
  EXPECT_FALSE(changed([](Segment& s) { s.seq += 1; }));
  EXPECT_FALSE(changed([](Segment& s) { s.ack += 1; }));
  EXPECT_FALSE(changed([](Segment& s) { s.flags |= flag::kPsh; }));
  EXPECT_FALSE(changed([](Segment& s) { s.payload_length += 1; }));
  EXPECT_FALSE(changed([](Segment& s) { s.window += 1; }));
  EXPECT_FALSE(changed([](Segment& s) { s.ts_val += 1; }));
  EXPECT_FALSE(changed([](Segment& s) { s.ts_ecr += 1; }));
  EXPECT_FALSE(changed([](Segment& s) { s.ip_id += 1; }));
}

TEST(Copy, MayHaveAnotherTtlTimeAndLink) {
  Tap tap;
  tap.look(segment(7));
  Segment s = segment(7);
  s.ttl = 9;
  s.time = 77;
  s.frame = 2;
  s.encapsulation = {};
  EXPECT_TRUE(tap.look(s).copy);
}

TEST(Copy, IsLookedForAmongTheLastSegmentsOfEitherDirection) {
  for (std::uint16_t between = 0; between <= kPrints + 4; ++between) {
    Tap tap;
    tap.look(segment(7));
    for (std::uint16_t n = 0; n != between; ++n) {
      Segment other = segment(static_cast<std::uint16_t>(100 + n));
      other.direction = n % 2;
      tap.look(other);
    }
    EXPECT_EQ(tap.look(segment(7)).copy, between < kPrints) << between << " others between";
  }
}

TEST(Copy, IsNotMadeByTheOtherEnd) {
  Tap tap;
  tap.look(segment(7));
  Segment reply = segment(7);
  reply.direction = 1;
  EXPECT_FALSE(tap.look(reply).copy);
  EXPECT_TRUE(tap.look(segment(7)).copy);
}

TEST(Copy, OfAResetIsOneToo) {
  Tap tap;
  Segment s = segment(7);
  s.flags = flag::kRst;
  tap.look(s);
  EXPECT_TRUE(tap.look(s).copy);
}

// ---- stale segments

TEST(Stale, IsATimestampOlderThanTheNewest) {
  Tap tap;
  EXPECT_FALSE(tap.look(stamped(10)).stale);
  EXPECT_FALSE(tap.look(stamped(10)).stale);
  EXPECT_FALSE(tap.look(stamped(12)).stale);
  EXPECT_TRUE(tap.look(stamped(11)).stale);
  EXPECT_TRUE(tap.look(stamped(11)).stale) << "an old one does not become the newest";
  EXPECT_FALSE(tap.look(stamped(12)).stale);
}

TEST(Stale, IsJudgedAcrossTheWrapOfTimestamps) {
  Tap tap;
  tap.look(stamped(0xffff'fffe));
  EXPECT_FALSE(tap.look(stamped(2)).stale);
  EXPECT_TRUE(tap.look(stamped(0xffff'ffff)).stale);
}

TEST(Stale, IsAnOlderIpIdWhereThereAreNoTimestamps) {
  Tap tap;
  EXPECT_FALSE(tap.look(segment(10)).stale);
  EXPECT_FALSE(tap.look(segment(12)).stale);
  EXPECT_TRUE(tap.look(segment(11)).stale);
  EXPECT_FALSE(tap.look(segment(12)).stale);
}

TEST(Stale, IsJudgedAcrossTheWrapOfIpIds) {
  Tap tap;
  tap.look(segment(0xfffe));
  EXPECT_FALSE(tap.look(segment(3)).stale);
  EXPECT_TRUE(tap.look(segment(0xffff)).stale);
}

TEST(Stale, IsAnIpIdLessThanHalfOfThemBehind) {
  Tap ahead;
  ahead.look(segment(100));
  EXPECT_FALSE(ahead.look(segment(100 + 0x7fff)).stale);
  Tap behind;
  behind.look(segment(100));
  EXPECT_TRUE(behind.look(segment(static_cast<std::uint16_t>(100 - 0x7fff))).stale);
}

TEST(Stale, IsAnOlderIpIdWithTheSameTimestamp) {
  Tap tap;
  tap.look(stamped(10, 50));
  EXPECT_TRUE(tap.look(stamped(10, 49)).stale);
  EXPECT_FALSE(tap.look(stamped(11, 49)).stale) << "a newer timestamp decides";
}

TEST(Stale, IsNothingWithoutAnIpIdOrTimestamp) {
  Tap tap;
  tap.look(segment(10));
  EXPECT_FALSE(tap.look(segment(0)).stale) << "an IP ID of 0 is none";
  EXPECT_TRUE(tap.look(segment(9)).stale) << "and is not the newest";
}

TEST(Stale, IsNoReset) {
  Tap tap;
  tap.look(stamped(10, 50));
  Segment rst = stamped(3, 40);
  rst.flags = flag::kRst;
  EXPECT_FALSE(tap.look(rst).stale);
  EXPECT_FALSE(tap.look(stamped(10, 50)).stale) << "nor does a RST say what is the newest";
}

TEST(Stale, IsJudgedOfEachEndByItself) {
  Tap tap;
  tap.look(stamped(100, 50));
  Segment reply = stamped(5, 6);
  reply.direction = 1;
  EXPECT_FALSE(tap.look(reply).stale);
}

TEST(Stale, IsNotSaidByIpIdsThatDoNotCountUpwards) {
  Tap tap;
  tap.c.ends[0].learn(known::kNext);
  tap.c.ends[0].snd_nxt = 1000;
  Segment data = segment(50);
  data.payload_length = 10;
  EXPECT_FALSE(tap.look(data).stale);
  tap.c.ends[0].snd_nxt = 1010;
  data.seq = 1010;
  data.ip_id = 20;  // new data at SND.NXT cannot be old
  EXPECT_FALSE(tap.look(data).stale);
  EXPECT_FALSE(tap.look(segment(3)).stale) << "never trusted again";
}

TEST(Stale, IsSaidByAnIpIdOfDataSeenBefore) {
  Tap tap;
  tap.c.ends[0].learn(known::kNext);
  tap.c.ends[0].snd_nxt = 1010;
  tap.look(segment(50));
  Segment data = segment(20);
  data.payload_length = 10;  // 1000 to 1010, below SND.NXT
  EXPECT_TRUE(tap.look(data).stale);
  EXPECT_TRUE(tap.look(segment(21)).stale) << "the IP IDs are still trusted";
}

// ---- time of sending (rule 3)

constexpr base::Timestamp kStart = 1'600'000'000 * base::kSecond;

TEST(TimeOfSending, IsTheCapturesTimeWithoutTimestamps) {
  Tap tap;
  EXPECT_EQ(tap.look(at(kStart, segment(1))).sent_at, kStart);
  EXPECT_EQ(tap.look(at(kStart + 5, segment(2))).sent_at, kStart + 5);
}

TEST(TimeOfSending, IsTheSendersForASegmentHeldUp) {
  Tap tap;
  tap.look(at(kStart, stamped(1000)));
  tap.look(at(kStart + 4000 * kMillisecond, stamped(5000)));
  const base::Timestamp late = tap.look(at(kStart + 4400 * kMillisecond, stamped(5300))).sent_at;
  EXPECT_LE(late, kStart + 4301 * kMillisecond) << "sent 4300 ms after the first, to the tick";
  EXPECT_GE(late, kStart + 4300 * kMillisecond);
}

TEST(TimeOfSending, BearsTwoMilliseconds) {
  Tap tap;
  tap.look(at(kStart, stamped(1000)));
  EXPECT_EQ(tap.look(at(kStart + 12 * kMillisecond, stamped(1010))).sent_at, kStart + 12 * kMillisecond);
  EXPECT_NE(tap.look(at(kStart + 13 * kMillisecond, stamped(1010))).sent_at, kStart + 13 * kMillisecond);
}

TEST(TimeOfSending, IsMeasuredFromTheSegmentLeastHeldUp) {
  Tap tap;
  tap.look(at(kStart + 50 * kMillisecond, stamped(1000)));  // itself 50 ms late, as the next one shows
  tap.look(at(kStart + 100 * kMillisecond, stamped(1100)));
  const base::Timestamp late = tap.look(at(kStart + 240 * kMillisecond, stamped(1200))).sent_at;
  EXPECT_NEAR(static_cast<double>(late - kStart), 200e6, 1e6);
}

TEST(TimeOfSending, TrustsNoClockOfAnotherFrequency) {
  Tap slow;  // 100 Hz
  slow.look(at(kStart, stamped(1000)));
  EXPECT_EQ(slow.look(at(kStart + 2000 * kMillisecond, stamped(1200))).sent_at, kStart + 2000 * kMillisecond);
  EXPECT_EQ(slow.look(at(kStart + 2300 * kMillisecond, stamped(1230))).sent_at, kStart + 2300 * kMillisecond);
  Tap fast;  // 1 MHz
  fast.look(at(kStart, stamped(1000)));
  EXPECT_EQ(fast.look(at(kStart + 100 * kMillisecond, stamped(101'000))).sent_at, kStart + 100 * kMillisecond);
}

TEST(TimeOfSending, DoesNotBelieveADelayOfHalfASecond) {
  Tap tap;
  tap.look(at(kStart, stamped(1000)));
  EXPECT_EQ(tap.look(at(kStart + 600 * kMillisecond, stamped(1050))).sent_at, kStart + 600 * kMillisecond);
}

TEST(TimeOfSending, SurvivesStampsOfAnySize) {
  for (const base::Timestamp first : {base::kNever, -base::kNever - 1, base::Timestamp{0}}) {
    for (const base::Timestamp second : {base::kNever, -base::kNever - 1, base::Timestamp{0}}) {
      Tap tap;
      tap.look(at(first, stamped(0)));
      for (const std::uint32_t ts : {0U, 1U, 0x7fff'ffffU, 0x8000'0000U, 0xffff'ffffU}) tap.look(at(second, stamped(ts)));
      EXPECT_EQ(tap.look(at(second, segment(0))).sent_at, second);
    }
  }
}

}  // namespace
}  // namespace finwait::tcp

#include "finwait/flow/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <unordered_map>
#include <vector>

namespace finwait::flow {
namespace {

using base::Duration;
using base::kMillisecond;
using base::kNever;
using base::kSecond;
using base::Timestamp;

constexpr Timestamp kFirst = std::numeric_limits<Timestamp>::min();
constexpr Timestamp kToday = 1'600'000'000 * kSecond;

/// Who is due at `now`, each then done with.
std::set<std::uint32_t> due_at(TimerWheel& wheel, Timestamp now) {
  std::set<std::uint32_t> due;
  wheel.advance(now, [&](std::uint32_t index) {
    EXPECT_TRUE(due.insert(index).second) << "called twice";
    EXPECT_FALSE(wheel.is_armed(index));
    return kFirst;
  });
  return due;
}

using Due = std::set<std::uint32_t>;

TEST(TimerWheel, CallsWhoseTimeHasCome) {
  TimerWheel wheel(10, kMillisecond);
  wheel.arm(3, kToday + kSecond);
  wheel.arm(4, kToday + 2 * kSecond);
  EXPECT_EQ(due_at(wheel, kToday), Due{});
  EXPECT_EQ(due_at(wheel, kToday + kSecond - 1), Due{});
  EXPECT_EQ(due_at(wheel, kToday + kSecond), Due{3});
  EXPECT_EQ(wheel.size(), 1U);
  EXPECT_EQ(due_at(wheel, kToday + 100 * kSecond), Due{4});
  EXPECT_EQ(due_at(wheel, kToday + 200 * kSecond), Due{});
}

TEST(TimerWheel, IsNeverEarlyAndLessThanATickLate) {
  TimerWheel wheel(1, kMillisecond);
  wheel.arm(0, kToday + 1);
  EXPECT_EQ(due_at(wheel, kToday), Due{});
  EXPECT_EQ(due_at(wheel, kToday + kMillisecond), Due{0});
}

TEST(TimerWheel, KeepsTheLastDeadlineGiven) {
  TimerWheel wheel(2, kMillisecond);
  wheel.arm(0, kToday + 9 * kSecond);
  wheel.arm(0, kToday + kSecond);
  wheel.arm(1, kToday + kSecond);
  wheel.arm(1, kToday + 9 * kSecond);
  EXPECT_EQ(wheel.size(), 2U);
  EXPECT_EQ(due_at(wheel, kToday + 2 * kSecond), Due{0});
  EXPECT_EQ(due_at(wheel, kToday + 9 * kSecond), Due{1});
}

TEST(TimerWheel, CallsNobodyWhoCancelled) {
  TimerWheel wheel(3, kMillisecond);
  wheel.arm(0, kToday);
  wheel.arm(1, kToday);
  wheel.arm(2, kToday);
  wheel.cancel(1);
  wheel.cancel(1);
  wheel.arm(2, kNever);
  EXPECT_EQ(wheel.size(), 1U);
  EXPECT_EQ(due_at(wheel, kNever), Due{0});
}

TEST(TimerWheel, CallsNobodyOnceCleared) {
  constexpr std::uint32_t kMany = 1000;
  TimerWheel wheel(kMany, kMillisecond);
  EXPECT_TRUE(due_at(wheel, kToday).empty());
  for (std::uint32_t n = 0; n != kMany; ++n) wheel.arm(n, kToday + n * kSecond - 5 * kSecond);  // overdue ones, and on several levels
  for (std::uint32_t n = 0; n < kMany; n += 3) wheel.cancel(n);
  wheel.clear();
  EXPECT_EQ(wheel.size(), 0U);
  EXPECT_FALSE(wheel.is_armed(1));
  wheel.cancel(1);
  wheel.arm(2, kToday + kSecond);
  EXPECT_EQ(due_at(wheel, kToday + 2 * kMany * kSecond), Due{2});
  wheel.arm(2, kToday);
  EXPECT_EQ(due_at(wheel, wheel.now()), Due{2}) << "its clock goes on";
}

TEST(TimerWheel, ArmsAnewWhoAnswersWithALaterDeadline) {
  TimerWheel wheel(1, kMillisecond);
  wheel.arm(0, kToday + kSecond);
  Timestamp deadline = kToday + 5 * kSecond;
  int calls = 0;
  const auto due = [&](std::uint32_t) {
    ++calls;
    return deadline;
  };
  wheel.advance(kToday + kSecond, due);
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(wheel.is_armed(0));
  wheel.advance(deadline - 1, due);
  EXPECT_EQ(calls, 1);
  wheel.advance(deadline, due);
  EXPECT_EQ(calls, 2);
  EXPECT_FALSE(wheel.is_armed(0));
}

TEST(TimerWheel, ForgetsWhoAnswersNever) {
  TimerWheel wheel(1, kMillisecond);
  wheel.arm(0, kToday);
  wheel.advance(kToday, [](std::uint32_t) { return kNever; });
  EXPECT_EQ(wheel.size(), 0U);
}

TEST(TimerWheel, CallsForThePastAtTheNextAdvance) {
  TimerWheel wheel(2, kMillisecond);
  EXPECT_EQ(due_at(wheel, kToday), Due{});
  wheel.arm(0, kToday - kSecond);
  wheel.arm(1, kToday);
  EXPECT_EQ(due_at(wheel, kToday), (Due{0, 1}));
}

TEST(TimerWheel, IsNotKeptBusyByACalleeThatArmsForThePast) {
  TimerWheel wheel(2, kMillisecond);
  wheel.arm(0, kToday);
  int calls = 0;
  const auto due = [&](std::uint32_t index) {
    ++calls;
    wheel.arm(index, kToday - kSecond);
    return kFirst;
  };
  wheel.advance(kToday, due);
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(wheel.is_armed(0));
  wheel.advance(kToday, due);
  EXPECT_EQ(calls, 2);
}

TEST(TimerWheel, LetsACalleeCancelAndMoveOthersThatAreDue) {
  TimerWheel wheel(4, kMillisecond);
  for (std::uint32_t i = 0; i != 4; ++i) wheel.arm(i, kToday);
  Due called;
  wheel.advance(kToday, [&](std::uint32_t index) {
    called.insert(index);
    if (called.size() > 1) return kFirst;
    wheel.cancel((index + 1) % 4);
    wheel.arm((index + 2) % 4, kToday + kSecond);
    return kFirst;
  });
  EXPECT_EQ(called.size(), 2U) << "the first, and the one it left alone";
  EXPECT_EQ(due_at(wheel, kToday + kSecond).size(), 1U);
}

TEST(TimerWheel, TellsWhatIsDueTwiceBeforeItsTurn) {
  constexpr std::uint32_t kEntries = 100;
  TimerWheel wheel(kEntries, kMillisecond);
  for (std::uint32_t i = 0; i != kEntries; ++i) wheel.arm(i, kToday);
  std::vector<std::uint32_t> soon;
  std::vector<std::uint32_t> next;
  std::vector<std::uint32_t> called;
  const auto due = [&](std::uint32_t index) {
    called.push_back(index);
    EXPECT_LE(called.size(), next.size());
    EXPECT_LE(next.size(), soon.size());
    return kFirst;
  };
  wheel.advance(
      kToday, due, [&](std::uint32_t index) { soon.push_back(index); }, [&](std::uint32_t index) { next.push_back(index); });
  EXPECT_EQ(called.size(), kEntries);
  EXPECT_EQ(soon, called);
  EXPECT_EQ(next, called);
}

TEST(TimerWheel, TellsOnlyWhatWasArmedOnceWhateverTheCalleeMoves) {
  constexpr std::uint32_t kEntries = 100;
  TimerWheel wheel(2 * kEntries, kMillisecond);
  for (std::uint32_t i = 0; i != kEntries; ++i) wheel.arm(i, kToday);
  Due told;
  Due called;
  const auto tell = [&](std::uint32_t index) { told.insert(index); };
  const auto due = [&](std::uint32_t index) {
    called.insert(index);
    wheel.arm((index + 90) % kEntries, kToday + kSecond);  // one that was told of, now and then
    return kFirst;
  };
  wheel.advance(kToday, due, tell, tell);
  EXPECT_LT(called.size(), kEntries);
  EXPECT_LT(*told.rbegin(), kEntries);
}

TEST(TimerWheel, DoesNotTurnBack) {
  TimerWheel wheel(1, kMillisecond);
  EXPECT_EQ(due_at(wheel, kToday), Due{});
  EXPECT_EQ(due_at(wheel, kToday - 100 * kSecond), Due{});
  EXPECT_EQ(wheel.now(), kToday);
  wheel.arm(0, kToday - kSecond);
  EXPECT_EQ(due_at(wheel, kToday - 50 * kSecond), Due{0});
}

TEST(TimerWheel, TakesAnyStampWithoutCountingTicks) {
  // 2^64 ticks of a nanosecond lie between the ends: whoever counted them would not come back.
  for (const Duration tick : {Duration{1}, Duration{7}, kSecond, std::numeric_limits<Duration>::max()}) {
    TimerWheel wheel(5, tick);
    wheel.arm(0, kFirst);
    wheel.arm(1, -1);
    wheel.arm(2, 0);
    wheel.arm(3, 1);
    wheel.arm(4, kNever - 1);
    Due due;
    for (const Timestamp now : {kFirst, Timestamp{0}, kNever}) due.merge(due_at(wheel, now));
    // The last stamp of all may lie in a tick that never ends.
    due.erase(4);
    EXPECT_EQ(due, (Due{0, 1, 2, 3})) << "tick " << tick;
  }
}

TEST(TimerWheel, WantsATick) {
  EXPECT_THROW(TimerWheel(1, 0), std::invalid_argument);
  EXPECT_THROW(TimerWheel(1, -kSecond), std::invalid_argument);
}

/// What the wheel promises, said without slots: an entry is due when the tick of now reaches its deadline's, rounded up.
class Oracle {
 public:
  explicit Oracle(Duration tick) : tick_(tick) {}
  void arm(std::uint32_t index, Timestamp deadline) { deadlines_[index] = deadline; }
  void cancel(std::uint32_t index) { deadlines_.erase(index); }
  Due take(Timestamp now) {
    Due due;
    for (const auto& [index, deadline] : deadlines_) {
      if (divided(deadline, true) <= divided(now, false)) due.insert(index);
    }
    for (const std::uint32_t index : due) deadlines_.erase(index);
    return due;
  }
  [[nodiscard]] std::size_t size() const { return deadlines_.size(); }

 private:
  [[nodiscard]] Timestamp divided(Timestamp at, bool up) const {
    const Timestamp quotient = at / tick_;
    const Timestamp rest = at % tick_;
    if (up) return rest > 0 ? quotient + 1 : quotient;
    return rest < 0 ? quotient - 1 : quotient;
  }

  Duration tick_;
  std::unordered_map<std::uint32_t, Timestamp> deadlines_;
};

/// A length of any order of magnitude up to 2^bits.
Duration any_length(std::mt19937_64& random, unsigned bits) { return static_cast<Duration>(random() >> (64 - bits) >> (random() % bits)); }

// Far more often than there is room for all of it: what is no longer true is cleared away.
TEST(TimerWheel, HasRoomForWhoIsArmedAgainAndAgain) {
  constexpr std::uint32_t kEntries = 100;
  TimerWheel wheel(kEntries, kMillisecond);
  Oracle oracle(kMillisecond);
  std::mt19937_64 random(1);
  for (int n = 0; n != 300'000; ++n) {
    const auto index = static_cast<std::uint32_t>(random() % kEntries);
    const Timestamp deadline = kToday + any_length(random, 36);
    wheel.arm(index, deadline);
    oracle.arm(index, deadline);
  }
  EXPECT_EQ(wheel.size(), kEntries);
  for (Timestamp now = kToday; oracle.size() != 0; now += kSecond / 2) ASSERT_EQ(due_at(wheel, now), oracle.take(now));
  EXPECT_EQ(wheel.size(), 0U);
}

TEST(TimerWheel, HasRoomForWhatACalleeArmsAgainAndAgain) {
  constexpr std::uint32_t kEntries = 100;
  TimerWheel wheel(kEntries, kMillisecond);
  for (std::uint32_t i = 0; i != kEntries; ++i) wheel.arm(i, kToday);
  std::mt19937_64 random(1);
  Due called;
  wheel.advance(kToday, [&](std::uint32_t index) {
    EXPECT_TRUE(called.insert(index).second);
    for (int n = 0; n != 3'000; ++n) wheel.arm(static_cast<std::uint32_t>(random() % 10), kToday + any_length(random, 36));
    return kToday + kSecond;
  });
  EXPECT_EQ(called.size(), 91U) << "the first, and those it left alone";
  EXPECT_EQ(wheel.size(), kEntries);
  EXPECT_EQ(due_at(wheel, kToday + 100 * kSecond).size(), kEntries);
}

TEST(TimerWheel, CallsThoseOfATickInTheOrderInWhichTheyWereArmed) {
  constexpr std::uint32_t kEntries = 1'000;
  TimerWheel wheel(kEntries, kMillisecond);
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i != kEntries; ++i) order.push_back(i);
  std::mt19937_64 random(1);
  for (int round = 0; round != 20; ++round) {  // there are gaps, and they are cleared away
    std::shuffle(order.begin(), order.end(), random);
    for (const std::uint32_t index : order) wheel.arm(index, kToday + 10 * kSecond);
  }
  std::vector<std::uint32_t> called;
  const auto due = [&](std::uint32_t index) {
    called.push_back(index);
    return kFirst;
  };
  for (Timestamp now = kToday; now <= kToday + 10 * kSecond; now += kSecond / 4) wheel.advance(now, due);
  EXPECT_EQ(called, order);
}

class TimerWheelRandomly : public testing::TestWithParam<std::tuple<Duration, Timestamp, unsigned>> {};

TEST_P(TimerWheelRandomly, AgreesWithTheOracle) {
  const Duration tick = std::get<0>(GetParam());
  const Timestamp start = std::get<1>(GetParam());
  const unsigned bits = std::get<2>(GetParam());
  constexpr std::uint32_t kEntries = 100;
  TimerWheel wheel(kEntries, tick);
  Oracle oracle(tick);
  std::mt19937_64 random(static_cast<std::uint64_t>(tick) + bits);
  Timestamp now = start;
  for (int step = 0; step != 30'000; ++step) {
    const auto index = static_cast<std::uint32_t>(random() % kEntries);
    const std::uint64_t what = random() % 10;
    if (what < 5) {
      const Duration wait = random() % 8 == 0 ? -any_length(random, bits) : any_length(random, bits);
      const Timestamp deadline = std::min(base::after(now, wait), kNever - 1);
      wheel.arm(index, deadline);
      oracle.arm(index, deadline);
    } else if (what < 6) {
      wheel.cancel(index);
      oracle.cancel(index);
    } else {
      // Small steps nearly always, so that a run sees many of them before the clock comes to its end.
      now = base::after(now, any_length(random, random() % 50 == 0 ? bits : std::max(bits / 2, 1U)));
      Due due;
      std::vector<std::pair<std::uint32_t, Timestamp>> again;
      wheel.advance(now, [&](std::uint32_t called) {
        EXPECT_TRUE(due.insert(called).second);
        if (random() % 4 != 0) return kFirst;
        again.emplace_back(called, base::after(now, 1 + any_length(random, bits)));
        return again.back().second;
      });
      ASSERT_EQ(due, oracle.take(now)) << "at step " << step;
      for (const auto& [called, deadline] : again) {
        if (deadline > now && deadline != kNever) oracle.arm(called, deadline);
      }
    }
    ASSERT_EQ(wheel.size(), oracle.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Spans, TimerWheelRandomly,
                         testing::Combine(testing::Values(1, 3, kMillisecond, kSecond),
                                          testing::Values(kToday, Timestamp{-5}, -kToday, kFirst),
                                          testing::Values(6U, 14U, 32U, 42U, 60U)));

}  // namespace
}  // namespace finwait::flow

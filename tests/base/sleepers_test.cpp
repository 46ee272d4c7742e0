#include "finwait/base/sleepers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace finwait::base {
namespace {

TEST(Sleepers, DoNotSleepWhenTheWordIsAnother) {
  Sleepers sleepers;
  const std::atomic<std::uint32_t> word{2};
  sleepers.sleep(word, 1);  // returns
}

TEST(Sleepers, NeedNotBeThereToBeWoken) {
  Sleepers sleepers;
  std::atomic<std::uint32_t> word{0};
  word.store(1);
  sleepers.wake(word);
  sleepers.sleep(word, 0);  // returns: nothing was missed
}

// Two threads change the word in turns, and each sleeps until the other has: a wake that is missed would stop both for ever. Without a
// moment in which they spin, they meet at the edge of sleep nearly every time.
TEST(Sleepers, AreNeverForgotten) {
  constexpr std::uint32_t kTurns = 20'000;
  Sleepers sleepers;
  std::atomic<std::uint32_t> word{0};
  const auto take_turns = [&](std::uint32_t own) {
    for (std::uint32_t turn = own; turn < kTurns; turn += 2) {
      if (turn != 0) sleepers.sleep(word, turn - 1);
      word.fetch_add(1, std::memory_order_release);
      sleepers.wake(word);
    }
  };
  std::thread other([&] { take_turns(1); });
  take_turns(0);
  other.join();
  EXPECT_EQ(word.load(), kTurns);
}

TEST(Sleepers, AreAllWoken) {
  constexpr unsigned kThreads = 6;
  constexpr std::uint32_t kRounds = 500;
  Sleepers sleepers;
  Sleepers arrivals;
  std::atomic<std::uint32_t> round{0};
  std::atomic<std::uint32_t> arrived{0};
  std::vector<std::thread> threads;
  for (unsigned n = 0; n != kThreads; ++n) {
    threads.emplace_back([&] {
      for (std::uint32_t last = 0; last != kRounds; ++last) {
        sleepers.sleep(round, last);
        arrived.fetch_add(1, std::memory_order_release);
        arrivals.wake(arrived);
      }
    });
  }
  for (std::uint32_t n = 1; n <= kRounds; ++n) {
    round.store(n, std::memory_order_release);
    sleepers.wake(round);
    for (std::uint32_t seen = arrived.load(std::memory_order_acquire); seen != n * kThreads; seen = arrived.load(std::memory_order_acquire))
      arrivals.sleep(arrived, seen);
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(arrived.load(), kRounds * kThreads);
}

}  // namespace
}  // namespace finwait::base

#include "finwait/base/bell.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace finwait::base {
namespace {

TEST(Bell, DoesNotLetWaitWhoHasMissedARing) {
  Bell bell;
  const std::uint32_t seen = bell.look();
  bell.ring();
  bell.wait(seen);  // returns
  EXPECT_NE(bell.look(), seen);
}

TEST(Bell, ShowsWhatTheRingerWroteBefore) {
  Bell bell;
  int written = 0;  // no atomic: the bell alone orders it
  const std::uint32_t seen = bell.look();
  std::thread ringer([&] {
    written = 1;
    bell.ring();
  });
  bell.wait(seen);
  EXPECT_EQ(written, 1);
  ringer.join();
}

// Each takes its turn, and rings for the next: a missed ring would stop them all.
TEST(Bell, WakesEverybodyEachTime) {
  constexpr unsigned kThreads = 4;
  constexpr unsigned kTurns = 2'000;
  Bell bell;
  std::atomic<unsigned> turn{0};
  std::vector<std::thread> threads;
  for (unsigned own = 0; own != kThreads; ++own) {
    threads.emplace_back([&, own] {
      for (unsigned n = own; n < kTurns; n += kThreads) {
        for (std::uint32_t seen = bell.look(); turn.load(std::memory_order_relaxed) != n; seen = bell.look()) bell.wait(seen);
        turn.store(n + 1, std::memory_order_relaxed);
        bell.ring();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(turn.load(), kTurns);
}

}  // namespace
}  // namespace finwait::base

#include "finwait/base/seqlock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

namespace finwait::base {
namespace {

/// About a kilobyte whose numbers are all the same, or it is torn.
struct Large {
  std::array<std::uint32_t, 251> numbers{};
  [[nodiscard]] bool is_whole() const {
    for (const std::uint32_t number : numbers) {
      if (number != numbers[0]) return false;
    }
    return true;
  }
};

struct Odd {
  char bytes[3] = {1, 2, 3};
};

TEST(Seqlock, HoldsWhatWasStoredLast) {
  Seqlock<Large> lock;
  EXPECT_EQ(lock.load().numbers[250], 0U);
  Large value;
  value.numbers.fill(7);
  lock.store(value);
  value.numbers.fill(8);
  lock.store(value);
  ASSERT_TRUE(lock.try_load().has_value());
  EXPECT_EQ(lock.load().numbers[0], 8U);
  EXPECT_EQ(lock.load().numbers[250], 8U);
}

TEST(Seqlock, HoldsValuesThatFillNoWord) {
  Seqlock<Odd> lock;
  EXPECT_EQ(lock.load().bytes[2], 3);
  lock.store(Odd{{4, 5, 6}});
  EXPECT_EQ(lock.load().bytes[0], 4);
  EXPECT_EQ(lock.load().bytes[2], 6);
}

TEST(Seqlock, IsNeverSeenTornAndNeverGoesBack) {
  Seqlock<Large> lock;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> torn{0};
  std::atomic<std::uint64_t> copies{0};
  const auto read = [&] {
    std::uint32_t last = 0;
    while (!stop.load()) {
      const std::optional<Large> value = lock.try_load();
      if (!value) continue;
      if (!value->is_whole() || value->numbers[0] < last) torn.fetch_add(1);
      last = value->numbers[0];
      if (last != 0) copies.fetch_add(1);
    }
  };
  std::thread one(read);
  std::thread two(read);
  Large value;
  std::mt19937 random(1);
  std::uint32_t number = 0;
  // Bursts, each followed by a pause until somebody has had a copy: a writer that never pauses may starve its readers.
  for (int burst = 0; burst != 1000; ++burst) {
    const std::uint64_t before = copies.load();
    for (std::uint32_t left = 1 + random() % 32; left != 0; --left) {
      value.numbers.fill(++number);
      lock.store(value);
    }
    while (copies.load() == before) std::this_thread::yield();
  }
  stop.store(true);
  one.join();
  two.join();
  EXPECT_EQ(torn.load(), 0U);
}

}  // namespace
}  // namespace finwait::base

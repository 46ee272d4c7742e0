#include "finwait/base/ring.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <thread>
#include <vector>

namespace finwait::base {
namespace {

// ThreadSanitizer sees a race in few values as well as in many, and is slow.
#if defined(__SANITIZE_THREAD__)
#define FINWAIT_UNDER_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FINWAIT_UNDER_THREAD_SANITIZER 1
#endif
#endif
#ifdef FINWAIT_UNDER_THREAD_SANITIZER
constexpr std::uint64_t kValues = 20'000;
#else
constexpr std::uint64_t kValues = 500'000;
#endif

struct Value {
  std::uint64_t number;
  std::uint64_t check;
};

TEST(Ring, RoundsItsRoomUpToAPowerOfTwo) {
  EXPECT_EQ(Ring<int>(0).capacity(), 1U);
  EXPECT_EQ(Ring<int>(5).capacity(), 8U);
  EXPECT_EQ(Ring<int>(8).capacity(), 8U);
  EXPECT_THROW(Ring<int>((std::size_t{1} << 32) + 1), std::invalid_argument);
}

TEST(Ring, GivesBackInOrderAndTakesNoMoreThanItHolds) {
  Ring<int> ring(2);
  int out = -1;
  EXPECT_FALSE(ring.pop(out));
  EXPECT_EQ(out, -1);
  EXPECT_TRUE(ring.push(1));
  EXPECT_TRUE(ring.push(2));
  EXPECT_FALSE(ring.push(3));
  EXPECT_TRUE(ring.pop(out));
  EXPECT_EQ(out, 1);
  EXPECT_TRUE(ring.push(4));
  EXPECT_TRUE(ring.pop(out));
  EXPECT_EQ(out, 2);
  EXPECT_TRUE(ring.pop(out));
  EXPECT_EQ(out, 4);
  EXPECT_FALSE(ring.pop(out));
}

TEST(Ring, AgreesWithADequeUnderRandomUse) {
  for (const std::size_t capacity : {1U, 2U, 8U, 64U}) {
    Ring<std::uint32_t> ring(capacity);
    std::deque<std::uint32_t> oracle;
    std::mt19937 random(1);
    std::uint32_t next = 0;
    for (int step = 0; step != 50'000; ++step) {
      std::vector<std::uint32_t> batch(random() % (capacity + 3));
      if (random() % 2 == 0) {
        for (std::uint32_t& value : batch) value = next++;
        const std::size_t taken = ring.push(std::span<const std::uint32_t>(batch));
        ASSERT_EQ(taken, std::min(batch.size(), capacity - oracle.size()));
        oracle.insert(oracle.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(taken));
      } else {
        const std::size_t given = ring.pop(std::span(batch));
        ASSERT_EQ(given, std::min(batch.size(), oracle.size()));
        for (std::size_t i = 0; i != given; ++i) {
          ASSERT_EQ(batch[i], oracle.front());
          oracle.pop_front();
        }
      }
    }
  }
}

TEST(Ring, CarriesEveryValueOnceBetweenTwoThreads) {
  Ring<Value> ring(64);
  std::thread pusher([&ring] {
    std::mt19937 random(1);
    std::vector<Value> batch;
    std::uint64_t next = 0;
    while (next != kValues) {
      batch.clear();
      const std::uint64_t offered = std::min<std::uint64_t>(1 + random() % 40, kValues - next);
      for (std::uint64_t i = 0; i != offered; ++i) batch.push_back({next + i, ~(next + i)});
      const std::size_t taken = ring.push(std::span<const Value>(batch));
      if (taken == 0) std::this_thread::yield();
      next += taken;
    }
  });
  std::mt19937 random(2);
  std::vector<Value> batch(40);
  std::uint64_t expected = 0;
  std::uint64_t wrong = 0;
  while (expected != kValues) {
    const std::size_t given = ring.pop(std::span(batch).first(1 + random() % batch.size()));
    if (given == 0) std::this_thread::yield();
    for (std::size_t i = 0; i != given; ++i, ++expected) wrong += batch[i].number != expected || batch[i].check != ~expected ? 1U : 0U;
  }
  pusher.join();
  EXPECT_EQ(wrong, 0U);
  Value more{};
  EXPECT_FALSE(ring.pop(more));
}

TEST(Ring, room_is_what_can_be_pushed) {
  Ring<int> ring(4);
  EXPECT_EQ(ring.room(), 4U);
  const std::vector<int> three{1, 2, 3};
  EXPECT_EQ(ring.push(three), 3U);
  EXPECT_EQ(ring.room(), 1U);
  int out = 0;
  EXPECT_TRUE(ring.pop(out));
  EXPECT_EQ(ring.room(), 2U);
}

TEST(Ring, size_is_what_can_be_popped) {
  Ring<int> ring(4);
  int out = 0;
  EXPECT_EQ(ring.size(), 0U);
  for (int n = 0; n != 3; ++n) ASSERT_TRUE(ring.push(n));
  EXPECT_EQ(ring.size(), 3U);
  ASSERT_TRUE(ring.pop(out));
  EXPECT_EQ(ring.size(), 2U);
  for (int n = 0; n != 2; ++n) ASSERT_TRUE(ring.push(n));
  EXPECT_EQ(ring.size(), 4U);
}

}  // namespace
}  // namespace finwait::base

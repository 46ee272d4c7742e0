#include "finwait/base/counter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace finwait::base {
namespace {

TEST(Counter, Counts) {
  Counter counter;
  EXPECT_EQ(counter.value(), 0U);
  counter.add();
  counter.add(10);
  counter.subtract();
  EXPECT_EQ(counter.value(), 10U);
  counter.subtract(3);
  EXPECT_EQ(counter.value(), 7U);
  counter.set(100);
  EXPECT_EQ(counter.value(), 100U);
}

TEST(Counter, IsSeenToRiseByAnotherThread) {
  constexpr std::uint64_t kEnd = 1'000'000;
  Counter counter;
  std::atomic<bool> fell{false};
  std::thread reader([&] {
    std::uint64_t last = 0;
    while (last != kEnd) {
      const std::uint64_t value = counter.value();
      if (value < last || value > kEnd) fell.store(true);
      last = value;
    }
  });
  for (std::uint64_t i = 0; i != kEnd; ++i) counter.add();
  reader.join();
  EXPECT_FALSE(fell.load());
}

}  // namespace
}  // namespace finwait::base

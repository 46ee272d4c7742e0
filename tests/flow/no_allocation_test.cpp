// Nothing is allocated once table, pool and wheel stand.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "finwait/base/pool.h"
#include "finwait/flow/table.h"
#include "finwait/flow/timer_wheel.h"

namespace {
thread_local std::size_t allocations = 0;
}

[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* const area = std::malloc(bytes != 0 ? bytes : 1)) return area;
  throw std::bad_alloc();
}
// Not inlined: g++ would see free() take what a foreign operator new gave.
[[gnu::noinline]] void operator delete(void* area) noexcept { std::free(area); }
[[gnu::noinline]] void operator delete(void* area, std::size_t) noexcept { std::free(area); }

namespace finwait::flow {
namespace {

TEST(NoAllocation, InTableWheelAndPool) {
  constexpr std::uint32_t kEntries = 10'000;
  Table table(kEntries);
  TimerWheel wheel(kEntries, base::kMillisecond);
  base::Pool<std::uint64_t> pool(kEntries);
  const std::size_t before = allocations;
  std::size_t due = 0;
  for (std::uint64_t i = 0; i != 5U * kEntries; ++i) {
    const std::uint64_t hash = i * 0x9e37'79b9'7f4a'7c15;
    const std::uint32_t index = pool.allocate();
    if (index == base::kNone) continue;
    pool[index] = hash;
    if (!table.insert(hash, index)) continue;
    wheel.arm(index, static_cast<base::Timestamp>(i) * base::kMillisecond + base::kSecond);
    wheel.advance(static_cast<base::Timestamp>(i) * base::kMillisecond, [&](std::uint32_t done) {
      ++due;
      table.erase(pool[done], done);
      pool.release(done);
      return base::Timestamp{0};
    });
  }
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(due, 5U * kEntries - 1000);
  // Called by name: the compiler may drop a new-expression whose object nobody uses.
  ::operator delete(::operator new(1));
  EXPECT_EQ(allocations, before + 1) << "the counter counts";
}

}  // namespace
}  // namespace finwait::flow

#include "finwait/base/bell.h"

#include <gtest/gtest.h>

#include "threads.h"

namespace finwait::base {
namespace {

struct Awaited {
  Bell bell;
  std::atomic<int> done{0};
  model::Plain<int> made;
};

void ring(Awaited& s) {
  s.made.set(1);
  s.done.store(1, std::memory_order_relaxed);  // no order of its own: the bell's is enough
  s.bell.ring();
}
void ring_for_something_else(Awaited& s) { s.bell.ring(); }
void wait(Awaited& s) {
  for (;;) {
    const std::uint32_t seen = s.bell.look();
    if (s.done.load(std::memory_order_relaxed) != 0) return;
    s.bell.wait(seen);
  }
}
/// Looks at what was made, for which only a look at the bell gives the right.
void take(Awaited& s) {
  const std::uint32_t seen = s.bell.look();
  if (seen == 0) s.bell.wait(seen);
  model::expect(s.made.get() == 1, "what was made before it rang");
}

TEST(Bell, LetsNobodySleepForEverInAnyExecution) {
  for (const auto& scenario : {model::scenario<Awaited>({ring, wait}), model::scenario<Awaited>({ring, wait, wait}),
                               model::scenario<Awaited>({ring, ring_for_something_else, wait})}) {
    const model::Result result = model::explore(scenario);
    EXPECT_EQ(result.failure, "");
    EXPECT_GT(result.executions, 2U);
  }
}

TEST(Bell, NeedsEachOfItsOrderings) {
  const auto taken = model::scenario<Awaited>({ring, take});
  EXPECT_EQ(model::explore(taken).failure, "");
  EXPECT_EQ(model::needless({taken}), std::vector<model::Site>{});
}

}  // namespace
}  // namespace finwait::base

#include "finwait/base/seqlock.h"

#include <gtest/gtest.h>

#include "finwait/base/counter.h"
#include "threads.h"

namespace finwait::base {
namespace {

struct Pair {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
};

struct Published {
  Seqlock<Pair> lock;
};

void write(Published& s) {
  for (std::uint64_t n = 1; n != 4; ++n) s.lock.store(Pair{n, n});
}
void read(Published& s) {
  std::uint64_t last = 0;
  for (int n = 0; n != 3; ++n) {
    const std::optional<Pair> copy = s.lock.try_load();
    if (!copy) continue;
    model::expect(copy->a == copy->b, "a copy of one store");
    model::expect(copy->a >= last, "no older copy after a newer one");
    last = copy->a;
  }
}

const auto kOneReader = model::scenario<Published>({write, read});

TEST(Seqlock, IsNeverSeenTornInAnyExecution) {
  const model::Result result = model::explore(kOneReader);
  EXPECT_EQ(result.failure, "");
  EXPECT_GT(result.executions, 10U);
}

TEST(Seqlock, NeedsEachOfItsOrderings) {
  EXPECT_EQ(model::explore(kOneReader).orderings.size(), 4U) << "2 to 5";
  EXPECT_EQ(model::needless({kOneReader}), std::vector<model::Site>{});
}

struct Counted {
  Counter counter;
};

TEST(Counter, IsNeverSeenGoingBackInAnyExecution) {
  const auto count = [](Counted& s) {
    for (int n = 0; n != 3; ++n) s.counter.add();
  };
  const auto look = [](Counted& s) {
    std::uint64_t last = 0;
    for (int n = 0; n != 3; ++n) {
      const std::uint64_t value = s.counter.value();
      model::expect(value >= last && value <= 3, "up");
      last = value;
    }
  };
  const model::Result result =
      model::explore(model::scenario<Counted>({count, look, look}, [](Counted& s) { model::expect(s.counter.value() == 3, "all"); }));
  EXPECT_EQ(result.failure, "");
}

}  // namespace
}  // namespace finwait::base

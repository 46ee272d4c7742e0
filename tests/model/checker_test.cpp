// The checker judged by programs of which the C++ memory model says what can come of them.
#include "checker.h"

#include <gtest/gtest.h>

#include "threads.h"

namespace finwait::model {
namespace {

using Values = std::set<std::pair<int, int>>;
Values seen;

struct Two {
  std::atomic<int> x{0};
  std::atomic<int> y{0};
  Plain<int> data;
  int a = -1;
  int b = -1;
};
void remember(Two& s) { seen.insert({s.a, s.b}); }

/// What a and b can be at the end.
Values outcomes(std::vector<void (*)(Two&)> threads) {
  seen.clear();
  const Result result = explore(scenario<Two>(std::move(threads), remember));
  EXPECT_EQ(result.failure, "");
  return seen;
}
std::string failure(std::vector<void (*)(Two&)> threads) { return explore(scenario<Two>(std::move(threads))).failure; }

template <std::memory_order Order>
void put(Two& s) {
  s.x.store(1, std::memory_order_relaxed);
  s.y.store(1, Order);
}
template <std::memory_order Order>
void get(Two& s) {
  s.a = s.y.load(Order);
  s.b = s.x.load(std::memory_order_relaxed);
}

TEST(Checker, KnowsThatRelaxedStoresAreSeenInAnyOrder) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  constexpr auto kAcquire = std::memory_order_acquire;
  constexpr auto kRelease = std::memory_order_release;
  const Values all{{0, 0}, {0, 1}, {1, 0}, {1, 1}};
  const Values ordered{{0, 0}, {0, 1}, {1, 1}};
  EXPECT_EQ(outcomes({put<kRelaxed>, get<kRelaxed>}), all);
  EXPECT_EQ(outcomes({put<kRelaxed>, get<kAcquire>}), all);
  EXPECT_EQ(outcomes({put<kRelease>, get<kRelaxed>}), all);
  EXPECT_EQ(outcomes({put<kRelease>, get<kAcquire>}), ordered);
  EXPECT_EQ(outcomes({get<kAcquire>, put<kRelease>}), ordered) << "whoever is named first";
}

TEST(Checker, KnowsFences) {
  const auto put_fenced = [](Two& s) {
    s.x.store(1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    s.y.store(1, std::memory_order_relaxed);
  };
  const auto get_fenced = [](Two& s) {
    s.a = s.y.load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    s.b = s.x.load(std::memory_order_relaxed);
  };
  EXPECT_EQ(outcomes({put_fenced, get_fenced}), (Values{{0, 0}, {0, 1}, {1, 1}}));
  EXPECT_EQ(outcomes({put_fenced, get<std::memory_order_relaxed>}).size(), 4U);
  EXPECT_EQ(outcomes({put<std::memory_order_relaxed>, get_fenced}).size(), 4U);
}

TEST(Checker, KnowsThatBothMayMissTheOthersStore) {
  const auto one = [](Two& s) {
    s.x.store(1, std::memory_order_release);
    s.a = s.y.load(std::memory_order_acquire);
  };
  const auto other = [](Two& s) {
    s.y.store(1, std::memory_order_release);
    s.b = s.x.load(std::memory_order_acquire);
  };
  EXPECT_EQ(outcomes({one, other}), (Values{{0, 0}, {0, 1}, {1, 0}, {1, 1}}));
}

TEST(Checker, KnowsThatOneAtomicIsNeverSeenGoingBack) {
  const auto count = [](Two& s) {
    s.x.store(1, std::memory_order_relaxed);
    s.x.store(2, std::memory_order_relaxed);
  };
  const auto look = [](Two& s) {
    s.a = s.x.load(std::memory_order_relaxed);
    s.b = s.x.load(std::memory_order_relaxed);
  };
  EXPECT_EQ(outcomes({count, look}), (Values{{0, 0}, {0, 1}, {0, 2}, {1, 1}, {1, 2}, {2, 2}}));
}

TEST(Checker, KnowsThatWhatOneTellsAnotherReachesAThird) {
  // x is published to the second by y, and by the second to the third by a counter that was relaxed in between.
  struct Three {
    std::atomic<int> y{0};
    std::atomic<int> z{0};
    Plain<int> data;
  };
  const auto first = [](Three& s) {
    s.data.set(1);
    s.y.store(1, std::memory_order_release);
  };
  const auto second = [](Three& s) {
    await([&] { return s.y.load(std::memory_order_acquire) == 1; });
    s.z.store(1, std::memory_order_release);
  };
  const auto third = [](Three& s) {
    await([&] { return s.z.load(std::memory_order_acquire) == 1; });
    expect(s.data.get() == 1, "the first's store");
  };
  const Result result = explore(scenario<Three>({first, second, third}));
  EXPECT_EQ(result.failure, "");
  EXPECT_GE(result.executions, 1U);
}

TEST(Checker, KnowsThatTwoReadersMayDisagreeOnTheOrderOfTwoWriters) {
  struct Four {
    std::atomic<int> x{0};
    std::atomic<int> y{0};
    std::array<int, 4> r{};
  };
  static int disagreed;
  disagreed = 0;
  const Result result = explore(
      scenario<Four>({[](Four& s) { s.x.store(1, std::memory_order_release); }, [](Four& s) { s.y.store(1, std::memory_order_release); },
                      [](Four& s) {
                        s.r[0] = s.x.load(std::memory_order_acquire);
                        s.r[1] = s.y.load(std::memory_order_acquire);
                      },
                      [](Four& s) {
                        s.r[2] = s.y.load(std::memory_order_acquire);
                        s.r[3] = s.x.load(std::memory_order_acquire);
                      }},
                     [](Four& s) {
                       disagreed += s.r == std::array{1, 0, 1, 0} ? 1 : 0;
                     }));
  EXPECT_EQ(result.failure, "");
  EXPECT_GE(disagreed, 1);
}

TEST(Checker, CountsUpdatesOnceAndContinuesWhatTheyReplace) {
  const auto add = [](Two& s) { s.x.fetch_add(1, std::memory_order_relaxed); };
  EXPECT_EQ(explore(scenario<Two>({add, add, add}, [](Two& s) { expect(s.x.load() == 3, "three"); })).failure, "");
  // Who acquires what a relaxed update left behind acquires what was released before it.
  const auto release = [](Two& s) {
    s.data.set(7);
    s.x.fetch_add(1, std::memory_order_release);
  };
  const auto acquire = [](Two& s) {
    if (s.x.load(std::memory_order_acquire) != 2) cut();
    expect(s.data.get() == 7, "released before the update");
  };
  EXPECT_EQ(failure({release, add, acquire}), "");
}

TEST(Checker, FindsRaces) {
  const auto write = [](Two& s) { s.data.set(1); };
  const auto read = [](Two& s) { static_cast<void>(s.data.get()); };
  EXPECT_NE(failure({write, write}), "");
  EXPECT_NE(failure({write, read}), "");
  EXPECT_EQ(failure({read, read}), "");
  // After its release a store may be written to again.
  const auto publish_too_early = [](Two& s) {
    s.x.store(1, std::memory_order_release);
    s.data.set(1);
  };
  const auto fetch = [](Two& s) {
    await([&] { return s.x.load(std::memory_order_acquire) == 1; });
    static_cast<void>(s.data.get());
  };
  EXPECT_NE(failure({publish_too_early, fetch}), "");
  const auto fenced_too_early = [](Two& s) {
    std::atomic_thread_fence(std::memory_order_release);
    s.data.set(1);
    s.x.store(1, std::memory_order_relaxed);
  };
  EXPECT_NE(failure({fenced_too_early, fetch}), "");
}

TEST(Checker, FindsThreadsThatSleepForEver) {
  const auto sleep = [](Two& s) { s.x.wait(0, std::memory_order_acquire); };
  const auto wake = [](Two& s) {
    s.x.fetch_add(1, std::memory_order_release);
    s.x.notify_all();
  };
  const auto forget = [](Two& s) { s.x.fetch_add(1, std::memory_order_release); };
  EXPECT_EQ(failure({sleep, wake}), "");
  EXPECT_EQ(failure({sleep, sleep, wake}), "");
  EXPECT_NE(failure({sleep, forget}).find("all sleep"), std::string::npos);
}

TEST(Checker, RefusesWhatItDoesNotKnow) {
  const auto store = [](Two& s) { s.x.store(1, std::memory_order_relaxed); };
  EXPECT_NE(failure({store, store}).find("not modelled"), std::string::npos);
  EXPECT_NE(failure({[](Two& s) { s.x.store(1); }}).find("not modelled"), std::string::npos);
  EXPECT_NE(failure({store, [](Two& s) { s.x.fetch_add(1, std::memory_order_relaxed); }}).find("not modelled"), std::string::npos);
}

TEST(Checker, NamesTheOrderingsThatNobodyNeeds) {
  struct Superfluous {
    std::atomic<int> x{0};
    Plain<int> data;
  };
  const auto needed = [](Superfluous& s) {
    s.data.set(1);
    s.x.store(1, std::memory_order_release);
    s.x.store(2, std::memory_order_release);  // nobody looks for it
  };
  const auto reader = [](Superfluous& s) {
    if (s.x.load(std::memory_order_acquire) == 1) static_cast<void>(s.data.get());
  };
  const std::vector<Site> found = needless({scenario<Superfluous>({needed, reader})});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].order, __ATOMIC_RELEASE);
  const auto both = [](Superfluous& s) {
    if (s.x.load(std::memory_order_acquire) != 0) static_cast<void>(s.data.get());
  };
  EXPECT_TRUE(needless({scenario<Superfluous>({needed, reader}), scenario<Superfluous>({needed, both})}).empty());
}

}  // namespace
}  // namespace finwait::model

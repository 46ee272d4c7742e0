#include "finwait/base/version.h"

#include <gtest/gtest.h>

#include "threads.h"

namespace finwait::base {
namespace {

/// A record in place, as in a pool. Its words are stored with no order at all, as plain stores are, and read once by who copies.
struct Record {
  Version version;
  std::array<std::uint64_t, 2> words{};
  void set(std::uint64_t value) {
    for (std::uint64_t& word : words) std::atomic_ref<std::uint64_t>(word).store(value, std::memory_order_relaxed);
  }
};
constexpr std::array kAll{Version::Part{8, sizeof(Record)}};

struct Shared {
  Record record;
  /// What hangs on the record elsewhere.
  std::uint64_t block = 0;
};

void change(Shared& s) {
  for (std::uint64_t n = 2; n != 4; ++n) {
    static_cast<void>(s.record.version.begin());
    s.record.set(n);
    std::atomic_ref<std::uint64_t>(s.block).store(n, std::memory_order_relaxed);
    s.record.version.end(n);
  }
}

/// Given back, changed while it is nobody's, and taken again.
void replace(Shared& s) {
  static_cast<void>(s.record.version.begin());
  s.record.set(2);
  std::atomic_ref<std::uint64_t>(s.block).store(2, std::memory_order_relaxed);
  s.record.version.end(2);
  s.record.version.vanish();
  s.record.set(9);
  static_cast<void>(s.record.version.begin());
  s.record.set(3);
  std::atomic_ref<std::uint64_t>(s.block).store(3, std::memory_order_relaxed);
  s.record.version.end(3);
}

void copy(Shared& s) {
  for (int n = 0; n != 3; ++n) {
    Record to;
    std::uint64_t block = 0;
    const auto then = [&] {
      Version::copy_words(&s.block, &block, sizeof block);
      return true;
    };
    if (s.record.version.try_copy(&s.record, &to, kAll, then) != Version::Copy::kDone) continue;
    model::expect(to.words[0] == to.words[1] && to.words[0] == block, "a copy of one change");
    model::expect(block == 2 || block == 3, "a copy of what was whole");
  }
}

const auto kChanged = model::scenario<Shared>({change, copy});
const auto kReplaced = model::scenario<Shared>({replace, copy});

TEST(Version, IsNeverSeenTornInAnyExecution) {
  for (const auto& scenario : {kChanged, kReplaced}) {
    const model::Result result = model::explore(scenario);
    EXPECT_EQ(result.failure, "");
    EXPECT_GT(result.executions, 10U);
  }
}

TEST(Version, NeedsEachOfItsOrderings) {
  EXPECT_EQ(model::explore(kChanged).orderings.size(), 3U) << "3, the fences of 1, and those of 4 and 6, which are one line";
  EXPECT_EQ(model::needless({kChanged}), std::vector<model::Site>{});
  EXPECT_EQ(model::needless({kReplaced}), std::vector<model::Site>{});
}

}  // namespace
}  // namespace finwait::base

#include "finwait/base/version.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

namespace finwait::base {
namespace {

struct Record {
  Version version;
  std::array<std::uint64_t, 40> numbers{};
};
constexpr std::array kAll{Version::Part{0, sizeof(Record)}};
constexpr std::array kEdges{Version::Part{8, 16}, Version::Part{sizeof(Record) - 8, sizeof(Record)}};

TEST(Version, ShowsNothingBeforeTheFirstChangeAndAfterTheLast) {
  Record record;
  Record copy;
  EXPECT_EQ(record.version.try_copy(&record, &copy, kAll), Version::Copy::kNothing);
  ASSERT_TRUE(record.version.begin());
  EXPECT_EQ(record.version.try_copy(&record, &copy, kAll), Version::Copy::kChanging);
  record.version.end(2);
  EXPECT_EQ(record.version.try_copy(&record, &copy, kAll), Version::Copy::kDone);
  record.version.vanish();
  EXPECT_EQ(record.version.try_copy(&record, &copy, kAll), Version::Copy::kNothing);
}

TEST(Version, KnowsAChangeWithinAChange) {
  Record record;
  EXPECT_TRUE(record.version.begin());
  EXPECT_FALSE(record.version.begin());
  record.version.end(2);
  EXPECT_TRUE(record.version.begin());
}

TEST(Version, CopiesThePartsAskedFor) {
  Record record;
  static_cast<void>(record.version.begin());
  record.numbers.fill(5);
  record.version.end(2);
  Record copy;
  ASSERT_EQ(record.version.try_copy(&record, &copy, kEdges), Version::Copy::kDone);
  EXPECT_EQ(copy.numbers.front(), 5U);
  EXPECT_EQ(copy.numbers[1], 0U);
  EXPECT_EQ(copy.numbers.back(), 5U);
}

TEST(Version, NoticesAChangeBetweenItsTwoLooks) {
  Record record;
  static_cast<void>(record.version.begin());
  record.version.end(2);
  Record copy;
  const auto change = [&] {
    static_cast<void>(record.version.begin());
    record.version.end(3);
    return true;
  };
  EXPECT_EQ(record.version.try_copy(&record, &copy, kAll, change), Version::Copy::kChanging);
  const auto reborn = [&] {
    record.version.vanish();
    record = Record{};
    static_cast<void>(record.version.begin());
    record.version.end(4);
    return true;
  };
  EXPECT_EQ(record.version.try_copy(&record, &copy, kAll, reborn), Version::Copy::kChanging);
  EXPECT_EQ(record.version.try_copy(&record, &copy, kAll, [] { return false; }), Version::Copy::kChanging);
}

TEST(Version, IsNeverSeenTorn) {
  Record record;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> whole{0};
  std::atomic<std::uint64_t> torn{0};
  std::thread reader([&] {
    Record copy;
    while (!stop.load()) {
      if (record.version.try_copy(&record, &copy, kAll) != Version::Copy::kDone) continue;
      for (const std::uint64_t number : copy.numbers) torn += number != copy.numbers[0];
      ++whole;
    }
  });
  std::uint64_t version = Version::kChanging;
  // Bursts, each followed by a pause until there was a copy: a writer that never pauses may starve its readers.
  for (std::uint64_t burst = 0; burst != 2000; ++burst) {
    const std::uint64_t before = whole.load();
    for (int n = 0; n != 20; ++n) {
      static_cast<void>(record.version.begin());
      for (std::uint64_t& number : record.numbers) ++number;
      record.version.end(++version);
    }
    while (whole.load() == before) std::this_thread::yield();
  }
  stop.store(true);
  reader.join();
  EXPECT_EQ(torn.load(), 0U);
}

}  // namespace
}  // namespace finwait::base

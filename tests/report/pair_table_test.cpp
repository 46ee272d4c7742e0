#include "finwait/report/pair_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace finwait::report {
namespace {

struct Counted {
  std::uint32_t key;
  std::uint64_t count;
};

/// Counts what comes as a std::map does, by a hash that the caller chooses.
template <class Hash>
void expect_counts(Hash&& hash) {
  constexpr std::size_t kRoom = 1000;
  PairTable<Counted> table(kRoom);
  std::map<std::uint32_t, std::uint64_t> expected;
  std::mt19937 random(1);
  for (int n = 0; n != 50'000; ++n) {
    const auto key = static_cast<std::uint32_t>(random() % (n < 25'000 ? 900 : 1'500));
    Counted* known = table.find(hash(key), [key](const Counted& c) { return c.key == key; });
    ASSERT_EQ(known != nullptr, expected.contains(key)) << key;
    ++expected[key];
    if (known != nullptr) {
      ASSERT_EQ(++known->count, expected[key]);
      continue;
    }
    if (table.full()) {
      // The half with the greatest keys goes.
      const auto before = [](const Counted& one, const Counted& other) { return one.key < other.key; };
      table.keep_first(kRoom / 2, before, [&](const Counted& c) { return hash(c.key); });
      ASSERT_EQ(table.size(), kRoom / 2);
      expected.erase(key);
      while (expected.size() != kRoom / 2) expected.erase(std::prev(expected.end()));
      expected[key] = 1;
    }
    table.add(hash(key), {key, 1});
    ASSERT_EQ(table.size(), expected.size());
  }
  for (const Counted& c : table.entries()) EXPECT_EQ(c.count, expected.at(c.key)) << c.key;
}

TEST(PairTable, finds_what_a_map_finds_before_and_after_some_are_forgotten) {
  expect_counts([](std::uint32_t key) { return (key + 1) * 0x9e37'79b9'7f4a'7c15; });
}

TEST(PairTable, finds_all_of_those_that_meet_in_few_places) {
  expect_counts([](std::uint32_t key) { return std::uint64_t{key % 3} << 62 | ~(~std::uint64_t{0} << 62); });
}

}  // namespace
}  // namespace finwait::report

#include "../../src/tcp/due.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

namespace finwait::tcp {
namespace {

/// As many as that, of so many times and numbers.
std::vector<Due> some(std::size_t count, std::uint64_t times, std::uint64_t numbers, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<Due> dues;
  for (std::size_t n = 0; n != count; ++n) {
    const auto at = static_cast<base::Timestamp>(random() % times - times / 2);
    dues.push_back({random() % 8 == 0 ? base::kNever : at, random() % numbers, static_cast<std::uint32_t>(n), false});
  }
  return dues;
}

void expect_in_order(std::vector<Due> dues) {
  std::vector<Due> expected = dues;
  std::sort(expected.begin(), expected.end());
  std::uint64_t sum = 0;
  for (const Due& due : dues) sum += due.index;
  put_in_order(dues);
  for (std::size_t n = 0; n != dues.size(); ++n) {
    ASSERT_EQ(dues[n].at, expected[n].at) << n << " of " << dues.size();
    ASSERT_EQ(dues[n].number, expected[n].number) << n << " of " << dues.size();
    sum -= dues[n].index;
  }
  EXPECT_EQ(sum, 0U);
}

TEST(Due, IsSortedByTimeThenByNumber) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  for (const std::size_t count : {0U, 1U, 2U, 63U, 64U, 65U, 1000U, 70'000U}) {
    unsigned seed = 0;
    for (const std::uint64_t times : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{300}, kMost}) {
      for (const std::uint64_t numbers : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{1} << 33, kMost}) {
        expect_in_order(some(count, times, numbers, ++seed));
      }
    }
  }
}

/// The ends of a time are as far apart as numbers go.
TEST(Due, SortsTheWholeOfTime) {
  std::vector<Due> dues = some(500, 1000, 1U << 20, 1);
  dues[7].at = std::numeric_limits<base::Timestamp>::min();
  dues[99].at = std::numeric_limits<base::Timestamp>::max();
  expect_in_order(dues);
}

/// Of whose numbers some or most are there.
TEST(Due, SortsManyOfOneTime) {
  std::mt19937_64 random(1);
  for (const std::uint32_t count : {999U, 1000U, 30'000U}) {
    for (const std::uint64_t apart : {1U, 2U, 7U, 300U, 70'000U, 200'000U, 5'000'000U}) {
      for (const std::uint64_t from : {std::uint64_t{0}, std::uint64_t{255}, std::numeric_limits<std::uint64_t>::max() - apart * count}) {
        std::vector<Due> dues;
        for (std::uint32_t n = 0; n != count; ++n) dues.push_back({base::kNever, from + n * apart + random() % apart, 3 * n, true});
        std::vector<Due> mixed = dues;
        std::shuffle(mixed.begin(), mixed.end(), random);
        put_in_order(mixed);
        for (std::uint32_t n = 0; n != count; ++n) {
          ASSERT_EQ(mixed[n].number, dues[n].number) << n << " of " << count << ", " << apart << " apart";
          ASSERT_EQ(mixed[n].index, dues[n].index);
          ASSERT_EQ(mixed[n].at, base::kNever);
          ASSERT_TRUE(mixed[n].at_once);
        }
      }
    }
  }
}

TEST(Due, StaysAsItIsWhereItIsInOrder) {
  std::vector<Due> dues = some(5000, 50, 1, 1);
  std::stable_sort(dues.begin(), dues.end());
  const std::vector<Due> before = dues;
  put_in_order(dues);
  for (std::size_t n = 0; n != dues.size(); ++n) ASSERT_EQ(dues[n].index, before[n].index);
}

// ---- Dues

std::vector<std::uint32_t> all_of(Dues& dues) {
  std::vector<std::uint32_t> given;
  while (const Due* due = dues.next()) given.push_back(due->index);
  return given;
}

TEST(Dues, GivesWhatCameWithATickInOrderAndTheRestAsItCame) {
  Dues dues(8);
  dues.push(50, 1, 10, true);
  dues.begin_tick();
  dues.push(30, 2, 11, false);
  dues.push(20, 9, 12, false);
  dues.push(20, 3, 13, false);
  dues.end_tick();
  dues.push(10, 4, 14, true);
  EXPECT_EQ(dues.count(), 5U);
  EXPECT_EQ(dues.ahead(1), 13U);
  EXPECT_EQ(dues.ahead(5), base::kNone);
  EXPECT_EQ(all_of(dues), (std::vector<std::uint32_t>{10, 13, 12, 11, 14}));
}

TEST(Dues, GivesAtOnceWhatStandsInTheWay) {
  Dues dues(8);
  dues.push(50, 1, 10, true);
  dues.push(40, 2, 11, false);
  dues.push(30, 3, 12, false);
  dues.give_at_once(1, 60, 77);
  ASSERT_EQ(dues.next()->index, 10U);
  ASSERT_EQ(dues.next()->index, 12U);
  EXPECT_EQ(dues.last().number, 77U);
  EXPECT_EQ(dues.last().at, 60);
  EXPECT_TRUE(dues.last().at_once);
  ASSERT_EQ(dues.next()->index, 11U);
}

TEST(Dues, HasRoomForAsManyAsWaitAtOnce) {
  Dues dues(4);
  std::uint32_t in = 0;
  std::uint32_t out = 0;
  dues.push(0, 0, in++, true);
  dues.push(0, 0, in++, true);
  for (int n = 0; n != 50; ++n) {
    dues.begin_tick();
    dues.push(n, 2, in + 1, false);
    ASSERT_EQ(dues.next()->index, out++);
    dues.push(n, 1, in, false);
    dues.end_tick();
    in += 2;
    ASSERT_EQ(dues.next()->index, out++) << "in the order of the tick, wherever it stands by now";
  }
}

/// All that is pushed in the last tick, as it is given: those left at the end of input by number, behind those whose time came.
void expect_last_in_order(const std::vector<Due>& left, std::uint64_t newest) {
  Dues dues(left.size() + 1);
  dues.push(0, 1, 4'000'000'000, true);
  ASSERT_EQ(dues.next()->index, 4'000'000'000);
  dues.push(1, 1, 4'000'000'001, true);  // given, but not taken yet
  dues.begin_last(newest);
  for (const Due& due : left) {
    if (due.at == base::kNever) {
      dues.push_last(due.number, due.index);
    } else {
      dues.push(due.at, due.number, due.index, false);
    }
  }
  dues.end_last();
  ASSERT_EQ(dues.count(), left.size() + 1);
  ASSERT_EQ(dues.next()->index, 4'000'000'001);
  std::vector<Due> expected = left;
  std::sort(expected.begin(), expected.end());
  for (std::size_t n = 0; n != expected.size(); ++n) {
    ASSERT_EQ(dues.ahead(0), expected[n].index) << n;
    if (expected.size() - n > 7) {
      ASSERT_EQ(dues.ahead(7), expected[n + 7].index) << n;
    }
    const Due* due = dues.next();
    ASSERT_EQ(due->at, expected[n].at) << n;
    ASSERT_EQ(due->number, expected[n].number) << n;
    ASSERT_EQ(due->index, expected[n].index) << n;
    ASSERT_FALSE(due->at_once);
    ASSERT_EQ(&dues.last(), due);
  }
  EXPECT_EQ(dues.next(), nullptr);
  EXPECT_EQ(dues.ahead(0), base::kNone);
}

/// So many of numbers up to `newest`, some far behind it; all but `timed` of eight at the end of input.
std::vector<Due> left_at_the_end(std::uint32_t count, std::uint64_t newest, std::uint64_t apart, unsigned timed, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<Due> dues;
  for (std::uint32_t n = 0; n != count; ++n) {
    const base::Timestamp at = random() % 8 < timed ? static_cast<base::Timestamp>(random() % 50) + 2 : base::kNever;
    dues.push_back({at, newest - n * apart, 0xffff'0000 - n, false});
  }
  std::shuffle(dues.begin(), dues.end(), random);
  return dues;
}

TEST(Dues, GivesWhatIsLeftAtTheEndByNumber) {
  unsigned seed = 0;
  for (const std::uint32_t count : {0U, 1U, 2U, 500U, 30'000U}) {
    for (const unsigned timed : {0U, 1U, 7U, 8U}) {
      expect_last_in_order(left_at_the_end(count, 1'000'000, 3, timed, ++seed), 1'000'000);
    }
  }
}

/// Numbers of more than 32 bits, of which those behind the last 2^32 have no word.
TEST(Dues, GivesWhatIsLeftAtTheEndByNumberHoweverFarApart) {
  unsigned seed = 0;
  for (const std::uint64_t newest : {std::uint64_t{1} << 32, std::uint64_t{1} << 45, std::numeric_limits<std::uint64_t>::max()}) {
    for (const std::uint64_t apart :
         {std::uint64_t{1}, (std::uint64_t{1} << 32) / 20'000, (std::uint64_t{1} << 32) / 1000, std::uint64_t{1} << 31}) {
      const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(20'000, newest / apart));
      expect_last_in_order(left_at_the_end(count, newest, apart, 2, ++seed), newest);
    }
  }
}

}  // namespace
}  // namespace finwait::tcp

#include "finwait/base/apart.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace finwait::base {
namespace {

TEST(Apart, IsTheValue) {
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()})
    EXPECT_EQ(apart(value), value);
  EXPECT_EQ(apart(std::uint32_t{0xffff'ffff}), 0xffff'ffffU);
  EXPECT_EQ(apart(std::uint16_t{7}), 7U);
}

template <std::size_t kBytes>
struct Some {
  std::array<std::uint8_t, kBytes> bytes;
};

TEST(Settle, LeavesTheValueAsItIs) {
  Some<5> value{{1, 2, 3, 4, 5}};
  settle(value);
  EXPECT_EQ(value.bytes, (std::array<std::uint8_t, 5>{1, 2, 3, 4, 5}));
}

/// Copies one of three in a row, and looks at its neighbours, too.
template <std::size_t kBytes>
void expect_copied() {
  Some<kBytes> from;
  for (std::size_t n = 0; n != kBytes; ++n) from.bytes[n] = static_cast<std::uint8_t>(n * 7 + 1);
  std::vector<Some<kBytes>> row(3);
  for (auto& one : row) one.bytes.fill(0xee);
  copy_words(from, row[1]);
  EXPECT_EQ(row[1].bytes, from.bytes) << kBytes;
  for (const auto* beside : {&row[0], &row[2]}) {
    EXPECT_TRUE(std::all_of(beside->bytes.begin(), beside->bytes.end(), [](std::uint8_t b) { return b == 0xee; })) << kBytes;
  }
}

TEST(CopyWords, CopiesEveryByteAndNoOther) {
  expect_copied<1>();
  expect_copied<8>();
  expect_copied<63>();
  expect_copied<64>();
  expect_copied<65>();
  expect_copied<320>();
  expect_copied<397>();
}

}  // namespace
}  // namespace finwait::base

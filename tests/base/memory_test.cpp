#include "finwait/base/memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace finwait::base {
namespace {

TEST(FixedArray, IsZeroAtFirst) {
  const FixedArray<std::uint64_t> small(1000);
  EXPECT_TRUE(std::all_of(small.begin(), small.end(), [](std::uint64_t v) { return v == 0; }));
  EXPECT_EQ(small.size(), 1000U);
}

TEST(FixedArray, KeepsWhatIsWrittenToItsFirstAndLastElement) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{511}, std::size_t{512}, std::size_t{513}, std::size_t{1} << 20}) {
    FixedArray<std::uint64_t> array(size);
    array[0] = 1;
    array[size - 1] += 2;
    EXPECT_EQ(array[0], size == 1 ? 3U : 1U);
    EXPECT_EQ(array[size - 1], size == 1 ? 3U : 2U);
  }
}

TEST(FixedArray, BeginsAtAHugePageWhenLarge) {
  FixedArray<std::uint8_t> array((std::size_t{16} << 20) + 1);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&array[0]) % (std::size_t{2} << 20), 0U);
}

TEST(FixedArray, HasSmallPagesWhereThatIsBetterAndBehindTheLastWholeHugeOne) {
  // How much memory is there once a byte is touched in the middle, and one at the end.
  const auto resident = [](const std::byte* from, std::size_t bytes) {
    std::vector<unsigned char> pages((bytes + 4095) / 4096);
    EXPECT_EQ(::mincore(const_cast<std::byte*>(from), bytes, pages.data()), 0);
    return static_cast<std::size_t>(std::count_if(pages.begin(), pages.end(), [](unsigned char page) { return (page & 1U) != 0; }));
  };
  constexpr std::size_t kSize = (std::size_t{9} << 20) + 4096;  // four huge pages and half of one
  FixedArray<std::byte> small(kSize, PageSize::kSmall);
  small[kSize / 2] = std::byte{1};
  small[kSize - 1] = std::byte{1};
  EXPECT_LE(resident(small.begin(), kSize), 2U);
  FixedArray<std::byte> huge(kSize);
  huge[kSize - 1] = std::byte{1};
  EXPECT_EQ(resident(huge.begin(), kSize), 1U);

  FixedArray<std::byte> begins_small(kSize, PageSize::kHugeIfLarge, 1);
  constexpr std::size_t kHuge = std::size_t{2} << 20;
  for (const std::size_t n : {std::size_t{0}, kHuge - 1}) begins_small[n] = std::byte{1};
  EXPECT_LE(resident(begins_small.begin(), kHuge), 2U) << "what is seldom touched fills no huge page, and shares none";
  FixedArray<std::byte> all_seldom(kSize, PageSize::kHugeIfLarge, kSize);
  all_seldom[kSize / 2] = std::byte{1};
  EXPECT_LE(resident(all_seldom.begin(), kSize), 1U);
}

TEST(FixedArray, CostsNothingUntilTouched) {
  // 64 GiB, of which one page or two are touched.
  FixedArray<std::uint64_t> array(std::size_t{1} << 33);
  array[std::size_t{1} << 32] = 7;
  EXPECT_EQ(array[std::size_t{1} << 32], 7U);
}

/// Of these pages, how many are in memory.
std::size_t resident(const FixedArray<std::uint64_t>& array) {
  constexpr std::size_t kPage = 4096;
  std::vector<unsigned char> pages((array.size() * sizeof(std::uint64_t) + kPage - 1) / kPage);
  EXPECT_EQ(::mincore(const_cast<std::uint64_t*>(array.begin()), array.size() * sizeof(std::uint64_t), pages.data()), 0);
  return static_cast<std::size_t>(std::count_if(pages.begin(), pages.end(), [](unsigned char page) { return (page & 1U) != 0; }));
}

TEST(FixedArray, IsZeroAndCostsNothingOnceItWasGivenBack) {
  for (const std::size_t size : {std::size_t{512}, std::size_t{3000}, std::size_t{1} << 20}) {
    FixedArray<std::uint64_t> array(size);
    std::fill(array.begin(), array.end(), 7);
    const std::uint64_t* const where = array.begin();
    EXPECT_NE(resident(array), 0U);
    array.give_back();
    EXPECT_EQ(resident(array), 0U);
    EXPECT_EQ(array.begin(), where);
    EXPECT_EQ(std::count(array.begin(), array.end(), 0U), static_cast<std::ptrdiff_t>(size));
    array[size - 1] = 5;
    EXPECT_EQ(array[size - 1], 5U);
  }
}

TEST(FixedArray, HasNothingToGiveBackIfItIsEmpty) {
  FixedArray<int> none;
  none.give_back();
  EXPECT_EQ(none.size(), 0U);
}

TEST(FixedArray, SaysWhenThereIsNoRoom) {
  EXPECT_THROW(FixedArray<std::uint64_t>(std::numeric_limits<std::size_t>::max() / 8), std::bad_alloc);
  EXPECT_THROW(FixedArray<std::uint64_t>(std::numeric_limits<std::size_t>::max() / 4), std::bad_alloc);
  EXPECT_THROW(FixedArray<std::uint64_t>(std::size_t{1} << 56), std::bad_alloc);
}

TEST(FixedArray, MayBeEmpty) {
  const FixedArray<int> none(0);
  EXPECT_EQ(none.size(), 0U);
  EXPECT_EQ(none.begin(), none.end());
}

TEST(FixedArray, HandsItsElementsOnWhenMoved) {
  FixedArray<int> from(10);
  from[3] = 3;
  const int* const where = &from[3];
  FixedArray<int> to(std::move(from));
  EXPECT_EQ(&to[3], where);
  FixedArray<int> again(2);
  again = std::move(to);
  EXPECT_EQ(&again[3], where);
  EXPECT_EQ(again.size(), 10U);
}

TEST(FixedArray, TakesAnyIndexToPrefetch) {
  const FixedArray<std::uint64_t> array(4);
  array.prefetch(0);
  array.prefetch(std::numeric_limits<std::uint32_t>::max());
  EXPECT_EQ(array[0], 0U);
}

}  // namespace
}  // namespace finwait::base

#include "finwait/report/pair_filter.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "finwait/report/endpoint_pair.h"

namespace finwait::report {
namespace {

std::uint64_t mixed(std::uint32_t n) { return mixed_of({n, 1, 2, 3, 443}, 0); }

TEST(PairFilter, has_all_that_were_noted_and_hardly_another) {
  PairFilter filter;
  for (int round = 0; round != 2; ++round) {
    filter.clear();
    constexpr std::uint32_t kNoted = 1U << 16;
    for (std::uint32_t n = 0; n != kNoted; ++n) filter.note(mixed(n));
    for (std::uint32_t n = 0; n != kNoted; ++n) ASSERT_TRUE(filter.may_have(mixed(n))) << n;
    std::uint32_t mistaken = 0;
    for (std::uint32_t n = kNoted; n != 2 * kNoted; ++n) mistaken += filter.may_have(mixed(n));
    EXPECT_LT(mistaken, kNoted / 6);
  }
}

TEST(PairFilter, has_none_once_cleared) {
  PairFilter filter;
  filter.clear();
  filter.note(mixed(7));
  filter.clear();
  EXPECT_FALSE(filter.may_have(mixed(7)));
}

}  // namespace
}  // namespace finwait::report

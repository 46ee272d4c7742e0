#include "finwait/wire/seq.h"

#include <gtest/gtest.h>

namespace finwait::wire {
namespace {

TEST(Seq, ComparisonsAreRightAtEveryWrap) {
  for (const std::uint32_t origin : {0U, 1U, 0x7fff'ffffU, 0x8000'0000U, 0xffff'fffeU, 0xffff'ffffU}) {
    for (const std::uint32_t distance : {1U, 2U, 65535U, 0x7fff'ffffU}) {
      EXPECT_TRUE(seq_lt(origin, origin + distance));
      EXPECT_TRUE(seq_le(origin, origin + distance));
      EXPECT_TRUE(seq_gt(origin + distance, origin));
      EXPECT_TRUE(seq_ge(origin + distance, origin));
      EXPECT_FALSE(seq_lt(origin + distance, origin));
      EXPECT_FALSE(seq_ge(origin, origin + distance));
      EXPECT_EQ(seq_diff(origin + distance, origin), static_cast<std::int32_t>(distance));
    }
    EXPECT_TRUE(seq_le(origin, origin));
    EXPECT_TRUE(seq_ge(origin, origin));
    EXPECT_FALSE(seq_lt(origin, origin));
    EXPECT_FALSE(seq_gt(origin, origin));
  }
}

}  // namespace
}  // namespace finwait::wire

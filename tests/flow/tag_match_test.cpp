#include "finwait/flow/tag_match.h"

#include <gtest/gtest.h>

#include <random>

namespace finwait::flow {
namespace {

TEST(TagMatch, HasABitForEachByteThatIsTheTag) {
  EXPECT_EQ(match_plain(0x07'00'00'00'00'00'00'07, 0x00'00'00'00'00'00'07'00, 7), 0x0281U);
  EXPECT_EQ(match_plain(0, 0, 0), 0xffffU);
  EXPECT_EQ(match_plain(0, 0, 0x80), 0U);
  EXPECT_EQ(match_plain(~std::uint64_t{0}, 0, 0xff), 0x00ffU);
}

TEST(TagMatch, IsTheSameByTheVectorUnit) {
  std::mt19937_64 random(1);
  for (int i = 0; i != 100'000; ++i) {
    // Few values, so that tags meet: each byte 0, 1, 0x80 or 0x81.
    const std::uint64_t low = random() & 0x8181'8181'8181'8181;
    const std::uint64_t high = random() & 0x8181'8181'8181'8181;
    const auto tag = static_cast<std::uint8_t>(random() & 0x81);
    ASSERT_EQ(match(low, high, tag), match_plain(low, high, tag));
  }
}

}  // namespace
}  // namespace finwait::flow

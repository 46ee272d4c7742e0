#include "finwait/hosts/tags.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace finwait::hosts {
namespace {

TEST(TagMarks, stand_where_the_tag_is_and_nowhere_else) {
  std::mt19937 random(1);
  for (int round = 0; round != 10'000; ++round) {
    std::array<std::uint8_t, 16> tags{};
    // Few different ones, next to one another and with their highest bit set, so that a carry would show.
    for (std::uint8_t& tag : tags) tag = static_cast<std::uint8_t>((random() % 2) << 7 | random() % 3);
    const auto wanted = static_cast<std::uint8_t>((random() % 2) << 7 | random() % 3);
    std::set<std::size_t> expected;
    for (std::size_t n = 0; n != tags.size(); ++n) {
      if (tags[n] == wanted) expected.insert(n);
    }
    std::set<std::size_t> found;
    for (TagMarks marks(tags, wanted); marks.any(); marks.drop_first()) EXPECT_TRUE(found.insert(marks.first()).second);
    ASSERT_EQ(found, expected);
  }
}

}  // namespace
}  // namespace finwait::hosts

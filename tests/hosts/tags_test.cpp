#include "finwait/hosts/tags.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace finwait::hosts {
namespace {

template <std::size_t Count>
void expect_marks_where_the_tag_is() {
  std::mt19937 random(1);
  for (int round = 0; round != 10'000; ++round) {
    std::array<std::uint8_t, Count> tags{};
    // Few different ones, next to one another and with their highest bit set, so that a carry would show.
    for (std::uint8_t& tag : tags) tag = static_cast<std::uint8_t>((random() % 2) << 7 | random() % 3);
    const auto wanted = static_cast<std::uint8_t>((random() % 2) << 7 | random() % 3);
    std::set<std::size_t> expected;
    for (std::size_t n = 0; n != tags.size(); ++n) {
      if (tags[n] == wanted) expected.insert(n);
    }
    std::vector<std::size_t> found;
    for (TagMarks marks(tags, wanted); marks.any(); marks.drop_first()) found.push_back(marks.first());
    ASSERT_EQ(found, std::vector<std::size_t>(expected.begin(), expected.end()));
    for (std::size_t other = 0; other != Count; ++other)
      ASSERT_EQ(TagMarks(tags, wanted).first_or(other), expected.empty() ? other : *expected.begin());
  }
}

TEST(TagMarks, stand_where_the_tag_is_and_nowhere_else) {
  expect_marks_where_the_tag_is<8>();
  expect_marks_where_the_tag_is<16>();
}

TEST(TagMarks, tell_which_comes_first_in_its_half) {
  for (unsigned set = 1; set != 1U << 16; ++set) {
    std::array<std::uint8_t, 16> tags{};
    for (std::size_t n = 0; n != tags.size(); ++n) tags[n] = (set >> n & 1U) != 0;
    std::size_t expected = 0;
    while (tags[expected] == 0) expected = expected < 8 ? expected + 8 : expected - 7;  // 0, 8, 1, 9 and so on
    ASSERT_EQ(TagMarks(tags, 1).first_in_half(), expected) << set;
  }
}

}  // namespace
}  // namespace finwait::hosts

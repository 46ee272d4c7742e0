#include "finwait/hosts/least.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace finwait::hosts {
namespace {

TEST(PlaceOfLeast, is_the_first_of_the_least) {
  std::mt19937 random(1);
  for (int round = 0; round != 10'000; ++round) {
    std::array<std::uint32_t, 16> weights{};
    for (std::uint32_t& weight : weights) weight = static_cast<std::uint32_t>(random() % 8 + (random() % 4 == 0 ? 0xffff'fff0 : 0));
    const auto least = std::min_element(weights.begin(), weights.end()) - weights.begin();
    ASSERT_EQ(place_of_least(weights), static_cast<std::size_t>(least));
  }
}

/// A set that hosts come to, as HeavyTable and IsnStore do it: the place remembered is always the one that would be found anew.
template <std::size_t Count>
void expect_what_would_be_found_anew(bool shrink) {
  std::mt19937 random(2);
  for (int round = 0; round != 200; ++round) {
    std::array<std::uint8_t, Count> tags{};
    std::array<std::uint32_t, Count> weights{};
    NextPlace next{};
    for (int step = 0; step != 500; ++step) {
      const std::size_t place = random() % Count;
      if (tags[place] != 0 && random() % 3 != 0) {
        weights[place] += static_cast<std::uint32_t>(random() % 3);
        next.note_growth(place);
      } else {
        NextPlace anew{};
        const std::size_t mine = anew.find(tags, weights);
        ASSERT_EQ(next.find(tags, weights), mine);
        if (shrink && tags[mine] != 0 && weights[mine] > 1) {
          --weights[mine];
        } else if (shrink && tags[mine] != 0) {
          weights[mine] = 1;
        } else {
          next.note_newcomer(mine, weights[mine] + 1, tags, weights);
          tags[mine] = 1;
          weights[mine] += 1;
        }
      }
    }
  }
}

TEST(NextPlace, is_what_would_be_found_anew) {
  expect_what_would_be_found_anew<8>(false);
  expect_what_would_be_found_anew<8>(true);
  expect_what_would_be_found_anew<16>(false);
  expect_what_would_be_found_anew<16>(true);
}

}  // namespace
}  // namespace finwait::hosts

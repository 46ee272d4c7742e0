#include "finwait/hosts/life.h"

#include <gtest/gtest.h>

#include <random>

namespace finwait::hosts {
namespace {

TEST(Life, finds_the_first_step_into_a_state) {
  std::mt19937_64 random(1);
  for (int round = 0; round != 100'000; ++round) {
    Life life{};
    const auto end = static_cast<unsigned>(random() % 2);
    life.step_states[end] = random() & 0x0f0f'0f0f'0f0f'0f0f;  // with states beyond the last step, which mean nothing
    life.steps[end] = static_cast<std::uint8_t>(random() % (tcp::Path::kMaxSteps + 1));
    const auto state = static_cast<tcp::State>(random() % tcp::kStates);
    unsigned expected = 0;
    while (expected != life.steps[end] && life.step_state(end, expected) != state) ++expected;
    ASSERT_EQ(life.find_step(end, state), expected);
  }
}

}  // namespace
}  // namespace finwait::hosts

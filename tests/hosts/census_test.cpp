// How many ends were in which state: against a plain count of every step.
#include "finwait/hosts/census.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace finwait::hosts {
namespace {

using tcp::State;

bool counted(State state) { return state != State::kUnknown && state != State::kListen && state != State::kClosed; }

/// Every change by its stamp, put into bins when asked.
class PlainCensus {
 public:
  void add(const Life& life) {
    for (unsigned end = 0; end != 2; ++end) {
      for (unsigned n = 0; n != life.steps[end]; ++n) {
        const auto [time, state] = life.step(end, n);
        if (!counted(state)) continue;
        change(time, state, 1);
        if (life.left(end, n) != base::kNever) change(life.left(end, n), state, -1);
      }
    }
  }

  [[nodiscard]] Populations populations() const {
    Populations result;
    if (changes_.empty()) return result;
    unsigned shift = 20;
    const auto bins = [&] { return (changes_.rbegin()->first >> shift) - (changes_.begin()->first >> shift) + 1; };
    while (bins() > static_cast<std::int64_t>(Census::kBins)) ++shift;
    const std::int64_t first = changes_.begin()->first >> shift;
    result.from = first << shift;
    result.step = base::Duration{1} << shift;
    for (const auto& [time, of] : changes_) {
      for (const auto& [state, by] : of) {
        auto& levels = result.ends[static_cast<std::size_t>(state)];
        levels.resize(static_cast<std::size_t>(bins()));
        levels[static_cast<std::size_t>((time >> shift) - first)] += by;
      }
    }
    for (auto& levels : result.ends) {
      for (std::size_t n = 1; n < levels.size(); ++n) levels[n] += levels[n - 1];
    }
    return result;
  }

 private:
  void change(base::Timestamp time, State state, std::int64_t by) { changes_[time][state] += by; }
  std::map<base::Timestamp, std::map<State, std::int64_t>> changes_;
};

/// Ends that go through states, most of them soon one after the other, some of them backwards, over a time of `span`.
class Lives {
 public:
  explicit Lives(std::uint64_t seed) : random_(seed) {}

  Life next(base::Duration span) {
    Life life{};
    for (unsigned end = 0; end != 2; ++end) {
      life.steps[end] = static_cast<std::uint8_t>(random_() % 6 == 0 ? 0 : random_() % (tcp::Path::kMaxSteps + 1));
      life.step_states[end] = random_();  // what is after the last means nothing
      base::Timestamp time = at(span);
      for (unsigned n = 0; n != life.steps[end]; ++n) {
        const auto state = static_cast<State>(random_() % tcp::kStates);
        life.step_states[end] = tcp::StateSteps::with_state(life.step_states[end], n, state);
        life.step_times[end][n] = time;
        time = after(time, span);
      }
      last_ = std::max(end == 0 ? time : last_, time);
    }
    life.released = random_() % 8 == 0 ? base::kNever : random_() % 8 == 0 ? at(span) : after(last_, span);
    return life;
  }

 private:
  base::Timestamp at(base::Duration span) { return kStart + static_cast<base::Duration>(random_() % static_cast<std::uint64_t>(span)); }
  base::Timestamp after(base::Timestamp time, base::Duration span) {
    switch (random_() % 8) {
      case 0:
        return at(span);
      case 1:
        return time;
      default:
        return time + static_cast<base::Duration>(random_() % static_cast<std::uint64_t>(span / 500 + 1));
    }
  }

  static constexpr base::Timestamp kStart = 1'700'000'000 * base::kSecond;
  std::mt19937_64 random_;
  base::Timestamp last_ = 0;
};

void expect_same(const Populations& one, const Populations& other, std::uint64_t seed) {
  EXPECT_EQ(one.from, other.from) << seed;
  EXPECT_EQ(one.step, other.step) << seed;
  EXPECT_EQ(one.ends, other.ends) << seed;
}

TEST(Census, CountsAsIfEveryStepWereEntered) {
  for (std::uint64_t seed = 0; seed != 60; ++seed) {
    Lives lives(seed);
    Census census;
    PlainCensus plain;
    base::Duration span = base::kMillisecond;
    for (int n = 0; n != 400; ++n) {
      if (n % 50 == 0) span *= static_cast<base::Duration>(1 + seed % 9);
      const Life life = lives.next(span);
      census.add(life);
      plain.add(life);
      if (n < 5 || n % 100 == 99) expect_same(census.populations(), plain.populations(), seed);
    }
  }
}

TEST(Census, CountsAStayAsAnEndOfOneStep) {
  for (std::uint64_t seed = 0; seed != 60; ++seed) {
    Lives lives(seed);
    Census census;
    PlainCensus plain;
    for (int n = 0; n != 400; ++n) {
      Life life = lives.next(base::kSecond << n / 50);
      life.steps = {static_cast<std::uint8_t>(n % 3 == 0 ? life.steps[0] : std::min<unsigned>(life.steps[0], 1)), 0};
      if (life.steps[0] == 1) {
        census.add_stay(life.step_times[0][0], life.step_state(0, 0), life.released);
      } else {
        census.add(life);
      }
      plain.add(life);
      if (n < 5 || n % 100 == 99) expect_same(census.populations(), plain.populations(), seed);
    }
  }
}

TEST(Census, IsEmptyWhenNobodyWasInAnyState) {
  Census census;
  census.add(Life{});
  expect_same(census.populations(), {}, 0);
}

}  // namespace
}  // namespace finwait::hosts

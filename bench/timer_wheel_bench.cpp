// The timer wheel: arming, and letting time pass with entries that are due, re-armed or far away. "each" is the time of one item.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "finwait/flow/timer_wheel.h"

namespace {

using finwait::base::kMicrosecond;
using finwait::base::kMillisecond;
using finwait::base::kSecond;
using finwait::base::Timestamp;
using finwait::flow::TimerWheel;

constexpr Timestamp kStart = 1'600'000'000 * kSecond;

void report(benchmark::State& state, std::uint64_t items) {
  state.counters["each"] = benchmark::Counter(static_cast<double>(items), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// Deadlines from 1 to 129 s ahead, set again and again.
void arm(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  TimerWheel wheel(entries, kMillisecond);
  wheel.advance(kStart, [](std::uint32_t) { return kStart; });
  std::mt19937_64 random(1);
  std::uint64_t items = 0;
  for (auto _ : state) {
    const std::uint64_t draw = random();
    wheel.arm(static_cast<std::uint32_t>(((draw >> 32) * entries) >> 32), kStart + kSecond + static_cast<Timestamp>(draw & 0x1f'ffff'ffff));
    ++items;
  }
  report(state, items);
}

/// Each entry is due once a minute and armed anew; an item is one such call. Time passes a millisecond at a step.
void expire(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  TimerWheel wheel(entries, kMillisecond);
  std::mt19937_64 random(1);
  const auto wait = [&] { return static_cast<Timestamp>(random() % static_cast<std::uint64_t>(60 * kSecond)); };
  for (std::uint32_t i = 0; i != entries; ++i) wheel.arm(i, kStart + wait());
  Timestamp now = kStart;
  std::uint64_t items = 0;
  for (auto _ : state) {
    now += kMillisecond;
    wheel.advance(now, [&](std::uint32_t) {
      ++items;
      return now + 30 * kSecond + wait();
    });
  }
  if (wheel.size() != entries) state.SkipWithError("an entry was lost");
  report(state, items);
}

/// What a packet pays when nothing is due: a step of a microsecond among entries an hour away.
void nothing_due(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  TimerWheel wheel(entries, kMillisecond);
  Timestamp now = kStart;
  const auto due = [&](std::uint32_t) { return now + 3600 * kSecond; };
  wheel.advance(now, due);
  for (std::uint32_t i = 0; i != entries; ++i) wheel.arm(i, now + 3600 * kSecond);
  std::uint64_t items = 0;
  for (auto _ : state) {
    now += kMicrosecond;
    wheel.advance(now, due);
    ++items;
  }
  report(state, items);
}

/// The whole range of the clock in one step, with every entry due; an item is one entry.
void jump(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  std::uint64_t items = 0;
  for (auto _ : state) {
    state.PauseTiming();
    TimerWheel wheel(entries, 1);
    std::mt19937_64 random(1);
    for (std::uint32_t i = 0; i != entries; ++i) wheel.arm(i, static_cast<Timestamp>(random() >> 1));
    state.ResumeTiming();
    wheel.advance(finwait::base::kNever, [&](std::uint32_t) {
      ++items;
      return std::numeric_limits<Timestamp>::min();
    });
  }
  if (items != static_cast<std::uint64_t>(state.iterations()) * entries) state.SkipWithError("an entry was not called");
  report(state, items);
}

BENCHMARK(arm)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(expire)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(nothing_due)->Arg(1'000'000);
BENCHMARK(jump)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace

// The checker beside the axioms of the C++ memory model (RC11's, without sequential consistency), on random programs.
//
// The oracle knows nothing of executions: it takes every way in which the loads of a program may get their values from its stores, and
// leaves out those that the axioms forbid.
#include <gtest/gtest.h>

#include <random>

#include "checker.h"

namespace finwait::model {
namespace {

enum class What : std::uint8_t { kLoad, kStore, kFence };
struct Step {
  What what;
  int place;  ///< which atomic
  int value;  ///< of a store
  std::memory_order order;
  std::size_t thread;
};
/// A thread's steps stand in their order.
using Program = std::vector<Step>;
using Outcomes = std::set<std::vector<int>>;  ///< what each load saw

constexpr std::size_t kThreads = 3;
constexpr int kPlaces = 3;

/// Each place has one thread that stores there, as the checker wants it.
Program random_program(std::mt19937& random) {
  constexpr std::array kOrders{std::memory_order_relaxed, std::memory_order_release, std::memory_order_acquire};
  Program program;
  int value = 0;
  const int most = 2 + static_cast<int>(random() % 3);
  for (std::size_t thread = 0; thread != kThreads; ++thread) {
    for (int left = 1 + static_cast<int>(random() % static_cast<unsigned>(most)); left != 0; --left) {
      const unsigned kind = random() % 8;
      const bool ordered = random() % 2 != 0;
      if (kind == 0) {
        program.push_back({What::kFence, 0, 0, kOrders[1 + random() % 2], thread});
      } else if (kind < 4) {
        program.push_back({What::kStore, static_cast<int>(thread), ++value, kOrders[ordered ? 1 : 0], thread});
      } else {
        program.push_back({What::kLoad, static_cast<int>(random() % kPlaces), 0, kOrders[ordered ? 2 : 0], thread});
      }
    }
  }
  return program;
}

class Relation {
 public:
  explicit Relation(std::size_t size) : size_(size), pairs_(size * size) {}
  void add(std::size_t a, std::size_t b) { pairs_[a * size_ + b] = true; }
  [[nodiscard]] bool has(std::size_t a, std::size_t b) const { return pairs_[a * size_ + b]; }
  void close() {
    for (std::size_t k = 0; k != size_; ++k) {
      for (std::size_t a = 0; a != size_; ++a) {
        for (std::size_t b = 0; b != size_; ++b) {
          if (has(a, k) && has(k, b)) add(a, b);
        }
      }
    }
  }
  [[nodiscard]] bool has_loop() const {
    for (std::size_t a = 0; a != size_; ++a) {
      if (has(a, a)) return true;
    }
    return false;
  }

 private:
  std::size_t size_;
  std::vector<bool> pairs_;
};

bool is_before(const Program& p, std::size_t a, std::size_t b) { return p[a].thread == p[b].thread && a < b; }

/// `from[n]`: the store that load n reads, or -1 for what was there at first.
bool is_allowed(const Program& p, const std::vector<int>& from) {
  const std::size_t size = p.size();
  const auto is = [&](std::size_t n, What what) { return p[n].what == what; };
  const auto fences = [&](std::size_t n, std::memory_order order) { return is(n, What::kFence) && p[n].order == order; };
  Relation happens(size);
  Relation causes(size);  // no value out of thin air
  Relation coherent(size);
  for (std::size_t a = 0; a != size; ++a) {
    for (std::size_t b = 0; b != size; ++b) {
      if (is_before(p, a, b)) happens.add(a, b), causes.add(a, b);
      const bool same_place = p[a].place == p[b].place && !is(a, What::kFence) && !is(b, What::kFence);
      // One thread stores to a place: its order is that of the stores.
      if (same_place && is(a, What::kStore) && is(b, What::kStore) && a < b) coherent.add(a, b);
      if (same_place && is(a, What::kLoad) && is(b, What::kStore) && static_cast<int>(b) > from[a]) coherent.add(a, b);
    }
    if (!is(a, What::kLoad) || from[a] < 0) continue;
    const auto store = static_cast<std::size_t>(from[a]);
    causes.add(store, a);
    coherent.add(store, a);
    // Whoever releases the store: itself, or fences before it; whoever acquires it: the load, or fences after it.
    for (std::size_t r = 0; r <= store; ++r) {
      const bool releases =
          r == store ? p[r].order == std::memory_order_release : is_before(p, r, store) && fences(r, std::memory_order_release);
      for (std::size_t q = a; releases && q != size; ++q) {
        const bool acquires = q == a ? p[q].order == std::memory_order_acquire : is_before(p, a, q) && fences(q, std::memory_order_acquire);
        if (acquires) happens.add(r, q);
      }
    }
  }
  happens.close();
  causes.close();
  coherent.close();
  if (happens.has_loop() || causes.has_loop() || coherent.has_loop()) return false;
  for (std::size_t a = 0; a != size; ++a) {
    for (std::size_t b = 0; b != size; ++b) {
      if (happens.has(a, b) && coherent.has(b, a)) return false;
    }
  }
  return true;
}

void add_outcomes(const Program& p, std::size_t step, std::vector<int>& from, Outcomes& found) {
  while (step != p.size() && p[step].what != What::kLoad) ++step;
  if (step != p.size()) {
    for (int n = -1; n != static_cast<int>(p.size()); ++n) {
      if (n >= 0 && (p[static_cast<std::size_t>(n)].what != What::kStore || p[static_cast<std::size_t>(n)].place != p[step].place))
        continue;
      from[step] = n;
      add_outcomes(p, step + 1, from, found);
    }
    return;
  }
  if (!is_allowed(p, from)) return;
  std::vector<int> outcome;
  for (std::size_t n = 0; n != p.size(); ++n) {
    if (p[n].what == What::kLoad) outcome.push_back(from[n] < 0 ? 0 : p[static_cast<std::size_t>(from[n])].value);
  }
  found.insert(std::move(outcome));
}

class Executed final : public Scenario {
 public:
  Executed(const Program& program, Outcomes& found) : program_(program), saw_(program.size()), found_(found) {}
  [[nodiscard]] std::size_t threads() const override { return kThreads; }
  void run(std::size_t thread) override {
    for (std::size_t n = 0; n != program_.size(); ++n) {
      const Step& step = program_[n];
      if (step.thread != thread) continue;
      std::atomic<int>& place = places_[static_cast<std::size_t>(step.place)];
      if (step.what == What::kFence) std::atomic_thread_fence(step.order);
      if (step.what == What::kStore) place.store(step.value, step.order);
      if (step.what == What::kLoad) saw_[n] = place.load(step.order);
    }
  }
  void end() override {
    std::vector<int> outcome;
    for (std::size_t n = 0; n != program_.size(); ++n) {
      if (program_[n].what == What::kLoad) outcome.push_back(saw_[n]);
    }
    found_.insert(std::move(outcome));
  }

 private:
  const Program& program_;
  std::array<std::atomic<int>, kPlaces> places_;
  std::vector<int> saw_;
  Outcomes& found_;
};

std::string words(const Program& program) {
  std::string text;
  for (const Step& step : program) {
    text += "thread " + std::to_string(step.thread) +
            (step.what == What::kLoad    ? " load"
             : step.what == What::kStore ? " store"
                                         : " fence") +
            " #" + std::to_string(step.place) + " " + std::to_string(step.value) + " order " +
            std::to_string(static_cast<int>(step.order)) + "\n";
  }
  return text;
}

TEST(Checker, FindsWhatTheAxiomsAllowAndNothingElse) {
  std::mt19937 random(1);
  std::uint64_t reduced = 0;
  std::uint64_t all = 0;
  for (int n = 0; n != 600; ++n) {
    const Program program = random_program(random);
    Outcomes expected;
    std::vector<int> from(program.size(), -1);
    add_outcomes(program, 0, from, expected);
    for (const bool reduce : {true, false}) {
      Outcomes found;
      const Result result = explore([&] { return std::make_unique<Executed>(program, found); }, {.reduced = reduce, .limit = 20'000'000});
      ASSERT_EQ(result.failure, "");
      ASSERT_EQ(found, expected) << (reduce ? "reduced\n" : "all executions\n") << words(program);
      if (n < 100) (reduce ? reduced : all) += result.executions + result.cut;
      if (n >= 100) break;  // all executions are many
    }
  }
  EXPECT_LT(reduced * 5, all);
}

}  // namespace
}  // namespace finwait::model

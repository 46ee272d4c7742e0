// A model checker for small pieces of lock-free code: it runs every execution of some threads that the memory model allows.
//
// The code under test is the product's own, compiled with atomics that ask this checker (atomics.h). Its threads are coroutines of one real
// thread. Before each atomic operation the checker decides who goes on, and at each load which of the stores that the thread may still see
// is the one it sees: a load need not give what was stored last. Whatever there is to decide is decided in every way, one execution after
// another (a depth-first search, each execution run from its beginning). It looks for
//   - expectations that do not hold,
//   - accesses to plain memory without a happens-before between them (a data race),
//   - threads that sleep for ever.
//
// What it knows of the C++ memory model: relaxed, acquire, release, release sequences, stand-alone fences of these kinds, coherence,
// happens-before (clocks), waiting and waking. What a thread may see is kept as a view: for each atomic the oldest store that it may still
// read; stores carry the view of who released them.
// What it does not: sequentially consistent operations and plain stores of two threads to one atomic, which fail as not modelled; loads
// that see a store which is made later (load buffering), which only matters where a thread stores by what it read: there the clocks see the
// race.
//
// Executions that differ in nothing a thread can notice are run once: a store is made at once, because nobody is forced to see it, and of
// operations on different atomics one order is tried (sleep sets).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace finwait::model {

/// Where an atomic operation or a fence stands in the source, and how it is ordered. `size` is that of the atomic: what tells the loads of
/// a common helper apart.
struct Site {
  std::string file;
  int line = 0;
  int order = 0;
  std::size_t size = 0;
  auto operator<=>(const Site&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Site& site);

/// What is run again for each execution: made anew, then its threads, then its end.
class Scenario {
 public:
  Scenario() = default;
  Scenario(const Scenario&) = delete;
  Scenario& operator=(const Scenario&) = delete;
  virtual ~Scenario() = default;
  [[nodiscard]] virtual std::size_t threads() const = 0;
  virtual void run(std::size_t thread) = 0;
  /// After all threads; sees what was stored last.
  virtual void end() {}
};

struct Result {
  std::string failure;           ///< empty: every execution is as it should be; otherwise why not, and the steps to it
  std::uint64_t executions = 0;  ///< that ran to their end
  std::uint64_t cut = 0;         ///< that were given up: like another one, or await() in vain
  std::set<Site> orderings;      ///< all sites that order something
};

struct Options {
  const Site* weakened = nullptr;   ///< this site is taken for relaxed; a fence, for not being there
  bool reduced = true;              ///< false: also executions that nobody can tell from others
  std::uint64_t limit = 2'000'000;  ///< more executions are a failure
};

using Make = std::function<std::unique_ptr<Scenario>()>;

/// Runs all executions, or to the first that fails.
[[nodiscard]] Result explore(const Make& make, const Options& options = {});

/// The orderings in these scenarios that can be taken away, one by one, without any execution of any scenario that fails: none, if each is
/// needed and the scenarios show it.
[[nodiscard]] std::vector<Site> needless(const std::vector<Make>& scenarios);

/// In a thread or at the end: the execution fails if this is not true.
void expect(bool true_here, const char* what);

/// In a thread: only executions in which the condition is true at the first look go on. It stands for a loop that waits: the looks in vain
/// are left out, as if the thread had come later.
template <class Condition>
void await(Condition&& condition);

// What the model's atomics call. An address is the atomic; outside of explore() they go to memory.
std::uint64_t load(const void* address, std::size_t size, int order, const char* file, int line);
void store(void* address, std::size_t size, std::uint64_t value, int order, const char* file, int line);
/// Adds; returns what was there.
std::uint64_t add(void* address, std::size_t size, std::uint64_t value, int order, const char* file, int line);
void fence(int order, const char* file, int line);
void wait(const void* address, std::size_t size, std::uint64_t old, int order, const char* file, int line);
void notify_all(const void* address);
/// In a loop that looks again and again for a moment: the looks after the first see what it saw, until the thread does something else.
void pause();
// Plain memory.
void plain_read(const void* address, std::size_t bytes);
void plain_write(const void* address, std::size_t bytes);

/// Gives this execution up.
void cut();

template <class Condition>
void await(Condition&& condition) {
  if (!condition()) cut();
}

/// A variable that is no atomic: two threads may not meet at it.
template <class T>
class Plain {
 public:
  Plain() = default;
  explicit Plain(T value) : value_(value) {}
  [[nodiscard]] T get() const {
    plain_read(&value_, sizeof value_);
    return value_;
  }
  void set(T value) {
    plain_write(&value_, sizeof value_);
    value_ = value;
  }

 private:
  alignas(8) T value_{};
};

}  // namespace finwait::model

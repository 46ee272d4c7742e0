#include "checker.h"

#include <ucontext.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <stdexcept>

namespace finwait::model {
namespace {

constexpr std::size_t kMaxThreads = 6;
constexpr std::size_t kMaxAtomics = 64;
constexpr std::size_t kStack = 1 << 16;
constexpr std::size_t kMaxSteps = 5'000;

using Clock = std::array<std::uint32_t, kMaxThreads>;
using View = std::array<std::uint16_t, kMaxAtomics>;

/// What a thread knows: what happened before, and of each atomic the oldest store that it may still see.
struct Knowledge {
  Clock clock{};
  View view{};
  void join(const Knowledge& other) {
    for (std::size_t n = 0; n != clock.size(); ++n) clock[n] = std::max(clock[n], other.clock[n]);
    for (std::size_t n = 0; n != view.size(); ++n) view[n] = std::max(view[n], other.view[n]);
  }
};

struct Store {
  std::uint64_t value;
  Knowledge released;  ///< who acquires it knows this
};

struct Atomic {
  const void* address;
  std::vector<Store> stores;
  int writer = -1;       ///< the one thread that stores
  bool updated = false;  ///< by reading and writing in one step, by any thread
};

struct Cell {
  int writer = -1;
  std::uint32_t written = 0;
  Clock read{};
};

enum class Kind : std::uint8_t { kNone, kLoad, kStore, kUpdate };

struct Operation {
  Kind kind = Kind::kNone;
  std::size_t atomic = 0;
};

enum class State : std::uint8_t { kReady, kAsleep, kFinished };

struct Thread {
  ucontext_t context;
  std::vector<char> stack = std::vector<char>(kStack);
  State state = State::kReady;
  Operation next;
  Knowledge knows;
  Knowledge seen;      ///< of stores that were read without acquire: an acquire fence makes it known
  Knowledge released;  ///< what was known at the last release fence
  const void* looked_at = nullptr;
  std::uint64_t looked = 0;
  bool paused = false;
};

struct Choice {
  std::size_t taken;
  std::size_t of;
};

bool acquires(int order) { return order == __ATOMIC_ACQUIRE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_CONSUME; }
bool releases(int order) { return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL; }

/// Whether what can come of `done` and then `held` can also come of `held` and then `done`: so one who is held back because that was
/// tried stays so. A load before a store is as one after it that does not see it.
bool same_if_exchanged(const Operation& done, const Operation& held) { return done.atomic != held.atomic || done.kind == Kind::kLoad; }

class Checker {
 public:
  Checker(const Make& make, const Options& options) : make_(make), options_(options) {}

  Result explore() {
    do {
      execute();
      if (result_.executions + result_.cut > options_.limit) fail("more executions than allowed");
    } while (result_.failure.empty() && next_path());
    return std::move(result_);
  }

  [[nodiscard]] bool in_thread() const { return current_ >= 0; }

  // Operations of the thread that runs.
  std::uint64_t load(const void* address, std::size_t size, int order) {
    Thread& me = self();
    if (me.paused && me.looked_at == address) return me.looked;
    const std::size_t atomic = come_to(Kind::kLoad, address, size);
    const std::vector<Store>& stores = atomics_[atomic].stores;
    const std::size_t oldest = me.knows.view[atomic];
    const std::size_t index = stores.size() - 1 - choose(stores.size() - oldest);
    note("load", atomic, stores[index].value);
    read(me, atomic, index, order);
    me.paused = false;
    me.looked_at = address;
    return me.looked = stores[index].value;
  }

  void store(void* address, std::size_t size, std::uint64_t value, int order) {
    const std::size_t atomic = come_to(Kind::kStore, address, size);
    Atomic& a = atomics_[atomic];
    if (a.updated || (a.writer != -1 && a.writer != current_)) give_up("two threads store to one atomic: not modelled");
    a.writer = current_;
    note("store", atomic, value);
    append(atomic, value, order, nullptr);
    std::memcpy(address, &value, size);
  }

  std::uint64_t add(void* address, std::size_t size, std::uint64_t value, int order) {
    const std::size_t atomic = come_to_update(address, size);
    const Store before = atomics_[atomic].stores.back();
    read(self(), atomic, atomics_[atomic].stores.size() - 1, order);
    const std::uint64_t mask = size == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * size) - 1;
    const std::uint64_t sum = (before.value + value) & mask;
    note("add", atomic, sum);
    append(atomic, sum, order, &before.released);
    std::memcpy(address, &sum, size);
    return before.value;
  }

  void fence(int order) {
    Thread& me = self();
    if (acquires(order)) me.knows.join(me.seen);
    if (!releases(order)) return;
    me.released = me.knows;
    ++me.knows.clock[index()];  // what comes next is not released
  }

  void wait(const void* address, std::size_t size, std::uint64_t old, int order) {
    if (load(address, size, order) != old) return;
    for (;;) {
      // What the kernel does in one step: a last look at the newest value, and sleep.
      const std::size_t atomic = come_to_update(address, size);
      const std::vector<Store>& stores = atomics_[atomic].stores;
      if (stores.back().value != old) {
        note("woken", atomic, stores.back().value);
        return read(self(), atomic, stores.size() - 1, order);
      }
      note("sleep", atomic, old);
      self().state = State::kAsleep;
      to_home();
    }
  }

  void notify_all(const void* address) {
    const std::size_t atomic = come_to(Kind::kUpdate, address, 0);
    note("wake", atomic, 0);
    for (Thread& thread : threads_) {
      if (thread.state == State::kAsleep && thread.next.atomic == atomic) thread.state = State::kReady;
    }
  }

  void pause() { self().paused = true; }

  void plain(const void* address, std::size_t bytes, bool write) {
    const auto from = reinterpret_cast<std::uintptr_t>(address);
    const Thread& me = self();
    const auto stack = reinterpret_cast<std::uintptr_t>(me.stack.data());
    if (from - stack < kStack) return;  // its own
    for (std::uintptr_t at = from / 8; at <= (from + bytes - 1) / 8; ++at) {
      Cell& cell = cells_[at];
      if (cell.writer >= 0 && cell.written > me.knows.clock[static_cast<std::size_t>(cell.writer)]) race(write, cell.writer);
      if (!write) {
        cell.read[index()] = me.knows.clock[index()];
        continue;
      }
      for (std::size_t n = 0; n != threads_.size(); ++n) {
        if (n != index() && cell.read[n] > me.knows.clock[n]) race(write, static_cast<int>(n));
      }
      cell.writer = current_;
      cell.written = me.knows.clock[index()];
    }
  }

  [[noreturn]] void give_up(const std::string& why) {
    fail(why);
    over_ = true;
    leave();
  }
  [[noreturn]] void cut() {
    over_ = true;
    leave();
  }
  void fail(const std::string& why) {
    if (!result_.failure.empty()) return;
    result_.failure = why + " after";
    for (const std::string& step : steps_) result_.failure += "\n  " + step;
  }

  int ordered(int order, std::size_t size, const char* file, int line) {
    if (order == __ATOMIC_SEQ_CST) give_up("a sequentially consistent operation: not modelled");
    if (order == __ATOMIC_RELAXED) return order;
    const char* slash = std::strrchr(file, '/');
    Site site{slash != nullptr ? slash + 1 : file, line, order, size};
    const bool relaxed = options_.weakened != nullptr && site == *options_.weakened;
    result_.orderings.insert(std::move(site));
    return relaxed ? __ATOMIC_RELAXED : order;
  }

 private:
  [[nodiscard]] std::size_t index() const { return static_cast<std::size_t>(current_); }
  Thread& self() { return threads_[index()]; }

  void execute() {
    scenario_ = make_();
    threads_.resize(scenario_->threads());
    if (threads_.size() > kMaxThreads) throw std::length_error("too many threads");
    atomics_.clear();
    cells_.clear();
    steps_.clear();
    held_.assign(threads_.size(), false);
    depth_ = 0;
    over_ = false;
    for (std::size_t n = 0; n != threads_.size() && !over_; ++n) start(n);
    while (!over_ && schedule()) {
    }
    if (over_) {
      ++result_.cut;
    } else {
      scenario_->end();
      if (result_.failure.empty()) ++result_.executions;
    }
    scenario_.reset();
  }

  void start(std::size_t n) {
    Thread& thread = threads_[n];
    thread.state = State::kReady;
    thread.next = {};
    thread.knows = thread.seen = thread.released = Knowledge{};
    thread.knows.clock[n] = 1;
    thread.paused = false;
    thread.looked_at = nullptr;
    getcontext(&thread.context);
    thread.context.uc_stack.ss_sp = thread.stack.data();
    thread.context.uc_stack.ss_size = thread.stack.size();
    thread.context.uc_link = nullptr;
    makecontext(&thread.context, &Checker::body, 0);
    resume(n);  // to its first operation
  }

  static void body();

  void resume(std::size_t n) {
    current_ = static_cast<int>(n);
    swapcontext(&home_, &threads_[n].context);
    current_ = -1;
  }
  void to_home() { swapcontext(&self().context, &home_); }
  [[noreturn]] void leave() {
    if (in_thread()) setcontext(&home_);
    throw std::logic_error("an expectation at the end of an execution");
  }

  /// One step of one thread; false when all are finished.
  bool schedule() {
    std::vector<std::size_t> ready;
    bool finished = true;
    for (std::size_t n = 0; n != threads_.size(); ++n) {
      if (threads_[n].state != State::kFinished) finished = false;
      if (threads_[n].state == State::kReady) ready.push_back(n);
    }
    if (finished) return false;
    if (ready.empty()) {
      fail("all sleep");
      over_ = true;
      return true;
    }
    if (options_.reduced) {
      const auto stores = std::find_if(ready.begin(), ready.end(), [&](std::size_t n) { return threads_[n].next.kind == Kind::kStore; });
      if (stores != ready.end()) {
        step(*stores);
        return true;
      }
    }
    std::erase_if(ready, [&](std::size_t n) { return held_[n]; });
    if (ready.empty()) {
      over_ = true;  // like another execution
      return true;
    }
    const std::size_t taken = choose(ready.size());
    for (std::size_t n = 0; n != taken; ++n) held_[ready[n]] = options_.reduced;
    step(ready[taken]);
    return true;
  }

  void step(std::size_t n) {
    const Operation done = threads_[n].next;
    if (steps_.size() > kMaxSteps) {
      fail("no end");
      over_ = true;
      return;
    }
    resume(n);
    for (std::size_t other = 0; other != threads_.size(); ++other) {
      if (held_[other] && !same_if_exchanged(done, threads_[other].next)) held_[other] = false;
    }
  }

  /// Before an operation: the others may come first.
  std::size_t come_to(Kind kind, const void* address, std::size_t size) {
    const std::size_t atomic = find(address, size);
    self().next = {kind, atomic};
    to_home();
    ++self().knows.clock[index()];
    return atomic;
  }

  std::size_t come_to_update(const void* address, std::size_t size) {
    const std::size_t atomic = come_to(Kind::kUpdate, address, size);
    if (atomics_[atomic].writer != -1) give_up("stored to, and updated: not modelled");
    atomics_[atomic].updated = true;
    return atomic;
  }

  std::size_t find(const void* address, std::size_t size) {
    for (std::size_t n = 0; n != atomics_.size(); ++n) {
      if (atomics_[n].address == address) return n;
    }
    if (atomics_.size() == kMaxAtomics) give_up("too many atomics");
    std::uint64_t value = 0;
    std::memcpy(&value, address, size);
    atomics_.push_back({address, {{value, {}}}});
    return atomics_.size() - 1;
  }

  void read(Thread& me, std::size_t atomic, std::size_t index, int order) {
    me.knows.view[atomic] = static_cast<std::uint16_t>(index);
    const Knowledge& released = atomics_[atomic].stores[index].released;
    (acquires(order) ? me.knows : me.seen).join(released);
  }

  /// `continued`: what the store released that this one replaces in one step with reading it.
  void append(std::size_t atomic, std::uint64_t value, int order, const Knowledge* continued) {
    Thread& me = self();
    std::vector<Store>& stores = atomics_[atomic].stores;
    me.knows.view[atomic] = static_cast<std::uint16_t>(stores.size());
    Store made{value, releases(order) ? me.knows : me.released};
    made.released.view[atomic] = me.knows.view[atomic];
    if (continued != nullptr) made.released.join(*continued);
    stores.push_back(made);
    ++me.knows.clock[index()];  // what comes next is not released
  }

  /// Decides between so many possibilities: as on the path that is tried, beyond its end the first.
  std::size_t choose(std::size_t of) {
    if (of == 1) return 0;
    if (depth_ == path_.size()) path_.push_back({0, of});
    if (path_[depth_].of != of) {
      fail("the scenario is not the same each time");
      std::abort();
    }
    return path_[depth_++].taken;
  }

  bool next_path() {
    path_.resize(depth_);
    while (!path_.empty() && path_.back().taken + 1 == path_.back().of) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().taken;
    return true;
  }

  void note(const char* what, std::size_t atomic, std::uint64_t value) {
    steps_.push_back("thread " + std::to_string(current_) + " " + what + " #" + std::to_string(atomic) + ": " + std::to_string(value));
  }

  [[noreturn]] void race(bool write, int other) {
    give_up("thread " + std::to_string(current_) + (write ? " writes" : " reads") + " plain memory in a race with thread " +
            std::to_string(other));
  }

  const Make& make_;
  Options options_;
  Result result_;
  std::unique_ptr<Scenario> scenario_;
  std::vector<Thread> threads_;
  std::vector<Atomic> atomics_;
  std::map<std::uintptr_t, Cell> cells_;
  std::vector<std::string> steps_;
  std::vector<bool> held_;  ///< by thread: what it would do now was tried before
  std::vector<Choice> path_;
  std::size_t depth_ = 0;
  ucontext_t home_{};
  int current_ = -1;
  bool over_ = false;
};

Checker* running = nullptr;

void Checker::body() {
  Checker& checker = *running;
  checker.scenario_->run(checker.index());
  checker.self().state = State::kFinished;
  checker.self().next = {};
  setcontext(&checker.home_);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Site& site) {
  out << site.file << ':' << site.line
      << (site.order == __ATOMIC_ACQUIRE   ? " acquire"
          : site.order == __ATOMIC_RELEASE ? " release"
                                           : " both");
  return site.size == 0 ? out << " fence" : out << " of " << site.size << " bytes";
}

Result explore(const Make& make, const Options& options) {
  Checker checker(make, options);
  running = &checker;
  Result result = checker.explore();
  running = nullptr;
  return result;
}

std::vector<Site> needless(const std::vector<Make>& scenarios) {
  std::set<Site> orderings;
  for (const Make& make : scenarios) orderings.merge(explore(make).orderings);
  std::erase_if(orderings, [&](const Site& site) {
    return std::any_of(scenarios.begin(), scenarios.end(),
                       [&](const Make& make) { return !explore(make, {.weakened = &site}).failure.empty(); });
  });
  return {orderings.begin(), orderings.end()};
}

void expect(bool true_here, const char* what) {
  if (true_here) return;
  if (running->in_thread()) running->give_up(what);
  running->fail(what);
}

void cut() { running->cut(); }

std::uint64_t load(const void* address, std::size_t size, int order, const char* file, int line) {
  if (running != nullptr && running->in_thread()) return running->load(address, size, running->ordered(order, size, file, line));
  std::uint64_t value = 0;
  std::memcpy(&value, address, size);
  return value;
}

void store(void* address, std::size_t size, std::uint64_t value, int order, const char* file, int line) {
  if (running != nullptr && running->in_thread()) return running->store(address, size, value, running->ordered(order, size, file, line));
  std::memcpy(address, &value, size);
}

std::uint64_t add(void* address, std::size_t size, std::uint64_t value, int order, const char* file, int line) {
  if (running != nullptr && running->in_thread()) return running->add(address, size, value, running->ordered(order, size, file, line));
  std::uint64_t before = 0;
  std::memcpy(&before, address, size);
  const std::uint64_t sum = before + value;
  std::memcpy(address, &sum, size);
  return before;
}

void fence(int order, const char* file, int line) {
  if (running != nullptr && running->in_thread()) running->fence(running->ordered(order, 0, file, line));
}

void wait(const void* address, std::size_t size, std::uint64_t old, int order, const char* file, int line) {
  running->wait(address, size, old, running->ordered(order, size, file, line));
}

void notify_all(const void* address) {
  if (running != nullptr && running->in_thread()) running->notify_all(address);
}

void pause() { running->pause(); }

void plain_read(const void* address, std::size_t bytes) {
  if (running != nullptr && running->in_thread() && bytes != 0) running->plain(address, bytes, false);
}
void plain_write(const void* address, std::size_t bytes) {
  if (running != nullptr && running->in_thread() && bytes != 0) running->plain(address, bytes, true);
}

}  // namespace finwait::model

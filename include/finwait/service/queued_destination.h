// A destination that never makes its caller wait: lines go into a ring of fixed size, and a thread of its own writes them.
//
// Always true: what the caller does costs a copy, whatever disk or reader do. When the ring is full, lines are dropped, as many as were
// given at once, and counted; which lines are in the file is told nowhere, but each is whole, in order, and there once. A write that fails
// is tried again every second. An episode of trouble is told once, in a line, and once more when it is over. After conclude() the caller
// waits for room as long as the writer gets on, and gives up when nothing has moved for some seconds.
//
// Two threads: the caller's, which makes and calls it, and the writer's, which nobody else sees; lost() is for any thread. Progress: the
// caller is wait-free until conclude(). They meet in the ring (base/ring.h) and in these, all of which only say that something is so:
//
//   1 bell_ add, release (caller)     -> 2 bell_ load, acquire (writer): who sees the number sees what was pushed before it, or pushes
//   later 3 moved_ store, release (writer)  -> 4 moved_ load, acquire (caller): a number that changes while the writer gets on 5 done_
//   store, release (writer)   -> 6 done_ load, acquire (caller): result_ is the caller's 7 give_up_ store, release (caller) -> 8 give_up_
//   load, acquire (writer): no more waiting 9 reopen_ exchange, acq_rel; gone_, lost_: relaxed, they say nothing of other memory
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "finwait/base/counter.h"
#include "finwait/base/ring.h"
#include "finwait/report/destination.h"

namespace finwait::service {

struct QueueOptions {
  std::size_t bytes = 32U << 20U;                ///< of lines that wait
  std::chrono::milliseconds retry{1'000};        ///< between two attempts
  std::chrono::milliseconds patience{5'000};     ///< at the end: without anything moving
  std::chrono::milliseconds calm{10'000};        ///< so long without a loss, and a slow reader is one that keeps up again
  std::function<void(const std::string&)> tell;  ///< a line for a person; called by the writer's thread
};

class QueuedDestination final : public report::Destination {
 public:
  /// Takes the ring's memory and starts the thread. Throws std::bad_alloc, std::system_error.
  QueuedDestination(report::LogFile file, QueueOptions options);
  /// Gives up what is not written; close() first.
  ~QueuedDestination() override;

  void begin(report::FileFrame frame, base::Timestamp at) override;
  void write(std::string_view lines, base::Timestamp at) override;
  void advance(base::Timestamp clock) override;
  void reopen() override;
  void conclude() override { patient_ = true; }
  /// Waits until all is written or nothing moves any more. Throws report::OutputError if the end of it could not be written.
  void close(base::Timestamp at) override;
  [[nodiscard]] bool closed() const noexcept override { return gone_.load(std::memory_order_relaxed); }  // 9
  [[nodiscard]] bool is_terminal() const noexcept override { return terminal_; }
  [[nodiscard]] base::Duration every() const noexcept override { return every_; }

  /// Lines dropped so far. Any thread.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.value() + abandoned_.value(); }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Kind : std::uint32_t { kBegin, kLines, kAdvance, kClose };
  struct Message {
    Kind kind{};
    std::uint32_t bytes = 0;  ///< that follow it
    base::Timestamp at = 0;
  };
  /// Room that only messages without lines may use.
  static constexpr std::size_t kReserve = 4096;

  // The caller's thread.
  [[nodiscard]] bool room_for(std::size_t bytes);
  [[nodiscard]] bool wait_for_room(std::size_t bytes);
  void push(const Message& message, std::string_view bytes);
  void ring_bell();

  // The writer's thread.
  void run();
  void obey(const Message& message);
  void deliver(std::string_view lines, base::Timestamp at);
  void finish(base::Timestamp at);
  void check_reopen();
  void take(char* to, std::size_t bytes);
  void pause(std::chrono::milliseconds time);
  void abandon(std::string_view lines);
  void trouble(const std::string& what);
  void relief(Clock::time_point now);
  void see_losses(Clock::time_point now, bool idle);
  void end_slowness();
  [[nodiscard]] bool given_up() const noexcept { return give_up_.load(std::memory_order_acquire); }  // 8
  void note_progress() noexcept;

  report::LogFile file_;
  QueueOptions options_;
  bool terminal_;
  base::Duration every_;
  base::Ring<char> ring_;

  // The caller's.
  bool patient_ = false;
  bool closing_ = false;
  const report::Lines* kind_given_ = &report::kTextLines;
  base::Counter lost_;  // written by the caller

  // The writer's.
  std::vector<char> lines_;
  const report::Lines* kind_written_ = &report::kTextLines;
  bool failing_ = false;
  bool slow_ = false;
  std::uint64_t lost_before_ = 0;  // when the episode began
  std::uint64_t lost_seen_ = 0;
  Clock::time_point since_;
  Clock::time_point last_loss_;
  base::Counter abandoned_;  // written by the writer
  std::string result_;       // what could not be written at the end; 5, 6

  // Both.
  std::atomic<std::uint32_t> bell_{0};
  std::atomic<std::uint64_t> moved_{0};
  std::atomic<bool> done_{false};
  std::atomic<bool> give_up_{false};
  std::atomic<bool> reopen_{false};
  std::atomic<bool> gone_{false};
  std::thread thread_;  // the last: it sees all the rest
};

}  // namespace finwait::service

// A timer wheel on the trace clock, for entries named by index (those of a Pool).
//
// Eleven levels of 64 slots cover every 64-bit tick: an entry stands on the level of the highest base-64 digit in which its tick differs
// from the wheel's, in the slot of its own digit there. So the next slot is found by two bit scans, a jump over years costs what a small
// step costs, and an entry is moved at most once a level. (Varghese and Lauck, "Hashed and hierarchical timing wheels", scheme 7.)
//
// Always true: an entry is due at the first advance() whose time, rounded down to a tick, reaches its deadline, rounded up: never early,
// and late by less than one tick. The wheel's clock never goes back. Time spent in advance() is bounded by the entries it moves and calls,
// whatever the time that went by.
//
// Lazy: when an entry's deadline moves away, nothing need be told; its owner answers with the later deadline when called. When a deadline
// comes nearer, arm() must be called. One thread. No allocation after construction.
//
// Not here: the order of calls within one advance(); callers that need one sort.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "finwait/base/memory.h"
#include "finwait/base/time.h"

namespace finwait::flow {

class TimerWheel {
 public:
  /// For indices below max_entries; tick > 0 in nanoseconds. Throws std::bad_alloc, std::invalid_argument.
  TimerWheel(std::uint32_t max_entries, base::Duration tick);

  /// Sets the entry's deadline, whether or not it had one. One whose tick has come is due at the next advance(). kNever cancels.
  void arm(std::uint32_t index, base::Timestamp deadline) noexcept;

  /// The entry has no deadline any more, if it had one.
  void cancel(std::uint32_t index) noexcept;

  /// Fetches what arming or cancelling the entry needs first.
  void prefetch(std::uint32_t index) const noexcept { nodes_.prefetch(index); }

  [[nodiscard]] bool is_armed(std::uint32_t index) const noexcept { return nodes_[index].before_never != 0; }

  /// Moves the clock to `now` (if that is later than now()) and calls `Timestamp due(uint32_t index)` once for each entry whose deadline
  /// has come; the entry is not armed during the call. An answer after now() is the deadline it is armed with anew; any other answer says
  /// that the owner is done with the entry. `due` may arm and cancel any entry; what it arms for the past waits for the next advance().
  /// To fetch what belongs to them, `soon(uint32_t index)` is told which entries will probably be called, and later, for what the first
  /// fetch showed, `next(uint32_t index)`; several at a time. Neither may change the wheel. An index may be told that was armed once and is
  /// not called now.
  template <class F, class G, class H>
  requires std::is_invocable_r_v<base::Timestamp, F&, std::uint32_t> && std::is_invocable_v<G&, std::uint32_t> &&
      std::is_invocable_v<H&, std::uint32_t>
  void advance(base::Timestamp now, F&& due, G&& soon, H&& next) {
    if (now > now_) now_ = now;
    gather(tick_at(now_));
    Scout far{heads_[kFiring]};
    Scout near{heads_[kFiring]};
    while (heads_[kFiring] != 0) {
      run_ahead(far, 2 * kScouted, soon);
      run_ahead(near, kScouted, next);
      const std::uint32_t index = heads_[kFiring] - 1;
      cancel(index);
      const base::Timestamp deadline = due(index);
      if (deadline > now_) arm(index, deadline);
    }
  }

  template <class F>
  requires std::is_invocable_r_v<base::Timestamp, F&, std::uint32_t>
  void advance(base::Timestamp now, F&& due) {
    advance(
        now, due, [](std::uint32_t) {}, [](std::uint32_t) {});
  }

  /// The latest time given to advance(), the smallest Timestamp before the first: compare deadlines with this one when stamps may go back.
  [[nodiscard]] base::Timestamp now() const noexcept { return now_; }
  /// Entries armed.
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

 private:
  static constexpr unsigned kDigitBits = 6;
  static constexpr std::uint32_t kSlots = 1U << kDigitBits;
  static constexpr std::uint32_t kLevels = 11;
  static constexpr std::uint32_t kOverdue = kLevels * kSlots;  // armed for the past: due at the next advance
  static constexpr std::uint32_t kFiring = kOverdue + 1;       // due in this advance, not called yet

  /// A tick's number, counted from the smallest Timestamp: unsigned, so digits and order agree.
  using Tick = std::uint64_t;

  /// All zero is an entry that was never armed. Links are index + 1, 0 is none.
  struct Node {
    std::uint64_t before_never;  // kNever - deadline; 0: not armed
    std::uint32_t next;
    std::uint32_t previous;
  };

  /// Goes along the entries that are due, before their turn. Where `due` rearms the one it stands at, it strays: harmless.
  struct Scout {
    std::uint32_t at;  // a link
    std::uint32_t ahead = 0;
  };
  static constexpr std::uint32_t kScouted = 8;  // entries at a time: fetches that go out together overlap

  /// Before each call: one entry fewer is ahead after it.
  template <class G>
  void run_ahead(Scout& scout, std::uint32_t most, G& tell) const {
    if (scout.ahead <= most - kScouted) {
      for (; scout.at != 0 && scout.ahead != most; ++scout.ahead) {
        tell(scout.at - 1);
        scout.at = nodes_[scout.at - 1].next;
      }
    }
    if (scout.ahead != 0) --scout.ahead;
  }

  [[nodiscard]] Tick tick_at(base::Timestamp now) const noexcept;  // rounded down
  [[nodiscard]] Tick tick_of(std::uint32_t index) const noexcept;  // its deadline's, rounded up
  [[nodiscard]] std::uint32_t slot_of(Tick tick) const noexcept;
  [[nodiscard]] std::uint32_t take_slot_until(Tick target) noexcept;
  void gather(Tick target) noexcept;
  void push(std::uint32_t slot, std::uint32_t index) noexcept;
  void unlink(std::uint32_t index) noexcept;

  base::FixedArray<Node> nodes_;
  std::array<std::uint32_t, kFiring + 1> heads_{};
  std::array<std::uint64_t, kLevels> occupied_{};  // a bit a slot
  std::uint32_t levels_ = 0;                       // a bit a level that has an occupied slot
  std::uint32_t size_ = 0;
  base::Duration tick_;
  base::Timestamp now_ = std::numeric_limits<base::Timestamp>::min();
  Tick current_ = 0;
};

}  // namespace finwait::flow

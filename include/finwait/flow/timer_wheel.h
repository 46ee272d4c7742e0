// A timer wheel on the trace clock, for entries named by index (those of a Pool).
//
// Eleven levels of 64 slots cover every 64-bit tick: an entry stands on the level of the highest base-64 digit in which its tick differs
// from the wheel's, in the slot of its own digit there. So the next slot is found by two bit scans, a jump over years costs what a small
// step costs, and an entry is moved at most once a level. (Varghese and Lauck, "Hashed and hierarchical timing wheels", scheme 7.)
//
// A slot is a chain of chunks of entries: in a list through the entries themselves each would show where the next one is only when it has
// come from memory. Who goes leaves a gap. When there are more gaps than entries, all slots are packed anew.
//
// Always true: an entry is due at the first advance() whose time, rounded down to a tick, reaches its deadline, rounded up: never early,
// and late by less than one tick. The wheel's clock never goes back. Time spent in advance() is bounded by the entries it moves and calls,
// whatever the time that went by; packing adds a moment for each entry that was cancelled or armed anew.
//
// Lazy: when an entry's deadline moves away, nothing need be told; its owner answers with the later deadline when called. When a deadline
// comes nearer, arm() must be called. One thread. No allocation after construction.
//
// Not here: the order of calls within one advance(), but that those of one tick come as they were armed; callers that need one sort.
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
  /// For indices below max_entries, which fit 2^29 at least, of which those below `seldom` are few or none at a time; tick > 0 in
  /// nanoseconds. Throws std::bad_alloc, std::invalid_argument.
  TimerWheel(std::uint32_t max_entries, base::Duration tick, std::uint32_t seldom = 0);

  /// Sets the entry's deadline, whether or not it had one. One whose tick has come is due at the next advance(). kNever cancels.
  void arm(std::uint32_t index, base::Timestamp deadline) noexcept;

  /// The entry has no deadline any more, if it had one.
  void cancel(std::uint32_t index) noexcept;

  /// No entry has a deadline any more; the memory is given back. Not within advance().
  void clear() noexcept;

  /// Fetches what arming or cancelling the entry needs first.
  void prefetch(std::uint32_t index) const noexcept {
    const Node* node = nodes_.begin() + index;  // it may lie across two lines
    base::prefetch_line(node);
    base::prefetch_line(&node->where);
  }

  [[nodiscard]] bool is_armed(std::uint32_t index) const noexcept { return nodes_[index].where != 0; }

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
    Scout far{firing_.first};
    Scout near{firing_.first};
    while (firing_.first != 0) {
      const Chunk& chunk = chunks_[firing_.first - 1];
      for (std::uint32_t n = 0; n != chunk.count; ++n) {
        run_ahead(far, 2 * kScouted, soon);
        run_ahead(near, kScouted, next);
        if (chunk.entries[n] == 0) continue;
        const std::uint32_t index = chunk.entries[n] - 1;
        cancel(index);
        const base::Timestamp deadline = due(index);
        if (deadline > now_) arm(index, deadline);
      }
      give_back_first(firing_);
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

  /// A tick's number, counted from the smallest Timestamp: unsigned, so digits and order agree.
  using Tick = std::uint64_t;

  /// All zero is an entry that was never armed.
  struct Node {
    std::array<std::uint32_t, 2> tick;  // its deadline's, rounded up; in two halves, for a node to be no longer than it need be
    std::uint32_t where;                // which chunk, which place in it (place_of); 0: not armed
  };
  static_assert(sizeof(Node) == 12);

  /// A link is the number of a chunk + 1, 0 is none.
  struct alignas(base::kCacheLine) Chunk {
    static constexpr std::uint32_t kEntries = 14;
    std::uint32_t next;
    std::uint32_t count;                          // at least one, but for a moment
    std::array<std::uint32_t, kEntries> entries;  // index + 1; 0: a gap, who was here has gone
  };
  static_assert(sizeof(Chunk) == base::kCacheLine);
  static constexpr std::uint32_t kPlaces = 16;  // a power of two; the first one is 1, so that no `where` is 0
  [[nodiscard]] static std::uint32_t place_of(std::uint32_t link, std::uint32_t n) noexcept { return (link - 1) * kPlaces + n + 1; }
  struct Chain {
    std::uint32_t first;
    std::uint32_t last;  // means nothing if there is no first
  };

  /// Goes along the entries that are due, before their turn.
  struct Scout {
    std::uint32_t at;        // a link
    std::uint32_t told = 0;  // of that chunk
    std::uint32_t ahead = 0;
  };
  static constexpr std::uint32_t kScouted = 8;  // entries at a time: fetches that go out together overlap

  /// Before each call: one entry fewer is ahead after it.
  template <class G>
  void run_ahead(Scout& scout, std::uint32_t most, G& tell) const {
    if (scout.ahead <= most - kScouted) {
      for (; scout.at != 0 && scout.ahead != most; ++scout.ahead) {
        const Chunk& chunk = chunks_[scout.at - 1];
        const std::uint32_t entry = chunk.entries[scout.told++];
        if (entry != 0) {
          prefetch(entry - 1);
          tell(entry - 1);
        }
        if (scout.told != chunk.count) continue;
        scout.at = chunk.next;
        scout.told = 0;
        if (scout.at != 0) chunks_.prefetch(chunks_[scout.at - 1].next - 1);
      }
    }
    if (scout.ahead != 0) --scout.ahead;
  }

  static constexpr std::size_t kSpareGaps = 4096;  // where entries are few, they are not packed all the time
  [[nodiscard]] std::size_t most_gaps() const noexcept { return nodes_.size() + kSpareGaps; }
  [[nodiscard]] static std::size_t chunks_for(std::uint32_t max_entries);
  [[nodiscard]] Tick tick_at(base::Timestamp now) const noexcept;        // rounded down
  [[nodiscard]] Tick tick_for(base::Timestamp deadline) const noexcept;  // rounded up
  [[nodiscard]] static Tick tick_of(const Node& node) noexcept { return Tick{node.tick[1]} << 32 | node.tick[0]; }
  [[nodiscard]] std::uint32_t slot_of(Tick tick) const noexcept;
  /// A slot that has come; no chain: there is none.
  struct Taken {
    Chain chain;
    bool whole;  // all in it is due
  };
  [[nodiscard]] Taken take_slot_until(Tick target) noexcept;
  void gather(Tick target) noexcept;
  void spread(Chain chain) noexcept;
  void put_in_front(const Chain& chain) noexcept;
  void push(Chain& chain, std::uint32_t index) noexcept;
  void push_to_slot(std::uint32_t slot, std::uint32_t index) noexcept;
  void pack_all() noexcept;
  void pack(Chain& chain) noexcept;
  [[nodiscard]] std::uint32_t take_chunk() noexcept;
  void give_back_first(Chain& chain) noexcept;

  base::FixedArray<Node> nodes_;
  base::FixedArray<Chunk> chunks_;
  std::uint32_t chunks_used_ = 0;  // ever
  std::uint32_t free_ = 0;         // those given back
  std::array<Chain, kOverdue + 1> slots_{};
  Chain firing_{};                                 // due in this advance, not called yet
  std::array<std::uint64_t, kLevels> occupied_{};  // a bit a slot
  std::uint32_t levels_ = 0;                       // a bit a level that has an occupied slot
  std::uint32_t size_ = 0;
  std::size_t gaps_ = 0;
  base::Duration tick_;
  base::Timestamp now_ = std::numeric_limits<base::Timestamp>::min();
  Tick current_ = 0;
};

}  // namespace finwait::flow

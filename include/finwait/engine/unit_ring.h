// Who may do what with which unit: the places of all threads in a ring of units.
//
// Units are numbered by tickets, in file order; ticket t uses unit t % size. A ticket is decoded by one thread, placed by the sequencer,
// taken by every shard, and merged; then its unit is used again. Nobody holds a lock, and nobody is waited for but for the work itself:
// every member is wait-free. A unit is for every shard or for none: that the shards all have the unit that one of them is held up in is
// what keeps the merge from standing still.
//
//   1 decoded store, release (decoder)    -> 2: the sequencer sees the decoded unit
//   2 decoded load, acquire (sequencer)   -> 1
//   3 placed store, release (sequencer)   -> 4: shards and merge see the placed unit
//   4 placed load, acquire (shards)       -> 3
//   5 done store, release (shard)         -> 6: nobody reads the unit any more when it is decoded into again; the merge sees
//   6 done load, acquire (claim, merge)   -> 5     all outcomes of the unit in the shard's ring
//   7 merged store, release (merge)       -> 8: as 5
//   8 merged load, acquire (claim)        -> 7
//
// Not here: waiting (see base::Bell), and who decodes which ticket.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "finwait/base/memory.h"
#include "finwait/engine/outcome_stream.h"
#include "finwait/engine/unit.h"

namespace finwait::engine {

class UnitRing {
 public:
  /// Both at least 1. Throws std::bad_alloc.
  UnitRing(std::uint32_t units, std::uint32_t shards)
      : slots_(std::make_unique<Slot[]>(units)), done_(std::make_unique<Place[]>(shards)), units_(units), shards_(shards) {}

  [[nodiscard]] Unit& unit(std::uint64_t ticket) noexcept { return slots_[ticket % units_].unit; }

  /// Whether the unit of a ticket may be filled: the one that used it before is done with. Once true it stays true until that happens.
  [[nodiscard]] bool is_free(std::uint64_t ticket) const noexcept {
    if (ticket < units_) return true;
    const std::uint64_t before = ticket - units_;
    for (const Place& reader : merged_) {
      if (reader.at.load(std::memory_order_acquire) <= before) return false;  // 8
    }
    for (std::uint32_t shard = 0; shard != shards_; ++shard) {
      if (!is_done(before, shard)) return false;
    }
    return true;
  }

  /// By the thread that filled it.
  void set_decoded(std::uint64_t ticket) noexcept { slots_[ticket % units_].decoded.store(ticket + 1, std::memory_order_release); }  // 1
  [[nodiscard]] bool is_decoded(std::uint64_t ticket) const noexcept {
    return slots_[ticket % units_].decoded.load(std::memory_order_acquire) == ticket + 1;  // 2
  }

  /// By the sequencer, ticket by ticket.
  void set_placed(std::uint64_t ticket) noexcept { placed_.at.store(ticket + 1, std::memory_order_release); }                        // 3
  [[nodiscard]] bool is_placed(std::uint64_t ticket) const noexcept { return placed_.at.load(std::memory_order_acquire) > ticket; }  // 4

  /// By a shard, ticket by ticket.
  void set_done(std::uint64_t ticket, std::uint32_t shard) noexcept { done_[shard].at.store(ticket + 1, std::memory_order_release); }  // 5
  [[nodiscard]] bool is_done(std::uint64_t ticket, std::uint32_t shard) const noexcept {
    return done_[shard].at.load(std::memory_order_acquire) > ticket;  // 6
  }

  /// By the merge of a reader, ticket by ticket.
  void set_merged(std::uint64_t ticket, Reader reader) noexcept {
    merged_[static_cast<std::size_t>(reader)].at.store(ticket + 1, std::memory_order_release);  // 7
  }

 private:
  /// How many tickets are past it. A pair of lines each: processors fetch in pairs.
  struct alignas(2 * base::kCacheLine) Place {
    std::atomic<std::uint64_t> at{0};
  };
  struct Slot {
    Unit unit;
    std::atomic<std::uint64_t> decoded{0};
  };

  std::unique_ptr<Slot[]> slots_;
  std::unique_ptr<Place[]> done_;
  Place placed_;
  std::array<Place, kReaders> merged_;
  std::uint32_t units_;
  std::uint32_t shards_;
};

}  // namespace finwait::engine

// Who may do what with which unit: the places of all threads in a ring of units.
//
// Units are numbered by tickets, in file order; ticket t uses unit t % units and cargo t % cargoes. A ticket is decoded by one thread,
// placed by the sequencer, taken by every shard, and merged. Its cargo is used again once every shard is done with it, its unit when it has
// been merged. Nobody holds a lock, and nobody is waited for but for the work itself: every member is wait-free. A unit is for every shard
// or for none: that the shards all have the unit that one of them is held up in is what keeps the merge from standing still.
//
//   1 decoded store, release (decoder)    -> 2: the sequencer sees the decoded unit
//   2 decoded load, acquire (sequencer)   -> 1
//   3 placed store, release (sequencer)   -> 4: shards and merge see the placed unit
//   4 placed load, acquire (shards)       -> 3
//   5 done store, release (shard)         -> 6: nobody touches the cargo any more when it is decoded into again; the merge sees
//   6 done load, acquire (claim, merge)   -> 5     all outcomes of the unit in the shard's ring
//   7 merged store, release (merge)       -> 8: as 5
//   8 merged load, acquire (claim)        -> 7
//   9 count increment, acquire and release (shard) -> 9: who is the last has seen that the others are done, and so will whoever it wakes
//
// Not here: waiting (see base::Bell), and who decodes which ticket.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "finwait/base/memory.h"
#include "finwait/engine/outcome_stream.h"
#include "finwait/engine/unit.h"

namespace finwait::engine {

class UnitRing {
 public:
  /// As many units as there are to be, at least as many as `cargoes`, of which there is one; at least one shard. Throws std::bad_alloc.
  UnitRing(std::uint32_t units, std::vector<Cargo> cargoes, std::uint32_t shards)
      : slots_(std::make_unique<Slot[]>(units)),
        cargoes_(std::move(cargoes)),
        done_(std::make_unique<Place[]>(shards)),
        units_(units),
        shards_(shards) {}

  [[nodiscard]] Unit& unit(std::uint64_t ticket) noexcept { return slots_[ticket % units_].unit; }

  /// Whether the unit of a ticket may be filled: those that used it and its cargo before are done with. Once true it stays true until that
  /// happens.
  [[nodiscard]] bool is_free(std::uint64_t ticket) const noexcept {
    if (ticket < cargoes_.size()) return true;
    for (std::uint32_t shard = 0; shard != shards_; ++shard) {
      if (!is_done(ticket - cargoes_.size(), shard)) return false;
    }
    if (ticket < units_) return true;
    return std::all_of(merged_.begin(), merged_.end(), [&](const Place& reader) {
      return reader.at.load(std::memory_order_acquire) > ticket - units_;  // 8
    });
  }

  /// The unit of a ticket that is free, with its cargo and empty: by the thread that fills it.
  [[nodiscard]] Unit& open(std::uint64_t ticket) noexcept {
    Unit& opened = unit(ticket);
    opened.open(cargoes_[ticket % cargoes_.size()]);
    return opened;
  }

  /// By the thread that filled it.
  void set_decoded(std::uint64_t ticket) noexcept { slots_[ticket % units_].decoded.store(ticket + 1, std::memory_order_release); }  // 1
  [[nodiscard]] bool is_decoded(std::uint64_t ticket) const noexcept {
    return slots_[ticket % units_].decoded.load(std::memory_order_acquire) == ticket + 1;  // 2
  }

  /// By the sequencer, ticket by ticket.
  void set_placed(std::uint64_t ticket) noexcept { placed_.at.store(ticket + 1, std::memory_order_release); }                        // 3
  [[nodiscard]] bool is_placed(std::uint64_t ticket) const noexcept { return placed_.at.load(std::memory_order_acquire) > ticket; }  // 4

  /// By a shard, ticket by ticket. True if all others are done with it, too. A unit that is free by then may have a new ticket meanwhile:
  /// then it may be false for all, and nobody waits for that.
  bool set_done(std::uint64_t ticket, std::uint32_t shard) noexcept {
    done_[shard].at.store(ticket + 1, std::memory_order_release);  // 5
    const std::uint64_t all = (ticket / units_ + 1) * shards_;
    return slots_[ticket % units_].done.fetch_add(1, std::memory_order_acq_rel) + 1 == all;  // 9
  }
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
    std::atomic<std::uint64_t> done{0};  // how often a shard was done with a unit here
  };

  std::unique_ptr<Slot[]> slots_;
  std::vector<Cargo> cargoes_;
  std::unique_ptr<Place[]> done_;
  Place placed_;
  std::array<Place, kReaders> merged_;
  std::uint32_t units_;
  std::uint32_t shards_;
};

}  // namespace finwait::engine

// The outcomes of all shards in one order: by unit, then by turn, which is the order of a single tracker.
//
// A shard has sent all it has of a unit when it is done with it, and every shard has every unit: so the merge of a unit needs no more than
// that unit from everybody, and comes to an end while any shard waits for its batches to come back. One thread.
#pragma once

#include <atomic>
#include <vector>

#include "finwait/base/bell.h"
#include "finwait/engine/outcome_stream.h"
#include "finwait/engine/unit_ring.h"

namespace finwait::engine {

class OutcomeMerge {
 public:
  /// For one of the readers. All outlive it. `streams`: by shard. `bell` rings when all shards are done with a unit, and when much waits in
  /// a stream. `abandoned` ends every wait, if those bells are rung.
  OutcomeMerge(Reader reader, std::vector<OutcomeStream*> streams, const UnitRing& ring, base::Bell& bell,
               const std::atomic<bool>& abandoned);

  /// Calls `use(const OutcomeBatch&, std::size_t)`, a batch and a place in it, for all outcomes of a unit. Units one after the other. Waits
  /// for the shards: rather once a unit than for each batch.
  template <class F>
  void each(std::uint64_t ticket, F&& use) {
    await(ticket);
    for (Head& head : heads_) look(head, ticket);
    while (Head* first = least()) {
      use(*first->batch, first->next);
      prefetch(*first, kAhead);
      if (++first->next != first->batch->size()) {
        first->turn = first->batch->turns[first->next];  // all of a batch are of one unit
      } else {
        look(*first, ticket);
      }
    }
  }

 private:
  /// Where it stands in the outcomes of one shard.
  struct Head {
    OutcomeStream* stream = nullptr;
    std::uint32_t shard = 0;
    OutcomeBatch* batch = nullptr;
    std::size_t next = 0;
    bool has = false;  ///< an outcome of the unit at hand
    tcp::Turn turn;    ///< its own, then
  };

  static constexpr std::size_t kAhead = 3;
  static constexpr std::size_t kTurnsAhead = 5;  ///< further

  void prefetch(const Head& head, std::size_t ahead) const noexcept {
    head.batch->prefetch_turn(head.next + ahead + kTurnsAhead);
    if (reader_ == Reader::kReport) {
      head.batch->prefetch(head.next + ahead);
    } else {
      head.batch->prefetch_life(head.next + ahead, part_of(reader_));
    }
  }
  void await(std::uint64_t ticket);
  [[nodiscard]] bool is_worthwhile(std::uint64_t ticket);
  void look(Head& head, std::uint64_t ticket);
  [[nodiscard]] Head* least() noexcept;

  Reader reader_;
  std::vector<Head> heads_;
  const UnitRing& ring_;
  base::Bell& bell_;
  const std::atomic<bool>& abandoned_;
};

}  // namespace finwait::engine

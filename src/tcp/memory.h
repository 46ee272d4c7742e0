// Where connections are remembered: the pool, the flow table, the timers, and what goes first when there is no room.
//
// Always true: sized at construction; a remembered connection is either the head of its flow (in the table), an older incarnation or a
// candidate (in the head's chains), or released and waiting to be written (in the order of release). Never more than the capacity, whatever
// happens. An ordinary life is remembered short (Compact): it is the only incarnation of its flow, has no candidates, and is expanded
// before anything else is done with that flow. When all is full, the longest of three lists gives up its oldest: attempts that nobody has
// answered, half-open ones that were answered, connections that are over. So whoever floods pays with his own, of whichever kind they are.
// Only when these are all empty the one goes that is idle longest among a few of the others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "change.h"
#include "compact.h"
#include "finwait/base/hash.h"
#include "finwait/base/memory.h"
#include "finwait/base/pool.h"
#include "finwait/flow/table.h"
#include "finwait/flow/timer_wheel.h"
#include "finwait/tcp/connection.h"
#include "finwait/wire/segment.h"
#include "release_order.h"

namespace finwait::tcp {

/// How easily a connection is given up.
enum class Worth : std::uint8_t { kUnanswered, kHalfOpen, kOver, kAlive };
inline constexpr std::size_t kWorths = 4;

class Memory {
 public:
  static constexpr base::Duration kTick = 100 * base::kMillisecond;
  static constexpr std::uint32_t kMaxOlder = 6;       ///< older incarnations of one flow
  static constexpr std::uint32_t kMaxCandidates = 4;  ///< undecided SYNs of one flow

  /// `capacity`: of both kinds of records together. Without `compacts` there are none.
  Memory(std::uint32_t capacity, std::uint64_t seed, bool compacts);

  [[nodiscard]] std::uint64_t hash(const wire::FlowKey& key) const noexcept { return hash_.hash40(&key); }
  [[nodiscard]] Connection& operator[](std::uint32_t index) noexcept { return pool_[index]; }
  [[nodiscard]] const Connection& operator[](std::uint32_t index) const noexcept { return pool_[index]; }
  /// Every index is below it.
  [[nodiscard]] std::uint32_t places() const noexcept { return pool_.capacity() + compacts_.capacity(); }
  [[nodiscard]] std::uint64_t& versions() noexcept { return versions_; }
  /// The indices of compact records follow those of the others.
  [[nodiscard]] bool is_compact(std::uint32_t index) const noexcept { return index >= pool_.capacity(); }
  [[nodiscard]] Compact& compact(std::uint32_t index) noexcept { return compacts_[index - pool_.capacity()]; }
  [[nodiscard]] const Compact& compact(std::uint32_t index) const noexcept { return compacts_[index - pool_.capacity()]; }
  [[nodiscard]] std::uint32_t remembered() const noexcept { return pool_.in_use() + compacts_.in_use(); }
  /// For readers in other threads; see TableReader.
  [[nodiscard]] const base::Pool<Connection>& pool() const noexcept { return pool_; }

  /// Readers in other threads see nothing of it until the Change is gone.
  [[nodiscard]] Change change(std::uint32_t index) noexcept { return {pool_[index], versions_}; }

  void prefetch_bucket(std::uint64_t hash) const noexcept { table_.prefetch(hash); }
  /// What an ordinary segment needs of the connections its hash may mean. Returns the connection that the hash most likely means: a hint
  /// for find().
  std::uint32_t prefetch_record(const wire::Segment& s) const noexcept;
  /// A little later, for that hint: the rest of the record, if the segment is `moving` or the connection not yet (or no longer) established
  /// at both ends.
  void prefetch_evidence(std::uint32_t likely, bool moving) const noexcept;

  /// The newest incarnation of the flow, or kNoBlock.
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, const wire::FlowKey& key) const noexcept;
  [[nodiscard]] std::uint32_t find(const wire::Segment& s) const noexcept { return find(s.hash, s.key); }
  /// The same, quicker if the hint is right; any hint will do.
  [[nodiscard]] std::uint32_t find(const wire::Segment& s, std::uint32_t likely) const noexcept;

  /// The hint is right: this is the newest incarnation of the flow.
  [[nodiscard]] bool is_head(std::uint32_t likely, const wire::FlowKey& key) const noexcept {
    return likely < pool_.capacity() && pool_.is_live(likely) && pool_[likely].is(trait::kHead) && pool_[likely].key == key;
  }
  /// The hint is right, and the flow's only incarnation is an ordinary life.
  [[nodiscard]] bool is_compact_head(std::uint32_t likely, const wire::FlowKey& key) const noexcept {
    if (likely == kNoBlock || !is_compact(likely)) return false;
    const Compact& c = compact(likely);  // one that was given back is no head either
    return c.is(trait::kHead) && c.key == key;
  }

  /// A blank connection, or kNoBlock if all are in use.
  [[nodiscard]] std::uint32_t allocate() noexcept;
  /// The same for a compact record; also kNoBlock where there are none of these.
  [[nodiscard]] std::uint32_t allocate_compact() noexcept;
  /// Fetches the record that allocate_compact() will most likely give next.
  void prefetch_next_compact() const noexcept { compacts_.prefetch(compacts_.next(), sizeof(Compact) / base::kCacheLine); }
  /// The flow is new. False: the table has no room for it.
  [[nodiscard]] bool insert_compact(std::uint32_t index) noexcept;
  /// A blank connection that takes the place of a compact record: in the table, among those of its worth, on the wheel. That record is then
  /// remembered nowhere, and is to be freed when it has been read.
  [[nodiscard]] std::uint32_t replace_compact(std::uint32_t compact) noexcept;
  /// Makes a connection the head of its flow, in front of `older` (kNoBlock: the flow is new). False: the table has no room for the flow.
  [[nodiscard]] bool insert_head(std::uint32_t index, std::uint32_t older) noexcept;
  void add_candidate(std::uint32_t head, std::uint32_t candidate) noexcept;
  void remove_candidate(std::uint32_t head, std::uint32_t candidate) noexcept;

  /// The head of the flow that remembers this connection (itself, if it is one).
  [[nodiscard]] std::uint32_t head_of(std::uint32_t index) const noexcept;
  /// Takes a connection out of table and chains.
  void unlink(std::uint32_t index) noexcept;
  /// The same at the end of input, when nobody will look for a compact record any more: table and wheel keep what they say of it.
  void leave_behind(std::uint32_t index) noexcept {
    compact(index).traits &= ~trait::kHead;
    count_leaving(index);
    unlist(index);
  }

  /// The least valuable connection of all, or of those in the way of a hash in the table; kNoBlock if there is none.
  [[nodiscard]] std::uint32_t victim() noexcept;
  /// Fetches what the evictions after the next one will touch.
  void prefetch_victims() const noexcept;
  [[nodiscard]] std::uint32_t victim_in_the_way(std::uint64_t hash) const noexcept;
  void value(std::uint32_t index, Worth worth) noexcept;

  /// How connections went from one worth to another: opened, ended, failed (TrackerCounts).
  struct Lives {
    std::uint64_t opened = 0;
    std::uint64_t ended = 0;
    std::uint64_t failed = 0;
  };
  [[nodiscard]] const Lives& lives() const noexcept { return lives_; }

  void arm(std::uint32_t index) noexcept;
  template <class F>
  void advance(base::Timestamp now, F&& due) {
    wheel_.advance(now, due, [this](std::uint32_t index) { prefetch_whole(index); });
  }
  /// The connections that are no compact records.
  template <class F>
  void for_each(F&& f) {
    pool_.for_each(f);
  }
  template <class F>
  void for_each_compact(F&& f) {
    compacts_.for_each([&](std::uint32_t n) { f(n + pool_.capacity()); });
  }

  /// Already unlinked: waits for its turn to be written.
  void queue(std::uint32_t index) noexcept;
  /// The next released connection in order, if nothing that is still to come can precede it; kNoBlock otherwise.
  [[nodiscard]] std::uint32_t next_released(base::Timestamp certain_until) noexcept;
  /// All that will ever be queued has been: next_released() gives the rest in order, quicker.
  void settle_order() noexcept { order_.settle(); }
  /// Readers in other threads see nothing of it any more: before anything that it holds is given back. No Change of it is open.
  void hide(std::uint32_t index) noexcept { pool_[index].version.vanish(); }
  /// Its place is free again.
  void free(std::uint32_t index) noexcept;

 private:
  void prefetch_whole(std::uint32_t index) const noexcept;
  /// Of either kind.
  [[nodiscard]] const wire::FlowKey& key(std::uint32_t index) const noexcept {
    return is_compact(index) ? compact(index).key : pool_[index].key;
  }
  [[nodiscard]] base::Timestamp last_clock(std::uint32_t index) const noexcept {
    return is_compact(index) ? compact(index).last_clock : pool_[index].last_clock;
  }

  /// Links of the lists by worth; index + 1, 0 is none.
  struct Link {
    std::uint32_t next;
    std::uint32_t previous;
    std::uint8_t list;  // worth + 1; 0: in none
  };
  void unlist(std::uint32_t index) noexcept;
  void enlist(std::uint32_t index, std::size_t list) noexcept;
  void relist(std::uint32_t from, std::uint32_t to) noexcept;
  void count_leaving(std::uint32_t index) noexcept;
  void leave_lists(std::uint32_t index) noexcept;

  base::QuickHash hash_;
  base::Pool<Connection> pool_;
  base::Pool<Compact> compacts_;
  flow::Table table_;
  flow::TimerWheel wheel_;
  base::FixedArray<Link> links_;
  std::array<std::uint32_t, kWorths> first_{};
  std::array<std::uint32_t, kWorths> last_{};
  std::array<std::uint32_t, kWorths> count_{};
  ReleaseOrder order_;
  Lives lives_;
  std::uint64_t versions_ = base::Version::kChanging;  // the last one given
};

}  // namespace finwait::tcp

// Where connections are remembered: the pool, the flow table, the timers, and what goes first when there is no room.
//
// Always true: sized at construction; a remembered connection is either the head of its flow (in the table), an older incarnation or a
// candidate (in the head's chains), or released: then it waits until nothing that is still to come can precede it, or has its turn to be
// written. Never more than the capacity, whatever happens. An ordinary life is remembered short, as an Attempt up to its second segment,
// then as a Compact: it is the only incarnation of its flow, has no candidates, and is expanded before anything else is done with that
// flow. Attempts are not on the wheel: each partition knows the one that is over first.
//
// Room, lists and whoever has to go are those of the partition of a flow (partitions.h). When that is full, the longest of three lists
// gives up its oldest: attempts that nobody has answered, half-open ones that were answered, connections that are over. So whoever floods
// pays with his own, of whichever kind they are. But each may keep a sixteenth of the room: if none is longer, the one goes that is idle
// longest among a few of the others. Else connections that are silent for good would fill the room, and each new one be given up for the
// next before it is answered.
// Lists are ordered by segments alone, never by timers, whose order within a tick is nobody's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "attempt.h"
#include "change.h"
#include "compact.h"
#include "due.h"
#include "finwait/base/hash.h"
#include "finwait/base/memory.h"
#include "finwait/base/pool.h"
#include "finwait/flow/table.h"
#include "finwait/flow/timer_wheel.h"
#include "finwait/tcp/connection.h"
#include "finwait/tcp/partitions.h"
#include "finwait/tcp/turn.h"
#include "finwait/wire/segment.h"

namespace finwait::tcp {

/// How easily a connection is given up.
enum class Worth : std::uint8_t { kUnanswered, kHalfOpen, kOver, kAlive };
inline constexpr std::size_t kWorths = 4;

class Memory {
 public:
  static constexpr base::Duration kTick = 100 * base::kMillisecond;
  static constexpr std::uint32_t kMaxOlder = 6;       ///< older incarnations of one flow
  static constexpr std::uint32_t kMaxCandidates = 4;  ///< undecided SYNs of one flow
  /// Flows that may stand beside the table, for want of room in the buckets of their hash: once in some hundred million inserts into a full
  /// table. So who has to go never depends on what else is in the same table.
  static constexpr std::size_t kMostBeside = 16;

  /// Of tracker `shard` of `shards`: places for all kinds of records together. Without `short_ones` there are only those of Connections.
  /// Each attempt waits `attempt_wait` for an answer.
  Memory(const Partitions& partitions, std::uint32_t shard, std::uint32_t shards, std::uint64_t seed, bool short_ones,
         base::Duration attempt_wait);

  [[nodiscard]] std::uint64_t hash(const wire::FlowKey& key) const noexcept { return hash_.hash40(&key); }
  [[nodiscard]] Connection& operator[](std::uint32_t index) noexcept { return pool_[index]; }
  [[nodiscard]] const Connection& operator[](std::uint32_t index) const noexcept { return pool_[index]; }
  /// Every index is below it.
  [[nodiscard]] std::uint32_t places() const noexcept { return pool_.capacity() + attempts_.capacity() + compacts_.capacity(); }
  [[nodiscard]] std::uint64_t& versions() noexcept { return versions_; }
  /// The indices of attempts follow those of Connections, those of compact records follow them.
  [[nodiscard]] bool is_full(std::uint32_t index) const noexcept { return index < pool_.capacity(); }
  [[nodiscard]] bool is_attempt(std::uint32_t index) const noexcept { return index - pool_.capacity() < attempts_.capacity(); }
  [[nodiscard]] bool is_compact(std::uint32_t index) const noexcept { return index >= first_compact_; }
  [[nodiscard]] Attempt& attempt(std::uint32_t index) noexcept { return attempts_[index - pool_.capacity()]; }
  [[nodiscard]] const Attempt& attempt(std::uint32_t index) const noexcept { return attempts_[index - pool_.capacity()]; }
  /// Of an attempt that has one.
  [[nodiscard]] const AttemptRest& rest(std::uint32_t index) const noexcept { return rests_[index - pool_.capacity()]; }
  /// When nobody will answer an attempt any more.
  [[nodiscard]] base::Timestamp until(std::uint32_t index) const noexcept {
    return base::after(attempt(index).clock(rest(index)), attempt_wait_);
  }
  [[nodiscard]] Compact& compact(std::uint32_t index) noexcept { return compacts_[index - first_compact_]; }
  [[nodiscard]] const Compact& compact(std::uint32_t index) const noexcept { return compacts_[index - first_compact_]; }
  /// What belongs to a compact record, and means something only if it has it.
  [[nodiscard]] CompactExtra& extra(std::uint32_t index) noexcept { return extras_[index - first_compact_]; }
  [[nodiscard]] std::uint32_t remembered() const noexcept { return pool_.in_use() + attempts_.in_use() + compacts_.in_use(); }
  /// For readers in other threads; see TableReader.
  [[nodiscard]] const base::Pool<Connection>& pool() const noexcept { return pool_; }

  /// Of a connection that is over: kNever, if the input was first. Of an attempt that was evicted, only if next_released() gave it last.
  [[nodiscard]] base::Timestamp released_at(std::uint32_t index) const noexcept {
    if (is_compact(index)) return compact(index).released_at;
    return is_full(index) ? pool_[index].released_at : attempt_released_at(index, dues_.last().at);
  }

  /// Readers in other threads see nothing of it until the Change is gone.
  [[nodiscard]] Change change(std::uint32_t index) noexcept { return {pool_[index], versions_}; }

  void prefetch_bucket(std::uint64_t hash) const noexcept { table_.prefetch(hash); }
  /// What an ordinary segment needs of the connections its hash may mean; if the segment is `moving`, which may change a state, the rest of
  /// a short record and its place in a list too. Returns the connection that the hash most likely means: a hint for find().
  std::uint32_t prefetch_record(const wire::Segment& s, bool moving) const noexcept;
  /// A little later, for that hint: if the segment is `moving`, its timer and those beside it in its list; if it is not, but the connection
  /// is not yet (or no longer) established at both ends, what prefetch_record() would have fetched of it for one that is.
  void prefetch_evidence(std::uint32_t likely, bool moving) const noexcept;

  /// The newest incarnation of the flow, or kNoBlock.
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, const wire::FlowKey& key) const noexcept;
  [[nodiscard]] std::uint32_t find(const wire::Segment& s) const noexcept { return find(s.hash, s.key); }
  /// The same, quicker if the hint is right; any hint will do.
  [[nodiscard]] std::uint32_t find(const wire::Segment& s, std::uint32_t likely) const noexcept;

  /// Surely no flow of this hash is known. False says nothing.
  [[nodiscard]] bool knows_none(std::uint64_t hash) const noexcept { return beside_count_ == 0 && table_.has_none(hash); }

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
  /// The hint is right, and all that is known of the flow is an attempt.
  [[nodiscard]] bool is_attempt_head(std::uint32_t likely, const wire::FlowKey& key) const noexcept {
    return is_attempt(likely) && attempt(likely).is_head() && attempt(likely).is_of(key, rest(likely));
  }

  /// The partition of a flow, for those that ask for one.
  [[nodiscard]] std::uint32_t part_of(std::uint64_t hash) const noexcept { return partitions_.of(hash) - first_part_; }
  /// It has room for one more connection.
  [[nodiscard]] bool has_room(std::uint32_t part) const noexcept { return parts_[part].occupied < parts_[part].quota; }
  /// A blank connection for a flow, or kNoBlock if there is no room in its partition, or all places are in use.
  [[nodiscard]] std::uint32_t allocate(std::uint64_t hash) noexcept;
  /// An attempt that begins with this SYN, of a flow in a partition that has room; kNoBlock if all places are in use.
  [[nodiscard]] std::uint32_t allocate_attempt(const wire::Segment& syn, std::uint32_t part) noexcept;
  /// The flow is new. False: the table has no room for it.
  [[nodiscard]] bool insert_attempt(std::uint32_t index, std::uint32_t part) noexcept;
  /// A blank compact record that takes the place of an attempt: in the table and among those of its worth, not yet on the wheel. The
  /// attempt is then remembered nowhere, and is to be freed when it has been read.
  [[nodiscard]] std::uint32_t replace_attempt(std::uint32_t attempt) noexcept;
  /// The same of a blank connection and a compact record: on the wheel that one is no more either.
  [[nodiscard]] std::uint32_t replace_compact(std::uint32_t compact) noexcept;
  /// Makes a connection the head of its flow, in front of `older` (kNoBlock: the flow is new). False: the table has no room for the flow.
  [[nodiscard]] bool insert_head(std::uint32_t index, std::uint32_t older) noexcept;
  void add_candidate(std::uint32_t head, std::uint32_t candidate) noexcept;
  void remove_candidate(std::uint32_t head, std::uint32_t candidate) noexcept;

  /// The head of the flow that remembers this connection (itself, if it is one).
  [[nodiscard]] std::uint32_t head_of(std::uint32_t index) const noexcept;
  /// Takes a connection out of table and chains.
  void unlink(std::uint32_t index) noexcept;
  /// The same at the end of input, when nobody will look for a short record any more: table, lists and wheel keep what they say of it.
  void leave_behind(std::uint32_t index) noexcept { count_leaving(index); }
  /// The same and queue(), of an attempt, which is not written to: that it is still a head says why it is over.
  void leave_attempt(std::uint32_t index) noexcept {
    ++lives_.failed;
    dues_.push_last(attempt(index).frame(), index);
  }

  /// The least valuable connection of the partition, or of those in the way of a hash in the table; kNoBlock if there is none.
  [[nodiscard]] std::uint32_t victim(std::uint32_t part) noexcept;
  /// After it has been released: fetches what the release of the next ones in this partition will touch.
  void prefetch_victims(std::uint32_t part) const noexcept;
  [[nodiscard]] std::uint32_t victim_in_the_way(std::uint64_t hash) const noexcept;
  void value(std::uint32_t index, Worth worth) noexcept;

  /// How connections went from one worth to another: opened, ended, failed (TrackerCounts).
  struct Lives {
    std::uint64_t opened = 0;
    std::uint64_t ended = 0;
    std::uint64_t failed = 0;
  };
  [[nodiscard]] const Lives& lives() const noexcept { return lives_; }

  /// Whether advance(now) has anything to do.
  [[nodiscard]] bool is_new_tick(base::Timestamp now) const noexcept { return now >= next_tick_ && number_of(now) > tick_; }
  /// Not an attempt. It will be called at `deadline`, or before.
  void arm(std::uint32_t index, base::Timestamp deadline) noexcept;
  /// Of a Connection, whose deadline is written down.
  void arm(std::uint32_t index) noexcept { arm(index, pool_[index].deadline); }
  /// With the first call of each tick of the clock: Timestamp due(index, begun) is called for each connection whose deadline has come when
  /// the tick began, and what was released before that has its turn. Further calls in the same tick do nothing.
  template <class F>
  void advance(base::Timestamp now, F&& due) {
    if (!is_new_tick(now)) return;
    begin_tick(now);
    wheel_.advance(
        begun_, [&](std::uint32_t index) { return due(index, begun_); }, [this](std::uint32_t index) { prefetch_head(index); },
        [this](std::uint32_t index) { prefetch_neighbours(index); });
    if (first_attempt_until_ <= begun_) expire_attempts(due);
    end_tick();
  }
  /// The connections remembered in full.
  template <class F>
  void for_each(F&& f) {
    pool_.for_each(f);
  }
  template <class F>
  void for_each_compact(F&& f) {
    compacts_.for_each([&](std::uint32_t n) { f(n + first_compact_); });
  }
  template <class F>
  void for_each_attempt(F&& f) {
    attempts_.for_each([&](std::uint32_t n) { f(n + pool_.capacity()); });
  }

  /// Already unlinked and released: has its turn with the first tick that begins later. Until then it has its place in the partition.
  void queue(std::uint32_t index) noexcept;
  /// The same, but its turn is now: `frame` (at `clock`) needs its place.
  void give(std::uint32_t index, base::Timestamp clock, std::uint64_t frame) noexcept;
  /// The same of one that stands in a list: it is unlinked and given. An attempt is released as evicted, a compact record is the caller's
  /// to release.
  void displace(std::uint32_t index, base::Timestamp clock, std::uint64_t frame) noexcept;
  /// The same of the least valuable connection of this partition, if that is an attempt, and nothing waits there that would have its turn
  /// before. False if not.
  [[nodiscard]] bool displace_oldest_attempt(std::uint32_t part, base::Timestamp clock, std::uint64_t frame) noexcept;
  /// Whatever waits in this partition has its turn now.
  void give_waiting(std::uint32_t part, base::Timestamp clock, std::uint64_t frame) noexcept;
  /// The end of input. From here on nothing waits, or is called; when all that was remembered has been queued, end_last() gives it its
  /// turn, and nothing is to be found any more. What has done its service is given back. No id is greater than `newest`.
  void begin_last(std::uint64_t newest) noexcept;
  void end_last() noexcept;
  /// After that, when the last one has been freed: the memory of all records.
  void give_back() noexcept;
  /// The connection whose turn is next; kNoBlock if nobody's is.
  [[nodiscard]] std::uint32_t next_released() noexcept;
  /// Those whose turn is next, as long as they are attempts, or compact records that tell_compact(record) takes, up to `most`:
  /// tell_attempt(attempt, rest, released at) is called for each attempt. Then it is free; what is taken of a compact record holds no
  /// block. Returns how many.
  template <class TellAttempt, class TellCompact>
  std::size_t give_short(std::size_t most, TellAttempt&& tell_attempt, TellCompact&& tell_compact) noexcept {
    std::size_t count = 0;
    const auto fetch = [this](std::uint32_t index, bool at_once) {
      if (!at_once || !is_attempt(index)) prefetch_whole(index);  // such an attempt was looked at a moment ago
    };
    dues_.give_while(fetch, [&](std::uint32_t index, base::Timestamp at) {
      if (count == most) return false;
      if (is_attempt(index)) {
        tell_attempt(attempt(index), rest(index), attempt_released_at(index, at));
        free_attempt(index);
      } else if (is_compact(index) && tell_compact(compact(index))) {
        free(index);
      } else {
        return false;
      }
      ++count;
      return true;
    });
    return count;
  }
  /// Of the one that next_released() gave last.
  [[nodiscard]] Turn turn() const noexcept;
  static constexpr std::size_t kBytesOfATurn = 24;
  /// Readers in other threads see nothing of it any more: before anything that it holds is given back. No Change of it is open.
  void hide(std::uint32_t index) noexcept { pool_[index].version.vanish(); }
  /// Its turn has come and gone: its place is free again.
  void free(std::uint32_t index) noexcept;
  /// The same for one that was never queued.
  void discard(std::uint32_t index) noexcept;

 private:
  void keep_rest(std::uint32_t n, const wire::Segment& syn) noexcept;
  void prefetch_others(std::uint32_t index, unsigned side) const noexcept;
  void prefetch_whole(std::uint32_t index) const noexcept;
  void prefetch_head(std::uint32_t index) const noexcept;
  void prefetch_neighbours(std::uint32_t index) const noexcept;
  /// Those before and after it in its list.
  void prefetch_beside(std::uint32_t index) const noexcept;
  void prefetch_places(std::uint32_t index) const noexcept;
  [[nodiscard]] bool is_of(std::uint32_t index, const wire::FlowKey& key) const noexcept {
    if (is_compact(index)) return compact(index).key == key;
    return is_full(index) ? pool_[index].key == key : attempt(index).is_of(key, rest(index));
  }
  [[nodiscard]] base::Timestamp last_clock(std::uint32_t index) const noexcept {
    if (is_compact(index)) return compact(index).last_clock;
    return is_full(index) ? pool_[index].last_clock : attempt(index).clock(rest(index));
  }
  /// `given_at`: as for due_at().
  [[nodiscard]] base::Timestamp attempt_released_at(std::uint32_t index, base::Timestamp given_at) const noexcept {
    switch (attempt(index).release()) {
      case Release::kEndOfInput:
        return base::kNever;
      case Release::kEvicted:
        return given_at;
      default:
        return until(index);
    }
  }
  /// Of one that is no head any more.
  void free_attempt(std::uint32_t index) noexcept {
    if (last_) return attempts_.release_for_good();  // nobody will find it, or want its place
    attempts_.release(index - pool_.capacity());
  }

  /// Links of the lists by worth, and of those that wait; index + 1, 0 is none.
  struct Link {
    std::uint32_t next;
    std::uint32_t previous;  // not of those that wait
    std::uint16_t list;      // of which part and kind (list_of); 0: in none
  };
  struct alignas(base::kCacheLine) Partition {
    std::array<std::uint32_t, kWorths> first;
    std::array<std::uint32_t, kWorths> last;
    std::array<std::uint32_t, kWorths> count;
    std::uint32_t occupied;  // connections alive, or waiting
    std::uint32_t quota;
    std::uint32_t waiting;  // the first of them; index + 1
    std::uint32_t attempt;  // the first among the unanswered; index + 1
  };
  static_assert(sizeof(Partition) == base::kCacheLine);
  static constexpr unsigned kKindBits = 3;
  static constexpr std::uint16_t kWaiting = kWorths + 1;
  static_assert(kWaiting < 1U << kKindBits && Partitions::kMost << kKindBits <= std::numeric_limits<std::uint16_t>::max());
  [[nodiscard]] static std::uint16_t list_of(std::uint32_t part, std::size_t kind) noexcept {
    return static_cast<std::uint16_t>(part << kKindBits | kind);
  }
  /// worth + 1, kWaiting, or 0.
  [[nodiscard]] static std::size_t kind_of(std::uint16_t list) noexcept { return list & ((1U << kKindBits) - 1); }
  [[nodiscard]] Partition& part_of_list(std::uint16_t list) noexcept { return parts_[list >> kKindBits]; }
  [[nodiscard]] std::uint64_t hash_at(std::uint32_t index) const noexcept {
    return is_compact(index) ? compact(index).hash : is_full(index) ? pool_[index].hash : attempt(index).hash;
  }
  [[nodiscard]] std::uint32_t part_at(std::uint32_t index) const noexcept { return part_of(hash_at(index)); }

  [[nodiscard]] static std::int64_t number_of(base::Timestamp at) noexcept { return at / kTick - (at % kTick < 0 ? 1 : 0); }
  /// When it is to be given; `given_at`: if it already was.
  [[nodiscard]] Due due_at(std::uint32_t index, base::Timestamp given_at = base::kNever) const noexcept;
  [[nodiscard]] bool is_certain(base::Timestamp at) const noexcept { return last_ || at < begun_; }
  void begin_tick(base::Timestamp now) noexcept;
  void end_tick() noexcept;
  void take_waiting(Partition& part, bool all) noexcept;
  void pass_attempt(std::uint32_t index) noexcept;
  void forget_attempt(std::uint32_t index) noexcept;
  [[nodiscard]] static std::size_t list_of_victim(const Partition& p) noexcept;
  template <class F>
  void expire_attempts(F& due) noexcept;
  [[nodiscard]] bool enter(std::uint64_t hash, std::uint32_t index) noexcept;
  void replace(std::uint64_t hash, std::uint32_t index, std::uint32_t by) noexcept;
  void erase(std::uint64_t hash, std::uint32_t index) noexcept;
  [[nodiscard]] std::uint32_t find_beside(std::uint64_t hash, const wire::FlowKey& key) const noexcept;
  void detach(const Link& link) noexcept;
  void unlist(std::uint32_t index) noexcept;
  void enlist(std::uint32_t index, std::uint32_t part, std::size_t worth) noexcept;
  void relist(std::uint32_t from, std::uint32_t to) noexcept;
  void count_leaving(std::uint32_t index) noexcept;
  void leave_lists(std::uint32_t index) noexcept;
  void prefetch_next() const noexcept;
  void prefetch_link(std::uint32_t index) const noexcept;

  base::QuickHash hash_;
  Partitions partitions_;
  std::uint32_t first_part_;
  base::Pool<Connection> pool_;
  base::Pool<Attempt> attempts_;
  base::FixedArray<AttemptRest> rests_;  // of those that have one
  base::Duration attempt_wait_;
  base::Pool<Compact> compacts_;
  base::FixedArray<CompactExtra> extras_;  // of a record the one at the same place
  std::uint32_t first_compact_;
  flow::Table table_;
  std::array<std::uint32_t, kMostBeside> beside_{};  // heads that are not in the table
  std::size_t beside_count_ = 0;
  flow::TimerWheel wheel_;
  base::FixedArray<Link> links_;
  std::vector<Partition> parts_;
  std::uint32_t waiting_ = 0;                           // of all partitions
  base::Timestamp first_attempt_until_ = base::kNever;  // no attempt is over before
  Dues dues_;
  std::int64_t tick_ = std::numeric_limits<std::int64_t>::min();
  base::Timestamp begun_ = std::numeric_limits<base::Timestamp>::min();
  base::Timestamp next_tick_ = std::numeric_limits<base::Timestamp>::min();  // the next one begins no earlier
  bool begins_ = false;                                                      // a tick is being begun
  bool last_ = false;
  Lives lives_;
  std::uint64_t versions_ = base::Version::kChanging;  // the last one given
};

// The first of each partition, then the next of each: in each round all that they need is asked for at once. Each call of `due` is the last
// for that attempt.
template <class F>
void Memory::expire_attempts(F& due) noexcept {
  first_attempt_until_ = base::kNever;
  for (bool any = true; any;) {
    any = false;
    for (const Partition& p : parts_) {
      if (p.attempt != 0) prefetch_head(p.attempt - 1);
    }
    for (const Partition& p : parts_) {
      if (p.attempt != 0 && until(p.attempt - 1) <= begun_) prefetch_neighbours(p.attempt - 1);
    }
    for (const Partition& p : parts_) {
      if (p.attempt == 0) continue;
      const base::Timestamp over = until(p.attempt - 1);
      if (over > begun_) {
        first_attempt_until_ = std::min(first_attempt_until_, over);
        continue;
      }
      due(p.attempt - 1, begun_);
      any = true;
    }
  }
}

}  // namespace finwait::tcp

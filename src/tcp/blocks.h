// Small lists in blocks of one pool: what was sent and not acknowledged, repeated SYNs and FINs, what is odd in a stream, findings.
//
// Always true: every list is bounded; a block belongs to one list; when the pool is empty the newest evidence is not kept and counted as
// such, nothing else changes. Deterministic: what is kept depends on the connection's own segments only, as long as the pool is not empty.
#pragma once

#include <array>
#include <cstdint>

#include "compact.h"
#include "finwait/base/pool.h"
#include "finwait/tcp/anomaly.h"
#include "finwait/tcp/endpoint.h"

namespace finwait::tcp {

/// A segment that occupies sequence space, kept until it is acknowledged.
struct Sent {
  std::uint64_t frame = 0;
  base::Timestamp time = 0;
  std::uint32_t seq = 0;
  std::uint32_t end = 0;
  std::uint32_t ack = 0;
  std::uint32_t ts_val = 0;
};

/// A range of sequence numbers that must have been sent and was not seen.
struct Hole {
  std::uint32_t left = 0;
  std::uint32_t right = 0;
};

/// What is odd in the stream an end sends: probes nobody answers, a window it keeps closed, what it sends again. A block is taken at the
/// first oddity; most connections have none.
struct StreamNotes {
  /// Something that is counted: when and in which frame it was first seen.
  struct First {
    std::uint64_t frame;
    base::Timestamp at;
  };
  First window_closed;  ///< frame 0: it is open
  First probed;         ///< of the probes since its peer last spoke
  First repeated;       ///< payload sent again
  First spurious;       ///< payload sent again although it had been acknowledged
  First out_of_order;
  std::uint32_t probes;
  std::uint32_t repeated_segments;
  std::uint32_t refilled_segments;  ///< of those, the ones seen for the first time: lost before the tap
  std::uint32_t spurious_segments;
  std::uint32_t spurious_bytes;
};

struct Block {
  static constexpr int kSent = 3;
  static constexpr int kSightings = 5;
  static constexpr int kAnomalies = 2;
  static constexpr int kBytes = 120;
  struct Holes {
    static constexpr int kHoles = 13;
    std::array<Hole, kHoles> ranges;
    base::Timestamp since;  ///< when the newest opened
    std::uint32_t count;
  };
  struct InFlight {
    std::array<std::uint16_t, kSent> sums;  ///< of their payloads; 0: unknown
    std::uint8_t first;                     ///< of the first block of a CompactEnd's: as in an Endpoint
    std::uint8_t count;
    std::array<Sent, kSent> sent;
    std::uint32_t tail;
  };

  std::uint32_t next = kNoBlock;
  std::uint32_t used = 0;
  union {
    std::array<std::uint8_t, kBytes> bytes;
    InFlight in_flight;
    std::array<Sighting, kSightings> sightings;
    StreamNotes notes;
    Holes holes;
    std::array<Anomaly, kAnomalies> anomalies;
  };
  Block() noexcept : bytes{} {}
};
static_assert(sizeof(Block) == 128);

class Blocks {
 public:
  explicit Blocks(std::uint32_t capacity) : pool_(capacity) {}

  [[nodiscard]] std::uint32_t allocate() noexcept {
    const std::uint32_t index = pool_.allocate();
    exhausted_ += index == kNoBlock;
    pool_.prefetch(pool_.next(), sizeof(Block) / base::kCacheLine);  // of the next one
    return index;
  }
  /// None is in use.
  void give_back() noexcept { pool_.give_back(); }
  [[nodiscard]] Block& operator[](std::uint32_t index) noexcept { return pool_[index]; }
  [[nodiscard]] const Block& operator[](std::uint32_t index) const noexcept { return pool_[index]; }
  /// For readers in other threads; see TableReader.
  [[nodiscard]] const base::Pool<Block>& pool() const noexcept { return pool_; }
  /// Gives back a chain of blocks; kNoBlock is an empty one.
  void release_chain(std::uint32_t head) noexcept;
  [[nodiscard]] std::uint64_t exhausted() const noexcept { return exhausted_; }

  // What an end sent and its peer has not acknowledged: at most kMaxInFlight, the oldest forgotten first.
  static constexpr int kMaxInFlight = 64;
  // Of a CompactEnd the first block says what an Endpoint says itself. Not inlined: seldom needed where a segment passes, and then in the
  // way.
  [[gnu::noinline]] void push_sent(Endpoint& end, const Sent& sent, std::uint16_t sum) noexcept { push(end, sent, sum); }
  [[gnu::noinline]] void push_sent(CompactEnd& end, const Sent& sent, std::uint16_t sum) noexcept;
  /// Makes an older one than all others the first of the list, which is not full.
  void unshift_sent(CompactEnd& end, const Sent& sent, std::uint16_t sum) noexcept;
  /// Of a list that is not empty.
  void forget_oldest(CompactEnd& end) noexcept;
  /// Forgets from the front what is covered by `acked`.
  [[gnu::noinline]] void prune_sent(Endpoint& end, std::uint32_t acked) noexcept { prune(end, acked); }
  [[gnu::noinline]] void prune_sent(CompactEnd& end, std::uint32_t acked) noexcept;
  [[nodiscard]] int count_sent(const CompactEnd& end) const noexcept {
    return end.in_flight == kNoBlock ? 0 : pool_[end.in_flight].in_flight.count;
  }
  /// `to` has none so far, `from` none from here on.
  void hand_over(CompactEnd& from, Endpoint& to) noexcept;
  /// Oldest first. f(const Sent&).
  template <class F>
  void for_each_sent(const Endpoint& end, F&& f) const {
    for_each_sum(end, [&](const Sent& sent, std::uint16_t) { f(sent); });
  }
  /// The same with the sums of the payloads, 0 where unknown. f(const Sent&, std::uint16_t).
  template <class F>
  void for_each_sum(const Endpoint& end, F&& f) const {
    std::uint32_t block = end.in_flight_head;
    int at = end.in_flight_first;
    for (int n = 0; n < end.in_flight_count; ++n) {
      if (at == Block::kSent) {
        block = pool_[block].next;
        at = 0;
      }
      const auto slot = static_cast<std::size_t>(at++);
      f(pool_[block].in_flight.sent[slot], pool_[block].in_flight.sums[slot]);
    }
  }

  /// The notes on the stream an end sends; nullptr if there are none, and none can be begun for lack of blocks.
  [[nodiscard]] StreamNotes* notes(Endpoint& end) noexcept;
  [[nodiscard]] StreamNotes* known_notes(Endpoint& end) noexcept {
    return end.stream_block == kNoBlock ? nullptr : &pool_[end.stream_block].notes;
  }
  [[nodiscard]] const StreamNotes* known_notes(const Endpoint& end) const noexcept {
    return end.stream_block == kNoBlock ? nullptr : &pool_[end.stream_block].notes;
  }

  /// Ranges the end must have sent that were not seen: the block after its notes.
  [[nodiscard]] Block::Holes* holes(Endpoint& end) noexcept;
  [[nodiscard]] Block::Holes* known_holes(Endpoint& end) noexcept {
    const std::uint32_t block = end.stream_block == kNoBlock ? kNoBlock : pool_[end.stream_block].next;
    return block == kNoBlock ? nullptr : &pool_[block].holes;
  }

  /// Takes what lies below `acked` out of the holes; returns how many bytes that were.
  std::uint32_t take_holes(Endpoint& end, std::uint32_t acked) noexcept;

  // Sightings: the first, and the latest five of the others.
  void push_sighting(Sightings& list, const Sighting& sighting) noexcept;
  /// Takes the latest away, if it is not the first; false if there is none.
  bool pop_sighting(Sightings& list, Sighting& out) noexcept;
  /// In order of frames. f(const Sighting&).
  template <class F>
  void for_each_sighting(const Sightings& list, F&& f) const {
    if (list.count == 0) return;
    f(list.first);
    if (list.block == kNoBlock) return;
    const Block& block = pool_[list.block];
    const std::uint32_t kept = block.used < Block::kSightings ? block.used : Block::kSightings;
    for (std::uint32_t n = block.used - kept; n != block.used; ++n) {
      const Sighting& sighting = block.sightings[n % Block::kSightings];
      if (sighting.frame != 0) f(sighting);
    }
  }
  /// f(Sighting&).
  template <class F>
  void change_sightings(Sightings& list, F&& f) {
    if (list.count == 0) return;
    f(list.first);
    if (list.block == kNoBlock) return;
    Block& block = pool_[list.block];
    for (std::uint32_t n = 0; n != Block::kSightings && n != block.used; ++n) f(block.sightings[n]);
  }

  void release_all(Endpoint& end) noexcept;

 private:
  /// What an Endpoint says of its list, under the same names, of a CompactEnd's.
  struct List {
    std::uint32_t in_flight_head = kNoBlock;
    std::uint32_t in_flight_tail = kNoBlock;
    std::uint16_t largest_acked = 0;
    std::uint8_t in_flight_first = 0;
    std::uint8_t in_flight_count = 0;
  };
  [[nodiscard]] List list_of(const CompactEnd& end) const noexcept;
  void keep(const List& list, CompactEnd& end) noexcept;
  // `End`: Endpoint or List.
  template <class End>
  void push(End& end, const Sent& sent, std::uint16_t sum) noexcept;
  template <class End>
  void forget_first(End& end) noexcept;
  template <class End>
  void prune(End& end, std::uint32_t acked) noexcept;
  void unshift(List& list, const Sent& sent, std::uint16_t sum) noexcept;

  base::Pool<Block> pool_;
  std::uint64_t exhausted_ = 0;
};

}  // namespace finwait::tcp

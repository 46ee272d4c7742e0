// The samples of many hosts in memory that is sized at the start.
//
// A host has an entry in a table of sets of 16. Its first sample is kept there, since most hosts come once; from the second on it has a run
// of its most recent samples that grows from 4 to 16, 64, 256, 1,024 and at most 4,096, each size from a pool of its own. Always true:
// nothing is allocated after the constructor; adding is constant time (a growing run is copied once for each doubling twice over). When a
// set is full, each newcomer wears down its least valuable entry by one until that gives way; when a pool is empty, the least valuable of a
// few runs is cut back if the newcomer is worth more. The value of a host is the number of its samples, and much more for each that came
// suspiciously close to the one before: so the heaviest and the most suspicious stay.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "finwait/base/hash.h"
#include "finwait/base/memory.h"
#include "finwait/hosts/isn_observation.h"
#include "finwait/hosts/least.h"
#include "finwait/wire/flow_key.h"

namespace finwait::hosts {

struct IsnHost {
  std::array<std::uint8_t, 16> address;
  std::uint32_t network;
  std::uint16_t port;

  bool operator==(const IsnHost& other) const noexcept {
    std::array<std::uint64_t, 2> a;
    std::array<std::uint64_t, 2> b;
    std::memcpy(a.data(), address.data(), sizeof a);
    std::memcpy(b.data(), other.address.data(), sizeof b);
    return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (network ^ other.network) | std::uint64_t{std::uint16_t(port ^ other.port)}) == 0;
  }
};

class IsnStore {
 public:
  static constexpr std::array<std::uint32_t, 6> kRuns = {4, 16, 64, 256, 1024, 4096};

  struct alignas(base::kCacheLine) Entry {
    /// What is known of a host with more than one sample.
    struct Many {
      std::uint64_t seen;   ///< samples ever
      std::uint32_t close;  ///< samples close to the one before
      std::uint32_t last;   ///< the last number
      std::uint32_t run;    ///< index within the pool of its size
      std::uint16_t head;   ///< where the next sample goes
    };
    static constexpr std::uint8_t kAlone = 0xff;

    IsnHost host;
    std::uint16_t kept;  ///< samples; 0: free
    std::uint8_t size;   ///< index into kRuns; kAlone: it has no run
    union {
      Many many;
      IsnObservation only;  ///< if it has no run
    };

    [[nodiscard]] bool is_alone() const noexcept { return size == kAlone; }
    [[nodiscard]] std::uint64_t seen() const noexcept { return is_alone() ? 1 : many.seen; }
    [[nodiscard]] std::uint32_t close() const noexcept { return is_alone() ? 0 : many.close; }
  };
  static_assert(sizeof(Entry) == base::kCacheLine);

  /// Uses at most `bytes` (at least one MiB). The seed keys the table's hash.
  IsnStore(std::size_t bytes, std::uint64_t seed);

  /// The hash of a host that is listed like the low end of a flow: address, port, network; the rest of the key zero.
  [[nodiscard]] std::uint64_t hash(const wire::FlowKey& subject) const noexcept { return hash_.hash40(&subject); }
  [[nodiscard]] std::uint64_t hash(const IsnHost& host) const noexcept;

  void add(const IsnHost& host, const IsnObservation& observation) noexcept { add(host, hash(host), observation); }
  /// The same with hash(host) known, and what prefetch_entry() said of it.
  void add(const IsnHost& host, std::uint64_t hash, const IsnObservation& observation) noexcept;
  void add(const IsnHost& host, std::uint64_t hash, const IsnObservation& observation, std::uint32_t guess) noexcept;
  /// The host's entry, or null.
  [[nodiscard]] const Entry* find(const IsnHost& host) const noexcept;

  [[nodiscard]] std::span<const Entry> entries() const noexcept { return {entries_.begin(), entries_.size()}; }
  /// Oldest first.
  [[nodiscard]] std::vector<IsnObservation> samples(const Entry& entry) const;
  /// The same into a vector that is there.
  void take_samples(const Entry& entry, std::vector<IsnObservation>& out) const;
  /// All samples of an entry that is not free, as they lie.
  [[nodiscard]] std::span<const IsnObservation> run(const Entry& entry) const noexcept {
    return {entry.is_alone() ? &entry.only : run_of(entry), entry.kept};
  }

  /// Fetches what says where a host's entry is; then the entry that it probably is, or whose place it takes; then where its next sample
  /// probably goes, that entry being at `guess`.
  void prefetch(std::uint64_t hash) const noexcept;
  [[nodiscard]] std::uint32_t prefetch_entry(std::uint64_t hash) const noexcept;
  void prefetch_run(std::uint32_t guess) const noexcept;

  [[nodiscard]] std::size_t hosts() const noexcept { return hosts_; }
  [[nodiscard]] std::uint64_t evicted() const noexcept { return evicted_; }
  [[nodiscard]] std::size_t memory() const noexcept { return bytes_; }

 private:
  static constexpr std::size_t kSet = 16;

  /// What is looked at of all entries of a set.
  struct alignas(128) Head {
    std::array<std::uint32_t, kSet> worth;  // what an entry is worth, less the newcomers refused on its account
    std::array<std::uint8_t, kSet> tags;    // 0: free
    NextPlace next;
  };

  struct Pool {
    base::FixedArray<IsnObservation> samples;
    base::FixedArray<std::uint32_t> free;   // a stack
    base::FixedArray<std::uint32_t> owner;  // index of the entry
    std::uint32_t used = 0;                 // runs ever taken: those from here on are free, and untouched
    std::uint32_t freed = 0;                // height of the stack
    std::uint32_t hand = 0;
  };

  /// Where a host belongs, and what marks it there.
  struct Place {
    std::size_t set = 0;
    std::uint8_t tag = 0;  // never 0: that is a free entry
  };
  [[nodiscard]] Place place_of(std::uint64_t hash) const noexcept;
  /// Where in its set the host is; kSet: nowhere.
  [[nodiscard]] std::size_t at(const Place& place, const IsnHost& host) const noexcept;
  /// An entry for a new host, if there is room for it.
  void admit(const IsnHost& host, const Place& place, const IsnObservation& first) noexcept;
  /// Of an entry that has a run.
  [[nodiscard]] IsnObservation* run_of(const Entry& entry) noexcept {
    return pools_[entry.size].samples.begin() + std::size_t{entry.many.run} * kRuns[entry.size];
  }
  [[nodiscard]] const IsnObservation* run_of(const Entry& entry) const noexcept {
    return pools_[entry.size].samples.begin() + std::size_t{entry.many.run} * kRuns[entry.size];
  }
  /// The second sample of a host comes.
  void begin_run(Entry& entry) noexcept;
  [[nodiscard]] bool take_run(std::uint32_t owner, std::uint8_t size, std::uint32_t& run) noexcept;
  void release(const Entry& entry) noexcept;
  void grow(Entry& entry) noexcept;
  void move_run(Entry& entry, std::uint8_t size, std::uint32_t run) noexcept;
  void cut_back_for(Entry& entry) noexcept;

  base::KeyedHash hash_;
  base::FixedArray<Head> heads_;
  base::FixedArray<Entry> entries_;
  std::array<Pool, kRuns.size()> pools_;
  base::FixedArray<IsnObservation> scratch_;
  std::size_t bytes_ = 0;
  std::size_t sets_ = 0;
  std::size_t hosts_ = 0;
  std::uint64_t evicted_ = 0;
};

}  // namespace finwait::hosts

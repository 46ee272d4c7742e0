// The watch's part for initial sequence numbers: a SYN is a sample of its sender, a SYN-ACK of its listener.
//
// Samples wait until there are some dozens: hosts are many, and each is somewhere else in memory, so what says where a host's samples are
// is fetched when one begins to wait, and each pass over those that wait fetches what the next one reads. Always true: the samples enter in
// the order in which the connections came. One thread at a time; it touches no other part of the watch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "finwait/base/hash.h"
#include "finwait/base/memory.h"
#include "finwait/hosts/isn.h"
#include "finwait/hosts/life.h"
#include "finwait/tcp/unopened.h"
#include "host_keys.h"

namespace finwait::hosts {

class alignas(2 * base::kCacheLine) NumberWatch {
 public:
  /// Throws std::bad_alloc.
  explicit NumberWatch(const IsnLimits& limits);

  /// `keys`: of this connection, if they are there.
  void observe(const Life& life, const HostKeys* keys) noexcept;
  /// The same for some that are over one after the other and never opened, nor replaced one in TIME-WAIT.
  void observe(std::span<const tcp::Unopened> connections) noexcept;
  void enter_waiting() noexcept;

  /// What was observed before enter_waiting().
  [[nodiscard]] const IsnCollector& numbers() const noexcept { return numbers_; }
  [[nodiscard]] std::size_t memory() const noexcept { return numbers_.memory() + reused_.size() * sizeof(Reused); }

 private:
  static constexpr std::size_t kBatch = 64;
  static constexpr std::size_t kReused = 8'192;

  struct Waiting {
    IsnHost host;
    std::uint32_t guess;  ///< where the host's entry probably is
    std::uint64_t hash;
    IsnObservation what;
  };
  /// SND.NXT of both ends of an incarnation whose TIME-WAIT was used again, until the newer one is over.
  struct Reused {
    std::uint64_t hash;
    std::array<std::uint32_t, 2> snd_nxt;
  };

  /// A number, for as long as it is entered together with others: of ends[n].
  struct Sample {
    const tcp::Unopened* of;
    std::uint64_t hash;
    std::uint32_t guess;
    unsigned n;
  };
  void sample(const Life& life, unsigned which, const HostKeys* keys) noexcept;
  void enter(std::span<Sample> samples) noexcept;
  template <unsigned kEnd>
  void enter(const Sample& sample) noexcept;
  [[nodiscard]] bool goes_on(const Life& life, unsigned which) const noexcept;

  base::KeyedHash hash_;
  RecentHash listener_hash_;
  IsnCollector numbers_;
  base::FixedArray<Reused> reused_;
  std::size_t count_ = 0;
  std::array<Waiting, kBatch> waiting_;
};

}  // namespace finwait::hosts

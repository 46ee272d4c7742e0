// The busiest services: who talked to which address and port, by bytes, in bounded memory.
//
// Exact as long as there are no more than kRoom different ones. Beyond that the smaller half is forgotten each time the room is full, and a
// newcomer no larger than the smallest that stayed waits for its second connection. So what is large from beginning to end stays and is
// counted in full but for what it did before it was last forgotten; exact() tells.
//
// Connections wait until there are some: nearly each is of a pair that is somewhere else in memory, and what says where is fetched when it
// begins to wait. Always true: they enter in the order in which they came.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "finwait/base/memory.h"
#include "finwait/report/anteroom.h"
#include "finwait/report/endpoint_pair.h"
#include "finwait/report/pair_filter.h"
#include "finwait/report/pair_table.h"
#include "finwait/tcp/brief.h"
#include "finwait/tcp/unopened.h"

namespace finwait::report {

class Busiest {
 public:
  static constexpr std::size_t kRoom = 1U << 16;

  using Pair = EndpointPair;
  struct Load {
    std::uint64_t connections = 0;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;

    void add(const Load& more) noexcept {
      connections += more.connections;
      packets += more.packets;
      bytes += more.bytes;
    }
  };
  struct alignas(base::kCacheLine) Entry {
    Pair pair;
    Load load;
  };

  /// Takes the memory of the whole room, which costs nothing before it is used. Throws std::bad_alloc.
  Busiest() : pairs_(kRoom) {}

  void add(const tcp::Brief& connection) {
    const auto& ends = connection.ends;
    await(pair_words_of(connection.key, connection.originator), ends[0].packets + ends[1].packets, ends[0].ip_bytes + ends[1].ip_bytes);
  }
  /// The same for some that never opened, one after the other.
  void add(std::span<const tcp::Unopened> connections) {
    for (const tcp::Unopened& c : connections) await(pair_words_of(c), c.packets(), c.ip_bytes());
  }
  /// Those that still wait.
  void enter_waiting();

  // Of what was added before enter_waiting().
  /// The `n` with the most bytes, the largest first.
  [[nodiscard]] std::vector<Entry> top(std::size_t n) const;
  [[nodiscard]] std::size_t size() const noexcept { return pairs_.size(); }
  [[nodiscard]] bool exact() const noexcept { return exact_; }

 private:
  /// A connection: what is looked for, the hash of it that costs little, and what it adds.
  struct alignas(base::kCacheLine) Waiting {
    PairWords pair;
    std::uint64_t mixed;
    std::uint64_t packets;
    std::uint64_t bytes;
  };
  [[nodiscard]] bool may_be_known(std::uint64_t mixed) const noexcept { return exact_ || filter_.may_have(mixed); }
  void await(const PairWords& pair, std::uint64_t packets, std::uint64_t bytes);
  void enter(const Waiting& one);
  void forget_smaller_half();

  PairHash hash_;
  PairTable<Entry> pairs_;
  // Once it was full.
  PairFilter filter_;
  Anteroom<Load> anteroom_;
  std::uint64_t least_ = 0;  // bytes of the smallest that stayed
  bool exact_ = true;
  std::size_t waiting_count_ = 0;
  std::array<Waiting, 16> waiting_;
};

}  // namespace finwait::report

// Findings by kind and pair of endpoints, so that a million alike are one group with a count and examples, in bounded memory.
//
// Exact as long as there are no more than kRoom groups. Beyond that the lesser half is forgotten each time the room is full (the less
// severe ones first, then those that touch fewer connections), and a newcomer that is no graver or more frequent than the least that stayed
// waits for its second connection. So what is grave or frequent from beginning to end is counted in full but for what it did before it was
// last forgotten; exact() tells. The same findings give the same groups, in whatever order they come, as long as it is exact.
//
// Findings wait until there are some, as connections do for Busiest: what says where their groups are is fetched meanwhile. Always true:
// they enter in the order in which they came.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "finwait/report/anteroom.h"
#include "finwait/report/endpoint_pair.h"
#include "finwait/report/pair_filter.h"
#include "finwait/report/pair_table.h"
#include "finwait/tcp/anomaly.h"
#include "finwait/tcp/brief.h"

namespace finwait::report {

/// A connection that has the finding, and its first frame.
struct Example {
  std::uint64_t connection = 0;  ///< id; 0: none
  std::uint64_t frame = 0;
};

struct AnomalyGroup {
  static constexpr std::size_t kExamples = 3;

  tcp::AnomalyKind kind{};
  EndpointPair pair;
  tcp::Severity severity{};       ///< the gravest
  std::uint64_t connections = 0;  ///< that have it
  std::uint64_t occurrences = 0;
  std::array<Example, kExamples> examples{};  ///< those that began first

  void add(const AnomalyGroup& more) noexcept;
};

/// Puts `next` among the examples, which are kept in order of their connections.
void keep_first(std::span<Example> examples, Example next) noexcept;

class AnomalyGroups {
 public:
  static constexpr std::size_t kRoom = 1U << 15;

  /// Takes the memory of the whole room, which costs nothing before it is used. Throws std::bad_alloc.
  AnomalyGroups() : groups_(kRoom) {}

  /// Of the connection `id` of this pair.
  void add(const tcp::Anomaly& anomaly, const PairWords& pair, std::uint64_t id);
  void add(const tcp::Anomaly& anomaly, const tcp::Brief& connection) {
    add(anomaly, pair_words_of(connection.key, connection.originator), connection.id);
  }
  /// Those that still wait.
  void enter_waiting();

  // Of what was added before enter_waiting().
  /// Up to `n` groups of each kind that touch most connections, gravest first; kinds in the order of AnomalyKind.
  [[nodiscard]] std::vector<AnomalyGroup> top(std::size_t n) const;
  /// How many groups of the kind are remembered.
  [[nodiscard]] std::uint64_t of(tcp::AnomalyKind kind) const noexcept { return counts_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] bool exact() const noexcept { return exact_; }

 private:
  [[nodiscard]] std::uint64_t hash_of(tcp::AnomalyKind kind, const PairWords& pair) const noexcept {
    return hash_(pair, static_cast<std::uint8_t>(kind));
  }
  /// A group of one, and what it is looked for by.
  struct Waiting {
    PairWords pair;
    std::uint64_t mixed;
    AnomalyGroup group;
  };
  [[nodiscard]] bool may_be_known(std::uint64_t mixed) const noexcept { return exact_ || filter_.may_have(mixed); }
  void enter(Waiting& one);
  void forget_lesser_half();

  PairHash hash_;
  PairTable<AnomalyGroup> groups_;
  // Once it was full.
  PairFilter filter_;
  Anteroom<AnomalyGroup> anteroom_;
  AnomalyGroup least_;  // that stayed
  std::array<std::uint64_t, tcp::kAnomalyKinds> counts_{};
  bool exact_ = true;
  std::size_t waiting_count_ = 0;
  std::array<Waiting, 16> waiting_;
};

}  // namespace finwait::report

// What is learnt of hosts over many connections: given each connection once, when it is over; asked when the capture has ended.
//
// Always true: memory is taken in the constructor and never grows; the time for a connection is constant, a few look-ups; the same
// connections in the same order give the same findings, however many threads made them, as long as every table had room (with a fixed seed
// also when not; see Life). Looks at no packet and no clock: everything comes from Life. Findings are about everything seen, whatever a
// report selects. Thresholds, bounds and what each number means: docs/hosts.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "finwait/base/time.h"
#include "finwait/hosts/finding.h"
#include "finwait/hosts/isn.h"
#include "finwait/hosts/life.h"
#include "finwait/tcp/state.h"
#include "finwait/tcp/unopened.h"

namespace finwait::hosts {

struct HostOptions {
  IsnLimits isn;
  HostThresholds thresholds;
  std::uint64_t seed = 0;  ///< key of all tables, isn.seed aside
};

/// The tables come in parts that know nothing of each other, so that each may be another thread's.
enum class HostPart : std::uint8_t {
  kNumbers,  ///< initial sequence numbers
  kConduct,  ///< listeners, originating hosts, routes, probes, states over time
};
inline constexpr std::array<HostPart, 2> kHostParts{HostPart::kNumbers, HostPart::kConduct};

/// How many ends were in each state over time: ends[state][n] at from + (n + 1) * step; empty for a state nobody was in. UNKNOWN, LISTEN
/// and CLOSED are not counted. All empty, step 0: no end was in any.
struct Populations {
  base::Timestamp from = 0;
  base::Duration step = 0;
  std::array<std::vector<std::int64_t>, tcp::kStates> ends;
};

class HostWatch {
 public:
  /// Takes all memory. Throws std::bad_alloc.
  explicit HostWatch(const HostOptions& options = {});
  ~HostWatch();
  HostWatch(HostWatch&&) noexcept;
  HostWatch& operator=(HostWatch&&) noexcept;

  /// A connection that is over, in the order of comes_before(). Constant time, no allocation.
  void observe(const Life& life) noexcept;
  /// The same, where it need not be handed on first.
  void observe(const tcp::BriefOutcome& outcome) noexcept;
  /// The same for some that are over one after the other and never opened.
  void observe(std::span<const tcp::Unopened> connections) noexcept;
  /// The same for one part: each part is to see every connection, in the same order, and different threads may do so, each for a part of
  /// its own, until all have ended.
  void observe(HostPart part, const Life& life) noexcept;
  /// The input has ended at `clock`; what is still to come was remembered to the end. Call it before that is observed; in the thread of
  /// HostPart::kConduct if the parts have several.
  void conclude(base::Timestamp clock) noexcept;

  /// All findings: by severity, the gravest first, then by kind, address, port.
  [[nodiscard]] std::vector<HostFinding> findings() const;
  /// The same without those of HostKind::kIsnQuality: they are counted in `sound`, by verdict. Takes far less time and memory.
  [[nodiscard]] std::vector<HostFinding> findings(IsnVerdictCounts& sound) const;
  [[nodiscard]] Populations populations() const;

  /// Bytes reserved; never more are used.
  [[nodiscard]] std::size_t memory() const noexcept;
  /// Subjects that had to go for heavier ones.
  [[nodiscard]] std::uint64_t evicted() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace finwait::hosts

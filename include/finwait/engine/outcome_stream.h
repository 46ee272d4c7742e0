// Finished connections on their way from a shard to the merge: as values, some dozens at once, in memory that goes round.
//
// Always true: one shard writes, some threads read all of it; outcomes come out as they went in. No more than kBatches batches exist, so a
// shard that is ahead of the readers waits for one to come back from all. No side allocates, but for the first connections with more
// transitions or findings than any before.
//
// All rings are base::Ring: what orders the memory of a batch stands there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "finwait/base/bell.h"
#include "finwait/base/memory.h"
#include "finwait/base/ring.h"
#include "finwait/hosts/life.h"
#include "finwait/hosts/watch.h"
#include "finwait/report/reporter.h"
#include "finwait/tcp/brief.h"
#include "finwait/tcp/connection.h"
#include "finwait/tcp/tracker.h"

namespace finwait::engine {

/// A BriefOutcome that has been copied, and what hosts are to learn of it.
struct KeptOutcome {
  hosts::Life life;
  tcp::Brief brief;
  tcp::Turn turn;
  std::uint32_t anomalies_end = 0;  ///< in OutcomeBatch::anomalies, where the one before ends its own
};

/// The rest of an Outcome.
struct KeptWhole {
  tcp::Connection connection;
  tcp::Verdict verdict;
  std::uint32_t transitions_end = 0;  ///< in OutcomeBatch::transitions, likewise
};

struct OutcomeBatch {
  static constexpr std::size_t kOutcomes = 64;

  std::uint64_t ticket = 0;  ///< of the unit that released them
  std::vector<KeptOutcome> outcomes;
  std::vector<KeptWhole> wholes;  ///< one for each outcome, or none: where Briefs will do
  std::vector<tcp::Transition> transitions;
  std::vector<tcp::Anomaly> anomalies;
  std::vector<tcp::ZeekView> zeek;  ///< one for each outcome, or none

  void clear() noexcept;
  /// All of a batch are added `in_full`, or none.
  void add(const tcp::Outcome& outcome, bool in_full);
  void add(const tcp::BriefOutcome& outcome);
  /// What was added.
  void report(std::size_t n, report::Reporter& reporter) const;
  [[nodiscard]] std::size_t size() const noexcept { return outcomes.size(); }
  /// Fetches an outcome, which another thread has written; any number.
  void prefetch(std::size_t n) const noexcept {
    if (n >= outcomes.size()) return;
    fetch(outcomes[n], sizeof(KeptOutcome));
    if (!wholes.empty()) fetch(wholes[n], sizeof(KeptWhole));
  }
  /// The same of what a part of the hosts' watch reads of it.
  void prefetch_life(std::size_t n, hosts::HostPart part) const noexcept {
    if (n >= outcomes.size()) return;
    fetch(outcomes[n].life, part == hosts::HostPart::kNumbers ? hosts::Life::kNumberBytes : sizeof(hosts::Life));
    base::prefetch_line(&outcomes[n].turn);
  }

 private:
  template <class T>
  static void fetch(const T& value, std::size_t bytes) noexcept {
    const auto* at = reinterpret_cast<const std::byte*>(&value);
    for (std::size_t line = 0; line < bytes; line += base::kCacheLine) base::prefetch_line(at + line);
  }
};

/// Each gets every batch, in the same order: what reports, and one for each part of what is learnt of hosts.
enum class Reader : std::uint8_t { kReport, kNumbers, kConduct };
inline constexpr std::size_t kReaders = 3;

[[nodiscard]] constexpr Reader reader_of(hosts::HostPart part) noexcept {
  return part == hosts::HostPart::kNumbers ? Reader::kNumbers : Reader::kConduct;
}

class OutcomeStream {
 public:
  static constexpr std::size_t kBatches = 16;

  /// Throws std::bad_alloc.
  OutcomeStream();

  /// Rings when a batch comes back; for the shard to wait on.
  [[nodiscard]] base::Bell& returned() noexcept { return returned_; }

  /// The shard: an empty batch; null while all are under way.
  [[nodiscard]] OutcomeBatch* empty() noexcept;
  void send(OutcomeBatch* batch) noexcept;

  /// A reader: the next batch; null if there is none.
  [[nodiscard]] OutcomeBatch* next(Reader reader) noexcept;
  void give_back(Reader reader, OutcomeBatch* batch) noexcept;

 private:
  /// Of one reader; each ring has room for all batches.
  struct Lane {
    base::Ring<OutcomeBatch*> full{kBatches};
    base::Ring<OutcomeBatch*> empty{kBatches};
    OutcomeBatch* returned = nullptr;  // the shard's: this reader is done with it, others perhaps not
  };

  std::array<OutcomeBatch, kBatches> batches_;
  std::array<Lane, kReaders> lanes_;
  base::Bell returned_;
};

}  // namespace finwait::engine

// Finished connections on their way from a shard to the merge: as values, some dozens at once, in memory that goes round.
//
// Always true: one shard writes, some threads read all of it; outcomes come out as they went in. So many batches exist and no more, so a
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

/// A BriefOutcome that has been copied, and what hosts are to learn of it; its turn stands in OutcomeBatch::turns.
struct KeptOutcome {
  /// Nothing is set: OutcomeBatch::add() writes all of it.
  KeptOutcome() noexcept {}  // NOLINT(modernize-use-equals-default): that would have it filled with zeros first

  hosts::Life life;
  tcp::Brief brief;
  std::uint32_t anomalies_end;  ///< in OutcomeBatch::anomalies, where the one before ends its own
};

/// The rest of an Outcome.
struct KeptWhole {
  tcp::Connection connection;
  tcp::Verdict verdict;
  std::uint32_t transitions_end = 0;  ///< in OutcomeBatch::transitions, likewise
};

/// On lines of its own: one thread fills a batch while others read the ones beside it.
struct alignas(2 * base::kCacheLine) OutcomeBatch {
  static constexpr std::size_t kOutcomes = 64;
  static constexpr std::size_t kWholes = 16;  ///< ... but of those in full, which are many times as large
  static constexpr std::size_t kAhead = 2;    ///< outcomes whose memory is asked for before it is written to

  std::uint64_t ticket = 0;      ///< of the unit that released them
  std::vector<tcp::Turn> turns;  ///< one for each outcome; apart, as whoever merges looks at nothing else
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
  [[nodiscard]] bool is_full() const noexcept { return outcomes.size() == kOutcomes || wholes.size() == kWholes; }
  /// Fetches the turn of an outcome, which another thread has written; any number.
  void prefetch_turn(std::size_t n) const noexcept {
    if (n < turns.size()) base::prefetch_line(turns.data() + n);
  }
  /// The same of what report() reads of it.
  void prefetch(std::size_t n) const noexcept;
  /// The same of what a part of the hosts' watch reads of it.
  void prefetch_life(std::size_t n, hosts::HostPart part) const noexcept;
  /// Asks the readers for the memory in which the next outcomes are put; any number.
  void prefetch_to_fill(std::size_t n) const noexcept;
};

/// Each gets every batch, in the same order: what reports, and one for each part of what is learnt of hosts.
enum class Reader : std::uint8_t { kReport, kNumbers, kConduct };
inline constexpr std::size_t kReaders = 3;

[[nodiscard]] constexpr Reader reader_of(hosts::HostPart part) noexcept {
  return part == hosts::HostPart::kNumbers ? Reader::kNumbers : Reader::kConduct;
}
/// Not of Reader::kReport.
[[nodiscard]] constexpr hosts::HostPart part_of(Reader reader) noexcept {
  return reader == Reader::kNumbers ? hosts::HostPart::kNumbers : hosts::HostPart::kConduct;
}

class OutcomeStream {
 public:
  /// Batches. All of one are of one unit: where each of four shards had 16 of them a reader that had to rest a moment held all shards up, a
  /// tenth of the time that four threads take for a capture of many short connections.
  static constexpr std::size_t kLeast = 16;
  static constexpr std::size_t kMost = 64;

  /// `batches`: a power of two, kLeast to kMost. Throws std::bad_alloc.
  explicit OutcomeStream(std::size_t batches = kMost);

  /// Rings when some batches have come back, in time for is_half_back(); for the shard to wait on.
  [[nodiscard]] base::Bell& returned() noexcept { return returned_; }
  /// Rings when a batch is sent; for readers to wait on.
  [[nodiscard]] base::Bell& sent() noexcept { return sent_; }

  /// The shard: an empty batch; null while all are under way.
  [[nodiscard]] OutcomeBatch* empty() noexcept;
  void send(OutcomeBatch* batch) noexcept;
  /// The shard: whether half of the batches or more are empty. While they are not, has_much() is true for a reader; and when it has read so
  /// much that it no longer is, the bell has rung since they are.
  [[nodiscard]] bool is_half_back() noexcept;

  /// A reader: the next batch; null if there is none.
  [[nodiscard]] OutcomeBatch* next(Reader reader) noexcept;
  void give_back(Reader reader, OutcomeBatch* batch) noexcept;
  /// A reader that has kept one batch at most: whether so many wait for it that the shard may soon have none. A reader that waits for
  /// anything but this shard has to look at it.
  [[nodiscard]] bool has_much(Reader reader) noexcept;

 private:
  /// Of one reader; each ring has room for all batches.
  struct Lane {
    base::Ring<OutcomeBatch*> full{kMost};
    base::Ring<OutcomeBatch*> empty{kMost};
    OutcomeBatch* returned = nullptr;                            // the shard's: this reader is done with it, others perhaps not
    alignas(2 * base::kCacheLine) std::uint32_t given_back = 0;  // the reader's
  };
  // The shard waits until half of the batches are back, and is woken at every some()-th that comes. A reader that rests has less than
  // much() waiting for it and one in hand, so all but much() are back: from half of them to there some() have come, and with one of them
  // the bell has rung.
  [[nodiscard]] std::size_t half() const noexcept { return batches_.size() / 2; }
  [[nodiscard]] std::size_t much() const noexcept { return batches_.size() / 4; }
  [[nodiscard]] std::uint32_t some() const noexcept { return static_cast<std::uint32_t>(batches_.size() / 16); }
  static_assert(kLeast - kLeast / 4 >= kLeast / 2 + kLeast / 16 && kLeast / 16 != 0);

  std::vector<OutcomeBatch> batches_;
  std::array<Lane, kReaders> lanes_;
  alignas(2 * base::kCacheLine) base::Bell returned_;
  alignas(2 * base::kCacheLine) base::Bell sent_;
};

}  // namespace finwait::engine

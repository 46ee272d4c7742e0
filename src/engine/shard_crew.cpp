#include "finwait/engine/shard_crew.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace finwait::engine {
namespace {

/// Enough for some readers of outcomes that are behind: with a third less everybody waits for them now and then, a fiftieth of the time
/// that four threads take.
constexpr std::uint32_t units_for(std::uint32_t threads) noexcept { return 4 * threads + 8; }

/// One for each thread to decode into, and some that wait for the shard that is behind. More are memory and nothing else.
constexpr std::uint32_t cargoes_for(std::uint32_t threads) noexcept { return threads + 4; }

/// Segments that a cargo is lent room for, of all shards together: of a piece of a file that holds small packets.
constexpr std::size_t kLent = 16'384;

/// Segments of a block. At the beginning of each nothing is fetched ahead yet: a quarter as long they cost four threads a fortieth of their
/// cycles. Of many shards each has little in a unit, and would not fill a long one.
constexpr std::size_t block_for(std::uint32_t threads) noexcept {
  constexpr std::size_t kLongest = 1'024;
  constexpr std::size_t kShortest = 256;
  return std::clamp(std::bit_floor(kLent / 4 / threads), kShortest, kLongest);
}

/// In huge pages, and apart from all else: many megabytes that go round, of which threads read what others wrote.
std::vector<Cargo> cargoes_in(base::Pages& memory, std::uint32_t threads) {
  std::vector<Cargo> cargoes(cargoes_for(threads));
  auto* segments = reinterpret_cast<wire::Segment*>(memory.data());
  for (Cargo& cargo : cargoes) {
    cargo.parts = Parts(threads, block_for(threads), std::span(segments, kLent));
    segments += kLent;
  }
  return cargoes;
}

/// The fewer shards there are, the more outcomes each of them has.
constexpr std::size_t batches_for(std::uint32_t threads) noexcept {
  return std::clamp<std::size_t>(4 * OutcomeStream::kMost / std::bit_ceil(threads), OutcomeStream::kLeast, OutcomeStream::kMost);
}

}  // namespace

ShardCrew::ShardCrew(report::Reporter& reporter, const PipelineOptions& options, std::uint32_t threads, Filler filler,
                     const std::vector<tcp::LiveFeed*>& feeds)
    : reporter_(reporter),
      filler_(filler),
      segments_(cargoes_for(threads) * kLent * sizeof(wire::Segment)),
      ring_(units_for(threads), cargoes_in(segments_, threads), threads) {
  PipelineOptions share = options;
  share.tracker.shards = threads;
  for (std::uint32_t n = 0; n != threads; ++n) {
    share.tracker.shard = n;
    share.tracker.feed = feeds.empty() ? nullptr : feeds[n];
    shards_.push_back(std::make_unique<Shard>(share, n, !reporter.takes_briefs(), batches_for(threads), outcomes_, abandoned_));
  }
}

ShardCrew::~ShardCrew() {
  abandon();
  join();
}

/// Threads that could be started end like any other if a further one cannot.
void ShardCrew::begin(const std::vector<std::function<void()>>& work) {
  try {
    running_.reserve(work.size() + hosts::kHostParts.size());
    for (const auto& one : work) running_.emplace_back([this, one] { guarded(one); });
    for (const hosts::HostPart part : hosts::kHostParts) {
      running_.emplace_back([this, part] { guarded([this, part] { watch_hosts(part); }); });
    }
  } catch (const std::system_error& e) {
    abandon();
    join();
    throw std::runtime_error(std::string("cannot start a thread: ") + e.code().message() +
                             "; give fewer threads (-t), or more memory and processes to the program (ulimit)");
  } catch (...) {
    abandon();
    join();
    throw;
  }
}

/// A thread that cannot go on: then nothing can.
void ShardCrew::guarded(const std::function<void()>& work) noexcept {
  try {
    work();
  } catch (...) {
    {
      const std::lock_guard lock(breaking_);
      if (broken_ == nullptr) broken_ = std::current_exception();
    }
    abandon();
  }
}

void ShardCrew::abandon() noexcept {
  abandoned_.store(true, std::memory_order_relaxed);
  for (base::Bell* bell : {&work_, &room_, &outcomes_}) bell->ring();
  for (const auto& shard : shards_) {
    shard->outcomes().returned().ring();
    shard->outcomes().sent().ring();
  }
}

void ShardCrew::join() {
  work_.ring();
  for (std::thread& thread : running_) thread.join();
  running_.clear();
}

OutcomeMerge ShardCrew::merge_for(Reader reader) {
  std::vector<OutcomeStream*> streams;
  for (const auto& shard : shards_) streams.push_back(&shard->outcomes());
  return {reader, std::move(streams), ring_, outcomes_, abandoned_};
}

/// The unit of a ticket, once something came of it at the latest; null if nobody reports any more.
const Unit* ShardCrew::wait_for(std::uint64_t ticket) {
  for (std::uint32_t seen = outcomes_.look(); !ring_.is_placed(ticket); seen = outcomes_.look()) {
    if (abandoned()) return nullptr;
    outcomes_.wait(seen);
  }
  return &ring_.unit(ticket);
}

/// The last unit carries nothing. Once all shards have come to it no cargo is needed any more, and what is told then needs memory.
void ShardCrew::pass_end() noexcept {
  // Acquire and release: who is the last has seen that the others are done with what was before.
  if (at_end_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads()) segments_.give_back();
}

/// True if it was the last one.
bool ShardCrew::take(std::uint32_t number, std::uint64_t ticket) {
  Unit& unit = ring_.unit(ticket);
  const bool end = unit.end;
  if (end) pass_end();
  shards_[number]->take(unit, ticket);
  if (!unit.standings.empty()) unit.standings[number] = shards_[number]->standing();
  const bool last = ring_.set_done(ticket, number);
  shards_[number]->outcomes().sent().ring();
  if (last) {
    outcomes_.ring();
    room().ring();
  }
  return end;
}

/// A thread that learns of hosts: the same connections in the same order, beside what is written of them.
void ShardCrew::watch_hosts(hosts::HostPart part) {
  const Reader reader = reader_of(part);
  OutcomeMerge merge = merge_for(reader);
  for (std::uint64_t ticket = 0;; ++ticket) {
    const Unit* unit = wait_for(ticket);
    if (unit == nullptr) return;
    if (unit->end && part == hosts::HostPart::kConduct) reporter_.conclude_hosts(unit->clock_after);
    merge.each(ticket, [this, part](const OutcomeBatch& batch, std::size_t n) { reporter_.observe(part, batch.outcomes[n].life); });
    if (unit->end || abandoned()) return;
    ring_.set_merged(ticket, reader);
    room().ring();
  }
}

std::vector<tcp::TableReader> ShardCrew::readers() const {
  std::vector<tcp::TableReader> readers;
  for (const auto& shard : shards_) readers.push_back(shard->reader());
  return readers;
}

void ShardCrew::add_counts(report::Totals& totals) const {
  totals.performance.threads = threads();
  for (const auto& shard : shards_) {
    const ShardStanding at = shard->standing();
    totals.tracker += at.counts;
    totals.performance.segments.push_back(at.counts.segments);
    totals.frames.fates[static_cast<std::size_t>(wire::Fate::kTcp)] -= at.refused;
    totals.frames.fates[static_cast<std::size_t>(wire::Fate::kTableFull)] += at.refused;
  }
}

}  // namespace finwait::engine

#include "finwait/engine/sharded_pipeline.h"

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace finwait::engine {
namespace {

/// Enough that each thread can decode one while each shard has one to take and one to come.
constexpr std::uint32_t units_for(std::uint32_t threads) noexcept { return 3 * threads + 4; }

constexpr std::size_t kPieceBatch = 512;  // frames

PipelineOptions share_of(const PipelineOptions& whole, std::uint32_t threads) {
  PipelineOptions share = whole;
  share.tracker.max_connections = std::max<std::uint32_t>(whole.tracker.max_connections / threads, 2);
  return share;
}

/// Pieces are decoded before it is known how many frames were selected before them.
PipelineOptions without_limit(const PipelineOptions& whole) {
  PipelineOptions rest = whole;
  rest.frame_limit = std::numeric_limits<std::uint64_t>::max();
  return rest;
}

std::string words_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::bad_alloc&) {
    return "not enough memory; what was read before is reported";
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace

ShardedPipeline::ShardedPipeline(capture::Source& source, capture::Filter* filter, report::Reporter& reporter,
                                 const PipelineOptions& options, unsigned threads, std::uint64_t piece)
    : source_(source),
      reporter_(reporter),
      options_(options),
      threads_(std::max(threads, 1U)),
      ring_(units_for(threads_), threads_),
      sequencer_(options, filter) {
  const bool whole = options.frame_limit == std::numeric_limits<std::uint64_t>::max();
  auto* files = dynamic_cast<capture::FileSequence*>(&source);
  if (files != nullptr && whole) divider_.emplace(*files, std::max<std::uint64_t>(piece, 1));
  for (std::uint32_t n = 0; n != threads_; ++n) {
    shards_.push_back(std::make_unique<Shard>(share_of(options, threads_), n, bell_, abandoned_));
    decoders_.push_back(std::make_unique<UnitDecoder>(without_limit(options), filter, threads_));
  }
  decoders_.push_back(std::make_unique<UnitDecoder>(options, filter, threads_));
}

ShardedPipeline::~ShardedPipeline() { join(); }

void ShardedPipeline::run(Steering& steering) {
  start();
  try {
    report_all(steering);
  } catch (...) {
    abandoned_.store(true, std::memory_order_relaxed);
    join();
    throw;
  }
  join();
  if (broken_ != nullptr) std::rethrow_exception(broken_);
}

/// Threads that could be started end like any other if a further one cannot.
void ShardedPipeline::start() {
  try {
    running_.reserve(threads_ + 2);
    for (std::uint32_t n = 0; n != threads_; ++n) running_.emplace_back([this, n] { work(n); });
    running_.emplace_back([this] { read_stream(); });
    running_.emplace_back([this] { watch_hosts(); });
  } catch (const std::system_error& e) {
    abandoned_.store(true, std::memory_order_relaxed);
    join();
    throw std::runtime_error(std::string("cannot start a thread: ") + e.code().message() +
                             "; give fewer threads (-t), or more memory and processes to the program (ulimit)");
  } catch (...) {
    abandoned_.store(true, std::memory_order_relaxed);
    join();
    throw;
  }
}

void ShardedPipeline::join() {
  bell_.ring();
  for (std::thread& thread : running_) thread.join();
  running_.clear();
}

OutcomeMerge ShardedPipeline::merge_for(Reader reader) {
  std::vector<OutcomeStream*> streams;
  for (const auto& shard : shards_) streams.push_back(&shard->outcomes());
  return {reader, std::move(streams), ring_, bell_, abandoned_};
}

/// The unit of a ticket, once it is placed; null if nobody reports any more.
const Unit* ShardedPipeline::wait_for(std::uint64_t ticket) {
  for (std::uint32_t seen = bell_.look(); !ring_.is_placed(ticket); seen = bell_.look()) {
    if (abandoned_.load(std::memory_order_relaxed)) return nullptr;
    bell_.wait(seen);
  }
  return &ring_.unit(ticket);
}

/// The caller's thread: unit by unit, as Pipeline::run goes batch by batch.
void ShardedPipeline::report_all(Steering& steering) {
  OutcomeMerge merge = merge_for(Reader::kReport);
  for (std::uint64_t ticket = 0;; ++ticket) {
    const Unit* unit = wait_for(ticket);
    if (unit == nullptr) return;
    if (unit->end) reporter_.conclude_output(unit->clock_after);
    merge.each(ticket, [this](const OutcomeBatch& batch, std::size_t n) {
      batch.prefetch(n + 2);
      reporter_.report(batch[n]);
    });
    if (unit->end || abandoned_.load(std::memory_order_relaxed)) return;
    reporter_.settle(unit->clock_after);
    const Progress progress{unit->frames_before + unit->frames, unit->bytes_before + unit->bytes, unit->share};
    ring_.set_merged(ticket, Reader::kReport);
    bell_.ring();
    if (stopped_ || (steering.go_on(progress) && !reporter_.closed())) continue;
    stopped_ = true;
    stopping_.store(true, std::memory_order_relaxed);
    bell_.ring();
  }
}

/// The thread that learns of hosts: the same connections in the same order, beside what is written of them.
void ShardedPipeline::watch_hosts() {
  try {
    OutcomeMerge merge = merge_for(Reader::kHosts);
    for (std::uint64_t ticket = 0;; ++ticket) {
      const Unit* unit = wait_for(ticket);
      if (unit == nullptr) return;
      if (unit->end) reporter_.conclude_hosts(unit->clock_after);
      merge.each(ticket, [this](const OutcomeBatch& batch, std::size_t n) { reporter_.observe(batch.outcomes[n].life); });
      if (unit->end || abandoned_.load(std::memory_order_relaxed)) return;
      ring_.set_merged(ticket, Reader::kHosts);
      bell_.ring();
    }
  } catch (...) {
    give_up(std::current_exception());
  }
}

/// An analysis thread. Its shard comes before new pieces, so that what was read is not waited for.
void ShardedPipeline::work(std::uint32_t number) {
  Shard& shard = *shards_[number];
  UnitDecoder& decoder = *decoders_[number];
  try {
    for (std::uint64_t next = 0; !abandoned_.load(std::memory_order_relaxed);) {
      const std::uint32_t seen = bell_.look();
      const bool placed = place_decoded(decoder);
      if (ring_.is_placed(next)) {
        const Unit& unit = ring_.unit(next);
        const bool end = unit.end;
        shard.take(unit, next);
        ring_.set_done(next++, number);
        bell_.ring();
        if (end) return;
      } else if (!placed && !decode_piece(decoder)) {
        bell_.wait(seen);
      }
    }
  } catch (...) {
    give_up(std::current_exception());
  }
}

/// A shard cannot go on: then nothing can.
void ShardedPipeline::give_up(std::exception_ptr why) {
  {
    const std::lock_guard lock(sequence_);
    if (broken_ == nullptr) broken_ = std::move(why);
  }
  abandoned_.store(true, std::memory_order_relaxed);
  bell_.ring();
}

/// The thread for what only one can read.
void ShardedPipeline::read_stream() {
  UnitDecoder& decoder = *decoders_.back();
  try {
    for (bool end = false; !end && !abandoned_.load(std::memory_order_relaxed);) {
      const std::uint32_t seen = bell_.look();
      const auto ticket = claim_stream();
      if (!ticket) {
        bell_.wait(seen);
        continue;
      }
      Unit& unit = ring_.unit(*ticket);
      unit.clear();
      fill(unit, decoder);
      end = unit.end;
      ring_.set_decoded(*ticket);
      bell_.ring();
    }
  } catch (...) {
    give_up(std::current_exception());
  }
}

/// A unit to read into; nothing while pieces are read, or there is no room.
std::optional<std::uint64_t> ShardedPipeline::claim_stream() {
  const std::lock_guard lock(reading_);
  const bool stopping = stopping_.load(std::memory_order_relaxed);
  if (in_pieces_) {
    if (unproven_ != 0 || !(stopping || divider_->exhausted())) return std::nullopt;
    divider_->finish();
    in_pieces_ = false;
  }
  if (!ring_.is_free(next_ticket_)) return std::nullopt;
  if (divider_ && !stopping && divider_->begin()) {
    in_pieces_ = true;
    bell_.ring();
    return std::nullopt;
  }
  return next_ticket_++;
}

void ShardedPipeline::fill(Unit& unit, UnitDecoder& decoder) {
  if (stopping_.load(std::memory_order_relaxed) || limited_) {
    unit.end = true;
    return;
  }
  try {
    std::vector<capture::Frame> frames(std::max<std::size_t>(options_.batch, 1));
    const std::size_t count = source_.read(frames);
    unit.end = count == 0;
    (void)decoder.add(unit, std::span(frames).first(count));
    unit.limited = limited_ = decoder.is_full();
    unit.share = source_.progress();
  } catch (...) {
    unit.failure = std::current_exception();
  }
}

/// False if there is none to decode, or no room for it.
bool ShardedPipeline::decode_piece(UnitDecoder& decoder) {
  std::unique_lock lock(reading_);
  if (!in_pieces_ || stopping_.load(std::memory_order_relaxed) || !ring_.is_free(next_ticket_)) return false;
  auto piece = divider_->next();
  if (!piece) return false;
  const std::uint64_t ticket = next_ticket_++;
  ++unproven_;
  lock.unlock();

  Unit& unit = ring_.unit(ticket);
  unit.clear();
  unit.piece = std::move(piece);
  try {
    std::array<capture::Frame, kPieceBatch> frames;
    for (std::size_t count = unit.piece->read(frames); count != 0; count = unit.piece->read(frames))
      (void)decoder.add(unit, std::span<const capture::Frame>(frames).first(count));
  } catch (...) {
    unit.failure = std::current_exception();
  }
  ring_.set_decoded(ticket);
  bell_.ring();
  return true;
}

/// Places what has been decoded, in order; false if that was nothing, or another thread is at it.
bool ShardedPipeline::place_decoded(UnitDecoder& decoder) {
  const std::unique_lock lock(sequence_, std::try_to_lock);
  if (!lock) return false;
  bool any = false;
  for (; ring_.is_decoded(next_placed_); any = true) place(next_placed_++, decoder);
  return any;
}

/// After a failure what follows is left out, so that what is reported is all there is up to some frame.
void ShardedPipeline::place(std::uint64_t ticket, UnitDecoder& decoder) {
  Unit& unit = ring_.unit(ticket);
  if (unit.piece) prove(unit, decoder);
  if (unit.failure != nullptr && failure_.empty()) {
    failure_ = words_of(unit.failure);
    stopping_.store(true, std::memory_order_relaxed);
  }
  if (!failure_.empty()) {
    const bool end = unit.end;
    unit.clear();
    unit.end = end;
  }
  sequencer_.place(unit, decoder);
  ring_.set_placed(ticket);
  bell_.ring();
}

/// A piece whose beginning was guessed wrong, or that changes how the following is read, is read again from where it truly begins.
void ShardedPipeline::prove(Unit& unit, UnitDecoder& decoder) {
  const std::lock_guard lock(reading_);
  --unproven_;
  if (!failure_.empty() || unit.failure != nullptr) return;
  try {
    if (!divider_->prove(*unit.piece)) {
      const auto piece = std::move(unit.piece);
      unit.clear();
      std::array<capture::Frame, kPieceBatch> frames;
      for (std::size_t count = divider_->read_again(*piece, frames); count != 0; count = divider_->read_again(*piece, frames))
        (void)decoder.add(unit, std::span<const capture::Frame>(frames).first(count));
    }
    divider_->count_frames(unit.frames);
    unit.piece.reset();
    unit.share = source_.progress();
  } catch (...) {
    unit.failure = std::current_exception();
  }
}

report::Totals ShardedPipeline::totals() const {
  report::Totals totals = sequencer_.totals();
  if (stopped_) totals.capture.stopped = true;
  totals.performance.threads = threads_;
  for (const auto& shard : shards_) {
    totals.tracker += shard->counts();
    totals.frames.fates[static_cast<std::size_t>(wire::Fate::kTcp)] -= shard->refused();
    totals.frames.fates[static_cast<std::size_t>(wire::Fate::kTableFull)] += shard->refused();
  }
  take_source_facts(source_, totals);
  if (!failure_.empty()) totals.capture.damage.push_back(failure_);
  return totals;
}

}  // namespace finwait::engine

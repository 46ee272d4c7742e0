#include "finwait/engine/sharded_pipeline.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <new>
#include <string>
#include <utility>

namespace finwait::engine {
namespace {

constexpr std::size_t kPieceBatch = 128;  // frames, whose bytes stay in the first cache while they are decoded

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
      sequencer_(options, filter),
      crew_(reporter, options, std::max(threads, 1U), Filler::kShards) {
  const bool whole = options.frame_limit == std::numeric_limits<std::uint64_t>::max();
  auto* files = dynamic_cast<capture::FileSequence*>(&source);
  if (files != nullptr && whole) divider_.emplace(*files, std::max<std::uint64_t>(piece, 1));
  for (std::uint32_t n = 0; n != crew_.threads(); ++n)
    decoders_.push_back(std::make_unique<UnitDecoder>(without_limit(options), filter, crew_.threads()));
  decoders_.push_back(std::make_unique<UnitDecoder>(options, filter, crew_.threads()));
}

void ShardedPipeline::run(Steering& steering) {
  std::vector<std::function<void()>> all;
  for (std::uint32_t n = 0; n != crew_.threads(); ++n) all.emplace_back([this, n] { work(n); });
  all.emplace_back([this] { read_stream(); });
  crew_.begin(all);
  crew_.report([&](const Unit& unit) { settle(unit, steering); });
}

/// As Pipeline::run does after each batch.
void ShardedPipeline::settle(const Unit& unit, Steering& steering) {
  reporter_.settle(unit.clock_after);
  const Progress progress{unit.frames_before + unit.frames, unit.bytes_before + unit.bytes, unit.share};
  if (stopped_ || (steering.go_on(progress) && !reporter_.closed())) return;
  stopped_ = true;
  stopping_.store(true, std::memory_order_relaxed);
  crew_.work().ring();
}

/// An analysis thread. Its shard comes before new pieces, so that what was read is not waited for.
void ShardedPipeline::work(std::uint32_t number) {
  UnitDecoder& decoder = *decoders_[number];
  crew_.take_units(
      number, [&] { return place_decoded(decoder); }, [&] { return decode_piece(decoder); });
}

/// The thread for what only one can read.
void ShardedPipeline::read_stream() {
  UnitDecoder& decoder = *decoders_.back();
  for (bool end = false; !end && !crew_.abandoned();) {
    const std::uint32_t seen = crew_.work().look();
    const auto ticket = claim_stream();
    if (!ticket) {
      crew_.work().wait(seen);
      continue;
    }
    Unit& unit = crew_.ring().open(*ticket);
    fill(unit, decoder);
    end = unit.end;
    crew_.ring().set_decoded(*ticket);
    crew_.work().ring();
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
  if (!crew_.ring().is_free(next_ticket_)) return std::nullopt;
  if (divider_ && !stopping && divider_->begin()) {
    in_pieces_ = true;
    crew_.work().ring();
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
  if (!in_pieces_ || stopping_.load(std::memory_order_relaxed) || !crew_.ring().is_free(next_ticket_)) return false;
  auto piece = divider_->next();
  if (!piece) return false;
  const std::uint64_t ticket = next_ticket_++;
  ++unproven_;
  lock.unlock();

  Unit& unit = crew_.ring().open(ticket);
  unit.piece = std::move(piece);
  try {
    std::array<capture::Frame, kPieceBatch> frames;
    for (std::size_t count = unit.piece->read(frames); count != 0; count = unit.piece->read(frames))
      (void)decoder.add(unit, std::span<const capture::Frame>(frames).first(count));
  } catch (...) {
    unit.failure = std::current_exception();
  }
  crew_.ring().set_decoded(ticket);
  // Whoever is at placing may have looked before: then it looks again. Otherwise it is for this thread.
  if (!place_decoded(decoder)) crew_.work().ring();
  return true;
}

/// Places what has been decoded, in order; false if that was nothing, or another thread is at it.
bool ShardedPipeline::place_decoded(UnitDecoder& decoder) {
  const std::unique_lock lock(sequence_, std::try_to_lock);
  if (!lock) return false;
  bool any = false;
  for (; crew_.ring().is_decoded(next_placed_); any = true) place(next_placed_++, decoder);
  return any;
}

/// After a failure what follows is left out, so that what is reported is all there is up to some frame.
void ShardedPipeline::place(std::uint64_t ticket, UnitDecoder& decoder) {
  Unit& unit = crew_.ring().unit(ticket);
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
  crew_.ring().set_placed(ticket);
  crew_.work().ring();
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
  crew_.add_counts(totals);
  take_source_facts(source_, totals);
  if (!failure_.empty()) totals.capture.damage.push_back(failure_);
  return totals;
}

}  // namespace finwait::engine

#include "finwait/engine/sharded_live_loop.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace finwait::engine {
namespace {

constexpr base::Duration kLook = base::kSecond / 10;
constexpr base::Duration kGather = 5 * base::kMillisecond;

}  // namespace

ShardedLiveLoop::ShardedLiveLoop(capture::LiveSource& source, capture::Filter* filter, report::Reporter& reporter,
                                 const PipelineOptions& options, std::uint32_t threads, const std::vector<tcp::LiveFeed*>& feeds)
    : source_(source),
      reporter_(reporter),
      most_(options.tracker.max_connections),
      frames_(std::max<std::size_t>(options.batch, 1)),
      decoder_(options, filter, threads),
      sequencer_(options, filter),
      crew_(reporter, options, threads, Filler::kAnother, feeds) {}

void ShardedLiveLoop::run(LiveObserver& observer) {
  std::vector<std::function<void()>> all{[this] { read(); }};
  for (std::uint32_t n = 0; n != crew_.threads(); ++n) {
    all.emplace_back([this, n] {
      constexpr auto kNothing = [] { return false; };
      crew_.take_units(n, kNothing, kNothing);
    });
  }
  crew_.begin(all);
  crew_.report([&](const Unit& unit) { look(unit, observer); });
}

/// The thread that reads. The last unit is one of its own, with nothing in it, so that the counters of the one before are of the living.
void ShardedLiveLoop::read() {
  bool open = true;
  bool ended = false;
  for (std::uint64_t ticket = 0;; ++ticket) {
    Unit* const unit = wait_for_room(ticket);
    if (unit == nullptr) return;
    unit->end = ended;
    if (!ended) ended = !fill(*unit);
    const bool last = unit->end;
    place(*unit, ticket);
    if (last) return;
    if (open && stopping_.load(std::memory_order_relaxed)) {
      source_.close();
      open = false;
    }
  }
}

/// Null if nobody reports any more. Meanwhile the kernel's rings fill.
Unit* ShardedLiveLoop::wait_for_room(std::uint64_t ticket) {
  for (;;) {
    const std::uint32_t seen = crew_.room().look();
    if (crew_.abandoned()) return nullptr;
    if (crew_.ring().is_free(ticket)) return &crew_.ring().open(ticket);
    crew_.room().wait(seen);
  }
}

bool ShardedLiveLoop::is_full(const Unit& unit) const noexcept {
  return unit.frames >= kUnitFrames || unit.cargo->held_bytes.size() >= kHeldBytes || decoder_.is_full();
}

/// What there is to be read, or the moment when nothing came. False if nothing follows. A few frames wait a little for more: waking every
/// thread for each handful would cost more than the frames do.
bool ShardedLiveLoop::fill(Unit& unit) {
  base::Duration wait = kLook;
  base::Timestamp until = 0;
  for (;;) {
    const capture::Arrival arrival = source_.next(frames_, wait);
    if (const capture::LossSpan loss = source_.take_loss(); !loss.empty()) unit.losses.push_back(loss);
    for (std::string& line : source_.take_news()) unit.news.push_back(std::move(line));
    unit.now = arrival.now;
    if (arrival.frames == 0) unit.passed = arrival.passed;
    if (unit.frames == 0) until = base::after(arrival.now, kGather);
    (void)decoder_.add(unit, std::span(frames_).first(arrival.frames));
    unit.stats = source_.stats();
    unit.limited = decoder_.is_full();
    if (arrival.ended || unit.limited) return false;
    if (arrival.frames == 0 || is_full(unit)) return true;
    wait = std::clamp<base::Duration>(base::elapsed(arrival.now, until), 0, kGather);
  }
}

void ShardedLiveLoop::place(Unit& unit, std::uint64_t ticket) {
  unit.standings.resize(crew_.threads());
  sequencer_.place(unit, decoder_);
  crew_.ring().set_decoded(ticket);
  crew_.ring().set_placed(ticket);
  crew_.work().ring();
}

void ShardedLiveLoop::look(const Unit& unit, LiveObserver& observer) {
  write_out(unit);
  publish(unit);
  for (const std::string& line : unit.news) observer.tell(line);
  if (observer.look(counters_) && !reporter_.closed()) return;
  stopping_.store(true, std::memory_order_relaxed);
}

/// As LiveLoop::write_out.
void ShardedLiveLoop::write_out(const Unit& unit) {
  if (unit.frames != 0 && base::elapsed(written_out_, unit.now) < kLook) return;
  written_out_ = unit.now;
  reporter_.settle(unit.clock_after);
}

void ShardedLiveLoop::publish(const Unit& unit) {
  ShardStanding all;
  for (const ShardStanding& one : unit.standings) {
    all.counts += one.counts;
    all.remembered += one.remembered;
    all.refused += one.refused;
  }
  report::FrameCounts frames = unit.counts_after;
  frames.fates[static_cast<std::size_t>(wire::Fate::kTcp)] -= all.refused;
  frames.fates[static_cast<std::size_t>(wire::Fate::kTableFull)] += all.refused;
  counters_ = counters_at({unit.stats, frames, unit.bytes_before + unit.bytes, unit.clock_after, unit.now, all.counts, all.remembered,
                           most_, reporter_.counts()});
  published_.store(counters_);
}

report::Totals ShardedLiveLoop::totals() const {
  report::Totals totals = sequencer_.totals();
  totals.capture.stopped = true;
  crew_.add_counts(totals);
  take_source_facts(source_, totals);
  return totals;
}

}  // namespace finwait::engine

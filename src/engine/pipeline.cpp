#include "finwait/engine/pipeline.h"

#include <algorithm>
#include <new>
#include <thread>
#include <type_traits>

#include "finwait/engine/last_outcomes.h"
#include "finwait/engine/take_alike.h"

namespace finwait::engine {

Pipeline::Pipeline(capture::Source& source, capture::Filter* filter, report::Reporter& reporter, const PipelineOptions& options,
                   Onlooker* onlooker)
    : source_(source),
      filter_(filter),
      reporter_(reporter),
      onlooker_(onlooker),
      options_(options),
      one_by_one_(options.tracker.events || onlooker != nullptr),
      all_alike_(filter == nullptr && !one_by_one_ && takes_all(options)),
      tracker_(options.tracker),
      hash_(options.tracker.seed),
      reassembler_(wire::ReassemblyLimits{.seed = options.tracker.seed}),
      frames_(std::clamp<std::size_t>(options.batch, 1, tracker_.most_at_once())),
      segments_(frames_.size()),
      fates_(frames_.size(), wire::Fate::kTcp) {}

void Pipeline::run(Steering& steering) {
  while (step()) {
    const Progress progress{totals_.frames.read, totals_.performance.bytes, source_.progress()};
    if (!steering.go_on(progress) || reporter_.closed()) {
      totals_.capture.stopped = true;
      break;
    }
  }
  finish();
}

/// One batch. False at the end of the input, or of what was asked for.
bool Pipeline::step() {
  const std::size_t count = source_.read(frames_);
  if (count == 0) return false;
  const bool more = feed(std::span(frames_).first(count));
  reporter_.settle(clock_.now());
  return more;
}

bool Pipeline::feed(std::span<const capture::Frame> frames) {
  bool more = true;
  fed_ = frames;
  fed_first_ = totals_.frames.read + 1;
  if (all_alike_ && frames.size() < options_.frame_limit - selected_) {
    options_.decode.checksums != wire::Checksums::kIgnore ? take_all<true>(frames) : take_all<false>(frames);
  } else {
    for (std::size_t n = 0; n < frames.size() && more; ++n) {
      take(frames[n]);
      if (one_by_one_) hand_on();
      more = selected_ < options_.frame_limit;
    }
  }
  hand_on();
  totals_.capture.stopped = !more;
  return more;
}

/// Before the first frame there is no trace clock yet, and nothing that could be due.
void Pipeline::pass_time(base::Timestamp clock) {
  if (totals_.frames.read == 0 || clock <= clock_.now()) return;
  clock_.tick(std::min(clock, options_.to));
  hand_on();
}

void Pipeline::finish() {
  tracker_.finish(clock_.now());
  reporter_.conclude(clock_.now());
  deliver_events();
  constexpr std::uint32_t kMany = 20'000;  // less than some hundredths of a second are not worth two threads
  if (options_.last_on_threads && !one_by_one_ && tracker_.remembered() >= kMany && std::thread::hardware_concurrency() > 1) {
    give_last(tracker_, reporter_);
  } else {
    drain();
  }
}

/// take() of each, without what no frame of this run needs; once a batch where that will do.
template <bool kReadPayload>
void Pipeline::take_all(std::span<const capture::Frame> frames) {
  report::CaptureFacts& facts = totals_.capture;
  const Taken taken = take_alike<kReadPayload>(
      frames, totals_.frames.read + 1, clock_, hash_, segments_.data(), nullptr,
      [this](std::uint64_t number, base::Timestamp stamp) { date(number, stamp); },
      [this](std::uint64_t, const capture::Frame& frame, wire::Segment& segment) { return take_uncommon(frame, segment); });
  totals_.frames.read += frames.size();
  totals_.performance.bytes += taken.bytes;
  facts.cut_short += taken.cut_short;
  facts.last = std::max(facts.last, taken.latest);
  selected_ += frames.size();
  segment_count_ = taken.segments;
  totals_.frames.fates[static_cast<std::size_t>(wire::Fate::kTcp)] += taken.segments - taken.uncommon;
}

/// Whether there is a segment in it.
bool Pipeline::take_uncommon(const capture::Frame& frame, wire::Segment& segment) {
  const wire::FrameView view{frame.data, frame.captured, frame.length, frame.link_type};
  const wire::Fate fate = wire::decode(view, options_.decode, reassembler_, clock_.now(), segment);
  ++totals_.frames.fates[static_cast<std::size_t>(fate)];
  return wire::gives_segment(fate, segment);
}

/// A stamp that the clock has to think about.
void Pipeline::date(std::uint64_t number, base::Timestamp stamp) {
  report::CaptureFacts& facts = totals_.capture;
  const bool first = number == 1;
  facts.first = first ? stamp : std::min(facts.first, stamp);
  facts.last = first ? stamp : std::max(facts.last, stamp);
  clock_.tick(stamp);
}

/// One frame: counted, dated, examined.
void Pipeline::take(const capture::Frame& frame) {
  report::CaptureFacts& facts = totals_.capture;
  const std::uint64_t number = ++totals_.frames.read;
  totals_.performance.bytes += frame.captured;
  facts.first = number == 1 ? frame.time : std::min(facts.first, frame.time);
  facts.last = number == 1 ? frame.time : std::max(facts.last, frame.time);
  if (frame.captured < frame.length) ++facts.cut_short;

  wire::Segment& segment = segments_[segment_count_];
  const wire::Fate fate = examine(frame, segment);
  ++totals_.frames.fates[static_cast<std::size_t>(fate)];
  if (!wire::gives_segment(fate, segment)) return;
  segment.time = frame.time;
  segment.clock = clock_.now();
  segment.frame = number;
  segment.hash = hash_.hash40(&segment.key);
  if (onlooker_ != nullptr) onlooker_->before(segment, tracker_);
  ++segment_count_;
}

/// Frames outside the span asked for do not move the clock: the answer is that of a capture which holds the span alone. Frames that the
/// filter leaves out do: they show that the capture went on.
wire::Fate Pipeline::examine(const capture::Frame& frame, wire::Segment& segment) {
  if (frame.time < options_.from || frame.time > options_.to) return wire::Fate::kFiltered;
  clock_.tick(frame.time);
  if (filter_ != nullptr && !filter_->matches(frame)) return wire::Fate::kFiltered;
  ++selected_;
  const wire::FrameView view{frame.data, std::min(frame.captured, options_.snapshot_length), frame.length, frame.link_type};
  return wire::decode(view, options_.decode, reassembler_, clock_.now(), segment);
}

/// The batch's segments through the tracker, and what came of them to the reporter.
void Pipeline::hand_on() {
  if (keeper_ != nullptr && segment_count_ != 0) keeper_->keep(fed_, fed_first_, std::span(segments_).first(segment_count_));
  const std::uint64_t refused = tracker_.counts().table_full;
  tracker_.track(std::span(segments_).first(segment_count_), fates_);
  if (tracker_.counts().table_full != refused) move_refused();
  tracker_.advance(clock_.now());
  deliver_events();
  drain();
  segment_count_ = 0;
}

/// Segments for which there was no room leave `tcp` for `table_full`. Rare: the table is full.
void Pipeline::move_refused() {
  auto& fates = totals_.frames.fates;
  for (std::size_t n = 0; n < segment_count_; ++n) {
    if (fates_[n] == wire::Fate::kTableFull && segments_[n].kind == wire::SegmentKind::kTcp) {
      --fates[static_cast<std::size_t>(wire::Fate::kTcp)];
      ++fates[static_cast<std::size_t>(wire::Fate::kTableFull)];
    }
    fates_[n] = wire::Fate::kTcp;
  }
}

void Pipeline::deliver_events() {
  if (!tracker_.complete()) throw std::bad_alloc();
  if (onlooker_ != nullptr) onlooker_->after(tracker_);
  for (const tcp::Event& event : tracker_.events()) reporter_.event(event, tracker_.connection(event.connection));
  tracker_.clear_events();
}

void Pipeline::drain() {
  const auto give = [this]<class Told>(const Told& outcome) {
    // The last word on a connection brings findings, and its place is free afterwards. What is told briefly has no events.
    if constexpr (std::is_same_v<Told, tcp::Outcome>) deliver_events();
    reporter_.connection(outcome);
  };
  if (reporter_.takes_briefs()) {
    tracker_.drain(give, [this](std::span<const tcp::Unopened> unopened) { reporter_.connections(unopened); });
  } else {
    tracker_.drain(give);
  }
}

report::Totals Pipeline::totals() const {
  report::Totals totals = totals_;
  totals.tracker = tracker_.counts();
  totals.capture.time_went_back = clock_.went_back();
  totals.capture.time_disbelieved = clock_.disbelieved();
  take_source_facts(source_, totals);
  return totals;
}

void take_source_facts(const capture::Source& source, report::Totals& totals) {
  totals.frames.dropped_by_kernel = source.dropped_by_kernel();
  totals.frames.dropped_by_interface = source.dropped_by_interface();
  for (const std::uint16_t type : source.link_types()) {
    const char* known = wire::link_type_name(type);
    totals.capture.link_types.push_back(known != nullptr ? known : "LINKTYPE_" + std::to_string(type));
  }
}

}  // namespace finwait::engine

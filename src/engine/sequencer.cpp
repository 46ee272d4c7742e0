#include "finwait/engine/sequencer.h"

#include <algorithm>
#include <array>
#include <vector>

namespace finwait::engine {

Sequencer::Sequencer(const PipelineOptions& options, capture::Filter* filter)
    : options_(options), filter_(filter), reassembler_(wire::ReassemblyLimits{.seed = options.tracker.seed}) {}

void Sequencer::place(Unit& unit, const UnitDecoder& decoder) {
  unit.frames_before = totals_.frames.read;
  unit.bytes_before = totals_.performance.bytes;
  replay_clock(unit);
  if (!unit.cargo->held.empty()) place_fragments(unit, decoder);
  count(unit);
  if (unit.passed != 0) pass_time(unit);
  if (filter_ != nullptr) show_types(unit);
}

/// The unit's own clock began with nothing. Both are moved by the same stamps until they agree, mostly after one; from there on the unit's
/// own course is the true one.
void Sequencer::replay_clock(Unit& unit) {
  TraceClock own;
  std::uint32_t n = 0;
  for (bool agreed = false; n != unit.frames && !agreed; ++n) {
    base::Timestamp& stamp = unit.cargo->stamps[n];
    if (stamp != base::kNever) {
      own.tick(stamp);
      clock_.tick(stamp);
      agreed = clock_.agrees(own);
    }
    stamp = clock_.now();
  }
  if (n != 0 && clock_.agrees(own)) clock_.follow(own, unit.clock);
  unit.replayed = n;
  unit.clock_after = clock_.now();
}

/// In file order among themselves; what comes of them is brought to where its frame stands among the segments of its shard.
void Sequencer::place_fragments(Unit& unit, const UnitDecoder& decoder) {
  Parts& parts = unit.cargo->parts;
  std::vector<std::size_t> before;
  for (std::size_t shard = 0; shard != parts.shards(); ++shard) before.push_back(parts.size(shard));
  for (const HeldFrame& held : unit.cargo->held) {
    const wire::Fate fate = place_fragment(unit, held, decoder);
    --unit.fates[static_cast<std::size_t>(wire::Fate::kFragment)];
    ++unit.fates[static_cast<std::size_t>(fate)];
  }
  for (std::size_t shard = 0; shard != before.size(); ++shard) {
    if (parts.size(shard) != before[shard]) parts.merge_from(shard, before[shard]);
  }
}

wire::Fate Sequencer::place_fragment(Unit& unit, const HeldFrame& held, const UnitDecoder& decoder) {
  const wire::FrameView view{unit.cargo->held_bytes.data() + held.begin, held.captured, held.length, held.link_type};
  wire::Segment segment;
  const wire::Fate fate = wire::decode(view, options_.decode, reassembler_, unit.clock_at(held.number, held.clock), segment);
  if (!wire::gives_segment(fate, segment)) return fate;
  segment.time = held.time;
  segment.clock = held.clock;
  segment.frame = held.number;
  decoder.deal(unit, segment);
  return fate;
}

/// As Pipeline::pass_time: behind the unit's frames.
void Sequencer::pass_time(Unit& unit) {
  if (totals_.frames.read == 0 || unit.passed <= clock_.now()) return;
  clock_.tick(std::min(unit.passed, options_.to));
  unit.clock_after = clock_.now();
}

void Sequencer::count(Unit& unit) {
  report::CaptureFacts& facts = totals_.capture;
  if (unit.frames != 0) {
    facts.first = totals_.frames.read == 0 ? unit.first : std::min(facts.first, unit.first);
    facts.last = totals_.frames.read == 0 ? unit.last : std::max(facts.last, unit.last);
  }
  totals_.frames.read += unit.frames;
  totals_.performance.bytes += unit.bytes;
  facts.cut_short += unit.cut_short;
  for (std::size_t n = 0; n != unit.fates.size(); ++n) totals_.frames.fates[n] += unit.fates[n];
  if (unit.limited) facts.stopped = true;
  unit.counts_after = totals_.frames;
}

/// Of a link type that the filter is not valid for no frame matches; the filter of the program says so.
void Sequencer::show_types(const Unit& unit) {
  for (const std::uint16_t type : unit.filtered_types.in_order()) {
    const std::size_t before = shown_types_.in_order().size();
    shown_types_.note(type);
    if (shown_types_.in_order().size() == before) continue;
    const std::array<std::uint8_t, 1> none{};
    capture::Frame frame;
    frame.data = none.data();
    frame.link_type = type;
    (void)filter_->matches(frame);
  }
}

report::Totals Sequencer::totals() const {
  report::Totals totals = totals_;
  totals.capture.time_went_back = clock_.went_back();
  totals.capture.time_disbelieved = clock_.disbelieved();
  return totals;
}

}  // namespace finwait::engine

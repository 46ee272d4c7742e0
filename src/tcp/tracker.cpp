// The loop over a batch, and the way out.
#include "finwait/tcp/tracker.h"

#include <algorithm>
#include <array>
#include <utility>

#include "compact_brief.h"
#include "compact_kit.h"
#include "detect.h"
#include "finwait/tcp/classify.h"
#include "tracker_impl.h"

namespace finwait::tcp {
namespace {

/// Blocks for each connection promised: one or two for the log, some for what is in flight and repeated.
constexpr std::uint32_t kBlocksPerConnection = 3;
constexpr std::uint32_t kLeastBlocks = 4096;

std::uint32_t blocks_for(std::uint32_t connections) noexcept {
  const std::uint64_t wanted = std::uint64_t{connections} * kBlocksPerConnection + kLeastBlocks;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, 0xffff'fffe));
}

bool is_moving(const wire::Segment& s) noexcept {
  return (s.flags & (wire::tcp_flag::kSyn | wire::tcp_flag::kFin | wire::tcp_flag::kRst)) != 0;
}

/// What was acknowledged and never seen by the end of it all: beyond SND.NXT, or in a hole that opened after its last acknowledgment.
void count_unseen(Connection& c, Blocks& blocks) noexcept {
  for (std::size_t end = 0; end != 2; ++end) {
    Endpoint& y = c.ends[end];
    const Endpoint& x = c.ends[1 - end];
    if (!y.knows(known::kNext) || !x.knows(known::kAcked)) continue;
    const auto unseen = static_cast<std::int32_t>(x.rcv_nxt - y.snd_nxt);
    if (unseen > 0) y.counters.missing_bytes += static_cast<std::uint32_t>(unseen);
    y.counters.missing_bytes += blocks.take_holes(y, x.rcv_nxt);
  }
}

/// Who looks on from elsewhere, or wants to know what happens when it does, needs the records in full.
bool may_keep_short(const TrackerOptions& options) noexcept { return !options.readers && !options.events && options.feed == nullptr; }

}  // namespace

Tracker::Impl::Impl(const TrackerOptions& given)
    : options(given),
      memory(Partitions(given.max_connections), given.shard, given.shards, given.seed, may_keep_short(given), attempt_wait(given.timers)),
      blocks(blocks_for(memory.pool().capacity())),
      journal(blocks, given.events, given.feed),
      zeek(given.zeek ? memory.places() : 0),
      machine(blocks, journal, zeek, options.timers),
      compacts(blocks, journal, zeek),
      keeps_short(may_keep_short(given)),
      waits(waits_of(given.timers)),
      shortest_wait(static_cast<std::uint64_t>(*std::min_element(waits.begin(), waits.end()))) {
  transitions.reserve(Journal::kMostRead);
  anomalies.reserve(kAnomalyKinds);
}

// Most of what comes is the middle of an ordinary life. Of a flow that is watched, nothing is kept short.
inline bool Tracker::Impl::track(const wire::Segment& s, std::uint32_t likely) noexcept {
  const bool is_short = memory.is_compact_head(likely, s.key);
  if (is_short && track_quiet(likely, s)) return true;
  clock = std::max(clock, s.clock);
  if (!is_short) return begins_alone(s, likely) ? begin_attempt(s) : track_in_full(s, likely);
  journal.set_frame(s.frame);
  return track_compact(likely, s) || route(s, kNoBlock);
}

/// What is counted of every segment, and what time it is, track() notes for all at once.
inline bool Tracker::Impl::track_quiet(std::uint32_t index, const wire::Segment& s) noexcept {
  Compact& c = memory.compact(index);
  return !may_be_due(c, s.clock) && CompactMachine::may_be_quiet(c, s) && compacts.apply_quiet(c, memory.extra(index), index, s);
}

/// A SYN like any other of a flow that is surely unknown. That none was known when the hint was made is not enough: it may have begun
/// since.
inline bool Tracker::Impl::begins_alone(const wire::Segment& s, std::uint32_t likely) const noexcept {
  return likely == kNoBlock && keeps_short && CompactMachine::may_begin(s) && memory.knows_none(s.hash) && !watched;
}

bool Tracker::Impl::track_in_full(const wire::Segment& s, std::uint32_t likely) noexcept {
  journal.set_frame(s.frame);
  if (memory.is_attempt_head(likely, s.key) && follow_attempt(likely, s)) return true;  // of what is watched nothing is kept short
  if (!watched || *watched != s.key) return track_ordinary(s, likely) || route(s, likely);
  if (options.feed != nullptr) return track_for_feed(s, likely);
  Step step;
  step.segment = s;
  step.first_event = static_cast<std::uint32_t>(journal.events().size());
  touched = beside = kNoBlock;
  const bool room = route(s, likely);
  step.connection = touched;
  step.beside = touched != kNoBlock && memory[touched].is(trait::kCandidate) ? memory.head_of(touched) : beside;
  if (touched != kNoBlock) step.states = {memory[touched].ends[0].state, memory[touched].ends[1].state};
  step.last_event = static_cast<std::uint32_t>(journal.events().size());
  steps.append(step);
  return room;
}

// Most segments are the next ones of a connection between established ends whose time has not come.
bool Tracker::Impl::track_ordinary(const wire::Segment& s, std::uint32_t likely) noexcept {
  if (s.kind != wire::SegmentKind::kTcp || !memory.is_head(likely, s.key)) return false;
  Connection& c = memory[likely];
  if (c.older != kNoBlock || c.candidates != kNoBlock || c.deadline <= s.clock) return false;
  const Change change = memory.change(likely);
  return machine.apply_ordinary(c, likely, s);
}

bool Tracker::Impl::track_for_feed(const wire::Segment& s, std::uint32_t likely) noexcept {
  touched = kNoBlock;
  const bool room = route(s, likely);
  LiveStep step{s, 0, {}};
  if (touched != kNoBlock) {
    const Connection& c = memory[touched];
    step.connection = c.id;
    step.states = {c.ends[0].state, c.ends[1].state};
  }
  options.feed->tell(step);
  return room;
}

void Tracker::Impl::hear_request() noexcept {
  const std::optional<LiveRequest> request = options.feed->request();
  if (!request) return;
  watched.reset();
  if (request->wanted) watched = request->key;
}

/// A connection that is over, with its transitions.
Connection& Tracker::Impl::read_back(std::uint32_t index) noexcept {
  Connection& c = memory[index];
  const Change change = memory.change(index);
  count_unseen(c, blocks);
  journal.read(c, transitions);
  return c;
}

/// The one handed out before has been taken.
void Tracker::Impl::put_away() noexcept {
  if (handed_out != kNoBlock) {
    const std::uint32_t gone = std::exchange(handed_out, kNoBlock);
    if (!brief_outcome) {
      forget(gone);
    } else if (memory.is_compact(gone)) {
      forget_compact(gone);
    } else {
      memory.free(gone);
    }
  }
  brief_outcome.reset();
}

/// Those that are over, never opened, and have their turn before anything else is over, up to a certain number. Not those half-open ones
/// of which something may have been lost: that is a word more than is said here.
std::span<const Unopened> Tracker::Impl::next_unopened() noexcept {
  put_away();
  if (!may_tell_briefly(options.timers)) return {};
  Unopened* told = unopened.data();
  const auto tell_attempt = [&told](const Attempt& a, const AttemptRest& rest, base::Timestamp at) { tell(a, rest, at, *told++); };
  const auto tell_compact = [this, &told](const Compact& c) {
    const base::Timestamp judged_at = c.released_at == base::kNever ? clock : c.released_at;
    if (!is_half_open(c) || losses.during(c.start, judged_at)) return false;
    tell_half_open(c, judged_at, *told++);
    return true;
  };
  const std::size_t count = memory.give_short(unopened.size(), tell_attempt, tell_compact);
  return std::span(unopened).first(count);
}

/// The next one that is over. `briefly`: it need not be told in full.
bool Tracker::Impl::next_outcome(bool briefly) noexcept {
  put_away();
  const std::uint32_t index = memory.next_released();
  if (index == kNoBlock) {
    if (finished) give_back();
    return false;
  }
  handed_out = index;
  const Turn turn = memory.turn();
  const base::Timestamp judged_at = memory.released_at(index) == base::kNever ? clock : memory.released_at(index);
  if (briefly && !memory.is_full(index) && tell_next_briefly(index, judged_at, turn)) return true;
  Connection& c = memory.is_full(index) ? read_back(index) : memory.is_compact(index) ? unfold(index) : unfold_attempt(index);
  const Change change(c, memory.versions());
  verdict = classify(c, judged_at);
  journal.set_frame(0);
  detect_at_end(c, index, verdict, options.timers, judged_at, losses.during(c.start, judged_at), journal);
  journal.read(c, anomalies);
  outcome.emplace(Outcome{c, verdict, transitions, anomalies, zeek.of(index), turn});
  return true;
}

/// The last one has been told: what comes after it, which works on what was told, has the memory.
void Tracker::Impl::give_back() noexcept {
  if (options.readers || memory.remembered() != 0 || std::exchange(given_back, true)) return;
  memory.give_back();
  blocks.give_back();
  zeek.give_back();
}

bool Tracker::Impl::tell_next_briefly(std::uint32_t index, base::Timestamp judged_at, const Turn& turn) noexcept {
  if (memory.is_attempt(index)) {
    if (!may_tell_briefly(options.timers)) return false;
    Unopened syn;
    tell(memory.attempt(index), memory.rest(index), memory.released_at(index), syn);
    write_brief(syn, brief);
    brief_outcome.emplace(BriefOutcome{brief, {}, turn});
    return true;
  }
  const Compact& c = memory.compact(index);
  if (!tell_briefly(c, options.timers, judged_at, losses.during(c.start, judged_at), brief, brief_finding)) return false;
  const std::span<const Anomaly> found(brief_finding ? &*brief_finding : nullptr, brief_finding ? 1 : 0);
  brief_outcome.emplace(BriefOutcome{brief, found, turn});
  return true;
}

TrackerCounts& TrackerCounts::operator+=(const TrackerCounts& other) noexcept {
  segments += other.segments;
  table_full += other.table_full;
  created += other.created;
  for (std::size_t n = 0; n != evicted.size(); ++n) evicted[n] += other.evicted[n];
  opened += other.opened;
  ended += other.ended;
  failed += other.failed;
  for (std::size_t n = 0; n != entered.size(); ++n) entered[n] += other.entered[n];
  strays += other.strays;
  blocks_exhausted += other.blocks_exhausted;
  for (std::size_t n = 0; n != ends.size(); ++n) ends[n] += other.ends[n];
  return *this;
}

Tracker::Tracker(const TrackerOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Tracker::~Tracker() = default;

std::uint64_t Tracker::hash(const wire::FlowKey& key) const noexcept { return impl_->memory.hash(key); }

// Each segment is asked for from memory in three steps before it is its turn: the bucket of the table, the records this names, and what
// the records name. One step of one segment at a time, between those that are applied: what is asked for comes while they are. A processor
// fetches some ten lines at once and waits if asked for more, so it would wait for most of what many segments need if asked in a row.
void Tracker::track(std::span<const wire::Segment> segments, std::span<wire::Fate> fates) noexcept {
  constexpr std::size_t kRecord = 16;  // so many segments after its bucket
  constexpr std::size_t kEvidence = 24;
  constexpr std::size_t kTurn = 32;
  Impl& impl = *impl_;
  Memory& memory = impl.memory;
  if (impl.options.feed != nullptr) impl.hear_request();
  std::array<std::uint32_t, kTurn - kRecord> likely;  // of those between, each at its number modulo how many there are
  const std::size_t count = segments.size();
  for (std::size_t n = 0; n != count + kTurn; ++n) {
    // Before the first and behind the last there is nothing: what is counted from 0 down is beyond any count.
    if (n < count) memory.prefetch_bucket(segments[n].hash);
    if (const std::size_t at = n - kTurn; at < count && !impl.track(segments[at], likely[at % likely.size()])) [[unlikely]] {
      ++impl.counts.table_full;
      if (!fates.empty()) fates[at] = wire::Fate::kTableFull;
    }
    if (const std::size_t at = n - kRecord; at < count) {
      likely[at % likely.size()] = memory.prefetch_record(segments[at], is_moving(segments[at]));
    }
    if (const std::size_t at = n - kEvidence; at < count) {
      impl.zeek.prefetch(likely[at % likely.size()]);
      memory.prefetch_evidence(likely[at % likely.size()], is_moving(segments[at]));
    }
  }
  impl.counts.segments += count;
  if (count != 0) impl.clock = std::max(impl.clock, segments.back().clock);
}

void Tracker::advance(base::Timestamp clock) noexcept { impl_->advance(clock); }
void Tracker::note_loss(base::Timestamp from, base::Timestamp to) noexcept { impl_->losses.add(from, to); }
void Tracker::finish(base::Timestamp clock) noexcept { impl_->finish(clock); }
bool Tracker::next_outcome(bool briefly) noexcept { return impl_->next_outcome(briefly); }
std::span<const Unopened> Tracker::next_unopened() noexcept { return impl_->next_unopened(); }
const BriefOutcome* Tracker::brief() const noexcept { return impl_->brief_outcome ? &*impl_->brief_outcome : nullptr; }
const Outcome& Tracker::whole() const noexcept { return *impl_->outcome; }
std::span<const Event> Tracker::events() const noexcept { return impl_->journal.events(); }
void Tracker::clear_events() noexcept { impl_->journal.clear_events(); }
const Connection& Tracker::connection(std::uint32_t index) const noexcept { return impl_->memory[index]; }

void Tracker::watch(const wire::FlowKey& key) {
  impl_->expand_all();
  impl_->watched = key;
  impl_->journal.keep_events();
}
std::span<const Step> Tracker::steps() const noexcept { return impl_->steps.values(); }
void Tracker::clear_steps() noexcept { impl_->steps.clear(); }
bool Tracker::complete() const noexcept { return impl_->journal.complete() && impl_->steps.complete(); }

const TrackerCounts& Tracker::counts() const noexcept {
  impl_->counts.blocks_exhausted = impl_->blocks.exhausted();
  impl_->counts.opened = impl_->memory.lives().opened;
  impl_->counts.ended = impl_->memory.lives().ended;
  impl_->counts.failed = impl_->memory.lives().failed;
  impl_->counts.entered = impl_->journal.entered();
  return impl_->counts;
}
std::uint32_t Tracker::remembered() const noexcept { return impl_->memory.remembered(); }
TableReader Tracker::reader() const noexcept { return {impl_->memory, impl_->blocks}; }

std::size_t Tracker::most_at_once() const noexcept { return Partitions(impl_->options.max_connections).slack(impl_->options.shards); }

// At the worst each place was once used by a record of each kind: pages are not given back.
std::size_t Tracker::bytes_per_connection(bool with_zeek) noexcept {
  constexpr std::size_t kTableShare = 2 * 64 / 12 + 8;  // two slots of a bucket for each
  constexpr std::size_t kLists = 16 + 12 + 4;           // wheel, lists by worth, free list
  constexpr std::size_t kTurn = Memory::kBytesOfATurn;
  const std::size_t for_each_kind = kLists + (with_zeek ? ZeekViews::kBytesEach : 0);
  return sizeof(Connection) + sizeof(Attempt) + sizeof(AttemptRest) + sizeof(Compact) + sizeof(CompactExtra) +
         kBlocksPerConnection * sizeof(Block) + kTableShare + 3 * for_each_kind + kTurn;
}

}  // namespace finwait::tcp

// The state machine over many connections: segments in, transitions, findings and finished connections out.
//
// One writer: every member is for the thread that owns the tracker. Knows neither libpcap nor a clock nor a thread. All memory is taken at
// construction and bounded by it; nothing is allocated for a segment. The same segments in the same order give the same answers, whatever
// the batches, and whatever other flows are interleaved (as long as nothing had to be evicted; with the same seed, whatever other
// partitions of the flows are, also then).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "finwait/base/time.h"
#include "finwait/tcp/brief.h"
#include "finwait/tcp/connection.h"
#include "finwait/tcp/live_feed.h"
#include "finwait/tcp/partitions.h"
#include "finwait/tcp/table_reader.h"
#include "finwait/tcp/thresholds.h"
#include "finwait/tcp/unopened.h"
#include "finwait/tcp/verdict.h"
#include "finwait/wire/decode.h"
#include "finwait/wire/segment.h"

namespace finwait::tcp {

/// lifecycle, section 7. All on the trace clock.
struct Timers {
  base::Duration msl = 30 * base::kSecond;                 ///< TIME-WAIT lasts 2 MSL and a twentieth
  base::Duration syn_unanswered = 130 * base::kSecond;     ///< after the last SYN
  base::Duration syn_ack_unanswered = 65 * base::kSecond;  ///< after the last SYN-ACK
  base::Duration closing = 130 * base::kSecond;            ///< both FINs sent, the last one unanswered: after the last segment
  base::Duration idle = 0;                                 ///< 0: an idle connection is kept
  base::Duration lingering = 60 * base::kSecond;           ///< CLOSE-WAIT and FIN-WAIT-2, for the anomaly only
  Thresholds thresholds;                                   ///< not times, but the same detectors ask them
};

struct TrackerOptions {
  Timers timers;
  /// Remembered at once, finished ones not yet written included, by all trackers that share the flows; never passed (of fewer than 4: by
  /// one).
  std::uint32_t max_connections = 1U << 20;
  std::uint32_t shards = 1;  ///< so many trackers share the flows (Partitions::shard_of)
  std::uint32_t shard = 0;   ///< which of them this is
  std::uint64_t seed = 0;    ///< key of the flow table's hash
  bool events = false;       ///< keep transitions and findings as they happen
  bool zeek = true;          ///< keep Zeek's view of each connection (Outcome::zeek)
  bool readers = false;      ///< other threads will read (Tracker::reader): no connection is kept short
  LiveFeed* feed = nullptr;  ///< borrowed: tells another thread of findings, and of one flow's segments
};

/// A transition or a finding as it happened.
struct Event {
  enum class Kind : std::uint8_t { kTransition, kAnomaly };
  Kind kind = Kind::kTransition;
  std::uint32_t connection = 0;  ///< for Tracker::connection()
  std::uint64_t frame = 0;       ///< frame that was being looked at; 0: a timer
  Transition transition;
  Anomaly anomaly;
};

/// A segment of a watched flow, with the states of both ends (by index) after it.
struct Step {
  wire::Segment segment;
  std::uint32_t connection = 0;  ///< kNoBlock: it belongs to the flow, but to no incarnation
  std::uint32_t beside = 0;      ///< the incarnation it came upon as a stray, a candidate or an ICMP error; kNoBlock: none
  std::array<State, 2> states{};
  std::uint32_t first_event = 0;  ///< events [first_event, last_event) of Tracker::events() happened at it
  std::uint32_t last_event = 0;
};

struct TrackerCounts {
  std::uint64_t segments = 0;
  std::uint64_t table_full = 0;  ///< segments for which no connection could be made
  std::uint64_t created = 0;
  std::array<std::uint64_t, kStates> evicted{};  ///< by the originator's state
  std::uint64_t opened = 0;                      ///< connections that became established, or were so when first seen
  std::uint64_t ended = 0;                       ///< of these, the ones that are over or in TIME-WAIT, or were given up
  std::uint64_t failed = 0;                      ///< attempts that came to nothing
  std::array<std::uint64_t, kStates> entered{};  ///< how often an end came into each state
  std::uint64_t strays = 0;                      ///< segments whose numbers fit no incarnation: counted, moving nothing
  std::uint64_t blocks_exhausted = 0;            ///< evidence not kept for lack of blocks
  std::array<std::uint64_t, kStates> ends{};     ///< now: ends of connections that are not over, by state

  TrackerCounts& operator+=(const TrackerCounts& other) noexcept;
};

class Tracker {
 public:
  /// Takes all memory. Throws std::bad_alloc.
  explicit Tracker(const TrackerOptions& options);
  ~Tracker();
  Tracker(const Tracker&) = delete;
  Tracker& operator=(const Tracker&) = delete;

  /// The hash that Segment::hash must hold.
  [[nodiscard]] std::uint64_t hash(const wire::FlowKey& key) const noexcept;

  /// Looks at segments in file order. `fates`, if not empty, is as long; the fate of a segment for which there was no room becomes
  /// kTableFull.
  void track(std::span<const wire::Segment> segments, std::span<wire::Fate> fates = {}) noexcept;

  /// So many segments at most between two calls of drain(), or some may be refused because all places are held by connections that are over
  /// and not yet given. At least 1; with fewer than 4 connections even that may be too many.
  [[nodiscard]] std::size_t most_at_once() const noexcept;

  /// The trace clock has come to `clock`: timers that are due fire.
  void advance(base::Timestamp clock) noexcept;

  /// The capture lost frames between these two moments: what is found of connections of that time may be its doing. Spans come in the
  /// order of their ends; those that are many are taken together.
  void note_loss(base::Timestamp from, base::Timestamp to) noexcept;

  /// The end of input: everything still remembered is judged as it stands. Afterwards drain() gives all the rest.
  void finish(base::Timestamp clock) noexcept;

  /// Gives every finished connection whose place in the order of release is certain, in that order (Turn: time of release, then id, unless
  /// one has to make room); after finish() what was remembered to the end comes last, by id. The Outcome is borrowed for the call. Returns
  /// how many. Their memory is free afterwards, and so events() must have been read before.
  template <class F>
  std::size_t drain(F&& sink) {
    std::size_t n = 0;
    for (; next_outcome(false); ++n) sink(whole());
    return n;
  }

  /// The same for whom a Brief will do, if `briefs`: then some come as const BriefOutcome&, the others in full.
  template <class F>
  std::size_t drain(bool briefs, F&& sink) {
    std::size_t n = 0;
    for (; next_outcome(briefs); ++n) give_to(sink);
    return n;
  }

  /// The same with briefs, but those that never opened are given some at a time, in their place in the order:
  /// never_opened(std::span<const Unopened>).
  template <class F, class G>
  std::size_t drain(F&& sink, G&& never_opened) {
    std::size_t n = 0;
    for (bool any = true; any; n += any) {
      for (auto some = next_unopened(); !some.empty(); some = next_unopened()) {
        never_opened(some);
        n += some.size();
      }
      any = next_outcome(true);
      if (any) give_to(sink);
    }
    return n;
  }

  /// What happened since clear_events(), in order; empty unless asked for in the options.
  [[nodiscard]] std::span<const Event> events() const noexcept;
  void clear_events() noexcept;
  [[nodiscard]] const Connection& connection(std::uint32_t index) const noexcept;

  /// From now on each segment of this flow is kept as a Step (for --explain); turns events on.
  void watch(const wire::FlowKey& key);
  /// Since clear_steps().
  [[nodiscard]] std::span<const Step> steps() const noexcept;
  void clear_steps() noexcept;
  /// False once there was no memory to keep an event or a step: what those then say has gaps.
  [[nodiscard]] bool complete() const noexcept;

  [[nodiscard]] const TrackerCounts& counts() const noexcept;
  [[nodiscard]] std::uint32_t remembered() const noexcept;

  /// For other threads: reads the connections while this one changes them; only with TrackerOptions::readers. To be called before they
  /// begin; valid as long as this tracker.
  [[nodiscard]] TableReader reader() const noexcept;

  /// Bytes of memory for each connection promised, with TrackerOptions::zeek or without: to turn a bound on memory into max_connections.
  [[nodiscard]] static std::size_t bytes_per_connection(bool with_zeek) noexcept;

 private:
  /// The one that next_outcome() gave, in whichever way.
  template <class F>
  void give_to(F& sink) {
    if (const BriefOutcome* told = brief()) {
      sink(*told);
    } else {
      sink(whole());
    }
  }
  [[nodiscard]] std::span<const Unopened> next_unopened() noexcept;
  bool next_outcome(bool briefly) noexcept;
  [[nodiscard]] const BriefOutcome* brief() const noexcept;  // null: it is to be had in full
  [[nodiscard]] const Outcome& whole() const noexcept;

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace finwait::tcp

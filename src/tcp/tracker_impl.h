// The tracker's inside: which incarnation a segment belongs to, when a connection is over, and what is said of it then.
//
// tracker.cpp holds the loop over a batch and the way out; incarnations.cpp decides whose a segment is; lifetime.cpp keeps deadlines,
// releases and evicts; attempts.cpp and ordinary_lives.cpp do both for the connections that are kept short.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "blocks.h"
#include "compact_machine.h"
#include "finwait/tcp/brief.h"
#include "finwait/tcp/tracker.h"
#include "journal.h"
#include "kept_list.h"
#include "losses.h"
#include "machine.h"
#include "memory.h"
#include "zeek_views.h"

namespace finwait::tcp {

/// How long an ordinary life may be silent, by what it waits for (ordinary_lives.cpp).
using Waits = std::array<base::Duration, 6>;
[[nodiscard]] Waits waits_of(const Timers& timers) noexcept;
/// How long a SYN waits for an answer, if nothing else of its flow is known (attempts.cpp).
[[nodiscard]] base::Duration attempt_wait(const Timers& timers) noexcept;

/// 2 MSL and a twentieth: Linux's timer of 60 s runs up to 62.1 s.
[[nodiscard]] inline base::Duration time_wait(const Timers& timers) noexcept { return 2 * timers.msl + timers.msl / 10; }

struct Tracker::Impl {
  explicit Impl(const TrackerOptions& given);

  // tracker.cpp
  bool track(const wire::Segment& s, std::uint32_t likely) noexcept;
  bool track_quiet(std::uint32_t index, const wire::Segment& s) noexcept;
  [[nodiscard]] bool begins_alone(const wire::Segment& s, std::uint32_t likely) const noexcept;
  [[gnu::noinline]] bool track_in_full(const wire::Segment& s, std::uint32_t likely) noexcept;  // apart from what is always in use
  [[nodiscard]] bool track_ordinary(const wire::Segment& s, std::uint32_t likely) noexcept;
  bool track_for_feed(const wire::Segment& s, std::uint32_t likely) noexcept;
  void hear_request() noexcept;
  Connection& read_back(std::uint32_t index) noexcept;
  void put_away() noexcept;
  std::span<const Unopened> next_unopened() noexcept;
  bool next_outcome(bool briefly) noexcept;
  void give_back() noexcept;
  bool tell_next_briefly(std::uint32_t index, base::Timestamp judged_at, const Turn& turn) noexcept;

  // incarnations.cpp
  bool route(const wire::Segment& s, std::uint32_t likely) noexcept;
  bool route_syn(std::uint32_t head, const wire::Segment& s) noexcept;
  bool route_syn_ack(std::uint32_t head, const wire::Segment& s) noexcept;
  bool route_other(std::uint32_t head, const wire::Segment& s) noexcept;
  bool resume(std::uint32_t head, const wire::Segment& s) noexcept;
  void route_icmp(std::uint32_t head, const wire::Segment& s) noexcept;
  bool reopen_by_old_syn(std::uint32_t head, const wire::Segment& s) noexcept;
  void challenge_candidates(std::uint32_t head, const wire::Segment& s) noexcept;
  void doubt_reuse(std::uint32_t head, std::uint32_t old, const wire::Segment& s) noexcept;
  [[nodiscard]] std::uint32_t answered_candidate(std::uint32_t head, const wire::Segment& s) const noexcept;
  [[nodiscard]] std::uint32_t completed_candidate(std::uint32_t head, const wire::Segment& s) const noexcept;
  [[nodiscard]] std::uint32_t continued_candidate(std::uint32_t head, const wire::Segment& s) const noexcept;
  void promote(std::uint32_t head, std::uint32_t candidate, const std::optional<Sighting>& received, const wire::Segment& by) noexcept;
  [[nodiscard]] std::optional<Sighting> answered_copy(std::uint32_t head, std::uint32_t candidate,
                                                      const wire::Segment& answer) const noexcept;
  void name_replaced(std::uint32_t head, std::uint32_t candidate) noexcept;
  void discover_half_open(std::uint32_t head, const wire::Segment& rst) noexcept;
  void supersede(std::uint32_t old, const Sighting& first_syn, unsigned who, const std::optional<Sighting>& received,
                 base::Timestamp clock) noexcept;
  bool begin(std::uint32_t head, const wire::Segment& s) noexcept;
  bool begin_candidate(std::uint32_t head, const wire::Segment& s) noexcept;
  std::uint32_t create(const wire::Segment& s) noexcept;
  bool make_head(std::uint32_t index, std::uint32_t older) noexcept;
  bool apply(std::uint32_t index, const wire::Segment& s) noexcept;
  bool stray(std::uint32_t index, const wire::Segment& s) noexcept;

  // attempts.cpp
  bool begin_attempt(const wire::Segment& s) noexcept;
  bool follow_attempt(std::uint32_t index, const wire::Segment& s) noexcept;
  std::uint32_t outgrow(std::uint32_t index) noexcept;
  base::Timestamp due_attempt(std::uint32_t index) noexcept;
  void release_attempt(std::uint32_t index, Release why) noexcept;
  bool displace_attempt(std::uint32_t part) noexcept;
  void uncount_attempt() noexcept;
  void count_evicted_attempt() noexcept;
  void retire(Attempt& a, std::uint32_t index, Release why) noexcept;
  void evict_attempt(std::uint32_t index) noexcept;
  void finish_attempts(base::Timestamp now) noexcept;
  Connection& unfold_attempt(std::uint32_t index) noexcept;

  // ordinary_lives.cpp
  bool track_compact(std::uint32_t index, const wire::Segment& s) noexcept;
  void expand(std::uint32_t index) noexcept;
  void expand_all() noexcept;
  void settle_compact(std::uint32_t index) noexcept;
  [[nodiscard]] base::Timestamp deadline(const Compact& c) const noexcept;
  /// False: deadline() has not come, so much is certain without reckoning it. The trace clock never goes back.
  [[nodiscard]] bool may_be_due(const Compact& c, base::Timestamp now) const noexcept {
    return static_cast<std::uint64_t>(now) - static_cast<std::uint64_t>(c.last_clock) >= shortest_wait;
  }
  base::Timestamp due_compact(std::uint32_t index, base::Timestamp now) noexcept;
  void release_compact(std::uint32_t index, Release why, base::Timestamp at) noexcept;
  void retire(Compact& c, std::uint32_t index, Release why, base::Timestamp at) noexcept;
  void mark_released(Compact& c, Release why, base::Timestamp at) noexcept;
  void evict_compact(std::uint32_t index) noexcept;
  void finish_compacts(base::Timestamp now) noexcept;
  Connection& unfold(std::uint32_t index) noexcept;
  void forget_compact(std::uint32_t index) noexcept;

  // lifetime.cpp
  void settle(std::uint32_t index, base::Timestamp at) noexcept;
  void count_states(Connection& c) noexcept;
  void count_state(std::uint8_t& counted, State state) noexcept;
  void uncount_states(std::array<std::uint8_t, 2>& counted) noexcept;
  [[nodiscard]] base::Timestamp expiry(const Connection& c) const noexcept;
  base::Timestamp due(std::uint32_t index, base::Timestamp now, base::Timestamp least) noexcept;
  bool expire_flow(std::uint32_t head, base::Timestamp now) noexcept;
  [[nodiscard]] std::uint32_t first_due(std::uint32_t head, base::Timestamp now) const noexcept;
  base::Timestamp called(std::uint32_t index, base::Timestamp now) noexcept;
  void release(std::uint32_t index, Release why, base::Timestamp at) noexcept;
  void succeed(std::uint32_t head, std::uint32_t candidate, base::Timestamp at) noexcept;
  void resolve_candidate(std::uint32_t candidate, Release why, base::Timestamp at) noexcept;
  void forget(std::uint32_t index, bool queued = true) noexcept;
  void evict(std::uint32_t index) noexcept;
  bool make_room(const wire::Segment& s) noexcept;
  void let_go(std::uint32_t index, Release why) noexcept;
  void advance(base::Timestamp now) noexcept;
  void finish(base::Timestamp now) noexcept;

  TrackerOptions options;
  Memory memory;
  Blocks blocks;
  Journal journal;
  ZeekViews zeek;
  Machine machine;
  CompactMachine compacts;
  TrackerCounts counts;
  base::Timestamp clock = 0;
  Losses losses;
  bool finished = false;
  bool given_back = false;
  bool keeps_short;  ///< ordinary lives are
  Waits waits;
  std::uint64_t shortest_wait;  ///< nothing that is kept short is due before

  std::uint64_t needy = 0;  ///< the frame for which room is made; the last that began a connection, if there was room
  std::uint32_t handed_out = kNoBlock;
  Connection unfolded;  ///< the one handed out, if it was kept short
  std::vector<Transition> transitions;
  std::vector<Anomaly> anomalies;
  Verdict verdict;
  std::optional<Outcome> outcome;
  Brief brief{};
  std::optional<Anomaly> brief_finding;
  std::optional<BriefOutcome> brief_outcome;  ///< the one handed out, if it is told without the full record
  std::array<Unopened, 32> unopened;          ///< those handed out together

  std::optional<wire::FlowKey> watched;
  KeptList<Step> steps;
  std::uint32_t touched = kNoBlock;  ///< the connection the segment at hand was applied to
  std::uint32_t beside = kNoBlock;   ///< the one it came upon without being part of it
};

}  // namespace finwait::tcp

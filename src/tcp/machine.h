// The state machine over one connection: what a segment proves of its sender and makes probable of its peer (lifecycle, sections 1, 2 and
// 9).
//
// Evidence is added, replaced and taken back here; the path of states follows from it (path.h), and what changed is written into the
// journal. Which connection a segment belongs to has been decided before (incarnations). Each rule of section 9 is named where it is
// applied.
#pragma once

#include <cstdint>
#include <optional>

#include "blocks.h"
#include "finwait/tcp/path.h"
#include "finwait/tcp/tracker.h"
#include "journal.h"
#include "observation.h"
#include "zeek_views.h"

namespace finwait::tcp {

/// Of a candidate: no SYN of it was captured.
[[nodiscard]] inline bool without_syn(const Connection& candidate) noexcept {
  return !candidate.ends[0].knows(known::kPlainSyn) && !candidate.ends[1].knows(known::kPlainSyn);
}

class Machine {
 public:
  Machine(Blocks& blocks, Journal& journal, ZeekViews& zeek, const Timers& timers)
      : blocks_(blocks), journal_(journal), zeek_(zeek), timers_(timers) {}

  /// A segment that belongs to the connection. False if it changed no state and no deadline: the common case.
  bool apply(Connection& c, std::uint32_t index, const wire::Segment& s) noexcept;

  /// The same for an ordinary segment of a connection between two established ends, or of an end whose peer was never captured, and much
  /// quicker; false, and nothing has happened, if it is any other. The connection has neither candidates nor an older incarnation.
  [[nodiscard]] bool apply_ordinary(Connection& c, std::uint32_t index, const wire::Segment& s) noexcept;

  /// A segment of the flow whose numbers fit no incarnation: counted, moving nothing.
  void apply_stray(Connection& c, std::uint32_t index, const wire::Segment& s) noexcept;

  /// Goes over a gap in the capture, before the first segment behind it is applied that both ends vouch for (Beyond).
  void skip(Connection& c, std::uint32_t index, const wire::Segment& s) noexcept;

  /// An ICMP unreachable that quotes a segment of end `s.direction` (rule 11).
  void apply_icmp(Connection& c, std::uint32_t index, const wire::Segment& s) noexcept;

  /// A candidate that proved to be an old duplicate SYN, or segments out of nowhere that nobody answered: its segments were this
  /// connection's.
  void adopt(Connection& c, std::uint32_t index, const Connection& duplicate) noexcept;

  /// TIME-WAIT of an end ran out at `at`, on the trace clock.
  void expire_time_wait(Connection& c, std::uint32_t index, unsigned end, base::Timestamp at) noexcept;

  /// TIME-WAIT of an end ended by a new SYN (rule 25), and the same taken back (rule 27).
  void reuse_time_wait(Connection& c, std::uint32_t index, unsigned end, std::uint64_t cause, std::uint64_t proof, base::Timestamp at,
                       bool proven) noexcept;
  void undo(Connection& c, std::uint32_t index, unsigned end, Fact fact, base::Timestamp at) noexcept;

  /// Which copy of the peer's SYN or FIN did `receiver` receive, among those seen up to `frame` (rule 5): by the timestamp it echoed,
  /// otherwise the first it was not later shown to lack. Copies without ACK, with ACK, or any.
  enum class Copies { kAny, kSynAck };
  [[nodiscard]] std::optional<Sighting> pick(const Sightings& copies, const Endpoint& receiver, std::optional<std::uint32_t> echoed,
                                             std::uint64_t frame, Copies which = Copies::kAny) const noexcept;

 private:
  static constexpr std::uint32_t kFarUnseen = 1U << 30;  ///< more than that is not waited for

  // machine.cpp
  void apply_moving(Observation& o) noexcept;
  void note_what_was(Observation& o) noexcept;
  void count(Observation& o) noexcept;
  bool refute(Observation& o) noexcept;
  void send_data(Observation& o) noexcept;
  void acknowledge(Observation& o) noexcept;
  void keep_sent(Endpoint& x, Endpoint& y, const wire::Segment& s, std::uint32_t ack) noexcept;
  void note_growth(Observation& o) noexcept;
  void grow(Endpoint& x, Endpoint& y, const wire::Segment& s) noexcept;
  static void pass_unseen(Endpoint& y, std::uint32_t ack) noexcept;
  void take_back_ack(Observation& o) noexcept;
  void settle_peer(Observation& o) noexcept;
  // opening.cpp
  void learn_options(Observation& o) noexcept;
  void send_syn(Observation& o) noexcept;
  void send_syn_ack(Observation& o) noexcept;
  void meet_early_syn_ack(Observation& o) noexcept;
  void acknowledge_syn(Observation& o) noexcept;
  void pick_up_midstream(Observation& o) noexcept;
  void accept_syn_ack(Observation& o) noexcept;
  // closing.cpp
  void send_fin(Observation& o) noexcept;
  void acknowledge_fin(Observation& o) noexcept;
  [[nodiscard]] std::uint64_t frame_of_received_fin(Observation& o) const noexcept;
  void accept_fin_ack(Observation& o) noexcept;
  void measure_half_close(Observation& o) noexcept;
  // resets.cpp
  void send_reset(Observation& o) noexcept;
  [[nodiscard]] std::uint64_t reset_cause(const Observation& o) const noexcept;
  [[nodiscard]] bool acked_nobody(const Observation& o, std::uint64_t cause) const noexcept;
  [[nodiscard]] bool accepts_reset(Observation& o) const noexcept;
  [[nodiscard]] std::uint32_t receive_next(const Observation& o) const noexcept;
  void accept_reset(Observation& o) noexcept;
  // counting.cpp
  void count_sequence(Observation& o) noexcept;
  void open_hole(Endpoint& x, std::uint32_t to, base::Timestamp time) noexcept;
  void count_missing(Observation& o) noexcept;
  void watch_window(Observation& o) noexcept;
  void move_edge(Observation& o, std::uint32_t edge) noexcept;
  void watch_stamp(Observation& o) noexcept;
  void note_repeated(Observation& o, std::uint32_t end, std::uint32_t bytes) noexcept;
  void compare_bytes(Observation& o) noexcept;

  Blocks& blocks_;
  Journal& journal_;
  ZeekViews& zeek_;
  const Timers& timers_;
};

}  // namespace finwait::tcp

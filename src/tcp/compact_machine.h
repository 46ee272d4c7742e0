// The state machine of ordinary lives: takes the next step of one, or refuses it and changes nothing.
//
// No evidence is written and nothing is asked of the detectors, since none of them has anything to say of such a step (the machine's own
// short cuts rest on the same). Everything is asked before anything is written. What is refused is for the Machine, once the record has
// been expanded (compact_expand.h).
#pragma once

#include <cstdint>

#include "attempt.h"
#include "blocks.h"
#include "compact.h"
#include "finwait/wire/segment.h"
#include "journal.h"
#include "zeek_views.h"

namespace finwait::tcp {

class CompactMachine {
 public:
  CompactMachine(Blocks& blocks, Journal& journal, ZeekViews& zeek) : blocks_(blocks), journal_(journal), zeek_(zeek) {}

  /// The first segment of a flow nothing is known of: a SYN like any other? One that is stamped ahead of the trace clock is not.
  [[nodiscard]] static bool may_begin(const wire::Segment& s) noexcept;
  /// If so: into a blank record, and what belongs to it, which may hold anything before. That SYN-SENT was entered is for the caller to
  /// count, once.
  void begin(Compact& c, CompactExtra& extra, std::uint32_t index, const Attempt& a, const AttemptRest& rest) noexcept;

  enum class Taken : std::uint8_t {
    kRefused,  ///< nothing has happened
    kQuiet,    ///< it changed no state and no deadline
    kMoved,
  };
  /// A TCP segment of the flow.
  [[nodiscard]] Taken apply(Compact& c, CompactExtra& extra, std::uint32_t index, const wire::Segment& s) noexcept;
  /// A segment of the flow that may be what nearly all are: data or an acknowledgment between established ends.
  [[nodiscard]] static bool may_be_quiet(const Compact& c, const wire::Segment& s) noexcept;
  /// If so: true if it was that, false if nothing has happened.
  [[nodiscard]] bool apply_quiet(Compact& c, CompactExtra& extra, std::uint32_t index, const wire::Segment& s) noexcept;

  /// TIME-WAIT has run out, for a life of which an end is in it, or both are.
  void expire_time_wait(Compact& c) noexcept;

  /// The full record (compact_expand.h), with all that the compact one held in blocks; that one is then done with.
  void unfold(Compact& c, const CompactExtra& extra, Connection& whole) noexcept;

 private:
  /// What was reckoned while asking whether a segment is the next one.
  struct Next {
    std::uint32_t window;
    std::uint32_t edge;
    std::uint32_t print;
  };
  /// The steps behind the SYN-ACK. The last FIN is the one of the end that closes second: after its acknowledgment of the first, or with
  /// it, or crossing the first. Then each end acknowledges the other's FIN by a step of the same kind.
  enum class Step : std::uint8_t {
    kNone,
    kComplete,
    kFirstFin,
    kFirstAck,
    kLastFin,
    kLastFinAtOnce,
    kLastFinCrossing,
    kCrossedAck,
    kLastAck
  };
  [[nodiscard]] static Step step_by(const Compact& c, const wire::Segment& s) noexcept;
  [[nodiscard]] static bool is_quiet(const Compact& c, const CompactExtra& extra, const wire::Segment& s, Next& next) noexcept;
  [[nodiscard]] static base::Timestamp when_sent(const Compact& c, CompactExtra& extra, const wire::Segment& s) noexcept;
  [[nodiscard]] static bool is_next(const Compact& c, const CompactExtra& extra, const wire::Segment& s, Next& next) noexcept;
  void take(Compact& c, CompactExtra& extra, std::uint32_t index, const wire::Segment& s, const Next& next) noexcept;
  void keep_sent(Compact& c, CompactExtra& extra, const wire::Segment& s, base::Duration since_start) noexcept;
  [[gnu::noinline]] void keep_behind(Compact& c, const wire::Segment& s) noexcept;
  void prune_sent(Compact& c, unsigned end, std::uint32_t acked) noexcept;
  template <class Syn>
  static void take_syn(Compact& c, CompactExtra& extra, const Syn& s, std::uint32_t print) noexcept;
  [[nodiscard]] Taken answer(Compact& c, CompactExtra& extra, std::uint32_t index, const wire::Segment& s) noexcept;
  [[nodiscard]] Taken go_on(Compact& c, CompactExtra& extra, std::uint32_t index, const wire::Segment& s) noexcept;
  void complete(Compact& c, CompactExtra& extra, const wire::Segment& s) noexcept;
  void close_first(Compact& c, CompactExtra& extra, const wire::Segment& s) noexcept;
  void acknowledge_fin(Compact& c, CompactExtra& extra, const wire::Segment& s, Step step) noexcept;
  void close_second(Compact& c, CompactExtra& extra, const wire::Segment& s, Step step) noexcept;
  [[nodiscard]] static bool crosses(const Compact& c, CompactExtra& extra, const wire::Segment& s) noexcept;
  void acknowledge_crossed(Compact& c, CompactExtra& extra, const wire::Segment& s) noexcept;
  [[nodiscard]] Taken refuse(Compact& c, CompactExtra& extra, std::uint32_t index, const wire::Segment& s) noexcept;
  void begin_close(Compact& c, const CompactExtra& extra, const wire::Segment& s) noexcept;
  void write_reset(Compact& c, CompactExtra& extra, const wire::Segment& s) noexcept;
  [[nodiscard]] Taken reset(Compact& c, CompactExtra& extra, std::uint32_t index, const wire::Segment& s) noexcept;
  [[nodiscard]] Taken abort(Compact& c, CompactExtra& extra, std::uint32_t index, const wire::Segment& s) noexcept;
  void note(Compact& c, std::uint32_t index, const wire::Segment& s, std::uint32_t print) noexcept;
  void note_heard(Compact& c, CompactExtra& extra, const wire::Segment& s) noexcept;
  void enter(Compact& c, unsigned end, State state) noexcept;

  Blocks& blocks_;
  Journal& journal_;
  ZeekViews& zeek_;
};

}  // namespace finwait::tcp

// What is said of a whole connection: how it opened, how it ended, and the two objects of its end (lifecycle, sections 3 to 5).
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "finwait/base/time.h"
#include "finwait/tcp/anomaly.h"
#include "finwait/tcp/transition.h"
#include "finwait/tcp/turn.h"
#include "finwait/tcp/zeek_view.h"

namespace finwait::tcp {

struct Connection;

enum class Opening : std::uint8_t {
  kThreeWay,
  kFastOpen,
  kSimultaneous,
  kSplit,
  kUnanswered,
  kRefused,
  kUnreachable,
  kHalfOpen,
  kAborted,
  kMidstream,
  kBackscatter,
};
inline constexpr int kOpenings = 11;

enum class Ending : std::uint8_t {
  kGraceful,
  kFinalAckMissing,
  kFinUnanswered,
  kHalfClosed,
  kReset,
  kResetAfterFin,
  kClosing,
  kRefused,
  kUnreachable,
  kAborted,
  kUnanswered,
  kHalfOpen,
  kBackscatter,
  kOpen,
  kTimeout,
  kSuperseded,
  kEvicted,
};
inline constexpr int kEndings = 17;

enum class CompletedBy : std::uint8_t { kNothing, kAck, kData, kFin };

/// One end, both, or somebody else.
enum class Who : std::uint8_t { kNobody, kOriginator, kResponder, kBoth, kThirdPartySuspected };

enum class Replaced : std::uint8_t { kNothing, kAfterClosed, kInTimeWait, kInTimeWaitViolating, kOverHalfOpen, kOverEstablished };

enum class RoleEvidence : std::uint8_t { kSyn, kSynAck, kPort, kFirstPacket };

/// Why the record was closed.
enum class Release : std::uint8_t { kSettled, kIdle, kSuperseded, kEvicted, kEndOfInput };

struct HalfClose {
  Who by = Who::kNobody;
  base::Timestamp from = 0;
  base::Timestamp to = 0;   ///< the other end's FIN, the RST, or the last frame
  std::uint64_t bytes = 0;  ///< new payload of the other end meanwhile
  std::uint64_t packets = 0;
};

enum class TimeWaitEnd : std::uint8_t { kExpired, kReused, kAssassinated, kCaptureEnd };

struct TimeWait {
  Who owner = Who::kNobody;
  base::Timestamp from = 0;
  std::uint32_t restarts = 0;
  base::Timestamp until = 0;
  TimeWaitEnd ended = TimeWaitEnd::kCaptureEnd;
};

struct Verdict {
  Opening opening = Opening::kMidstream;
  CompletedBy completed_by = CompletedBy::kNothing;
  Ending ending = Ending::kOpen;
  Who first_fin = Who::kNobody;  ///< kBoth: simultaneous
  Who reset_by = Who::kNobody;
  Replaced replaced = Replaced::kNothing;
  RoleEvidence role_evidence = RoleEvidence::kFirstPacket;
  std::uint8_t completeness = 0;  ///< Wireshark's tcp.completeness
  std::optional<HalfClose> half_close;
  std::optional<TimeWait> time_wait;
  std::bitset<kAnomalyKinds> inconclusive;  ///< kinds that the capture did not last long enough to decide
};

/// A connection that is over, as sinks get it. Everything is borrowed for the time of the call.
struct Outcome {
  const Connection& connection;
  const Verdict& verdict;
  std::span<const Transition> transitions;
  std::span<const Anomaly> anomalies;  ///< in order of time
  const ZeekView* zeek = nullptr;      ///< nullptr unless asked for (TrackerOptions::zeek)
  Turn turn = {};                      ///< where in the order of the output it is given
};

[[nodiscard]] std::string_view name(Opening opening) noexcept;
[[nodiscard]] std::string_view name(Ending ending) noexcept;
[[nodiscard]] std::string_view name(CompletedBy by) noexcept;     ///< empty for kNothing
[[nodiscard]] std::string_view name(Replaced replaced) noexcept;  ///< empty for kNothing
[[nodiscard]] std::string_view name(RoleEvidence evidence) noexcept;
[[nodiscard]] std::string_view name(TimeWaitEnd end) noexcept;
/// "originator", "responder", "both", "third-party-suspected"; empty for kNobody.
[[nodiscard]] std::string_view name(Who who) noexcept;
[[nodiscard]] std::optional<Opening> opening(std::string_view name) noexcept;
[[nodiscard]] std::optional<Ending> ending(std::string_view name) noexcept;

/// One plain sentence, usual causes and what to do, for --describe.
struct Description {
  std::string_view meaning;
  std::string_view causes;
  std::string_view next_step;
};
[[nodiscard]] const Description& describe(Opening opening) noexcept;
[[nodiscard]] const Description& describe(Ending ending) noexcept;

}  // namespace finwait::tcp

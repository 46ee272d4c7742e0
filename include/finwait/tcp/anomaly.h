// What can go wrong with a connection (lifecycle, section 6): the table of kinds, and one finding as a value.
//
// The table is the one place for a kind's name, severity, RFC section and explanation; docs/anomalies.md and --describe print it. A finding
// holds frames and numbers only; its sentence is made when it is reported (anomaly_text.h). A connection keeps one finding a kind, with a
// count, so that its memory is bounded by the number of kinds, whatever happens on the wire.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "finwait/base/time.h"

namespace finwait::tcp {

enum class AnomalyKind : std::uint8_t {
  // handshake
  kSynRetransmitted,
  kSynAckRetransmitted,
  kHandshakeAckMissing,
  kHandshakeAckLost,
  kHandshakeAckInvalid,
  kSynAckInvalid,
  kSynAckIsnChanged,
  kSynWithData,
  kFastOpenRefused,
  kOldDuplicateSyn,
  kSimultaneousOpen,
  kSplitHandshake,
  kHalfOpen,
  kConnectionRefused,
  kSynFlagsIllegal,
  // established
  kSynInEstablished,
  kChallengeAck,
  kHalfOpenDiscovered,
  kAckOfUnsentData,
  kDataOutsideWindow,
  kKeepaliveUnanswered,
  kZeroWindowStall,
  kWindowShrunk,
  kRetransmission,
  kSpuriousRetransmission,
  kOutOfOrder,
  kOverlapInconsistent,
  kTimestampRegression,
  kDataUnanswered,
  kPeerSilent,
  kIcmpError,
  // close
  kFinalAckMissing,
  kFinalAckLost,
  kFinRetransmitted,
  kFinUnanswered,
  kFinMoved,
  kDataAfterFin,
  kHalfClose,
  kCloseWaitLingering,
  kFinWait2Lingering,
  kSimultaneousClose,
  kTimeWaitReused,
  kTimeWaitReuseViolation,
  kTimeWaitAssassinated,
  kLateSegmentInTimeWait,
  kClosedWithPendingData,
  // reset
  kResetInHandshake,
  kResetEstablished,
  kResetAfterFin,
  kResetOutOfWindow,
  kResetInWindowNotExact,
  kResetIgnored,
  kResetSuspectedForged,
  kDataAfterReset,
  kResetStorm,
};
inline constexpr int kAnomalyKinds = static_cast<int>(AnomalyKind::kResetStorm) + 1;

enum class Severity : std::uint8_t { kInfo, kNotice, kWarning, kAlert };

/// Who may have caused it; several when the evidence cannot tell.
namespace origin {
inline constexpr std::uint8_t kEndpoint = 1;
inline constexpr std::uint8_t kNetwork = 2;
inline constexpr std::uint8_t kCapture = 4;
inline constexpr std::uint8_t kAttacker = 8;
}  // namespace origin

struct KindInfo {
  AnomalyKind kind;
  std::string_view name;       ///< "final-ack-missing"
  std::string_view group;      ///< "handshake", "established", "close", "reset"
  Severity severity;           ///< the usual one; a finding may carry another
  std::uint8_t origins;        ///< the usual ones
  std::string_view rfc;        ///< "RFC 9293, 3.6"; empty if none applies
  std::string_view meaning;    ///< one plain sentence, for the summary
  std::string_view causes;     ///< usual causes
  std::string_view next_step;  ///< what to do next
  std::string_view otherwise;  ///< what else it could be
};

[[nodiscard]] const KindInfo& info(AnomalyKind kind) noexcept;
[[nodiscard]] std::span<const KindInfo> anomaly_kinds() noexcept;
/// From where on a kind is reported, and why from there; empty for a kind that is reported whenever it happens.
[[nodiscard]] std::string_view reported_when(AnomalyKind kind) noexcept;
[[nodiscard]] std::optional<AnomalyKind> anomaly_kind(std::string_view name) noexcept;
[[nodiscard]] std::string_view name(Severity severity) noexcept;
[[nodiscard]] std::optional<Severity> severity(std::string_view name) noexcept;

/// One finding. `frames`: the evidence, the first occurrence first; the rest 0. `values`: numbers for its sentence, by kind.
struct Anomaly {
  static constexpr int kFrames = 3;
  AnomalyKind kind{};
  Severity severity{};
  std::uint8_t origins = 0;
  std::uint8_t end = 0;      ///< index into Connection::ends: whose doing or whose trouble it is
  std::uint32_t count = 1;   ///< how often in this connection
  base::Timestamp time = 0;  ///< of the first occurrence
  std::array<std::uint64_t, kFrames> frames{};
  std::array<std::int64_t, 2> values{};
  bool operator==(const Anomaly&) const = default;
};
static_assert(sizeof(Anomaly) == 56);

}  // namespace finwait::tcp

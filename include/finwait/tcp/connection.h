// One incarnation of a flow: two symmetric ends, and notes on them.
//
// Always true: ends[0] is the low end of the key, ends[1] the high one; who is originator is a note (`originator`), and learning better
// evidence for it changes nothing else. Trivially copyable, lives in the tracker's pool; lists are block indices into the tracker's block
// pool, so a Connection is only complete together with it (Outcome brings what sinks need).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "finwait/base/time.h"
#include "finwait/base/version.h"
#include "finwait/tcp/endpoint.h"
#include "finwait/tcp/verdict.h"
#include "finwait/wire/encapsulation.h"
#include "finwait/wire/flow_key.h"

namespace finwait::tcp {

/// Frames and times of the three steps of the opening; a frame of 0: not seen.
struct Handshake {
  std::uint64_t syn_frame = 0;
  std::uint64_t syn_ack_frame = 0;
  std::uint64_t ack_frame = 0;
  base::Timestamp syn_time = 0;
  base::Timestamp syn_ack_time = 0;
  base::Timestamp ack_time = 0;
  std::uint32_t syn_retries = 0;  ///< SYNs beyond the first, copies aside
  std::uint32_t syn_ack_retries = 0;
  CompletedBy completed_by = CompletedBy::kNothing;
};

namespace trait {
inline constexpr std::uint32_t kFastOpen = 1U << 0;        ///< the SYN-ACK acknowledged data of the SYN
inline constexpr std::uint32_t kCandidate = 1U << 1;       ///< a SYN (or a SYN-ACK to one not seen) on a flow in use, not yet decided
inline constexpr std::uint32_t kFreshCandidate = 1U << 2;  ///< with a TSval newer than all its sender had said
inline constexpr std::uint32_t kChallenged = 1U << 3;      ///< candidate answered by a challenge ACK
inline constexpr std::uint32_t kSuperseded = 1U << 4;
inline constexpr std::uint32_t kUnreachable = 1U << 5;     ///< closed by an ICMP unreachable in SYN-SENT
inline constexpr std::uint32_t kHead = 1U << 8;            ///< the newest incarnation of its flow
inline constexpr std::uint32_t kReleased = 1U << 9;        ///< over, waiting to be written
inline constexpr std::uint32_t kHalfClose = 1U << 10;      ///< one FIN acknowledged, the other end open: being measured
inline constexpr std::uint32_t kFastOpenAsked = 1U << 12;  ///< a SYN carried data and a fast-open cookie
inline constexpr std::uint32_t kNoBareAck = 1U << 13;      ///< the handshake was completed by the first segment sent after the SYN
inline constexpr std::uint32_t kHalfCloseHigh = 1U << 14;  ///< the end still open is ends[1]
inline constexpr std::uint32_t kForgedReset = 1U << 11;    ///< a RST in the name of an end that went on
}  // namespace trait

/// Segments of a connection by which a copy is known, of both ends together. One that is further behind counts as sent again: a capture
/// that sees everything twice shows some copies that far behind, and so does a network that holds them up.
inline constexpr std::size_t kPrints = 16;

struct alignas(64) Connection {
  // The first three cache lines are what every segment touches.
  wire::FlowKey key;
  std::uint32_t traits = 0;
  std::uint32_t older = kNoBlock;       ///< the incarnation before, or the next candidate
  std::uint32_t candidates = kNoBlock;  ///< of the head: those not yet decided
  std::uint8_t originator = 0;          ///< index into ends
  RoleEvidence role_evidence = RoleEvidence::kFirstPacket;
  /// Wireshark's tcp.completeness as its first pass shows it at the last segment: that segment's own bits are not in it yet, nor are those
  /// of a first segment that is no SYN without ACK.
  std::uint8_t completeness = 0;
  std::uint8_t completeness_pending = 0;    ///< what the next segment will show
  base::Timestamp deadline = base::kNever;  ///< when it must be looked at next, on the trace clock

  base::Timestamp end = 0;         ///< greatest stamp so far
  base::Timestamp last_clock = 0;  ///< trace clock at its last frame
  std::uint64_t last_frame = 0;
  base::Timestamp armed = base::kNever;  ///< when the timer wheel will ask for it; never after `deadline`
  base::Version version;                 ///< for readers in other threads (TableReader); changed by Change alone
  std::uint64_t id = 0;                  ///< number of the frame that began it
  std::uint64_t hash = 0;
  std::array<std::uint32_t, kPrints> prints{};  ///< fingerprints of its last segments, to know copies by
  std::uint8_t next_print = 0;
  Replaced replaced = Replaced::kNothing;
  Release release = Release::kEndOfInput;
  std::array<std::uint8_t, 2> counted{};  ///< state + 1 under which each end is in TrackerCounts::ends; 0: in none

  std::array<Endpoint, 2> ends;

  base::Timestamp start = 0;  ///< stamp of the first frame
  Handshake handshake;
  base::Timestamp released_at = 0;    ///< trace clock of its release: its place in the order of output
  wire::Encapsulation encapsulation;  ///< of its first frame

  // The log of transitions and the findings, in blocks.
  std::uint32_t log_head = kNoBlock;
  std::uint32_t log_tail = kNoBlock;
  std::uint32_t log_entries = 0;
  std::uint64_t log_frame = 0;  ///< delta coding: proof frame and time of the last entry
  base::Timestamp log_time = 0;
  std::uint32_t anomalies_head = kNoBlock;
  std::uint64_t anomaly_kinds = 0;  ///< bit set of AnomalyKind

  // The close.
  base::Timestamp half_close_from = 0;  ///< when the first FIN was acknowledged
  std::uint64_t half_close_bytes = 0;   ///< of the other end since, its FIN included
  std::uint64_t half_close_packets = 0;
  std::uint32_t half_close_next = 0;  ///< the other end's SND.NXT so far
  std::uint32_t time_wait_restarts = 0;
  base::Timestamp time_wait_since = 0;  ///< trace clock of the last start or restart

  [[nodiscard]] bool is(std::uint32_t t) const noexcept { return (traits & t) != 0; }
  [[nodiscard]] const Endpoint& orig() const noexcept { return ends[originator]; }
  [[nodiscard]] const Endpoint& resp() const noexcept { return ends[1 - originator]; }
};
static_assert(std::is_trivially_copyable_v<Connection>);

}  // namespace finwait::tcp

// What the watch needs of one connection that is over: a plain value, made where the connection is, entered where all come in order.
//
// How it hangs together with several threads:
//   1. Whoever tracks connections calls write_life() for each BriefOutcome: it reads that connection and nothing else, so any thread may.
//   2. The record goes the way of the connection's other output: nothing in it points anywhere, copying it is all there is to do.
//   3. One place merges the records of all trackers by comes_before(): the order of release, which does not depend on who tracked what.
//   4. There HostWatch::observe() takes them one after the other; conclude() comes before the first with released == kNever. Each part of
//      its tables (HostPart) may have a thread of its own, which merges the same records in the same order.
//   5. So the watch gets the same records in the same order at any number of trackers, and its findings are the same.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>

#include "finwait/base/time.h"
#include "finwait/tcp/brief.h"
#include "finwait/tcp/path.h"
#include "finwait/tcp/state.h"
#include "finwait/tcp/verdict.h"
#include "finwait/wire/flow_key.h"

namespace finwait::hosts {

/// How an attempt that came to nothing, or to a connection without a byte, was made.
enum class Technique : std::uint8_t { kSyn, kConnect, kFin, kNull, kXmas, kOther };
inline constexpr int kTechniques = 6;

/// Whose initial sequence number an end's is.
enum class NumberOf : std::uint8_t { kNobody, kHost, kListener };

namespace life_flag {
inline constexpr std::uint8_t kTroubled = 1U << 0;        ///< has findings of its own
inline constexpr std::uint8_t kSynAckSeen = 1U << 1;      ///< syn_ack_time
inline constexpr std::uint8_t kSynAckRepeated = 1U << 2;  ///< by the listener
inline constexpr std::uint8_t kAckLost = 1U << 3;         ///< ack_lost_time: repeated although the handshake was complete
inline constexpr std::uint8_t kProbe = 1U << 4;           ///< technique
inline constexpr std::uint8_t kProbeAnswered = 1U << 5;   ///< by a SYN-ACK
inline constexpr std::uint8_t kReused = 1U << 6;          ///< its TIME-WAIT gave way to the next incarnation
}  // namespace life_flag

/// An end that entered `state` at `time`.
struct Step {
  base::Timestamp time;
  tcp::State state;
};

/// One connection that is over. No stamp in it is later than the trace clock was: what ran ahead of it was not believed.
///
/// The first kNumberBytes hold all that samples of initial sequence numbers are made of.
struct alignas(64) Life {
  static constexpr std::size_t kNumberBytes = 128;

  /// Of one end; ends[0] is the low end of the key.
  struct End {
    base::Timestamp syn_time;  ///< of its first SYN or SYN-ACK
    std::uint32_t iss;         ///< if number_of is not kNobody
    std::uint32_t snd_nxt;
    std::uint32_t retransmitted;
    std::uint8_t ttl;
    std::uint8_t options_signature;
    NumberOf number_of;
    tcp::State lingered;  ///< kCloseWait or kFinWait2: it stayed there unusually long; else kUnknown
  };

  wire::FlowKey key;
  std::uint64_t id;
  std::uint8_t originator;  ///< index into ends
  std::uint8_t flags;
  tcp::Opening opening;
  tcp::Ending ending;
  tcp::Replaced replaced;
  Technique technique;
  std::array<std::uint8_t, 2> steps;  ///< how many states each end was in, one after the other; what was refuted later never was
  base::Timestamp start;
  std::array<End, 2> ends;
  base::Timestamp end;
  base::Timestamp released;  ///< kNever: remembered to the end of input

  std::array<std::uint64_t, 2> segments;  ///< that each end sent, copies aside
  std::uint64_t payload;
  std::uint64_t missing;  ///< bytes that were acknowledged and never captured
  base::Timestamp syn_ack_time;
  base::Timestamp ack_lost_time;
  std::array<std::uint64_t, 2> step_states;                                     ///< as tcp::StateSteps has them
  std::array<std::array<base::Timestamp, tcp::Path::kMaxSteps>, 2> step_times;  ///< by the stamps: a later one may be less

  [[nodiscard]] bool is(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
  [[nodiscard]] tcp::State step_state(unsigned which, unsigned n) const noexcept {
    return tcp::StateSteps::state_of(step_states[which], n);
  }
  [[nodiscard]] Step step(unsigned which, unsigned n) const noexcept { return {step_times[which][n], step_state(which, n)}; }
  /// The first step of an end into `state`; steps[which] if it never was in it.
  [[nodiscard]] unsigned find_step(unsigned which, tcp::State state) const noexcept {
    constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101;
    const std::uint64_t differs = step_states[which] ^ kOnes * static_cast<std::uint8_t>(state);
    // The lowest bit of these is right: what borrows is above it.
    const std::uint64_t equal = (differs - kOnes) & ~differs & kOnes << 7;
    return std::min<unsigned>(static_cast<unsigned>(std::countr_zero(equal)) / 8, steps[which]);
  }
  /// When the end left its state of this step; kNever: not before the end of the capture.
  [[nodiscard]] base::Timestamp left(unsigned which, unsigned n) const noexcept {
    return std::max(step_times[which][n], n + 1U == steps[which] ? released : step_times[which][n + 1]);
  }
};
static_assert(sizeof(Life) == 320);
static_assert(offsetof(Life, segments) == Life::kNumberBytes);
static_assert(std::is_trivially_copyable_v<Life>);

/// How an attempt was made that began with a SYN. An operating system's own SYN brings options; raw SYNs of scanners bring none, or a
/// maximum segment size alone.
[[nodiscard]] inline Technique technique_of_syn(std::uint32_t known_of_originator) noexcept {
  return (known_of_originator & (tcp::known::kSackPermitted | tcp::known::kWindowScale)) != 0 ? Technique::kConnect : Technique::kSyn;
}

/// Reads nothing but the outcome. Any thread; no allocation.
void write_life(const tcp::BriefOutcome& outcome, Life& life) noexcept;
[[nodiscard]] Life life_of(const tcp::Outcome& outcome) noexcept;

/// The order of release: by time, then by id; what was remembered to the end of input comes last.
[[nodiscard]] inline bool comes_before(const Life& a, const Life& b) noexcept {
  return std::tie(a.released, a.id) < std::tie(b.released, b.id);
}

}  // namespace finwait::hosts

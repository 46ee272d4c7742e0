// What counts, and what is learnt of hosts, need of a connection that is over: a plain value, a sixth of the full record.
//
// Always true: it says the same of a connection, whichever kind of record the tracker kept of it. For ordinary lives it is made without the
// full record, the log of transitions and the detectors (src/tcp/compact_brief.h). No evidence is in it: whoever shows frames wants the
// Outcome.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <type_traits>

#include "finwait/base/time.h"
#include "finwait/tcp/anomaly.h"
#include "finwait/tcp/path.h"
#include "finwait/tcp/state.h"
#include "finwait/tcp/verdict.h"
#include "finwait/wire/flow_key.h"

namespace finwait::tcp {

/// The states each end was in, one after the other; what was refuted later never was. Not later than the trace clock was: a stamp that ran
/// ahead of it is not believed.
///
/// What is written is read at once, as words of the same size: a load that takes in several narrow stores would wait until all stores
/// before it, those to memory far away among them, are done.
struct StateSteps {
  struct End {
    std::array<base::Timestamp, Path::kMaxSteps> times;  ///< the first `count`: when it entered the state
    std::uint64_t states;                                ///< a byte each, the first in the lowest; those after `count` mean nothing
    std::uint64_t count;
  };
  std::array<End, 2> ends;

  void clear() noexcept {
    for (End& end : ends) end.states = end.count = 0;
  }
  /// Steps beyond the last place are not kept.
  void add(unsigned end, State to, base::Timestamp time) noexcept {
    End& x = ends[end];
    if (x.count == Path::kMaxSteps) return;
    x.times[x.count] = time;
    x.states = with_state(x.states, static_cast<unsigned>(x.count), to);
    ++x.count;
  }

  [[nodiscard]] static State state_of(std::uint64_t states, unsigned n) noexcept { return static_cast<State>(states >> 8 * n & 0xff); }
  [[nodiscard]] static constexpr std::uint64_t with_state(std::uint64_t states, unsigned n, State to) noexcept {
    return (states & ~(std::uint64_t{0xff} << 8 * n)) | std::uint64_t{static_cast<std::uint8_t>(to)} << 8 * n;
  }
};
static_assert(Path::kMaxSteps <= sizeof(std::uint64_t));

struct Brief {
  /// What the fields of the same names of Endpoint and Counters mean.
  struct End {
    std::uint64_t packets;
    std::uint64_t ip_bytes;
    std::uint64_t payload_bytes;
    std::uint64_t missing_bytes;
    base::Timestamp syn_time;  ///< of its first SYN or SYN-ACK
    std::uint32_t known;
    std::uint32_t iss;
    std::uint32_t snd_nxt;
    std::uint32_t retransmitted_segments;
    std::uint32_t duplicates;
    std::uint8_t ttl;
    std::uint8_t options_signature;
    bool lone_fin;  ///< all it sent are FINs without payload, and nothing that acknowledges what it had

    [[nodiscard]] bool knows(std::uint32_t bit) const noexcept { return (known & bit) != 0; }
  };

  wire::FlowKey key;
  std::uint64_t id;
  base::Timestamp start;
  base::Timestamp end;
  base::Timestamp last_clock;
  base::Timestamp released_at;
  base::Timestamp syn_time;  ///< of the handshake, if syn_seen
  base::Timestamp syn_ack_time;
  std::uint8_t originator;  ///< index into ends
  Opening opening;
  Ending ending;
  Replaced replaced;
  bool syn_seen;
  bool syn_ack_seen;
  bool syn_ack_repeated;
  bool time_wait_reused;  ///< its TIME-WAIT gave way to the next incarnation
  std::array<End, 2> ends;
  StateSteps steps;

  /// No stamp of a connection is believed to be later.
  [[nodiscard]] base::Timestamp latest_time() const noexcept {
    return released_at == base::kNever ? last_clock : std::max(last_clock, released_at);
  }
  [[nodiscard]] const End& orig() const noexcept { return ends[originator]; }
};
static_assert(std::is_trivially_copyable_v<Brief>);

/// A connection that is over, as it is given to whoever needs no more. Borrowed for the time of the call.
struct BriefOutcome {
  const Brief& brief;
  std::span<const Anomaly> anomalies;  ///< in order of time
  Turn turn = {};
};

/// Into a Brief, whatever stood there. Reads nothing but the outcome.
void write_brief(const Outcome& outcome, Brief& brief) noexcept;

}  // namespace finwait::tcp

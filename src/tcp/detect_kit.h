// What every detector is made of: a finding begun from the table of kinds, and a few questions asked often.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "blocks.h"
#include "finwait/tcp/anomaly.h"
#include "finwait/tcp/classify.h"
#include "finwait/tcp/tracker.h"
#include "finwait/tcp/verdict.h"
#include "journal.h"
#include "observation.h"

namespace finwait::tcp::detecting {

using Finding = std::optional<Anomaly>;
using K = AnomalyKind;
using Frames = std::array<std::uint64_t, Anomaly::kFrames>;
using Values = std::array<std::int64_t, 2>;

[[nodiscard]] inline Anomaly make(K kind, unsigned end, base::Timestamp time, const Frames& frames, const Values& values = {}) noexcept {
  const KindInfo& usual = info(kind);
  Anomaly a;
  a.kind = kind;
  a.severity = usual.severity;
  a.origins = usual.origins;
  a.end = static_cast<std::uint8_t>(end);
  a.time = time;
  a.frames = frames;
  a.values = values;
  return a;
}

[[nodiscard]] inline Anomaly seen(const Observation& o, K kind, unsigned end, const Frames& frames, const Values& values = {}) noexcept {
  return make(kind, end, o.segment.time, frames, values);
}

[[nodiscard]] inline Anomaly by_sender(const Observation& o, K kind, const Values& values = {}) noexcept {
  return seen(o, kind, o.side, {o.segment.frame}, values);
}

[[nodiscard]] inline bool synchronised(State s) noexcept {
  return s != State::kUnknown && s != State::kListen && s != State::kSynSent && s != State::kSynReceived && s != State::kClosed;
}

[[nodiscard]] inline bool is(const Endpoint& e, State s) noexcept { return e.state == s; }

[[nodiscard]] inline bool fresh_stray(const Observation& o) noexcept { return o.did(happened::kStray) && !o.copy; }

/// A whole connection, over or seen for the last time.
struct Life {
  const Connection& c;
  Verdict& verdict;
  const Timers& timers;
  base::Timestamp clock;  ///< how far the capture went
  const Blocks& blocks;
  bool dropped = false;  ///< the capture says that it lost frames while this connection lived

  [[nodiscard]] unsigned originator() const noexcept { return c.originator; }
  [[nodiscard]] unsigned responder() const noexcept { return 1U - c.originator; }
  /// Originator first: what is said must not depend on whose address is the lower one.
  [[nodiscard]] std::array<unsigned, 2> ends() const noexcept { return {originator(), responder()}; }
  [[nodiscard]] unsigned index_of(Who who) const noexcept { return who == Who::kResponder ? responder() : originator(); }
  [[nodiscard]] bool lossy() const noexcept { return dropped || c.ends[0].counters.missing_bytes + c.ends[1].counters.missing_bytes != 0; }
  /// Too soon to say that something is missing since `then`.
  [[nodiscard]] bool too_soon(base::Timestamp then) const noexcept { return base::elapsed(then, clock) <= patience(c); }
  void undecided(K kind) const noexcept { verdict.inconclusive.set(static_cast<std::size_t>(kind)); }
};

[[nodiscard]] inline base::Timestamp last_fin_of(const Endpoint& e) noexcept {
  return e.facts.has(Fact::kFin) ? e.facts[Fact::kFin].time : 0;
}

using OfSegment = Finding (*)(const Observation&);
using OfLife = Finding (*)(const Life&);

/// The detectors of each group that look at one segment, or at a whole life; called in this order.
[[nodiscard]] std::span<const OfSegment> stream_segment_detectors() noexcept;
[[nodiscard]] std::span<const OfLife> stream_life_detectors() noexcept;

/// Into the journal; what was found before of the same kind is added up.
void tell(Connection& c, std::uint32_t index, Anomaly anomaly, Journal& journal) noexcept;

}  // namespace finwait::tcp::detecting

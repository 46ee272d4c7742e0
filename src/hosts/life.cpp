// From a connection to the record of it.
#include "finwait/hosts/life.h"

#include <algorithm>

#include "finwait/tcp/connection.h"
#include "finwait/wire/segment.h"

namespace finwait::hosts {
namespace {

using tcp::AnomalyKind;
using tcp::Connection;
using tcp::Opening;
using tcp::Outcome;
namespace known = tcp::known;
namespace flag = wire::tcp_flag;

const tcp::Anomaly* find(const Outcome& outcome, AnomalyKind kind) noexcept {
  const auto at =
      std::find_if(outcome.anomalies.begin(), outcome.anomalies.end(), [kind](const tcp::Anomaly& a) { return a.kind == kind; });
  return at == outcome.anomalies.end() ? nullptr : &*at;
}

base::Timestamp latest_time(const Connection& c) noexcept {
  return c.released_at == base::kNever ? c.last_clock : std::max(c.last_clock, c.released_at);
}

/// An operating system's own SYN brings options; raw SYNs of scanners bring none, or a maximum segment size alone.
Technique technique_of_syn(const tcp::Endpoint& originator) noexcept {
  const bool rich = originator.knows(known::kSackPermitted) || originator.knows(known::kWindowScale);
  return rich ? Technique::kConnect : Technique::kSyn;
}

/// A segment that opens nothing, sent to see what comes back; kSyn if it is none.
Technique technique_without_syn(const Outcome& outcome) noexcept {
  const tcp::Endpoint& x = outcome.connection.orig();
  if (const tcp::Anomaly* illegal = find(outcome, AnomalyKind::kSynFlagsIllegal)) {
    const auto flags = static_cast<std::uint16_t>(illegal->values[0]);
    if ((flags & (flag::kSyn | flag::kRst | flag::kAck | flag::kFin)) == 0) return Technique::kNull;
    if ((flags & (flag::kSyn | flag::kRst | flag::kAck)) == 0 && (flags & flag::kPsh) != 0) return Technique::kXmas;
    return flags == flag::kFin ? Technique::kFin : Technique::kOther;
  }
  const bool lone_fin = x.counters.fin != 0 && x.counters.fin == x.counters.packets && x.counters.payload_bytes == 0;
  return lone_fin && !x.facts.has(tcp::Fact::kSpoke) ? Technique::kFin : Technique::kSyn;
}

/// An attempt that came to nothing, or to a connection without a byte, may be one of many.
void note_probe(const Outcome& outcome, Life& life) noexcept {
  const tcp::Endpoint& x = outcome.connection.orig();
  bool answered = false;
  switch (life.opening) {
    case Opening::kRefused:
    case Opening::kUnanswered:
    case Opening::kUnreachable:
    case Opening::kHalfOpen:
    case Opening::kAborted:
      life.technique = x.knows(known::kPlainSyn) ? technique_of_syn(x) : technique_without_syn(outcome);
      answered = life.opening == Opening::kAborted || life.opening == Opening::kHalfOpen;
      break;
    case Opening::kThreeWay:
      if (life.payload != 0 || life.ending == tcp::Ending::kOpen) return;
      life.technique = technique_of_syn(x);
      answered = true;
      break;
    default:
      life.technique = technique_without_syn(outcome);
      if (life.technique == Technique::kSyn) return;
      break;
  }
  life.flags |= life_flag::kProbe;
  if (answered) life.flags |= life_flag::kProbeAnswered;
}

void note_end(const tcp::Endpoint& x, base::Timestamp latest, Life::End& end) noexcept {
  const tcp::Counters& sent = x.counters;
  end.syn_time = std::min(x.syns.first.time, latest);
  end.segments = sent.packets - std::min<std::uint64_t>(sent.duplicates, sent.packets);
  end.retransmitted = sent.retransmitted_segments;
  end.iss = x.iss;
  end.snd_nxt = x.snd_nxt;
  end.ttl = x.ttl;
  end.options_signature = x.options_signature;
  end.lingered = tcp::State::kUnknown;
  end.number_of = NumberOf::kNobody;
  if (!x.knows(known::kIss)) return;
  // The first SYN or SYN-ACK of an end, whatever is repeated.
  if (x.knows(known::kPlainSyn)) {
    end.number_of = NumberOf::kHost;
  } else if (x.knows(known::kSynAck)) {
    end.number_of = NumberOf::kListener;
  }
}

void note_steps(const Outcome& outcome, base::Timestamp latest, Life& life) noexcept {
  std::array<unsigned, 2> steps{};
  for (const tcp::Transition& t : outcome.transitions) {
    unsigned& n = steps[t.end];
    if (t.evidence == tcp::Proof::kRefuted) {
      if (n != 0) --n;
    } else if (n != tcp::Path::kMaxSteps) {
      life.step_times[t.end][n] = std::min(t.time, latest);
      life.step_states[t.end][n] = t.to;
      ++n;
    }
  }
  life.steps = {static_cast<std::uint8_t>(steps[0]), static_cast<std::uint8_t>(steps[1])};
}

/// Where one end lingers in CLOSE-WAIT, the other does in FIN-WAIT-2: no fault of its own, but its connections all the same.
void note_findings(const Outcome& outcome, Life& life) noexcept {
  life.flags |= life_flag::kTroubled;
  if (const tcp::Anomaly* lost = find(outcome, AnomalyKind::kHandshakeAckLost)) {
    life.flags |= life_flag::kAckLost;
    life.ack_lost_time = lost->time;
  }
  if (const tcp::Anomaly* waiting = find(outcome, AnomalyKind::kCloseWaitLingering)) {
    life.ends[waiting->end].lingered = tcp::State::kCloseWait;
    life.ends[1U - waiting->end].lingered = tcp::State::kFinWait2;
  } else if (const tcp::Anomaly* waited_for = find(outcome, AnomalyKind::kFinWait2Lingering)) {
    life.ends[waited_for->end].lingered = tcp::State::kFinWait2;
  }
}

}  // namespace

void write_life(const Outcome& outcome, Life& life) noexcept {
  const Connection& c = outcome.connection;
  const base::Timestamp latest = latest_time(c);
  life.key = c.key;
  life.id = c.id;
  life.start = std::min(c.start, latest);
  life.end = std::min(c.end, latest);
  life.released = c.released_at;
  life.payload = c.ends[0].counters.payload_bytes + c.ends[1].counters.payload_bytes;
  life.missing = c.ends[0].counters.missing_bytes + c.ends[1].counters.missing_bytes;
  life.syn_ack_time = std::min(c.handshake.syn_ack_time, latest);
  life.ack_lost_time = 0;
  life.originator = c.originator;
  life.flags = 0;
  life.opening = outcome.verdict.opening;
  life.ending = outcome.verdict.ending;
  life.replaced = c.replaced;
  life.technique = Technique::kOther;
  if (c.handshake.syn_ack_frame != 0) life.flags |= life_flag::kSynAckSeen;
  if (c.handshake.syn_ack_retries != 0) life.flags |= life_flag::kSynAckRepeated;
  const auto& wait = outcome.verdict.time_wait;
  if (wait && wait->ended == tcp::TimeWaitEnd::kReused) life.flags |= life_flag::kReused;
  for (unsigned end = 0; end != 2; ++end) note_end(c.ends[end], latest, life.ends[end]);
  note_steps(outcome, latest, life);
  if (!outcome.anomalies.empty()) note_findings(outcome, life);
  note_probe(outcome, life);
}

}  // namespace finwait::hosts

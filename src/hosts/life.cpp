// From a connection to the record of it.
#include "finwait/hosts/life.h"

#include <algorithm>

#include "finwait/base/apart.h"
#include "finwait/tcp/brief.h"
#include "finwait/tcp/connection.h"
#include "finwait/wire/segment.h"

namespace finwait::hosts {
namespace {

using tcp::AnomalyKind;
using tcp::Brief;
using tcp::Opening;
using Outcome = tcp::BriefOutcome;
namespace known = tcp::known;
namespace flag = wire::tcp_flag;

const tcp::Anomaly* find(const Outcome& outcome, AnomalyKind kind) noexcept {
  const auto at =
      std::find_if(outcome.anomalies.begin(), outcome.anomalies.end(), [kind](const tcp::Anomaly& a) { return a.kind == kind; });
  return at == outcome.anomalies.end() ? nullptr : &*at;
}

/// A segment that opens nothing, sent to see what comes back; kSyn if it is none.
Technique technique_without_syn(const Outcome& outcome) noexcept {
  if (const tcp::Anomaly* illegal = find(outcome, AnomalyKind::kSynFlagsIllegal)) {
    const auto flags = static_cast<std::uint16_t>(illegal->values[0]);
    if ((flags & (flag::kSyn | flag::kRst | flag::kAck | flag::kFin)) == 0) return Technique::kNull;
    if ((flags & (flag::kSyn | flag::kRst | flag::kAck)) == 0 && (flags & flag::kPsh) != 0) return Technique::kXmas;
    return flags == flag::kFin ? Technique::kFin : Technique::kOther;
  }
  return outcome.brief.orig().lone_fin ? Technique::kFin : Technique::kSyn;
}

/// An attempt that came to nothing, or to a connection without a byte, may be one of many.
void note_probe(const Outcome& outcome, Life& life) noexcept {
  const Brief::End& x = outcome.brief.orig();
  bool answered = false;
  switch (life.opening) {
    case Opening::kRefused:
    case Opening::kUnanswered:
    case Opening::kUnreachable:
    case Opening::kHalfOpen:
    case Opening::kAborted:
      life.technique = x.knows(known::kPlainSyn) ? technique_of_syn(x.known) : technique_without_syn(outcome);
      answered = life.opening == Opening::kAborted || life.opening == Opening::kHalfOpen;
      break;
    case Opening::kThreeWay:
      if (life.payload != 0 || life.ending == tcp::Ending::kOpen) return;
      life.technique = technique_of_syn(x.known);
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

void note_end(const Brief::End& x, base::Timestamp latest, Life::End& end) noexcept {
  end.syn_time = std::min(x.syn_time, latest);
  end.retransmitted = x.retransmitted_segments;
  end.iss = base::apart(x.iss);
  end.snd_nxt = base::apart(x.snd_nxt);
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

/// All places, used or not: how many are is not to be foretold, and costs more than the copy.
void note_steps(const tcp::StateSteps& steps, Life& life) noexcept {
  for (unsigned which = 0; which != 2; ++which) {
    const tcp::StateSteps::End& end = steps.ends[which];
    life.steps[which] = static_cast<std::uint8_t>(end.count);
    life.step_states[which] = end.states;
    for (std::size_t n = 0; n != end.times.size(); ++n) life.step_times[which][n] = base::apart(end.times[n]);
  }
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
  const Brief& c = outcome.brief;
  const base::Timestamp latest = c.latest_time();
  life.key = c.key;
  life.id = c.id;
  life.start = std::min(c.start, latest);
  life.end = std::min(c.end, latest);
  life.released = c.released_at;
  life.payload = c.ends[0].payload_bytes + c.ends[1].payload_bytes;
  life.missing = c.ends[0].missing_bytes + c.ends[1].missing_bytes;
  life.syn_ack_time = std::min(c.syn_ack_time, latest);
  life.ack_lost_time = 0;
  life.originator = c.originator;
  life.flags = 0;
  life.opening = c.opening;
  life.ending = c.ending;
  life.replaced = c.replaced;
  life.technique = Technique::kOther;
  if (c.syn_ack_seen) life.flags |= life_flag::kSynAckSeen;
  if (c.syn_ack_repeated) life.flags |= life_flag::kSynAckRepeated;
  if (c.time_wait_reused) life.flags |= life_flag::kReused;
  for (unsigned end = 0; end != 2; ++end) {
    const Brief::End& x = c.ends[end];
    life.segments[end] = x.packets - std::min<std::uint64_t>(x.duplicates, x.packets);
    note_end(x, latest, life.ends[end]);
  }
  note_steps(c.steps, life);
  if (!outcome.anomalies.empty()) note_findings(outcome, life);
  note_probe(outcome, life);
}

Life life_of(const tcp::Outcome& outcome) noexcept {
  Brief brief{};
  tcp::write_brief(outcome, brief);
  Life life;
  write_life({brief, outcome.anomalies}, life);
  return life;
}

}  // namespace finwait::hosts

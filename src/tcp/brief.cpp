// From the full record to what counts and hosts need of it.
#include "finwait/tcp/brief.h"

#include <algorithm>

#include "finwait/tcp/connection.h"
#include "notes.h"

namespace finwait::tcp {
namespace {

void write_end(const Endpoint& x, Brief::End& end) noexcept {
  const Counters& n = x.counters;
  end.packets = n.packets;
  end.ip_bytes = n.ip_bytes;
  end.payload_bytes = n.payload_bytes;
  end.missing_bytes = n.missing_bytes;
  end.syn_time = x.syns.first.time;
  end.known = x.known;
  end.iss = x.iss;
  end.snd_nxt = x.snd_nxt;
  end.retransmitted_segments = n.retransmitted_segments;
  end.duplicates = n.duplicates;
  end.ttl = x.ttl;
  end.options_signature = x.options_signature;
  end.lone_fin = n.fin != 0 && n.fin == n.packets && n.payload_bytes == 0 && !x.facts.has(Fact::kSpoke);
}

void write_steps(std::span<const Transition> transitions, base::Timestamp latest, StateSteps& steps) noexcept {
  steps.clear();
  for (const Transition& t : transitions) {
    if (t.evidence != Proof::kRefuted) {
      steps.add(t.end, t.to, std::min(t.time, latest));
    } else if (steps.ends[t.end].count != 0) {
      --steps.ends[t.end].count;
    }
  }
}

}  // namespace

void write_brief(const Outcome& outcome, Brief& brief) noexcept {
  const Connection& c = outcome.connection;
  const Handshake& h = c.handshake;
  write_place(c, brief);
  brief.syn_time = h.syn_time;
  brief.syn_ack_time = h.syn_ack_time;
  brief.opening = outcome.verdict.opening;
  brief.ending = outcome.verdict.ending;
  brief.replaced = c.replaced;
  brief.syn_seen = h.syn_frame != 0;
  brief.syn_ack_seen = h.syn_ack_frame != 0;
  brief.syn_ack_repeated = h.syn_ack_retries != 0;
  const auto& wait = outcome.verdict.time_wait;
  brief.time_wait_reused = wait && wait->ended == TimeWaitEnd::kReused;
  for (unsigned end = 0; end != 2; ++end) write_end(c.ends[end], brief.ends[end]);
  write_steps(outcome.transitions, brief.latest_time(), brief.steps);
}

}  // namespace finwait::tcp

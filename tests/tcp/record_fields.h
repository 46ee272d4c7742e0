// Two records of one connection held against each other, field by field.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../../src/tcp/machine.h"

namespace finwait::tcp {

/// A connection in a machine of its own.
struct Way {
  Blocks blocks{256};
  Journal journal{blocks, false};
  ZeekViews zeek{1};
  Timers timers;
  Machine machine{blocks, journal, zeek, timers};
  Connection c;

  Way() { zeek.begin(0); }
};

/// All that stands in a record but its padding.
struct Fields {
  explicit Fields(const Connection& c) {
    put(c.traits, c.originator, c.role_evidence, c.completeness, c.completeness_pending, c.deadline, c.end, c.last_clock, c.last_frame,
        c.log_entries, c.log_frame, c.log_time, c.anomaly_kinds, c.time_wait_since, c.time_wait_restarts, c.half_close_from,
        c.half_close_bytes, c.half_close_packets, c.half_close_next, c.handshake.syn_frame, c.handshake.syn_ack_frame,
        c.handshake.ack_frame, c.handshake.syn_time, c.handshake.syn_ack_time, c.handshake.ack_time, c.handshake.syn_retries,
        c.handshake.syn_ack_retries, c.handshake.completed_by, c.id, c.start, c.hash, c.next_print);
    for (const std::uint32_t print : c.prints) put(print);
    for (const Endpoint& e : c.ends) put_end(e);
  }
  bool operator==(const Fields&) const = default;

 private:
  template <class... T>
  void put(T... values) {
    (all.push_back(static_cast<std::uint64_t>(values)), ...);
  }
  void put_end(const Endpoint& e) {
    put(e.known, e.snd_nxt, e.rcv_nxt, e.max_window, e.iss, e.right_edge, e.timed_end, e.timed_at, e.stream_block == kNoBlock,
        e.largest_acked, e.state, e.window_scale, e.ttl, e.in_flight_count, e.clock_base_val, e.clock_base_time, e.spoke_at, e.least_rtt,
        e.newest_ts_val, e.newest_ip_id, e.clock_first_val, e.clock_first_time, e.fin_seq, e.hole, e.syn_acked_ts_val, e.mss, e.syn_ip_id,
        e.growth_count, e.options_signature, e.not_covering_at, e.syns.count, e.fins.count, e.gap.frame, e.own_reset.frame);
    const Counters& n = e.counters;
    put(n.packets, n.ip_bytes, n.payload_bytes, n.retransmitted_bytes, n.missing_bytes, n.retransmitted_segments, n.out_of_order,
        n.duplicates, n.zero_windows, n.keepalives, n.syn, n.syn_ack, n.fin, n.rst, n.bad_checksums);
    for (const AckGrowth& growth : e.growth) put(growth.frame, growth.time, growth.ack, growth.ts_val);
    put(e.facts.present(), e.facts.changes());
    for (unsigned number = 0; number != 11; ++number) {
      const auto fact = static_cast<Fact>(number);
      if (e.facts.has(fact)) put(e.facts[fact].cause, e.facts[fact].proof, e.facts[fact].time, e.facts.proof(fact));
    }
    for (const Sightings& list : {e.syns, e.fins}) {
      if (list.count == 0) continue;
      const Sighting& first = list.first;
      put(first.frame, first.time, first.ts_val, first.has_ts, first.copy, first.dead, first.with_ack);
    }
  }

  std::vector<std::uint64_t> all;
};

inline bool same(const Connection& a, const Connection& b) { return Fields(a) == Fields(b); }

inline bool same_in_flight(const Way& a, const Way& b, unsigned end) {
  std::vector<Sent> x;
  std::vector<Sent> y;
  a.blocks.for_each_sent(a.c.ends[end], [&](const Sent& sent) { x.push_back(sent); });
  b.blocks.for_each_sent(b.c.ends[end], [&](const Sent& sent) { y.push_back(sent); });
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const Sent& p, const Sent& q) {
    return p.frame == q.frame && p.time == q.time && p.seq == q.seq && p.end == q.end && p.ack == q.ack && p.ts_val == q.ts_val;
  });
}

}  // namespace finwait::tcp

#include "finwait/report/json_record.h"

#include <algorithm>
#include <array>

#include "finwait/report/community_id.h"
#include "finwait/report/trust.h"
#include "finwait/report/uid.h"
#include "finwait/report/words.h"
#include "finwait/tcp/anomaly_text.h"
#include "json_host.h"

namespace finwait::report {
namespace {

std::string_view end_name(const tcp::Connection& connection, unsigned end) noexcept {
  return end == connection.originator ? "originator" : "responder";
}

void put_encapsulation(JsonWriter& json, const wire::Encapsulation& encapsulation) {
  if (encapsulation.vlans() != 0) {
    json.begin_list<"vlan">();
    for (int n = 0; n < encapsulation.vlans(); ++n) json.item(encapsulation.vlan(n));
    json.end_list();
  }
  if (encapsulation.tunnels() != 0) {
    json.begin_list<"tunnel">();
    for (int n = 0; n < encapsulation.tunnels(); ++n) json.item_word(wire::tunnel_name(encapsulation.tunnel(n)));
    json.end_list();
  }
}

/// What stood in its SYN or SYN-ACK.
void put_options(JsonWriter& json, const tcp::Endpoint& end) {
  if (end.knows(tcp::known::kMss)) json.number<"mss">(end.mss);
  if (end.knows(tcp::known::kWindowScale)) json.number<"window_scale">(end.window_scale);
  if (end.knows(tcp::known::kOptionsSeen)) {
    json.boolean<"sack_permitted">(end.knows(tcp::known::kSackPermitted));
    json.boolean<"timestamps">(end.knows(tcp::known::kTimestampsOffered));
  }
}

void put_counters(JsonWriter& json, const tcp::Counters& counters) {
  json.number<"packets">(counters.packets);
  json.number<"ip_bytes">(counters.ip_bytes);
  json.number<"payload_bytes">(counters.payload_bytes);
  json.number<"syn">(counters.syn);
  json.number<"syn_ack">(counters.syn_ack);
  json.number<"fin">(counters.fin);
  json.number<"rst">(counters.rst);
  json.number<"retransmitted_segments">(counters.retransmitted_segments);
  json.number<"retransmitted_bytes">(counters.retransmitted_bytes);
  json.number<"out_of_order">(counters.out_of_order);
  json.number<"duplicates">(counters.duplicates);
  json.number<"zero_windows">(counters.zero_windows);
  json.number<"keepalives">(counters.keepalives);
  json.number<"missing_bytes">(counters.missing_bytes);
}

/// The fields between the braces of "originator" or "responder".
void put_end(JsonWriter& json, const tcp::Connection& connection, unsigned which) {
  const tcp::Endpoint& end = connection.ends[which];
  const wire::FlowKey& key = connection.key;
  json.address<"ip">(which == 0 ? key.low : key.high, key.ip_version());
  json.number<"port">(which == 0 ? key.low_port : key.high_port);
  json.word<"state">(tcp::name(end.state));
  if (end.knows(tcp::known::kIss)) json.number<"isn">(end.iss);
  put_options(json, end);
  if (end.knows(tcp::known::kTtl)) json.number<"ttl">(end.ttl);
  put_counters(json, end.counters);
}

void put_handshake(JsonWriter& json, const tcp::Handshake& h) {
  if (h.syn_frame == 0 && h.syn_ack_frame == 0 && h.ack_frame == 0) return;
  json.begin<"handshake">();
  if (h.syn_frame != 0) json.number<"syn_frame">(h.syn_frame);
  if (h.syn_ack_frame != 0) json.number<"syn_ack_frame">(h.syn_ack_frame);
  if (h.ack_frame != 0) json.number<"ack_frame">(h.ack_frame);
  if (h.syn_frame != 0 && h.syn_ack_frame != 0) json.seconds<"syn_to_syn_ack">(base::elapsed(h.syn_time, h.syn_ack_time));
  if (h.syn_ack_frame != 0 && h.ack_frame != 0) json.seconds<"syn_ack_to_ack">(base::elapsed(h.syn_ack_time, h.ack_time));
  if (h.syn_frame != 0) json.number<"syn_retries">(h.syn_retries);
  if (h.syn_ack_frame != 0) json.number<"syn_ack_retries">(h.syn_ack_retries);
  json.end();
}

/// The fields of a transition, without braces.
void put_transition(JsonWriter& json, const tcp::Transition& t, const tcp::Connection& connection) {
  json.word<"end">(end_name(connection, t.end));
  json.word<"from">(tcp::name(t.from));
  json.word<"to">(tcp::name(t.to));
  if (t.cause_frame != 0) json.number<"cause_frame">(t.cause_frame);
  if (t.proof_frame != 0) json.number<"proof_frame">(t.proof_frame);
  json.time<"time">(t.time);
  json.word<"evidence">(name(t.evidence));
}

/// The fields of a finding, without braces.
void put_anomaly(JsonWriter& json, const tcp::Anomaly& anomaly, const tcp::Connection& connection) {
  const tcp::KindInfo& kind = tcp::info(anomaly.kind);
  json.word<"kind">(kind.name);
  json.word<"severity">(tcp::name(anomaly.severity));
  json.begin_list<"origin">();
  for (unsigned bit = 1; bit <= tcp::origin::kAttacker; bit <<= 1) {
    if ((anomaly.origins & bit) != 0) json.item_word(origin_name(static_cast<std::uint8_t>(bit)));
  }
  json.end_list();
  json.begin_list<"frames">();
  for (const std::uint64_t frame : anomaly.frames) {
    if (frame != 0) json.item(frame);
  }
  json.end_list();
  json.time<"time">(anomaly.time);
  std::array<char, tcp::kAnomalyTextRoom> room;
  json.word<"text">(tcp::anomaly_text(anomaly, connection, room));
  if (!kind.rfc.empty()) json.word<"rfc">(kind.rfc);
}

void put_close(JsonWriter& json, const tcp::Verdict& verdict) {
  if (const auto& half = verdict.half_close) {
    json.begin<"half_close">();
    json.word<"by">(tcp::name(half->by));
    json.time<"from">(half->from);
    json.time<"to">(half->to);
    json.seconds<"duration">(base::elapsed(half->from, half->to));
    json.number<"bytes">(half->bytes);
    json.number<"packets">(half->packets);
    json.end();
  }
  if (const auto& wait = verdict.time_wait) {
    json.begin<"time_wait">();
    json.word<"owner">(tcp::name(wait->owner));
    json.time<"from">(wait->from);
    json.number<"restarts">(wait->restarts);
    json.time<"until">(wait->until);
    json.word<"ended">(tcp::name(wait->ended));
    json.end();
  }
}

/// Capital letters are those of the end that Zeek takes for the originator.
void put_zeek(JsonWriter& json, const tcp::ZeekView& zeek) {
  json.word<"conn_state">(zeek.conn_state());
  const tcp::ZeekHistory history = zeek.history();
  if (!history.view().empty()) json.word<"history">(history.view());
  json.number<"missed_bytes">(zeek.missed_bytes());
}

void put_verdict(JsonWriter& json, const tcp::Verdict& verdict) {
  json.word<"role_evidence">(tcp::name(verdict.role_evidence));
  json.word<"opening">(tcp::name(verdict.opening));
  if (verdict.completed_by != tcp::CompletedBy::kNothing) json.word<"completed_by">(tcp::name(verdict.completed_by));
  json.word<"ending">(tcp::name(verdict.ending));
  if (verdict.first_fin == tcp::Who::kBoth) {
    json.word<"first_fin">("simultaneous");
  } else if (verdict.first_fin != tcp::Who::kNobody) {
    json.word<"first_fin">(tcp::name(verdict.first_fin));
  }
  if (verdict.reset_by != tcp::Who::kNobody) json.word<"reset_by">(tcp::name(verdict.reset_by));
  if (verdict.replaced != tcp::Replaced::kNothing) json.word<"replaced">(tcp::name(verdict.replaced));
}

void put_lists(JsonWriter& json, const tcp::Outcome& outcome) {
  json.begin_list<"transitions">();
  for (const tcp::Transition& t : outcome.transitions) {
    json.begin();
    put_transition(json, t, outcome.connection);
    json.end();
  }
  json.end_list();
  put_close(json, outcome.verdict);
  if (outcome.verdict.inconclusive.any()) {
    json.begin_list<"inconclusive">();
    for (const tcp::KindInfo& kind : tcp::anomaly_kinds()) {
      if (outcome.verdict.inconclusive[static_cast<std::size_t>(kind.kind)]) json.item_word(kind.name);
    }
    json.end_list();
  }
  json.begin_list<"anomalies">();
  for (const tcp::Anomaly& anomaly : outcome.anomalies) {
    json.begin();
    put_anomaly(json, anomaly, outcome.connection);
    json.end();
  }
  json.end_list();
}

void put_frames(JsonWriter& json, const FrameCounts& frames) {
  json.begin<"frames">();
  json.number<"read">(frames.read);
  for (int fate = 0; fate < wire::kFates; ++fate) {
    json.number(wire::fate_name(static_cast<wire::Fate>(fate)), frames.fates[static_cast<std::size_t>(fate)]);
  }
  if (frames.received != 0) {  // live: also when there is nothing to complain of
    json.number<"received">(frames.received);
    json.number<"dropped_by_kernel">(frames.dropped_by_kernel);
    json.number<"dropped_by_interface">(frames.dropped_by_interface);
    json.number<"freezes">(frames.freezes);
    json.end();
    return;
  }
  if (frames.dropped_by_kernel != 0) json.number<"dropped_by_kernel">(frames.dropped_by_kernel);
  if (frames.dropped_by_interface != 0) json.number<"dropped_by_interface">(frames.dropped_by_interface);
  json.end();
}

void put_counts(JsonWriter& json, const ConnectionCounts& counts, const tcp::TrackerCounts& tracker) {
  json.number<"connections">(counts.connections);
  json.begin<"openings">();
  for (int n = 0; n < tcp::kOpenings; ++n)
    json.number(tcp::name(static_cast<tcp::Opening>(n)), counts.openings[static_cast<std::size_t>(n)]);
  json.end();
  json.begin<"endings">();
  for (int n = 0; n < tcp::kEndings; ++n) json.number(tcp::name(static_cast<tcp::Ending>(n)), counts.endings[static_cast<std::size_t>(n)]);
  json.end();
  json.begin<"anomalies">();
  for (const tcp::KindInfo& kind : tcp::anomaly_kinds()) {
    const std::uint64_t affected = counts.affected[static_cast<std::size_t>(kind.kind)];
    if (affected != 0) json.number(kind.name, affected);
  }
  json.end();
  json.begin<"evicted">();
  for (int n = 0; n < tcp::kStates; ++n) {
    const std::uint64_t evicted = tracker.evicted[static_cast<std::size_t>(n)];
    if (evicted != 0) json.number(tcp::name(static_cast<tcp::State>(n)), evicted);
  }
  json.end();
}

/// The pairs of endpoints of each kind that it touches most.
void put_anomaly_pairs(JsonWriter& json, const AnomalyPairs& all) {
  json.begin_list<"anomaly_pairs">();
  for (const AnomalyGroup& group : all.groups) {
    json.begin();
    json.word<"kind">(tcp::info(group.kind).name);
    json.word<"severity">(tcp::name(group.severity));
    json.address<"originator">(group.pair.from, group.pair.ip_version);
    json.address<"responder">(group.pair.to, group.pair.ip_version);
    json.number<"port">(group.pair.port);
    json.number<"connections">(group.connections);
    json.number<"occurrences">(group.occurrences);
    json.begin_list<"examples">();
    for (const Example& example : group.examples) {
      if (example.connection == 0) continue;
      json.begin();
      json.number<"id">(example.connection);
      json.number<"frame">(example.frame);
      json.end();
    }
    json.end_list();
    json.end();
  }
  json.end_list();
}

void put_capture(JsonWriter& json, const Totals& totals) {
  const CaptureFacts& capture = totals.capture;
  json.begin<"capture">();
  json.begin_list<"files">();
  for (const InputFile& file : capture.files) {
    json.begin();
    json.string<"name">(file.name);
    if (file.first_frame != 0) json.number<"first_frame">(file.first_frame);
    json.end();
  }
  json.end_list();
  if (!capture.interfaces.empty()) {
    json.begin_list<"interfaces">();
    for (const std::string& name : capture.interfaces) json.item_string(name);
    json.end_list();
  }
  json.begin_list<"link_types">();
  for (const std::string& type : capture.link_types) json.item_string(type);
  json.end_list();
  if (totals.frames.read != 0) {
    json.time<"first_time">(capture.first);
    json.time<"last_time">(capture.last);
  }
  json.number<"time_went_back">(capture.time_went_back);
  json.real<"loss_estimate">(totals.loss_estimate(), 6);
  json.real<"packet_loss_estimate">(totals.packet_loss_estimate(), 6);
  json.number<"duplicates">(totals.counts.duplicates);
  json.number<"one_direction">(totals.counts.one_direction);
  if (const std::vector<Doubt> found = doubts(totals); !found.empty()) {
    json.begin_list<"doubts">();
    for (const Doubt& doubt : found) json.item_word(doubt.name);
    json.end_list();
  }
  if (!capture.damage.empty()) {
    json.begin_list<"damage">();
    for (const std::string& line : capture.damage) json.item_string(line);
    json.end_list();
  }
  json.end();
}

void put_performance(JsonWriter& json, const Totals& totals) {
  const Performance& p = totals.performance;
  const auto packets = static_cast<double>(totals.frames.read);
  json.begin<"performance">();
  json.real<"seconds">(p.seconds, 6);
  json.real<"packets_per_second">(p.seconds > 0.0 ? packets / p.seconds : 0.0, 0);
  json.real<"ns_per_packet">(packets > 0.0 ? p.seconds * 1e9 / packets : 0.0, 1);
  json.number<"threads">(p.threads);
  json.number<"peak_memory">(p.peak_memory);
  json.end();
}

}  // namespace

void put_connection(Text& text, const tcp::Outcome& outcome) {
  const tcp::Connection& connection = outcome.connection;
  JsonWriter json(text);
  json.begin();
  json.word<"type">("connection");
  json.number<"id">(connection.id);
  json.word<"uid">(view(uid_of(connection)));
  json.word<"community_id">(view(community_id(connection.key)));
  json.time<"start">(connection.start);
  json.time<"end">(connection.end);
  json.seconds<"duration">(base::elapsed(connection.start, connection.end));
  json.number<"first_frame">(connection.id);
  json.number<"last_frame">(connection.last_frame);
  json.number<"ip_version">(connection.key.ip_version());
  put_encapsulation(json, connection.encapsulation);
  json.begin<"originator">();
  put_end(json, connection, connection.originator);
  json.end();
  json.begin<"responder">();
  put_end(json, connection, 1U - connection.originator);
  json.end();
  put_verdict(json, outcome.verdict);
  put_handshake(json, connection.handshake);
  put_lists(json, outcome);
  if (outcome.zeek != nullptr) put_zeek(json, *outcome.zeek);
  json.number<"completeness">(outcome.verdict.completeness);
  json.end_line();
}

void put_event(Text& text, const tcp::Event& event, const tcp::Connection& connection) {
  JsonWriter json(text);
  json.begin();
  json.word<"type">(event.kind == tcp::Event::Kind::kTransition ? "transition" : "anomaly");
  json.number<"id">(connection.id);
  json.word<"uid">(view(uid_of(connection)));
  if (event.kind == tcp::Event::Kind::kTransition) {
    put_transition(json, event.transition, connection);
  } else {
    put_anomaly(json, event.anomaly, connection);
  }
  json.end_line();
}

void put_summary(Text& text, const Totals& totals) {
  JsonWriter json(text);
  json.begin();
  json.word<"type">("summary");
  put_frames(json, totals.frames);
  put_counts(json, totals.counts, totals.tracker);
  put_anomaly_pairs(json, totals.anomaly_pairs);
  put_populations(json, totals.populations);
  put_capture(json, totals);
  put_performance(json, totals);
  json.end_line();
}

}  // namespace finwait::report

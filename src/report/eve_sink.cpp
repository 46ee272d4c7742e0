#include "finwait/report/eve_sink.h"

#include "finwait/report/community_id.h"
#include "finwait/report/format.h"
#include "finwait/report/json_writer.h"
#include "finwait/report/uid.h"

namespace finwait::report {
namespace {

/// A number that JSON readers keep exactly (53 bits), the same for the same connection: FNV-1a over the uid.
std::uint64_t flow_id(const tcp::Connection& c) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  const Uid uid = uid_of(c);
  for (const char letter : uid) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x0000'0100'0000'01b3;
  return hash >> 11;
}

/// "2024-02-29T23:59:59.123456+0000".
template <Key K>
void put_stamp(Text& text, base::Timestamp time) {
  Text rfc3339;
  put_time(rfc3339, time);
  text.put(K.view());
  text.put('"');
  text.put(rfc3339.view().substr(0, 26));
  text.put("+0000\",");
}

template <Key K>
void put_flags(Text& text, unsigned flags) {
  constexpr std::string_view kHex = "0123456789abcdef";
  text.put(K.view());
  text.put('"');
  text.put(kHex[flags >> 4 & 15]);
  text.put(kHex[flags & 15]);
  text.put("\",");
}

/// Suricata has one state for both ends, seen from the client.
std::string_view tcp_state(const tcp::Outcome& outcome) noexcept {
  const tcp::Connection& c = outcome.connection;
  const tcp::State client = c.orig().state;
  const tcp::State server = c.resp().state;
  const bool over = outcome.verdict.ending == tcp::Ending::kGraceful || (client == tcp::State::kClosed && server == tcp::State::kClosed);
  if (over) return "closed";
  switch (client) {
    case tcp::State::kSynSent:
      return server == tcp::State::kSynReceived ? "syn_recv" : "syn_sent";
    case tcp::State::kSynReceived:
      return "syn_recv";
    case tcp::State::kEstablished:
      return server == tcp::State::kSynReceived ? "syn_recv" : "established";
    case tcp::State::kFinWait1:
      return "fin_wait1";
    case tcp::State::kFinWait2:
      return "fin_wait2";
    case tcp::State::kCloseWait:
      return "close_wait";
    case tcp::State::kClosing:
      return "closing";
    case tcp::State::kLastAck:
      return "last_ack";
    case tcp::State::kTimeWait:
      return "time_wait";
    case tcp::State::kClosed:
      return "closed";
    case tcp::State::kListen:
      return "listen";
    case tcp::State::kUnknown:
      break;
  }
  return server == tcp::State::kSynReceived ? "syn_recv" : server == tcp::State::kUnknown ? "none" : "established";
}

std::string_view flow_state(std::string_view tcp) noexcept {
  if (tcp == "last_ack" || tcp == "time_wait" || tcp == "closed") return "closed";
  return tcp == "none" || tcp == "listen" || tcp == "syn_sent" || tcp == "syn_recv" ? "new" : "established";
}

std::string_view reason(tcp::Release release) noexcept {
  switch (release) {
    case tcp::Release::kEvicted:
      return "forced";
    case tcp::Release::kSuperseded:
      return "tcp_reuse";
    case tcp::Release::kEndOfInput:
      return "shutdown";
    case tcp::Release::kSettled:
    case tcp::Release::kIdle:
      break;
  }
  return "timeout";
}

/// Whole seconds, rounded down: the flow's age is the difference of two of them.
std::int64_t seconds_of(base::Timestamp time) noexcept { return time / base::kSecond - (time % base::kSecond < 0 ? 1 : 0); }

void put_flow(JsonWriter& json, Text& text, const tcp::Outcome& outcome) {
  const tcp::Connection& c = outcome.connection;
  json.begin<"flow">();
  json.number<"pkts_toserver">(c.orig().counters.packets);
  json.number<"pkts_toclient">(c.resp().counters.packets);
  json.number<"bytes_toserver">(c.orig().counters.ip_bytes);
  json.number<"bytes_toclient">(c.resp().counters.ip_bytes);
  put_stamp<"start">(text, c.start);
  put_stamp<"end">(text, c.end);
  json.number<"age">(seconds_of(c.end) - seconds_of(c.start));
  json.word<"state">(flow_state(tcp_state(outcome)));
  json.word<"reason">(reason(c.release));
  json.boolean<"alerted">(false);
  json.end();
}

void put_tcp(JsonWriter& json, Text& text, const tcp::Outcome& outcome) {
  namespace flag = wire::tcp_flag;
  const tcp::Connection& c = outcome.connection;
  const unsigned to_server = outcome.zeek->flags(c.originator);
  const unsigned to_client = outcome.zeek->flags(1U - c.originator);
  const unsigned all = to_server | to_client;
  json.begin<"tcp">();
  put_flags<"tcp_flags">(text, all);
  put_flags<"tcp_flags_ts">(text, to_server);
  put_flags<"tcp_flags_tc">(text, to_client);
  if ((all & flag::kSyn) != 0) json.boolean<"syn">(true);
  if ((all & flag::kFin) != 0) json.boolean<"fin">(true);
  if ((all & flag::kRst) != 0) json.boolean<"rst">(true);
  if ((all & flag::kPsh) != 0) json.boolean<"psh">(true);
  if ((all & flag::kAck) != 0) json.boolean<"ack">(true);
  if ((all & flag::kUrg) != 0) json.boolean<"urg">(true);
  if ((all & flag::kEce) != 0) json.boolean<"ecn">(true);
  if ((all & flag::kCwr) != 0) json.boolean<"cwr">(true);
  json.word<"state">(tcp_state(outcome));
  json.end();
}

}  // namespace

void EveSink::connection(const tcp::Outcome& outcome) {
  const tcp::Connection& c = outcome.connection;
  output_.at(c.released_at);
  const bool low_is_client = c.originator == 0;
  Text& text = output_.text();
  JsonWriter json(text);
  json.begin();
  put_stamp<"timestamp">(text, c.end);
  json.number<"flow_id">(flow_id(c));
  json.word<"event_type">("flow");
  if (c.encapsulation.vlans() != 0) {
    json.begin_list<"vlan">();
    for (int n = 0; n < c.encapsulation.vlans(); ++n) json.item(c.encapsulation.vlan(n));
    json.end_list();
  }
  json.address<"src_ip">(low_is_client ? c.key.low : c.key.high, c.key.ip_version());
  json.number<"src_port">(low_is_client ? c.key.low_port : c.key.high_port);
  json.address<"dest_ip">(low_is_client ? c.key.high : c.key.low, c.key.ip_version());
  json.number<"dest_port">(low_is_client ? c.key.high_port : c.key.low_port);
  json.number<"ip_v">(c.key.ip_version());
  json.word<"proto">("TCP");
  put_flow(json, text, outcome);
  json.word<"community_id">(view(community_id(c.key)));
  put_tcp(json, text, outcome);
  json.end_line();
  output_.relieve();
}

void EveSink::finish(const Totals& totals) { output_.close(totals.capture.last); }

}  // namespace finwait::report

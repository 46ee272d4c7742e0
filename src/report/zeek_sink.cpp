#include "finwait/report/zeek_sink.h"

#include <algorithm>

#include "finwait/report/community_id.h"
#include "finwait/report/format.h"
#include "finwait/report/json_writer.h"
#include "finwait/report/uid.h"

namespace finwait::report {
namespace {

constexpr std::string_view kFields =
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig"
    "\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\tip_proto\tcommunity_id\n"
    "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool"
    "\tbool\tcount\tstring\tcount\tcount\tcount\tcount\tset[string]\tcount\tstring\n";

constexpr int kTcp = 6;

/// One end as Zeek's record has it.
struct Side {
  const wire::Address* address;
  std::uint16_t port;
  std::uint64_t bytes;
  const tcp::Counters* counters;
  bool local;
};

struct Record {
  Record(const tcp::Connection& c, const tcp::ZeekView& zeek, const LocalNets& nets)
      : start(c.start),
        duration(std::max<base::Duration>(base::elapsed(c.start, zeek.last_time()), 0)),
        orig(side(c, zeek, zeek.originator(), nets)),
        resp(side(c, zeek, 1 - zeek.originator(), nets)),
        conn_state(zeek.conn_state()),
        missed_bytes(zeek.missed_bytes()),
        history(zeek.history()) {}

  static Side side(const tcp::Connection& c, const tcp::ZeekView& zeek, unsigned end, const LocalNets& nets) {
    const wire::Address& address = end == 0 ? c.key.low : c.key.high;
    return {&address, end == 0 ? c.key.low_port : c.key.high_port, zeek.bytes(end), &c.ends[end].counters, nets.contains(address)};
  }
  /// Zeek leaves out duration and bytes of what took no time.
  [[nodiscard]] bool lasted() const noexcept { return duration >= base::kMicrosecond; }

  base::Timestamp start;
  base::Duration duration;
  Side orig;
  Side resp;
  std::string_view conn_state;
  std::uint64_t missed_bytes;
  tcp::ZeekHistory history;
};

/// Seconds and six decimals, rounded down: "1709208000.123456".
void put_micros(Text& text, std::int64_t nanoseconds) {
  std::int64_t seconds = nanoseconds / base::kSecond;
  std::int64_t rest = nanoseconds % base::kSecond;
  if (rest < 0) {
    --seconds;
    rest += base::kSecond;
  }
  std::int64_t micros = rest / base::kMicrosecond;
  if (seconds < 0 && micros != 0) {  // -0.25 is a minus sign, 0 and 25 hundredths
    ++seconds;
    micros = 1'000'000 - micros;
    if (seconds == 0) text.put('-');
  }
  text.number(seconds);
  text.put('.');
  for (std::int64_t digit = 100'000; digit != 0; digit /= 10) text.put(static_cast<char>('0' + micros / digit % 10));
}

/// A JSON number: without the zeros at its end, but for one.
void put_json_micros(Text& text, std::int64_t nanoseconds) {
  put_micros(text, nanoseconds);
  while (text.last() == '0') text.drop_last();
  if (text.last() == '.') text.put('0');
}

/// "2024-02-29-23-59-59", in UTC.
void put_log_time(Text& text, base::Timestamp time) {
  Text rfc3339;
  put_time(rfc3339, time);
  for (const char c : rfc3339.view().substr(0, 19)) text.put(c == 'T' || c == ':' ? '-' : c);
  text.put('\n');
}

/// A column and the tabulator before it.
void column(Text& text, std::string_view value) {
  text.put('\t');
  text.put(value);
}
void column(Text& text, std::uint64_t value) {
  text.put('\t');
  text.number(value);
}

void put_columns(Text& text, const tcp::Connection& c, const Record& record) {
  put_micros(text, record.start);
  column(text, view(uid_of(c)));
  for (const Side* side : {&record.orig, &record.resp}) {
    text.put('\t');
    put_address(text, *side->address, c.key.ip_version());
    column(text, side->port);
  }
  column(text, "tcp\t-");
  if (record.lasted()) {
    text.put('\t');
    put_micros(text, record.duration);
    column(text, record.orig.bytes);
    column(text, record.resp.bytes);
  } else {
    column(text, "-\t-\t-");
  }
  column(text, record.conn_state);
  column(text, record.orig.local ? "T" : "F");
  column(text, record.resp.local ? "T" : "F");
  column(text, record.missed_bytes);
  column(text, record.history.view().empty() ? "-" : record.history.view());
  for (const Side* side : {&record.orig, &record.resp}) {
    column(text, side->counters->packets);
    column(text, side->counters->ip_bytes);
  }
  column(text, "-");
  column(text, std::uint64_t{kTcp});
  column(text, view(community_id(c.key)));
  text.put('\n');
}

void put_json(Text& text, const tcp::Connection& c, const Record& record) {
  JsonWriter json(text);
  text.put("{\"ts\":");
  put_json_micros(text, record.start);
  text.put(",\"uid\":");
  json.item_word(view(uid_of(c)));
  text.put("\"id.orig_h\":\"");
  put_address(text, *record.orig.address, c.key.ip_version());
  text.put("\",\"id.orig_p\":");
  json.item(record.orig.port);
  text.put("\"id.resp_h\":\"");
  put_address(text, *record.resp.address, c.key.ip_version());
  text.put("\",\"id.resp_p\":");
  json.item(record.resp.port);
  json.word<"proto">("tcp");
  if (record.lasted()) {
    text.put("\"duration\":");
    put_json_micros(text, record.duration);
    text.put(',');
    json.number<"orig_bytes">(record.orig.bytes);
    json.number<"resp_bytes">(record.resp.bytes);
  }
  json.word<"conn_state">(record.conn_state);
  json.boolean<"local_orig">(record.orig.local);
  json.boolean<"local_resp">(record.resp.local);
  json.number<"missed_bytes">(record.missed_bytes);
  if (!record.history.view().empty()) json.word<"history">(record.history.view());
  json.number<"orig_pkts">(record.orig.counters->packets);
  json.number<"orig_ip_bytes">(record.orig.counters->ip_bytes);
  json.number<"resp_pkts">(record.resp.counters->packets);
  json.number<"resp_ip_bytes">(record.resp.counters->ip_bytes);
  json.number<"ip_proto">(kTcp);
  json.word<"community_id">(view(community_id(c.key)));
  json.end_line();
}

void put_head(Text& text, base::Timestamp at) {
  text.put("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t");
  put_log_time(text, at);
  text.put(kFields);
}

void put_foot(Text& text, base::Timestamp at) {
  text.put("#close\t");
  put_log_time(text, at);
}

}  // namespace

void ZeekSink::begin(base::Timestamp at) {
  if (begun_) return;
  begun_ = true;
  if (format_ == Format::kColumns) output_.begin({put_head, put_foot}, at);
}

void ZeekSink::connection(const tcp::Outcome& outcome) {
  const tcp::Connection& c = outcome.connection;
  output_.at(c.released_at);
  begin(c.start);
  const Record record(c, *outcome.zeek, local_);
  if (format_ == Format::kJson) {
    put_json(output_.text(), c, record);
  } else {
    put_columns(output_.text(), c, record);
  }
  output_.relieve();
}

void ZeekSink::finish(const Totals& totals) {
  begin(totals.capture.first);
  output_.close(totals.capture.last);
}

}  // namespace finwait::report

// One finding about a host as a line of JSON, and the populations of states within the summary.
#include "json_host.h"

#include "finwait/report/json_record.h"
#include "finwait/report/words.h"

namespace finwait::report {
namespace {

int ip_version(const hosts::HostFinding& finding) noexcept { return (finding.network & wire::FlowKey::kIpv6) != 0 ? 6 : 4; }

void put_whom(JsonWriter& json, const hosts::HostFinding& f) {
  if (f.ip) json.address<"ip">(*f.ip, ip_version(f));
  if (f.port) json.number<"port">(*f.port);
  if (f.peer) json.address<"peer_ip">(*f.peer, ip_version(f));
  if (f.peer_port) json.number<"peer_port">(*f.peer_port);
}

void put_isn(JsonWriter& json, const hosts::IsnFinding& isn) {
  if (isn.ttl) json.number<"ttl">(*isn.ttl);
  json.number<"samples">(isn.samples);
  json.word<"verdict">(hosts::name(isn.verdict));
  json.small<"p_value">(isn.p_value);
  if (isn.slope) json.real<"slope">(*isn.slope, 3);
  json.begin<"guess_interval">();
  json.small<"share">(isn.guess.share);
  if (isn.guess.from) {
    json.number<"from">(*isn.guess.from);
    json.number<"width">(isn.guess.width);
  }
  json.end();
  json.begin<"nmap">();
  json.number<"gcd">(isn.nmap.gcd);
  json.number<"isr">(isn.nmap.isr);
  json.number<"sp">(isn.nmap.sp);
  json.end();
}

void put_series(JsonWriter& json, const hosts::Levels& series) {
  if (series.values.empty()) return;
  json.begin<"series">();
  json.time<"from">(series.from);
  json.seconds<"step">(series.step);
  json.begin_list<"values">();
  for (const std::int64_t value : series.values) json.item(value);
  json.end_list();
  json.end();
}

}  // namespace

void put_host(Text& text, const hosts::HostFinding& f) {
  JsonWriter json(text);
  json.begin();
  json.word<"type">("host");
  json.word<"kind">(hosts::info(f.kind).name);
  json.word<"severity">(tcp::name(f.severity));
  json.begin_list<"origin">();
  for (unsigned bit = 1; bit <= tcp::origin::kAttacker; bit <<= 1) {
    if ((f.origins & bit) != 0) json.item_word(origin_name(static_cast<std::uint8_t>(bit)));
  }
  json.end_list();
  put_whom(json, f);
  if (f.from) json.time<"from">(*f.from);
  if (f.to) json.time<"to">(*f.to);
  json.string<"text">(f.text);
  if (!f.rfc.empty()) json.word<"rfc">(f.rfc);
  if (f.isn) put_isn(json, *f.isn);
  if (!f.measures.empty()) {
    json.begin<"numbers">();
    for (const hosts::Measure& measure : f.measures) json.real(measure.name, measure.value, measure.decimals);
    json.end();
  }
  put_series(json, f.series);
  json.begin_list<"connections">();
  for (const std::uint64_t id : f.connections) json.item(id);
  json.end_list();
  json.end_line();
}

void put_populations(JsonWriter& json, const hosts::Populations& populations) {
  if (populations.step == 0) return;
  json.begin<"states">();
  json.time<"from">(populations.from);
  json.seconds<"step">(populations.step);
  json.begin<"ends">();
  for (std::size_t n = 0; n != populations.ends.size(); ++n) {
    if (populations.ends[n].empty()) continue;
    json.begin_list(tcp::name(static_cast<tcp::State>(n)));
    for (const std::int64_t value : populations.ends[n]) json.item(value);
    json.end_list();
  }
  json.end();
  json.end();
}

}  // namespace finwait::report

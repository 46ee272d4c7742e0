#include "finwait/service/metrics_page.h"

#include <prometheus/text_serializer.h>

#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "finwait/wire/decode.h"

namespace finwait::service {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class Page {
 public:
  /// The families that follow are of this type.
  void family(MetricType type, std::string name, std::string help) { families_.push_back({std::move(name), std::move(help), type, {}}); }

  void value(double value, std::vector<ClientMetric::Label> labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (families_.back().type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    families_.back().metric.push_back(std::move(metric));
  }
  void value(std::uint64_t number, std::vector<ClientMetric::Label> labels = {}) { value(static_cast<double>(number), std::move(labels)); }

  void counter(std::string name, std::string help, std::uint64_t number) {
    family(MetricType::Counter, std::move(name), std::move(help));
    value(number);
  }
  void gauge(std::string name, std::string help, double number) {
    family(MetricType::Gauge, std::move(name), std::move(help));
    value(number);
  }
  void histogram(std::string name, std::string help, const Latency& latency) {
    family(MetricType::Histogram, std::move(name), std::move(help));
    ClientMetric metric;
    std::uint64_t sum = 0;
    for (std::size_t n = 0; n != latency.within.size(); ++n) {
      sum += latency.within[n];
      metric.histogram.bucket.push_back({sum, static_cast<double>(Latency::kBounds[n]) / 1e9});
    }
    metric.histogram.sample_count = latency.count;
    metric.histogram.sample_sum = latency.seconds;
    families_.back().metric.push_back(std::move(metric));
  }
  /// One value for each name; `counts` in the order of the enumeration.
  template <class Enumeration, class Counts>
  void by_name(const char* label, const Counts& counts) {
    for (std::size_t n = 0; n != counts.size(); ++n) value(counts[n], {{label, std::string(name(static_cast<Enumeration>(n)))}});
  }

  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return out.str();
  }

 private:
  std::vector<MetricFamily> families_;
};

void put_capture(Page& page, const engine::LiveCounters& c) {
  page.counter("finwait_packets_received_total", "Packets that came to the tap, dropped ones included.", c.received);
  page.family(MetricType::Counter, "finwait_packets_total", "Packets analysed, by what became of them.");
  for (int n = 0; n != wire::kFates; ++n)
    page.value(c.fates[static_cast<std::size_t>(n)], {{"fate", wire::fate_name(static_cast<wire::Fate>(n))}});
  page.counter("finwait_captured_bytes_total", "Captured bytes of the packets analysed.", c.bytes);
  page.family(MetricType::Counter, "finwait_packets_dropped_total", "Packets lost before they could be analysed, by who had no room.");
  page.value(c.dropped_by_kernel, {{"by", "kernel"}});
  page.value(c.dropped_by_interface, {{"by", "interface"}});
  page.counter("finwait_ring_freezes_total", "How often the ring shared with the kernel was full.", c.freezes);
}

void put_table(Page& page, const engine::LiveCounters& c) {
  page.counter("finwait_segments_total", "TCP segments looked at.", c.segments);
  page.counter("finwait_stray_segments_total", "Segments whose numbers fit no connection of their flow.", c.strays);
  page.counter("finwait_refused_segments_total", "Segments for which there was no room in the table.", c.table_full);
  page.counter("finwait_connections_created_total", "Connections made.", c.created);
  page.counter("finwait_connections_evicted_total", "Connections forgotten for lack of room.", c.evicted);
  page.counter("finwait_connections_not_selected_total", "Connections that were over and not selected by --only.", c.passed_over);
  page.gauge("finwait_connections", "Connections remembered now, those that are over and not yet written included.", c.remembered);
  page.gauge("finwait_connections_limit", "Connections that can be remembered at once.", c.most);
  page.family(MetricType::Gauge, "finwait_connection_ends", "Ends of connections that are not over, by state: each connection has two.");
  page.by_name<tcp::State>("state", c.ends);
}

void put_connections(Page& page, const MetricsInput& input) {
  const engine::LiveCounters& c = input.counters;
  page.family(MetricType::Counter, "finwait_openings_total", "Connections that are over, by how they opened.");
  page.by_name<tcp::Opening>("opening", c.openings);
  page.family(MetricType::Counter, "finwait_endings_total", "Connections that are over, by how they ended.");
  page.by_name<tcp::Ending>("ending", c.endings);
  page.family(MetricType::Counter, "finwait_anomalies_total", "Anomalies of connections that are over, by kind and its usual severity.");
  for (const tcp::KindInfo& kind : tcp::anomaly_kinds())
    page.value(c.anomalies[static_cast<std::size_t>(kind.kind)],
               {{"kind", std::string(kind.name)}, {"severity", std::string(tcp::name(kind.severity))}});
  page.histogram("finwait_handshake_duration_seconds", "From SYN to the ACK that completed the handshake, of connections that are over.",
                 input.latencies.handshake);
  page.histogram("finwait_close_duration_seconds",
                 "From the first FIN to the acknowledgment of both, of connections that ended gracefully.", input.latencies.close);
}

void put_process(Page& page, const MetricsInput& input) {
  page.counter("finwait_output_lines_dropped_total", "Lines of output dropped because disk or reader were too slow.", input.lost_lines);
  page.family(MetricType::Gauge, "finwait_build_info", "Always 1; the version is the label.");
  page.value(1.0, {{"version", input.version}});
  page.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", static_cast<double>(input.process.resident));
  page.family(MetricType::Counter, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.");
  page.value(input.process.cpu_seconds);
  page.gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", input.process.start_time);
}

}  // namespace

std::string metrics_page(const MetricsInput& input) {
  Page page;
  put_capture(page, input.counters);
  put_table(page, input.counters);
  put_connections(page, input);
  put_process(page, input);
  return page.text();
}

}  // namespace finwait::service

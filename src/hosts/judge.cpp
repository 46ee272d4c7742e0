// From the tables to findings: which subject is worth a word, and the sentence with its numbers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "sorted.h"
#include "watch_impl.h"

namespace finwait::hosts {
namespace {

double share_of(std::uint64_t part, std::uint64_t whole) noexcept {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

double seconds(base::Duration d) noexcept { return static_cast<double>(d) * 1e-9; }

/// Things a second, from the first to the last; 0 if that is one moment.
double rate(std::uint64_t count, const Span& span) noexcept {
  const double time = seconds(base::elapsed(span.first, span.last));
  return time <= 0 || count < 2 ? 0.0 : static_cast<double>(count - 1) / time;
}

std::string rate_text(double rate) { return rate >= 10 ? fmt::format("{:.0f}", rate) : fmt::format("{:.2g}", rate); }

std::string plural(std::uint64_t count, std::string_view one) { return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s"); }

/// "250 ms", "12 s", "3.4 min", "2.1 h"
std::string time_text(base::Duration d) {
  const double s = seconds(d);
  if (s < 1) return fmt::format("{:.0f} ms", s * 1e3);
  if (s < 120) return fmt::format("{:.0f} s", s);
  if (s < 7200) return fmt::format("{:.1f} min", s / 60);
  return fmt::format("{:.1f} h", s / 3600);
}

HostFinding finding_of(HostKind kind, const wire::FlowKey& key, const Span& span, const Examples& examples) {
  const HostKindInfo& row = info(kind);
  HostFinding f;
  f.kind = kind;
  f.severity = row.severity;
  f.origins = row.origins;
  f.rfc = row.rfc;
  f.ip = key.low;
  f.network = key.network;
  if (key.low_port != 0) f.port = key.low_port;
  f.from = span.first;
  f.to = span.last;
  f.connections = examples.list();
  return f;
}

/// How many ports the originator chooses from: those seen, once they have been used three times over; before, the smallest range in use
/// among today's systems that holds them all.
struct PortRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  [[nodiscard]] std::uint32_t size() const noexcept { return last - first + 1; }
};

PortRange range_of(const Route& route) noexcept {
  const PortRange seen{route.least_port, route.most_port};
  if (route.count >= std::uint64_t{3} * seen.size()) return seen;
  // IANA and Windows, Linux, Linux before 3.2, older BSDs, anything but the well-known ones.
  constexpr std::array<PortRange, 5> kRanges{{{49'152, 65'535}, {32'768, 60'999}, {32'768, 61'000}, {10'000, 65'535}, {1'024, 65'535}}};
  for (const PortRange& range : kRanges) {
    if (range.first <= seen.first && seen.last <= range.last) return range;
  }
  return {1, 65'535};
}

}  // namespace

const Detail* HostWatch::Impl::detail(const Subject& subject, Trouble what) const noexcept {
  const std::uint32_t number = subject.details[static_cast<std::size_t>(what)];
  return number == 0 ? nullptr : &details[number];
}

std::vector<HostFinding> HostWatch::Impl::findings(IsnVerdictCounts* sound) const {
  std::vector<HostFinding> out;
  judge_numbers(sound, out);
  judge_subjects(out);
  judge_routes(out);
  judge_scans(out);
  judge_loss(out);
  return sorted(std::move(out), [](const HostFinding& a, const HostFinding& b) {
    return std::tie(b.severity, a.kind, a.ip, a.network, a.port, a.peer, a.peer_port) <
           std::tie(a.severity, b.kind, b.ip, b.network, b.port, b.peer, b.peer_port);
  });
}

void HostWatch::Impl::judge_numbers(IsnVerdictCounts* sound, std::vector<HostFinding>& out) const {
  std::vector<IsnFinding> found = sound != nullptr ? numbers.numbers().finish(*sound) : numbers.numbers().finish();
  out.reserve(out.size() + found.size());  // thousands, each of some hundred bytes
  for (IsnFinding& n : found) {
    HostFinding& f = out.emplace_back();
    f.kind = n.kind == IsnKind::kPredictable ? HostKind::kIsnPredictable
             : n.kind == IsnKind::kRepeated  ? HostKind::kIsnRepeated
                                             : HostKind::kIsnQuality;
    f.severity = n.severity == IsnSeverity::kAlert     ? tcp::Severity::kAlert
                 : n.severity == IsnSeverity::kWarning ? tcp::Severity::kWarning
                                                       : tcp::Severity::kInfo;
    f.origins = info(f.kind).origins;
    f.ip = n.host;
    f.network = n.network;
    f.port = n.port;
    f.text = n.text;
    f.rfc = n.rfc;
    f.connections = n.connections;
    f.isn = std::move(n);
  }
}

void HostWatch::Impl::judge_subjects(std::vector<HostFinding>& out) const {
  subjects.for_each([&](const wire::FlowKey& key, const Subject& s) {
    if (!s.has_details()) return;  // of whom nothing is kept there is nothing to say
    judge_flood(key, s, out);
    judge_overflow(key, s, out);
    judge_leak(key, s, Trouble::kCloseWait, out);
    judge_leak(key, s, Trouble::kFinWait2, out);
    judge_resets(key, s, out);
    judge_repeated(key, s, out);
  });
}

void HostWatch::Impl::judge_flood(const wire::FlowKey& key, const Subject& s, std::vector<HostFinding>& out) const {
  const Detail* d = detail(s, Trouble::kHalfOpen);
  // Never were more there at once than ever.
  if (d == nullptr || d->count < options.thresholds.flood_half_open) return;
  const Levels levels = d->series.levels();
  const std::int64_t coarse = *std::max_element(levels.values.begin(), levels.values.end());
  const auto peak = static_cast<std::uint64_t>(d->window != 0 ? windows[d->window].greatest() : coarse);
  const double share = share_of(d->count, d->count + s.established);
  if (peak < options.thresholds.flood_half_open || share < options.thresholds.flood_share) return;
  HostFinding f = finding_of(HostKind::kSynFlood, key, d->span, d->examples);
  const double per_second = rate(d->count, d->span);
  f.text = fmt::format("{} half-open connections, {} at once, {} a second for {}: {:.1f} % of all it answered", d->count, peak,
                       rate_text(per_second), time_text(base::elapsed(d->span.first, d->span.last)), share * 100);
  const bool cookies = s.stateless > 9 * s.stateful && s.stateless != 0;
  if (cookies) {
    f.severity = tcp::Severity::kNotice;
    f.text += "; its SYN-ACKs are never repeated: SYN cookies, which keep nothing and leave it open to others";
  } else if (s.stateful != 0) {
    f.text += "; it repeats its SYN-ACKs: each takes a place in its backlog";
  } else {
    f.text += "; too short to tell if it answers with SYN cookies";
  }
  f.measures = {{"half_open", static_cast<double>(d->count)},
                {"half_open_at_once", static_cast<double>(peak)},
                {"per_second", per_second, 3},
                {"share", share, 4},
                {"syn_ack_repeated", static_cast<double>(s.stateful)},
                {"syn_ack_not_repeated", static_cast<double>(s.stateless)},
                {"syn_cookies", cookies ? 1.0 : 0.0}};
  f.series = levels;
  out.push_back(std::move(f));
}

void HostWatch::Impl::judge_overflow(const wire::FlowKey& key, const Subject& s, std::vector<HostFinding>& out) const {
  const Detail* d = detail(s, Trouble::kAckLost);
  if (d == nullptr || d->count < options.thresholds.overflow_connections) return;
  const double share = share_of(d->count, std::max(d->count, d->others_at_last - d->others_before));
  if (share < options.thresholds.overflow_share) return;
  HostFinding f = finding_of(HostKind::kAcceptQueueOverflow, key, d->span, d->examples);
  f.text = fmt::format("SYN-ACK repeated although the handshake was complete, on {} within {}: {:.1f} % of its handshakes meanwhile",
                       plural(d->count, "connection"), time_text(base::elapsed(d->span.first, d->span.last)), share * 100);
  f.measures = {{"connections", static_cast<double>(d->count)}, {"share", share, 4}};
  out.push_back(std::move(f));
}

// A leak grows and does not drain: at the end nearly all are there that ever were, and there were fewer before.
void HostWatch::Impl::judge_leak(const wire::FlowKey& key, const Subject& s, Trouble what, std::vector<HostFinding>& out) const {
  const Detail* d = detail(s, what);
  if (d == nullptr || d->count < options.thresholds.leak_connections) return;
  const std::int64_t stuck = d->series.last();
  if (stuck < static_cast<std::int64_t>(options.thresholds.leak_connections)) return;
  const Levels levels = d->series.levels();
  const std::int64_t peak = *std::max_element(levels.values.begin(), levels.values.end());
  if (stuck * 5 < peak * 4) return;
  const bool close_wait = what == Trouble::kCloseWait;
  HostFinding f = finding_of(close_wait ? HostKind::kCloseWaitLeak : HostKind::kFinWait2Leak, key, d->span, d->examples);
  const base::Duration grown = base::elapsed(d->span.first, d->span.last);
  const double per_minute = 60 * rate(d->count, d->span);
  f.text = fmt::format("{} stuck in {} at the end", plural(static_cast<std::uint64_t>(stuck), "connection"),
                       close_wait ? "CLOSE-WAIT" : "FIN-WAIT-2");
  f.text += per_minute > 0 ? fmt::format(", {} a minute more for {}", rate_text(per_minute), time_text(grown)) : ", all at once";
  f.measures = {{"stuck", static_cast<double>(stuck)}, {"ever", static_cast<double>(d->count)}, {"per_minute", per_minute, 3}};
  f.series = levels;
  out.push_back(std::move(f));
}

void HostWatch::Impl::judge_resets(const wire::FlowKey& key, const Subject& s, std::vector<HostFinding>& out) const {
  const Detail* d = detail(s, Trouble::kReset);
  if (d == nullptr || d->count < options.thresholds.resets) return;
  const double share = share_of(d->count, s.with_data);
  if (share < options.thresholds.reset_share) return;
  HostFinding f = finding_of(HostKind::kResetRate, key, d->span, d->examples);
  const double per_minute = 60 * rate(d->count, d->span);
  f.text = fmt::format("{} of {} that carried data were cut by a RST ({:.1f} %), {} a minute", d->count, plural(s.with_data, "connection"),
                       share * 100, rate_text(per_minute));
  f.measures = {{"resets", static_cast<double>(d->count)},
                {"connections", static_cast<double>(s.with_data)},
                {"share", share, 4},
                {"per_minute", per_minute, 3}};
  out.push_back(std::move(f));
}

void HostWatch::Impl::judge_repeated(const wire::FlowKey& key, const Subject& s, std::vector<HostFinding>& out) const {
  const Detail* d = detail(s, Trouble::kRepeated);
  const double share = share_of(s.repeated, s.segments);
  if (d == nullptr || s.repeated < options.thresholds.retransmissions || share < options.thresholds.retransmitted_share) return;
  HostFinding f = finding_of(HostKind::kRetransmissionRate, key, d->span, d->examples);
  constexpr double kGrave = 0.1;
  if (share >= kGrave) f.severity = tcp::Severity::kWarning;
  f.text = fmt::format("{} of {} it sent were sent again ({:.1f} %), in {} of {}", s.repeated, plural(s.segments, "segment"), share * 100,
                       d->count, plural(s.established, "connection"));
  f.measures = {{"retransmitted", static_cast<double>(s.repeated)},
                {"segments", static_cast<double>(s.segments)},
                {"share", share, 4},
                {"connections", static_cast<double>(d->count)}};
  out.push_back(std::move(f));
}

void HostWatch::Impl::judge_routes(std::vector<HostFinding>& out) const {
  constexpr double kUsual = 63;  // seconds: 2 MSL and a twentieth
  constexpr double kGrave = 0.9;
  routes.for_each([&](const wire::FlowKey& key, const Route& r) {
    if (r.busy == 0) return;
    const BusyRoute& busy = busy_routes[r.busy];
    const auto peak = static_cast<std::uint64_t>(busy.window.greatest());
    if (peak < options.thresholds.time_wait_least) return;
    const PortRange range = range_of(r);
    const double share = share_of(peak, range.size());
    const double per_second = rate(r.count, r.span);
    const double hold = r.expired != 0 ? static_cast<double>(r.lasted) * 1e-3 / static_cast<double>(r.expired) : kUsual;
    const double level = per_second * hold;  // where it would settle
    const bool exhausts = level >= range.size();
    if (share < options.thresholds.time_wait_share && !(exhausts && share >= options.thresholds.time_wait_share / 2)) return;
    HostFinding f = finding_of(HostKind::kTimeWaitPressure, key, r.span, busy.examples);
    f.peer = key.high;
    f.peer_port = key.high_port;
    if (share >= kGrave) f.severity = tcp::Severity::kAlert;
    f.text = fmt::format("{} TIME-WAITs held at once: {:.1f} % of the {} ephemeral ports ({} to {}); {} a second", peak, share * 100,
                         range.size(), range.first, range.last, rate_text(per_second));
    f.measures = {{"held_at_once", static_cast<double>(peak)},
                  {"range", static_cast<double>(range.size())},
                  {"share", share, 4},
                  {"per_second", per_second, 3}};
    if (exhausts && input_end != base::kNever) {
      const double left = range.size() / per_second - seconds(base::elapsed(r.span.first, input_end));
      const double none = std::max(0.0, left);
      f.text += left > 0 ? fmt::format(", exhausted in {}", time_text(static_cast<base::Duration>(left * 1e9)))
                         : ", more than the range can bear";
      f.measures.push_back({"seconds_until_exhausted", none, 1});
    } else {
      f.text += fmt::format(", which settles at {:.0f}", level);
    }
    f.series = busy.series.levels();
    out.push_back(std::move(f));
  });
}

void HostWatch::Impl::judge_loss(std::vector<HostFinding>& out) const {
  const double share = share_of(missing, payload + missing);
  if (missing < options.thresholds.loss_bytes || share < options.thresholds.loss_share) return;
  HostFinding f = finding_of(HostKind::kCaptureLoss, {}, lossy_span, lossy);
  f.ip.reset();
  constexpr double kGrave = 0.01;
  if (share >= kGrave) f.severity = tcp::Severity::kWarning;
  f.text = fmt::format("{} bytes were acknowledged and never captured: {:.2f} % of the payload, in {} of {}", missing, share * 100,
                       incomplete, plural(with_payload, "connection"));
  f.measures = {{"missing_bytes", static_cast<double>(missing)}, {"share", share, 6}, {"connections", static_cast<double>(incomplete)}};
  out.push_back(std::move(f));
}

}  // namespace finwait::hosts

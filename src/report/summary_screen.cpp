// The text of the summary, section by section.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "finwait/report/format.h"
#include "finwait/report/summary_sink.h"
#include "finwait/report/trust.h"
#include "finwait/report/wrap.h"

namespace finwait::report {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kPairWidth = 38;
constexpr std::size_t kKindsInDetail = 5;
constexpr std::size_t kPairsInDetail = 3;
constexpr std::size_t kHostsInDetail = 6;
constexpr std::array<const char*, 4> kColours{"2", "36", "33", "1;31"};  // by severity
constexpr std::size_t kLives = 9;                                        // openings or endings shown

std::string percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0 || part == 0) return "0 %";
  const double share = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  if (share < 0.1) return "<0.1 %";
  return part != whole && share > 99.9 ? ">99.9 %" : fmt::format("{:.1f} %", share);
}

std::string plural(std::uint64_t count, std::string_view one) {
  return fmt::format("{} {}{}", human_count(count), one, count == 1 ? "" : "s");
}

class Screen {
 public:
  Screen(Text& text, const SummaryData& data, const Totals& totals, const SummaryOptions& options, bool colour)
      : text_(text), data_(data), totals_(totals), options_(options), colour_(colour) {}

  void put() {
    put_input();
    put_trust();
    if (totals_.counts.connections == 0) {
      put_nothing();
      return;
    }
    put_busiest();
    put_handshakes();
    put_lives();
    put_anomalies();
    put_hosts();
  }

 private:
  template <class... Args>
  void out(fmt::format_string<Args...> format, Args&&... args) {
    text_.put(fmt::format(format, std::forward<Args>(args)...));
  }
  [[nodiscard]] std::string painted(const char* escape, std::string_view text) const {
    return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", escape, text) : std::string(text);
  }
  void title(std::string_view text, std::string_view note = {}) { out("\n{}{}{}\n", painted("1", text), note.empty() ? "" : "  ", note); }
  /// A paragraph behind two spaces.
  void paragraph(std::string_view text) { out("  {}", wrap(text, kWidth, 2, 2)); }

  void put_input() {
    const CaptureFacts& capture = totals_.capture;
    std::string names;
    for (std::size_t n = 0; n < capture.files.size() && n < 3; ++n) names += (n == 0 ? "" : ", ") + capture.files[n].name;
    for (const std::string& name : capture.interfaces) names += (names.empty() ? "" : ", ") + name;
    if (capture.files.size() > 3) names += fmt::format(" and {} more", capture.files.size() - 3);
    out("{}\n", painted("1", names));
    const FrameCounts& f = totals_.frames;
    std::string what = fmt::format("{}, {}", plural(f.read, "frame"), human_bytes(totals_.performance.bytes));
    if (f.read != 0) {
      what += fmt::format(", {} from {}", human_duration(base::elapsed(capture.first, capture.last)), human_time(capture.first));
      for (const std::string& type : capture.link_types) what += ", " + type;
    }
    paragraph(what);
    if (f.read != 0) paragraph(whereabouts());
    if (!options_.only.empty()) {
      paragraph(fmt::format("Only connections with {}: {} of {}. All counts below are of these.", options_.only,
                            human_count(totals_.counts.connections), human_count(totals_.counts.connections + totals_.counts.passed_over)));
    }
  }

  [[nodiscard]] std::string whereabouts() const {
    using wire::Fate;
    static constexpr std::array<std::pair<Fate, std::string_view>, wire::kFates> kWords{{{Fate::kTcp, "TCP"},
                                                                                         {Fate::kOtherIp, "other IP"},
                                                                                         {Fate::kNotIp, "not IP"},
                                                                                         {Fate::kFragment, "fragments"},
                                                                                         {Fate::kTruncated, "cut too short"},
                                                                                         {Fate::kMalformed, "malformed"},
                                                                                         {Fate::kFiltered, "left out by the filter"},
                                                                                         {Fate::kTableFull, "had no room"}}};
    std::string text;
    for (const auto& [fate, word] : kWords) {
      const std::uint64_t count = totals_.frames.of(fate);
      if (count == 0 && fate != Fate::kTcp) continue;
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", human_count(count), word);
    }
    return text;
  }

  /// What stands between the capture and the truth.
  void put_trust() {
    const CaptureFacts& c = totals_.capture;
    put_doubt();
    std::vector<std::string> doubts;
    for (const std::string& line : c.damage) doubts.push_back("DAMAGED: " + line);
    const std::uint64_t dropped = totals_.frames.dropped_by_kernel + totals_.frames.dropped_by_interface;
    if (dropped != 0) doubts.push_back(loss_text(dropped));
    if (totals_.counts.missing_bytes != 0) {
      doubts.push_back(fmt::format("{} acknowledged but never captured ({} of payload, about {} of packets), in {}: {}.",
                                   human_bytes(totals_.counts.missing_bytes), loss_percent(totals_.loss_estimate()),
                                   loss_percent(totals_.packet_loss_estimate()), plural(totals_.counts.incomplete, "connection"),
                                   missing_why()));
    }
    if (totals_.counts.duplicates * 1000 >= totals_.counts.packets && totals_.counts.duplicates != 0) {
      doubts.push_back(fmt::format("{} captured again as an exact copy ({}): a mirror port that sees packets twice.",
                                   plural(totals_.counts.duplicates, "packet"),
                                   percent(totals_.counts.duplicates, totals_.counts.packets)));
    }
    if (c.time_went_back != 0)
      doubts.push_back(fmt::format("{} stamped earlier than one before: time went back.", plural(c.time_went_back, "frame")));
    if (c.time_disbelieved != 0) {
      doubts.push_back(fmt::format("{} stamped more than an hour ahead of all others: not believed.", plural(c.time_disbelieved, "frame")));
    }
    const std::uint64_t evicted = std::accumulate(totals_.tracker.evicted.begin(), totals_.tracker.evicted.end(), std::uint64_t{0});
    if (evicted != 0) doubts.push_back(fmt::format("{} forgotten for lack of room: raise --memory.", plural(evicted, "connection")));
    if (c.stopped && c.interfaces.empty()) doubts.emplace_back("Stopped before the end of the input.");
    for (const std::string& doubt : doubts) {
      const bool grave = &doubt - doubts.data() < static_cast<std::ptrdiff_t>(c.damage.size());
      out("  {}", painted(grave ? "31" : "33", wrap("! " + doubt, kWidth, 4, 2)));
    }
    if (doubts.empty() && totals_.counts.connections != 0) {
      paragraph(c.cut_short != 0 ? "The capture looks whole (packets cut by the snap length, no harm)." : "The capture looks whole.");
    }
  }

  /// Where one end was never captured, that is why, whatever else was lost.
  [[nodiscard]] std::string missing_why() const {
    const ConnectionCounts& n = totals_.counts;
    if (n.one_direction == 0) return "the capture lost packets";
    const std::string which = n.one_direction == n.incomplete ? "" : fmt::format("{} of them ", human_count(n.one_direction));
    const std::string why = which + "captured in one direction only (asymmetric routing, or half of a tap)";
    return n.one_direction * 10 >= n.incomplete * 9 ? why : "the capture lost packets; " + why;
  }

  [[nodiscard]] std::string loss_text(std::uint64_t dropped) const {
    const FrameCounts& f = totals_.frames;
    if (f.received == 0) return fmt::format("{} lost while capturing, as the capture itself says.", plural(dropped, "frame"));
    return fmt::format("{} of {} dropped for want of room in the ring, full {} times; {} by the interface: raise -B, or give a filter.",
                       human_count(f.dropped_by_kernel), plural(f.received, "frame"), human_count(f.freezes),
                       human_count(f.dropped_by_interface));
  }

  /// Above all else, if what is found may be the capture's doing.
  void put_doubt() {
    std::string why;
    for (const Doubt& doubt : finwait::report::doubts(totals_)) {
      why += why.empty() ? "" : ", ";
      why += doubt.name == "damage" ? "damaged" : fmt::format("{} {}", doubt.name, loss_percent(doubt.share));
    }
    if (why.empty()) return;
    const std::string text = fmt::format("! DOUBT WHAT IS FOUND: the capture is poor ({}). Look at the origin of a finding.", why);
    out("  {}", painted("1;31", wrap(text, kWidth, 4, 2)));
  }

  [[nodiscard]] static std::string loss_percent(double of_one) {
    const double share = 100.0 * of_one;
    return share < 0.01 ? "<0.01 %" : fmt::format("{:.{}f} %", share, share < 1.0 ? 2 : 1);
  }

  void put_nothing() {
    const std::uint64_t tcp = totals_.frames.of(wire::Fate::kTcp);
    out("\n{}\n", totals_.counts.passed_over != 0 ? "No connection of this kind."
                  : tcp == 0                      ? "No TCP in it."
                                                  : "No TCP connection in it.");
  }

  void put_busiest() {
    const auto top = data_.busiest.top(options_.verbose ? 20 : 5);
    const std::size_t all = data_.busiest.size();
    const std::string note = !data_.busiest.exact() ? "(about; too many to count exactly)"
                             : all > top.size()     ? fmt::format("({} of {})", top.size(), human_count(all))
                                                    : "";
    title("Busiest", note);
    for (const Busiest::Entry& e : top) {
      const std::string pair = pair_text(e.pair);
      const std::string load = fmt::format("{:>7} conn  {:>10} pkts  {:>7}", human_count(e.load.connections), human_count(e.load.packets),
                                           human_bytes(e.load.bytes));
      if (pair.size() <= kPairWidth) {
        out("  {:<{}}  {}\n", pair, kPairWidth, load);
      } else {
        out("  {}\n  {:<{}}  {}\n", pair, "", kPairWidth, load);
      }
    }
  }
  [[nodiscard]] static std::string pair_text(const Busiest::Pair& pair) {
    return fmt::format("{} > {}", address_text(pair.from, pair.ip_version), endpoint_text(pair.to, pair.ip_version, pair.port));
  }

  void put_handshakes() {
    const Histogram& h = data_.handshakes;
    if (h.count() == 0) return;
    title("Handshake", fmt::format("SYN to SYN-ACK at the tap, {}", plural(h.count(), "sample")));
    if (h.count() < 4) {
      out("  from {} to {}\n", human_duration(h.least()), human_duration(h.most()));
      return;
    }
    out("  least {}   half {}   90 % {}   99 % {}   most {}\n", human_duration(h.least()), human_duration(h.percentile(0.5)),
        human_duration(h.percentile(0.9)), human_duration(h.percentile(0.99)), human_duration(h.most()));
  }

  struct Row {
    std::string name;
    std::uint64_t count;
  };
  /// By count; the rarest ones together in the last row if there are too many.
  template <class Value, std::size_t N>
  [[nodiscard]] std::vector<Row> rows(const std::array<std::uint64_t, N>& counts) const {
    std::vector<Row> result;
    for (std::size_t n = 0; n < N; ++n) {
      if (counts[n] != 0) result.push_back({std::string(tcp::name(static_cast<Value>(n))), counts[n]});
    }
    std::stable_sort(result.begin(), result.end(), [](const Row& a, const Row& b) { return a.count > b.count; });
    if (options_.verbose || result.size() <= kLives) return result;
    Row rest{fmt::format("{} others", result.size() - kLives + 1), 0};
    for (; result.size() >= kLives; result.pop_back()) rest.count += result.back().count;
    result.push_back(rest);
    return result;
  }

  void put_lives() {
    const std::uint64_t all = totals_.counts.connections;
    title(plural(all, "connection"));
    const auto openings = rows<tcp::Opening>(totals_.counts.openings);
    const auto endings = rows<tcp::Ending>(totals_.counts.endings);
    out("  {}  {}\n", painted("2", fmt::format("{:<38}", "how they opened")), painted("2", "how they ended"));
    for (std::size_t n = 0; n < std::max(openings.size(), endings.size()); ++n) {
      const std::string left = n < openings.size() ? life(openings[n], all) : "";
      out("  {}\n", n < endings.size() ? fmt::format("{:<38}  {}", left, life(endings[n], all)) : left);
    }
  }
  [[nodiscard]] static std::string life(const Row& row, std::uint64_t all) {
    return fmt::format("{:<18}{:>9} {:>8}", row.name, human_count(row.count), percent(row.count, all));
  }

  [[nodiscard]] tcp::Severity gravest(std::size_t kind) const {
    for (std::size_t s = 4; s-- != 0;) {
      if (totals_.counts.severities[kind][s] != 0) return static_cast<tcp::Severity>(s);
    }
    return tcp::Severity::kInfo;
  }

  /// Gravest first; within a severity what touches most connections.
  [[nodiscard]] std::vector<const tcp::KindInfo*> kinds_found() const {
    std::vector<const tcp::KindInfo*> found;
    for (const tcp::KindInfo& kind : tcp::anomaly_kinds()) {
      if (totals_.counts.affected[static_cast<std::size_t>(kind.kind)] != 0) found.push_back(&kind);
    }
    const auto order = [this](const tcp::KindInfo* kind) {
      const auto n = static_cast<std::size_t>(kind->kind);
      return std::pair(gravest(n), totals_.counts.affected[n]);
    };
    std::stable_sort(found.begin(), found.end(), [&](const auto* a, const auto* b) { return order(a) > order(b); });
    return found;
  }

  void put_anomalies() {
    const auto found = kinds_found();
    if (found.empty()) {
      title("Nothing odd");
      return;
    }
    title("What is odd", "(more: finwait --describe KIND)");
    const std::size_t detailed = options_.verbose ? found.size() : std::min(found.size(), kKindsInDetail);
    for (std::size_t n = 0; n < detailed; ++n) put_anomaly(*found[n]);
    if (detailed == found.size()) return;
    out("\n  {}\n", painted("2", "also (-v shows them like the ones above)"));
    for (std::size_t s = 4; s-- != 0;) put_rest(found, detailed, static_cast<tcp::Severity>(s));
  }

  /// Names and numbers of the kinds from `first` on that have this severity.
  void put_rest(const std::vector<const tcp::KindInfo*>& found, std::size_t first, tcp::Severity severity) {
    std::string names;
    for (std::size_t n = first; n < found.size(); ++n) {
      const auto kind = static_cast<std::size_t>(found[n]->kind);
      if (gravest(kind) == severity)
        names += fmt::format("{}{}:{}", names.empty() ? "" : " ", found[n]->name, totals_.counts.affected[kind]);
    }
    if (!names.empty()) out("  {:<8} {}", tcp::name(severity), wrap(names, kWidth, 11, 11));
  }

  void put_anomaly(const tcp::KindInfo& kind) {
    const auto n = static_cast<std::size_t>(kind.kind);
    const tcp::Severity severity = gravest(n);
    const std::uint64_t affected = totals_.counts.affected[n];
    const std::uint64_t count = totals_.counts.anomalies[n];
    const std::string times = count != affected ? fmt::format(", {} times", human_count(count)) : "";
    out("  {} {}  {}{}\n", painted(kColours[static_cast<std::size_t>(severity)], fmt::format("{:<8}", tcp::name(severity))),
        painted("1", kind.name), plural(affected, "connection"), times);
    out("           {}", wrap(kind.meaning, kWidth, 11, 11));
    const bool grouped = put_pairs(kind.kind);
    put_examples(n, grouped);
  }

  /// Ready to be copied. What was captured live cannot be read again: then only its number.
  [[nodiscard]] std::string explain_command(std::uint64_t id) const {
    return options_.command.empty() ? fmt::format("connection {}", id) : fmt::format("{} --explain {}", options_.command, id);
  }

  /// Where it happens most, a line a pair; nothing unless it happened between some pair more than once.
  bool put_pairs(tcp::AnomalyKind kind) {
    const AnomalyPairs& all = totals_.anomaly_pairs;
    const std::size_t most = options_.verbose ? 10 : kPairsInDetail;
    std::size_t shown = 0;
    bool grouped = false;
    for (const AnomalyGroup& group : all.groups) {
      if (group.kind != kind || shown == most) continue;
      grouped = grouped || group.connections > 1;
      if (!grouped) return false;
      const std::string pair = pair_text(group.pair);
      const std::string load = fmt::format("{:>6} conn", human_count(group.connections));
      const std::string first = painted("2", fmt::format("frame {}", group.examples[0].frame));
      if (pair.size() > kPairWidth) out("           {}\n", pair);
      out("           {:<{}}{}  {}\n", pair.size() > kPairWidth ? "" : pair, kPairWidth, load, first);
      ++shown;
    }
    const std::uint64_t pairs = all.pairs[static_cast<std::size_t>(kind)];
    if (pairs > shown) out("           and {}{}\n", plural(pairs - shown, "other pair"), all.exact ? "" : " or more");
    return grouped;
  }

  /// The command that shows the first one, ready to be copied, and where others are unless the pairs have said so.
  void put_examples(std::size_t kind, bool grouped) {
    const auto& examples = data_.examples[kind];
    if (examples[0].connection == 0) return;
    const std::string command = explain_command(examples[0].connection);
    std::string frames = fmt::format("frame {}", examples[0].frame);
    const std::size_t most = grouped ? 1 : options_.verbose ? SummaryData::kExamples : 3;
    for (std::size_t n = 1; n < most && examples[n].connection != 0; ++n) {
      frames += fmt::format("{} {} of {}", n == 1 ? "; also" : ",", examples[n].frame, examples[n].connection);
    }
    const bool one_line = 11 + command.size() + 2 + frames.size() <= kWidth;
    out("           {}{}{}\n", command, one_line ? "  " : "\n           ", painted("2", frames));
  }

  /// What is odd about hosts, gravest first, and in a line what is known of their initial sequence numbers.
  void put_hosts() {
    std::vector<const hosts::HostFinding*> found;
    for (const hosts::HostFinding& finding : totals_.hosts) {
      if (finding.kind != hosts::HostKind::kIsnQuality) found.push_back(&finding);
    }
    const hosts::IsnVerdictCounts& verdicts = totals_.sound_numbers;
    if (found.empty() && std::all_of(verdicts.begin(), verdicts.end(), [](std::size_t count) { return count == 0; })) return;
    title("Hosts", found.empty() ? "" : "(more: finwait --describe KIND)");
    const std::size_t detailed = options_.verbose ? found.size() : std::min(found.size(), kHostsInDetail);
    for (std::size_t n = 0; n < detailed; ++n) put_host(*found[n]);
    if (detailed != found.size()) paragraph(fmt::format("and {} more (-v shows them)", found.size() - detailed));
    std::string good;
    for (std::size_t n = 0; n < verdicts.size(); ++n) {
      if (verdicts[n] == 0) continue;
      good += fmt::format("{}{} {}", good.empty() ? "" : ", ", human_count(verdicts[n]), hosts::name(static_cast<hosts::IsnVerdict>(n)));
    }
    if (!good.empty()) paragraph("Initial sequence numbers without a weakness found: " + good + ".");
  }

  void put_host(const hosts::HostFinding& f) {
    const int version = (f.network & wire::FlowKey::kIpv6) != 0 ? 6 : 4;
    const auto end = [&](const wire::Address& ip, const std::optional<std::uint16_t>& port) {
      return port ? endpoint_text(ip, version, *port) : address_text(ip, version);
    };
    std::string who = f.ip ? end(*f.ip, f.port) : "the capture";
    if (f.kind == hosts::HostKind::kTimeWaitPressure && f.peer) who += " > " + end(*f.peer, f.peer_port);
    out("  {} {}  {}\n", painted(kColours[static_cast<std::size_t>(f.severity)], fmt::format("{:<8}", tcp::name(f.severity))),
        painted("1", hosts::info(f.kind).name), who);
    out("           {}", wrap(f.text, kWidth, 11, 11));
    if (f.connections.empty()) return;
    std::string others;
    const std::size_t most = options_.verbose ? f.connections.size() : std::min<std::size_t>(f.connections.size(), 4);
    for (std::size_t n = 1; n < most; ++n) others += fmt::format("{}{}", n == 1 ? "also " : ", ", f.connections[n]);
    const std::string command = explain_command(f.connections.front());
    const bool one_line = 11 + command.size() + 2 + others.size() <= kWidth;
    out("           {}{}{}\n", command, others.empty() ? "" : one_line ? "  " : "\n           ", painted("2", others));
  }

  Text& text_;
  const SummaryData& data_;
  const Totals& totals_;
  const SummaryOptions& options_;
  bool colour_;
};

}  // namespace

void put_summary_screen(Text& text, const SummaryData& data, const Totals& totals, const SummaryOptions& options, bool colour) {
  Screen(text, data, totals, options, colour).put();
}

}  // namespace finwait::report

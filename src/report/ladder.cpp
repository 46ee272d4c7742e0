// The ladder itself: a line for each segment, lines for the reasons below it, the verdict and Wireshark's filter at the foot.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "finwait/report/explain_sink.h"
#include "finwait/report/format.h"
#include "finwait/report/uid.h"
#include "finwait/report/words.h"
#include "finwait/tcp/anomaly_text.h"

namespace finwait::report {
namespace {

constexpr int kStateWidth = 12;  // "SYN-RECEIVED", "TIME-WAIT"
constexpr int kSegmentWidth = 44;
constexpr int kReasonIndent = 22;

std::string seconds_text(base::Duration duration, bool nanoseconds) {
  Text text;
  put_seconds(text, duration);
  std::string whole(text.view());
  if (!nanoseconds) whole.resize(whole.size() - 3);
  return whole;
}

class Ladder {
 public:
  Ladder(Text& text, const LadderData& data, const LadderConnection& of, std::span<const InputFile> files)
      : text_(text), data_(data), of_(of), c_(of.connection), files_(files) {
    for (const LadderRow& row : data.rows) {
      if (row.connection == c_.id && row.segment.time % 1'000 != 0) nanoseconds_ = true;
    }
    find_bases();
  }

  void put() {
    put_head();
    for (const LadderRow& row : data_.rows) {
      if (row.connection == c_.id) {
        put_row(row);
      } else if (row.beside == c_.id || tells(row)) {
        put_aside(row);
      }
    }
    if (data_.left_out != 0) line("... {} more segments are not shown\n", human_count(data_.left_out));
    put_foot();
  }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    std::string text = fmt::format(format, std::forward<Args>(args)...);
    const bool ends = !text.empty() && text.back() == '\n';
    if (ends) text.resize(text.find_last_not_of(" \n") + 1);  // an empty last column leaves no blanks
    text_.put(text);
    if (ends) text_.put('\n');
  }

  /// Numbers are relative to the initial sequence number; where that was not seen, the first number seen is 1.
  void find_bases() {
    for (unsigned end = 0; end < 2; ++end) {
      has_base_[end] = c_.ends[end].knows(tcp::known::kIss);
      if (has_base_[end]) base_[end] = c_.ends[end].iss;
    }
    for (const LadderRow& row : data_.rows) {
      if (row.connection != c_.id || row.segment.frame == 0 || row.segment.kind != wire::SegmentKind::kTcp) continue;
      const unsigned sender = row.segment.direction;
      if (!has_base_[sender]) set_base(sender, row.segment.seq);
      if (!has_base_[1 - sender] && row.segment.acks()) set_base(1 - sender, row.segment.ack);
    }
  }
  void set_base(unsigned end, std::uint32_t number) {
    base_[end] = number - 1;
    has_base_[end] = true;
  }

  [[nodiscard]] std::string_view who(unsigned end) const { return end == c_.originator ? "originator" : "responder"; }

  [[nodiscard]] std::string endpoint(unsigned end) const {
    return endpoint_text(end == 0 ? c_.key.low : c_.key.high, c_.key.ip_version(), end == 0 ? c_.key.low_port : c_.key.high_port);
  }

  void put_head() {
    const unsigned originator = c_.originator;
    line("connection {}, uid {}, from {}\n", c_.id, view(uid_of(c_)), human_time(c_.start));
    line("originator {} (known by: {}), responder {}\n\n", endpoint(originator), tcp::name(of_.verdict.role_evidence),
         endpoint(1 - originator));
    line("{:>12} {:>8}  {:<{}}     {:<{}} {}\n", "time", "frame", "originator", kStateWidth, "segment", kSegmentWidth, "responder");
  }

  void put_row(const LadderRow& row) {
    if (row.segment.frame == 0) {
      put_timer(row);
      return;
    }
    const unsigned originator = c_.originator;
    line("{:>12} {:>8}  {:<{}} {} {:<{}} {}\n", seconds_text(base::elapsed(c_.start, row.segment.time), nanoseconds_), row.segment.frame,
         state_if_new(originator, row), kStateWidth, row.segment.direction == originator ? "-->" : "<--", segment_text(row.segment),
         kSegmentWidth, state_if_new(1 - originator, row));
    shown_ = row.states;
    any_shown_ = true;
    put_events(row, row.segment.frame);
  }

  /// Something happened at it to this connection.
  [[nodiscard]] bool tells(const LadderRow& row) const {
    for (std::size_t n = row.first_event; n != row.last_event; ++n) {
      if (data_.whose[n] == c_.id) return true;
    }
    return false;
  }

  /// A segment between the same endpoints that is no part of this connection: a stray, another attempt, an ICMP error.
  void put_aside(const LadderRow& row) {
    line("{:>12} {:>8}  {:<{}} {} {}\n", seconds_text(base::elapsed(c_.start, row.segment.time), nanoseconds_), row.segment.frame,
         "(aside)", kStateWidth, row.segment.direction == c_.originator ? "-->" : "<--", segment_text(row.segment));
    put_events(row, row.segment.frame);
  }

  void put_events(const LadderRow& row, std::uint64_t frame) {
    for (std::size_t n = row.first_event; n != row.last_event; ++n) {
      if (data_.whose[n] == c_.id) put_event(data_.events[n], frame);
    }
  }

  void put_timer(const LadderRow& row) {
    const tcp::Event& first = data_.events[row.first_event];
    const bool dated = first.kind == tcp::Event::Kind::kTransition;  // a finding has the time of what it is about, not of its discovery
    line("{:>12} {:>8}  (a timer)\n", dated ? seconds_text(base::elapsed(c_.start, row.segment.time), nanoseconds_) : "later", "");
    for (std::size_t n = row.first_event; n != row.last_event; ++n) {
      const tcp::Event& event = data_.events[n];
      if (event.kind == tcp::Event::Kind::kTransition) shown_[event.transition.end] = event.transition.to;
    }
    put_events(row, 0);
  }

  [[nodiscard]] std::string_view state_if_new(unsigned end, const LadderRow& row) const {
    return any_shown_ && shown_[end] == row.states[end] ? "" : tcp::name(row.states[end]);
  }

  [[nodiscard]] std::string segment_text(const wire::Segment& s) const {
    if (s.kind == wire::SegmentKind::kIcmpError) return fmt::format("ICMP type {} code {} quotes this flow", s.icmp_type(), s.icmp_code());
    const std::uint32_t seq = s.seq - base_[s.direction];
    std::string text = fmt::format("{} {}:{}({})", flags_text(s), seq, seq + s.payload_length, s.payload_length);
    if (s.acks()) text += fmt::format(" ack {}", s.ack - base_[1U - s.direction]);
    text += fmt::format(" win {}", s.window);
    if (s.has(wire::present::kSack)) {
      const std::uint32_t base = base_[1U - s.direction];
      text += fmt::format(" sack {}:{}", s.sack_left - base, s.sack_right - base);
    }
    return text;
  }

  void put_event(const tcp::Event& event, std::uint64_t frame) {
    if (event.kind == tcp::Event::Kind::kAnomaly) {
      const tcp::Anomaly& anomaly = as_it_stands(event.anomaly);
      line("{:>{}}! {} {}: {}{}\n", "", kReasonIndent, tcp::name(anomaly.severity), tcp::info(anomaly.kind).name,
           tcp::anomaly_text(anomaly, c_), origin_text(anomaly));
      return;
    }
    const tcp::Transition& t = event.transition;
    line("{:>{}}{}: {} -> {}: {}\n", "", kReasonIndent, who(t.end), tcp::name(t.from), tcp::name(t.to), reason(t, frame));
  }

  /// What became of a finding: its count, numbers, severity and origin as every other output tells them.
  [[nodiscard]] const tcp::Anomaly& as_it_stands(const tcp::Anomaly& first) const {
    const auto same = [&](const tcp::Anomaly& a) { return a.kind == first.kind; };
    const auto at = std::find_if(of_.anomalies.begin(), of_.anomalies.end(), same);
    return at == of_.anomalies.end() ? first : *at;
  }

  /// Who may have caused it, and the other frames of its evidence.
  [[nodiscard]] static std::string origin_text(const tcp::Anomaly& anomaly) {
    std::string text;
    for (unsigned bit = 1; bit <= tcp::origin::kAttacker; bit <<= 1) {
      if ((anomaly.origins & bit) != 0)
        text += (text.empty() ? " (origin: " : ", ") + std::string(origin_name(static_cast<std::uint8_t>(bit)));
    }
    return text.empty() ? text : text + ")";
  }

  [[nodiscard]] const wire::Segment* find(std::uint64_t frame) const {
    const auto at =
        std::find_if(data_.rows.begin(), data_.rows.end(), [frame](const LadderRow& row) { return row.segment.frame == frame; });
    return at == data_.rows.end() ? nullptr : &at->segment;
  }

  /// What a segment is to a transition: "SYN-ACK", "FIN", "data", ...
  [[nodiscard]] static std::string_view word(const wire::Segment* s) {
    if (s == nullptr) return "segment";
    if (s->kind == wire::SegmentKind::kIcmpError) return "ICMP error";
    if (s->rst()) return "RST";
    if (s->syn()) return s->acks() ? "SYN-ACK" : "SYN";
    if (s->fin()) return "FIN";
    return s->payload_length != 0 ? "data" : "ACK";
  }

  /// "its FIN", "this ACK", "the FIN of frame 12".
  [[nodiscard]] std::string mention(std::uint64_t frame, std::uint64_t here, unsigned end) const {
    const wire::Segment* s = find(frame);
    const bool own = s != nullptr && s->direction == end;
    if (frame == here) return fmt::format("this {}", word(s));
    return fmt::format("{} {} of frame {}", own ? "its own" : "the", word(s), frame);
  }

  [[nodiscard]] std::string reason(const tcp::Transition& t, std::uint64_t here) const {
    if (t.evidence == tcp::Proof::kTimer) return "its time in TIME-WAIT is over";
    if (t.evidence == tcp::Proof::kRefuted) {
      return t.proof_frame == 0 ? "taken back" : fmt::format("taken back: {} shows otherwise", mention(t.proof_frame, here, t.end));
    }
    if (t.cause_frame == 0) {
      return t.proof_frame == 0 ? std::string(name(t.evidence)) : fmt::format("shown by {}", mention(t.proof_frame, here, t.end));
    }
    const wire::Segment* cause = find(t.cause_frame);
    std::string text = mention(t.cause_frame, here, t.end);
    if (t.evidence == tcp::Proof::kPresumed && cause != nullptr && cause->direction != t.end) {
      text += ", presumed to have arrived";
    } else if (t.proof_frame != 0 && t.proof_frame != t.cause_frame) {
      text += fmt::format(", shown by {}", mention(t.proof_frame, here, t.end));
    }
    return text;
  }

  void put_foot() {
    const tcp::Verdict& v = of_.verdict;
    line("\nopening: {}{}{}\nending: {}", tcp::name(v.opening), v.completed_by == tcp::CompletedBy::kNothing ? "" : ", completed by ",
         tcp::name(v.completed_by), tcp::name(v.ending));
    if (v.first_fin != tcp::Who::kNobody) line(", first FIN: {}", v.first_fin == tcp::Who::kBoth ? "simultaneous" : tcp::name(v.first_fin));
    if (v.reset_by != tcp::Who::kNobody) line(", reset by: {}", tcp::name(v.reset_by));
    if (v.replaced != tcp::Replaced::kNothing) line("; it came {}", tcp::name(v.replaced));
    line("\nstates: originator {}, responder {}\n", tcp::name(c_.orig().state), tcp::name(c_.resp().state));
    if (v.half_close) {
      line("half-close by the {}: {}, {} in {} packets meanwhile\n", tcp::name(v.half_close->by),
           human_duration(base::elapsed(v.half_close->from, v.half_close->to)), human_bytes(v.half_close->bytes), v.half_close->packets);
    }
    if (v.time_wait) line("TIME-WAIT: held by {}, {}\n", tcp::name(v.time_wait->owner), tcp::name(v.time_wait->ended));
    if (v.inconclusive.any()) put_inconclusive(v);
    put_wireshark();
  }

  void put_inconclusive(const tcp::Verdict& v) {
    std::string kinds;
    for (const tcp::KindInfo& kind : tcp::anomaly_kinds()) {
      if (!v.inconclusive[static_cast<std::size_t>(kind.kind)]) continue;
      kinds += kinds.empty() ? "" : ", ";
      kinds += kind.name;
    }
    line("the capture was too short to decide: {}\n", kinds);
  }

  /// Wireshark counts frames in each file from 1; the range tells this connection from others on the same ports.
  void put_wireshark() {
    const wire::FlowKey& key = c_.key;
    const std::string_view field = key.ip_version() == 4 ? "ip.addr" : "ipv6.addr";
    const InputFile* file = nullptr;
    bool in_one = true;
    for (const InputFile& f : files_) {
      if (f.first_frame == 0) continue;
      if (f.first_frame <= c_.id) file = &f;
      if (f.first_frame > c_.id && f.first_frame <= c_.last_frame) in_one = false;
    }
    line("Wireshark{}: {} == {} && {} == {} && tcp.port == {} && tcp.port == {}",
         files_.size() > 1 && file != nullptr ? ", " + file->name : "", field, address_text(key.low, key.ip_version()), field,
         address_text(key.high, key.ip_version()), key.low_port, key.high_port);
    if (in_one && file != nullptr) {
      const std::uint64_t before = file->first_frame - 1;
      line(" && frame.number >= {} && frame.number <= {}", c_.id - before, c_.last_frame - before);
    }
    line("\n");
  }

  Text& text_;
  const LadderData& data_;
  const LadderConnection& of_;
  const tcp::Connection& c_;
  std::span<const InputFile> files_;
  std::array<std::uint32_t, 2> base_{};
  std::array<bool, 2> has_base_{};
  std::array<tcp::State, 2> shown_{};
  bool any_shown_ = false;
  bool nanoseconds_ = false;
};

}  // namespace

void put_ladder(Text& text, const LadderData& data, const LadderConnection& of, std::span<const InputFile> files) {
  Ladder(text, data, of, files).put();
}

}  // namespace finwait::report

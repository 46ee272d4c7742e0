#include "closeup.h"

#include <fmt/format.h>

#include <algorithm>

#include "finwait/report/format.h"
#include "finwait/report/words.h"
#include "finwait/report/wrap.h"
#include "finwait/tcp/anomaly.h"

namespace finwait::screen {
namespace {

using report::human_bytes;
using report::human_count;
using report::human_duration;

constexpr int kWidth = 79;

class Writer {
 public:
  Writer(const Closeup& closeup, base::Timestamp clock)
      : closeup_(closeup), details_(closeup.details), view_(closeup.details.view), clock_(clock) {}

  std::vector<Line> write() {
    put_head();
    put_ends();
    put_transitions();
    put_anomalies();
    put_ladder();
    return std::move(lines_);
  }

 private:
  template <class... Args>
  void line(Style style, fmt::format_string<Args...> format, Args&&... args) {
    lines_.push_back({fmt::format(format, std::forward<Args>(args)...), style});
  }

  void put_head() {
    const tcp::Verdict& v = details_.verdict;
    line(Style::kStrong, "connection {}  {}", view_.id, text_of(view_));
    line(Style::kPlain, "opening {}, ending {}{}", tcp::name(v.opening), tcp::name(v.ending),
         closeup_.gone ? "; over and written: this is how it was last seen" : " as it stands");
    line(Style::kPlain, "began {}, {} ago", report::human_time(view_.start), human_duration(base::elapsed(view_.start, clock_)));
    line(Style::kPlain, "last segment {} ago, frame {}", human_duration(base::elapsed(view_.end, clock_)), view_.last_frame);
    if (view_.syn_to_syn_ack >= 0 || view_.syn_ack_to_ack >= 0)
      line(Style::kPlain, "handshake: {} to the SYN-ACK, {} to the ACK", duration(view_.syn_to_syn_ack), duration(view_.syn_ack_to_ack));
  }
  static std::string duration(base::Duration d) { return d < 0 ? "?" : human_duration(d); }

  void put_ends() {
    line(Style::kPlain, "");
    line(Style::kFaint, "{:<11} {:<13} {:>9} {:>8} {:>8} {:>8} {:>8} {:>6}", "", "state", "packets", "bytes", "payload", "retrans.",
         "missing", "zero w");
    for (std::size_t n = 0; n != 2; ++n) {
      const tcp::EndView& end = view_.ends[n];
      line(Style::kPlain, "{:<11} {:<13} {:>9} {:>8} {:>8} {:>8} {:>8} {:>6}", n == 0 ? "originator" : "responder", tcp::name(end.state),
           human_count(end.packets), human_bytes(end.ip_bytes), human_bytes(end.payload_bytes), human_count(end.retransmitted_segments),
           human_bytes(end.missing_bytes), human_count(end.zero_windows));
    }
  }

  [[nodiscard]] std::string_view who(unsigned end) const { return end == view_.originator ? "originator" : "responder"; }
  [[nodiscard]] std::string since_start(base::Timestamp time) const {
    return fmt::format("{:.6f}", static_cast<double>(base::elapsed(view_.start, time)) / 1e9);
  }

  void put_transitions() {
    if (details_.transitions.empty()) return;
    line(Style::kPlain, "");
    line(Style::kFaint, "{:>13} {:>10}  how it came there", "seconds", "frame");
    for (const tcp::Transition& t : details_.transitions) {
      const bool refuted = t.evidence == tcp::Proof::kRefuted;
      line(refuted ? Style::kNotice : Style::kPlain, "{:>13} {:>10}  {:<10} {} > {}, {}", since_start(t.time),
           t.proof_frame == 0 ? std::string() : std::to_string(t.proof_frame), who(t.end), tcp::name(t.from), tcp::name(t.to),
           report::name(t.evidence));
    }
  }

  void put_anomalies() {
    if (details_.anomalies.empty()) return;
    line(Style::kPlain, "");
    line(Style::kFaint, "what is odd");
    for (const tcp::Anomaly& a : details_.anomalies) {
      const std::string times = a.count > 1 ? fmt::format(", {} times", human_count(a.count)) : "";
      line(style_of(a.severity), "{:<8} {} at frame {}{}", tcp::name(a.severity), tcp::info(a.kind).name, a.frames[0], times);
      std::string text = report::wrap(tcp::info(a.kind).meaning, kWidth, 9, 9);
      for (std::size_t from = 0; from < text.size();) {
        const std::size_t end = std::min(text.find('\n', from), text.size());
        const std::string part = text.substr(from, end - from);
        line(Style::kPlain, "{}{}", from == 0 ? "         " : "", part);
        from = end + 1;
      }
    }
  }

  /// Numbers are relative to the first of each end that was seen here.
  void put_ladder() {
    line(Style::kPlain, "");
    line(Style::kFaint, "{:>13} {:>10}  segments since you look", "seconds", "frame");
    if (closeup_.left_out != 0) line(Style::kFaint, "... {} before these are no longer kept", human_count(closeup_.left_out));
    if (closeup_.steps.empty()) line(Style::kFaint, "none yet");
    std::array<std::optional<std::uint32_t>, 2> base;
    std::array<tcp::State, 2> shown{};
    bool any = false;
    for (const tcp::LiveStep& step : closeup_.steps) {
      const wire::Segment& s = step.segment;
      std::string text = "ICMP error that quotes it";
      if (s.kind == wire::SegmentKind::kTcp) {
        if (!base[s.direction]) base[s.direction] = s.seq;
        if (!base[1U - s.direction] && s.acks()) base[1U - s.direction] = s.ack;
        const std::uint32_t seq = s.seq - *base[s.direction];
        text = fmt::format("{} {}:{}({})", report::flags_text(s), seq, seq + s.payload_length, s.payload_length);
        if (s.acks()) text += fmt::format(" ack {}", s.ack - *base[1U - s.direction]);
        text += fmt::format(" win {}", s.window);
      }
      const bool news = !any || shown != step.states;
      const std::string states =
          news ? fmt::format("{} / {}", brief(step.states[view_.originator]), brief(step.states[1U - view_.originator])) : std::string();
      line(Style::kPlain, "{:>13} {:>10}  {} {:<31} {}", since_start(s.time), s.frame, s.direction == view_.originator ? "-->" : "<--",
           text, states);
      shown = step.states;
      any = true;
    }
  }

  const Closeup& closeup_;
  const tcp::ConnectionDetails& details_;
  const tcp::ConnectionView& view_;
  base::Timestamp clock_;
  std::vector<Line> lines_;
};

}  // namespace

std::string_view brief(tcp::State state) noexcept {
  constexpr std::array<std::string_view, tcp::kStates> kNames{"UNKNOWN", "LISTEN",  "SYN-SENT", "SYN-RCVD", "ESTAB",  "FIN-W-1",
                                                              "FIN-W-2", "CLOSE-W", "CLOSING",  "LAST-ACK", "TIME-W", "CLOSED"};
  return kNames[static_cast<std::size_t>(state)];
}

Style style_of(tcp::Severity severity) noexcept {
  constexpr std::array kBySeverity{Style::kPlain, Style::kNotice, Style::kWarning, Style::kAlert};
  return kBySeverity[static_cast<std::size_t>(severity)];
}

std::vector<Line> closeup_lines(const Closeup& closeup, base::Timestamp clock) { return Writer(closeup, clock).write(); }

}  // namespace finwait::screen

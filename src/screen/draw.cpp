#include "finwait/screen/draw.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "closeup.h"
#include "finwait/report/format.h"

namespace finwait::screen {
namespace {

using report::human_bytes;
using report::human_count;

constexpr int kHead = 3;        // rows above the page
constexpr int kFoot = 1;        // below it
constexpr int kTableRows = 11;  // of the overview, above the latest anomalies
constexpr int kWide = 110;      // columns from which on there is room for more

/// Those that connections are in for longer than a moment, in the order of a life.
constexpr std::array kShown{tcp::State::kSynSent,  tcp::State::kSynReceived, tcp::State::kEstablished,
                            tcp::State::kFinWait1, tcp::State::kFinWait2,    tcp::State::kCloseWait,
                            tcp::State::kClosing,  tcp::State::kLastAck,     tcp::State::kTimeWait};

std::string rate_text(double rate) {
  if (rate > 0 && rate < 9.95) return fmt::format("{:.1f}", rate);
  return human_count(static_cast<std::uint64_t>(std::llround(std::max(rate, 0.0))));
}
std::string byte_rate_text(double rate) { return human_bytes(static_cast<std::uint64_t>(std::llround(std::max(rate, 0.0)))); }

std::string percent(std::uint64_t part, std::uint64_t all) {
  if (all == 0 || part == 0) return "0 %";
  const double share = 100.0 * static_cast<double>(part) / static_cast<double>(all);
  return share < 0.1 ? "<0.1 %" : fmt::format("{:.1f} %", share);
}

std::string clock_text(base::Duration elapsed) {
  const std::int64_t seconds = elapsed / base::kSecond;
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string ago_text(base::Duration ago) {
  const std::int64_t seconds = std::max<base::Duration>(ago, 0) / base::kSecond;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3'600) return fmt::format("{} min", seconds / 60);
  return seconds < 172'800 ? fmt::format("{} h", seconds / 3'600) : fmt::format("{} days", seconds / 86'400);
}

std::string_view title(Page page) {
  constexpr std::array<std::string_view, kPages> kTitles{"overview", "busiest", "sickest", "connections", "anomalies"};
  return kTitles[static_cast<std::size_t>(page)];
}

class Drawing {
 public:
  Drawing(const Model& model, const Ui& ui, Size size, const Looks& looks)
      : model_(model), status_(model.status), ui_(ui), looks_(looks), frame_(size), rows_(size.rows), columns_(size.columns) {}

  Frame draw() {
    put_head();
    put_tabs();
    if (ui_.help) {
      put_help();
    } else if (ui_.open || ui_.searched) {
      put_closeup();
    } else if (ui_.page == Page::kOverview) {
      put_overview();
    } else if (ui_.page == Page::kConnections) {
      put_connections();
    } else if (ui_.page == Page::kAnomalies) {
      put_notices(kHead, rows_ - kHead - kFoot);
    } else {
      put_pairs();
    }
    put_foot();
    return std::move(frame_);
  }

 private:
  [[nodiscard]] base::Timestamp clock() const { return status_.counters.clock; }

  void put_head() {
    const engine::LiveCounters& c = status_.counters;
    frame_.put(0, 0, " finwait  " + status_.interfaces);
    const std::string right = fmt::format("{} packets/s  {}/s  {} ", rate_text(status_.rates.packets), byte_rate_text(status_.rates.bytes),
                                          clock_text(status_.elapsed));
    frame_.put_right(0, columns_, "  " + right);
    frame_.paint(0, Style::kBar);

    const std::uint64_t dropped = c.dropped_by_kernel + c.dropped_by_interface;
    std::string text = fmt::format("dropped {} of {} packets", human_count(dropped), human_count(c.received + c.dropped_by_interface));
    if (dropped != 0)
      text += fmt::format(" (kernel {}, interface {})", human_count(c.dropped_by_kernel), human_count(c.dropped_by_interface));
    if (status_.rates.dropped > 0) text += fmt::format(", {}/s now", rate_text(status_.rates.dropped));
    frame_.put(1, 1, text, dropped != 0 ? Style::kAlert : Style::kGood);
    const bool tight = c.evicted + c.table_full != 0;
    std::string table = fmt::format("{} of {} remembered", human_count(c.remembered), human_count(c.most));
    if (tight) table += fmt::format(", {} evicted", human_count(c.evicted + c.table_full));
    if (1 + width(text) + 2 + width(table) <= columns_) frame_.put_right(1, columns_ - 1, table, tight ? Style::kWarning : Style::kFaint);
  }

  void put_tabs() {
    int column = 1;
    for (int n = 0; n < kPages; ++n) {
      const auto page = static_cast<Page>(n);
      column = frame_.put(2, column, fmt::format("{} {}", n + 1, title(page)), page == ui_.page ? Style::kStrong : Style::kFaint) + 2;
    }
    if (column + 14 <= columns_) frame_.put_right(2, columns_ - 1, "? help  q quit", Style::kFaint);
  }

  void put_foot() {
    const int row = rows_ - 1;
    if (row < kHead) return;
    std::string text;
    if (ui_.typing) {
      text = " show rows with: " + ui_.filter + "_   Enter: done, Esc: all rows";
    } else {
      if (ui_.paused) text += " HELD: space goes on ";
      if (const auto sort = ui_.sorted_by(); sort && !ui_.open)
        text += fmt::format(" by {}{}", name(*sort), ui_.reverse ? ", least first" : "");
      if (!ui_.filter.empty()) text += fmt::format("  only: {}", ui_.filter);
      if (!status_.message.empty()) text += fmt::format("  {}", status_.message);
    }
    frame_.put(row, 0, text);
    if (status_.lost != 0) frame_.put_right(row, columns_, fmt::format("  {} not shown ", human_count(status_.lost)));
    frame_.paint(row, Style::kBar);
  }

  void put_help() {
    int row = kHead;
    for (const KeyRow& key : key_table()) {
      const std::string text = fmt::format(" {:<8} ", key.label);
      frame_.put(row, frame_.put(row, 0, text, Style::kStrong), key.help);
      if (++row >= rows_ - kFoot) return;
    }
  }

  // The overview: states at the left, lives at the right, the latest anomalies below.
  void put_overview() {
    put_states();
    const int middle = std::clamp(columns_ / 2, 40, 56);
    put_lives(middle);
    const int below = kHead + kTableRows;
    frame_.put(below, 1, "the latest anomalies", Style::kFaint);
    put_notices(below + 1, rows_ - below - 1 - kFoot);
  }

  void put_states() {
    frame_.put(kHead, 1, fmt::format("{:<14}{:>11}{:>12}", "ends in", "now", "entered/s"), Style::kFaint);
    int row = kHead + 1;
    for (const tcp::State state : kShown) {
      const auto n = static_cast<std::size_t>(state);
      const std::uint64_t now = status_.counters.ends[n];
      const double rate = status_.rates.entered[n];
      frame_.put(row++, 1, fmt::format("{:<14}{:>11}{:>12}", tcp::name(state), human_count(now), rate_text(rate)),
                 now == 0 && rate == 0 ? Style::kFaint : Style::kPlain);
    }
  }

  void put_lives(int column) {
    const engine::LiveCounters& c = status_.counters;
    const Rates& r = status_.rates;
    const auto line = [&](int row, std::string_view what, std::uint64_t all, double rate) {
      frame_.put(row, column, fmt::format("{:<14}{:>12}{:>11}", what, human_count(all), rate_text(rate)));
    };
    frame_.put(kHead, column, fmt::format("{:<14}{:>12}{:>11}", "connections", "in all", "a second"), Style::kFaint);
    line(kHead + 1, "begun", c.created, r.created);
    line(kHead + 2, "opened", c.opened, r.opened);
    line(kHead + 3, "ended", c.ended, r.ended);
    line(kHead + 4, "failed", c.failed, r.failed);
    put_endings(kHead + 5, column, 5);
  }

  /// The commonest endings of what was over and written.
  void put_endings(int row, int column, int most) {
    frame_.put(row++, column, "how they ended", Style::kFaint);
    std::vector<std::pair<std::uint64_t, std::string_view>> endings;
    for (int n = 0; n < tcp::kEndings; ++n) {
      const std::uint64_t count = status_.counters.endings[static_cast<std::size_t>(n)];
      if (count != 0) endings.emplace_back(count, tcp::name(static_cast<tcp::Ending>(n)));
    }
    std::stable_sort(endings.begin(), endings.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    for (std::size_t n = 0; n < std::min<std::size_t>(endings.size(), static_cast<std::size_t>(most)); ++n) {
      const std::string share = percent(endings[n].first, status_.counters.reported);
      frame_.put(row++, column, fmt::format("{:<18}{:>9}{:>10}", endings[n].second, human_count(endings[n].first), share));
    }
  }

  /// The row of the list that stands first.
  [[nodiscard]] int first_of(std::size_t all, int room) const {
    const int selected = std::min(ui_.selected, static_cast<int>(all) - 1);
    return std::max(0, selected - room + 1);
  }

  /// Calls put(row, index) for each row of the list that there is room for, and paints the one that is selected.
  template <class Put>
  void put_list(int top, int room, Put&& put) {
    const auto shown = arranged(model_, ui_);
    const int first = first_of(shown.size(), room);
    for (int n = 0; n < room && static_cast<std::size_t>(first + n) < shown.size(); ++n) {
      put(top + n, shown[static_cast<std::size_t>(first + n)]);
      if (first + n == std::min(ui_.selected, static_cast<int>(shown.size()) - 1)) frame_.paint(top + n, Style::kSelected);
    }
    if (shown.empty() && room > 0) frame_.put(top, 1, ui_.filter.empty() ? "none yet" : "none with this text", Style::kFaint);
  }

  void put_notices(int top, int room) {
    put_list(top, room, [this](int row, std::size_t n) {
      const tcp::Notice& notice = model_.notices[n];
      const std::string ago = ago_text(base::elapsed(notice.time, clock()));
      frame_.put(row, 1, fmt::format("{:<8}{:<27}{:>9}  {}", tcp::name(notice.severity), tcp::info(notice.kind).name, ago, text_of(notice)),
                 style_of(notice.severity));
    });
  }

  /// The heads of a list's columns; the one it is sorted by stands out.
  struct Column {
    std::string_view name;
    int columns;
    Sort sort;
  };
  void put_columns(const std::vector<Column>& columns, std::string_view last) {
    int at = 0;
    const std::string_view mark = looks_.utf8 ? (ui_.reverse ? "▲" : "▼") : (ui_.reverse ? "^" : "v");
    for (const Column& column : columns) {
      const bool by = ui_.sorted_by() == column.sort;
      at += column.columns;
      frame_.put_right(kHead, at, fmt::format("{}{}", by ? mark : "", column.name), by ? Style::kStrong : Style::kFaint);
    }
    frame_.put(kHead, at + 2, last, Style::kFaint);
  }

  void put_pairs() {
    const bool wide = columns_ >= kWide;
    std::vector<Column> columns{{"bytes/s", 9, Sort::kRate},
                                {"packets/s", 11, Sort::kPackets},
                                {"conns", 7, Sort::kConnections},
                                {"retr.", 8, Sort::kRetransmitted},
                                {"trouble", 9, Sort::kTrouble}};
    if (wide) columns.push_back({"bytes", 10, Sort::kBytes});
    put_columns(columns, "originator > responder");
    put_list(kHead + 1, rows_ - kHead - 1 - kFoot, [&](int row, std::size_t n) {
      const PairRow& pair = model_.pairs[n];
      std::string text = fmt::format("{:>9}{:>11}{:>7}{:>8}{:>9}", byte_rate_text(pair.byte_rate), rate_text(pair.packet_rate),
                                     human_count(pair.connections), percent(pair.retransmitted, pair.packets), human_count(pair.trouble));
      if (wide) text += fmt::format("{:>10}", human_bytes(pair.bytes));
      frame_.put(row, 0, text + "  " + text_of(pair.pair), pair.trouble >= 10 ? Style::kWarning : Style::kPlain);
    });
  }

  void put_connections() {
    const bool wide = columns_ >= kWide;
    std::vector<Column> columns{{"bytes/s", 9, Sort::kRate}, {"retr.", 8, Sort::kRetransmitted}};
    if (wide) {
      columns.push_back({"bytes", 10, Sort::kBytes});
      columns.push_back({"packets", 10, Sort::kPackets});
      columns.push_back({"idle", 10, Sort::kIdle});
      columns.push_back({"trouble", 9, Sort::kTrouble});
    }
    put_columns(columns, fmt::format("{:<{}}{:<{}}originator > responder", "state", wide ? 14 : 9, "state", wide ? 14 : 9));
    put_list(kHead + 1, rows_ - kHead - 1 - kFoot, [&](int row, std::size_t n) {
      const ConnectionRow& c = model_.connections[n];
      const tcp::ConnectionView& v = c.view;
      const std::uint64_t packets = v.ends[0].packets + v.ends[1].packets;
      const std::uint64_t again = std::uint64_t{v.ends[0].retransmitted_segments} + v.ends[1].retransmitted_segments;
      std::string text = fmt::format("{:>9}{:>8}", byte_rate_text(c.byte_rate), percent(again, packets));
      if (wide) {
        text += fmt::format("{:>10}{:>10}{:>10}{:>9}", human_bytes(v.ends[0].ip_bytes + v.ends[1].ip_bytes), human_count(packets),
                            ago_text(base::elapsed(v.end, clock())), c.trouble);
      }
      const auto state = [wide](tcp::State s) { return wide ? tcp::name(s) : brief(s); };
      text += fmt::format("  {:<{}}{:<{}}{}", state(v.ends[0].state), wide ? 14 : 9, state(v.ends[1].state), wide ? 14 : 9, text_of(v));
      frame_.put(row, 0, text, c.trouble >= 10 ? Style::kWarning : Style::kPlain);
    });
  }

  void put_closeup() {
    if (!model_.closeup) {
      frame_.put(kHead, 1, "looking for it ...", Style::kFaint);
      return;
    }
    const auto lines = closeup_lines(*model_.closeup, clock());
    const int room = std::max(rows_ - kHead - kFoot, 0);
    const int last = static_cast<int>(lines.size()) - room;
    const int first = std::max(0, ui_.at_end ? last : std::min(ui_.scroll, last));
    for (int n = 0; n < room && static_cast<std::size_t>(first + n) < lines.size(); ++n) {
      const Line& line = lines[static_cast<std::size_t>(first + n)];
      frame_.put(kHead + n, 1, line.text, line.style);
    }
  }

  const Model& model_;
  const Status& status_;
  const Ui& ui_;
  const Looks& looks_;
  Frame frame_;
  int rows_;
  int columns_;
};

}  // namespace

Frame draw(const Model& model, const Ui& ui, Size size, const Looks& looks) { return Drawing(model, ui, size, looks).draw(); }

int list_rows(const Ui& ui, Size size) noexcept {
  if (ui.open) return std::max(size.rows - kHead - kFoot, 1);
  const int above = kHead + (ui.page == Page::kOverview ? kTableRows + 1 : ui.page == Page::kAnomalies ? 0 : 1);
  return std::max(size.rows - above - kFoot, 1);
}

}  // namespace finwait::screen

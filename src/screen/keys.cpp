#include "finwait/screen/keys.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "closeup.h"

namespace finwait::screen {
namespace {

constexpr std::array kKeys{
    KeyRow{Action::kShowOverview, {'1'}, "1", "overview: states, openings, endings, the latest anomalies"},
    KeyRow{Action::kShowBusiest, {'2'}, "2", "endpoint pairs, the busiest first"},
    KeyRow{Action::kShowSickest, {'3'}, "3", "endpoint pairs, the sickest first"},
    KeyRow{Action::kShowConnections, {'4'}, "4", "connections"},
    KeyRow{Action::kShowAnomalies, {'5'}, "5", "anomalies as they come"},
    KeyRow{Action::kNextPage, {key::kTab}, "Tab", "the next of these"},
    KeyRow{Action::kUp, {key::kUp, 'k'}, "Up, k", "a row up"},
    KeyRow{Action::kDown, {key::kDown, 'j'}, "Down, j", "a row down"},
    KeyRow{Action::kPageUp, {key::kPageUp, 'b'}, "PgUp, b", "a screen up"},
    KeyRow{Action::kPageDown, {key::kPageDown, 'f'}, "PgDn, f", "a screen down"},
    KeyRow{Action::kFirst, {key::kHome, 'g'}, "Home, g", "to the first row"},
    KeyRow{Action::kLast, {key::kEnd, 'G'}, "End, G", "to the last row"},
    KeyRow{Action::kOpen, {key::kEnter, '\r'}, "Enter", "the connection in detail with its ladder; a pair's connections"},
    KeyRow{Action::kBack, {key::kEscape, key::kBackspace, 8}, "Esc", "back: from help, a connection, a filter"},
    KeyRow{Action::kSort, {'s'}, "s", "sort by the next column"},
    KeyRow{Action::kReverse, {'r'}, "r", "the other way round"},
    KeyRow{Action::kPause, {' ', 'p'}, "Space, p", "hold the lists; the capture and its counts go on"},
    KeyRow{Action::kFilter, {'/'}, "/", "show only rows with a text: address, port, state, anomaly"},
    KeyRow{Action::kHelp, {'?', 'h'}, "?, h", "this help"},
    KeyRow{Action::kQuit, {'q', 'Q'}, "q", "end the capture"},
};

constexpr std::array kPairSorts{Sort::kRate, Sort::kPackets, Sort::kBytes, Sort::kConnections, Sort::kTrouble, Sort::kRetransmitted};
constexpr std::array kSickSorts{Sort::kTrouble, Sort::kRetransmitted, Sort::kConnections, Sort::kRate};
constexpr std::array kConnectionSorts{Sort::kRate,          Sort::kBytes,  Sort::kPackets, Sort::kTrouble,
                                      Sort::kRetransmitted, Sort::kNewest, Sort::kIdle};

bool same_letter(char a, char b) noexcept {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return small(a) == small(b);
}
bool contains(std::string_view text, std::string_view wanted) noexcept {
  return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), same_letter) != text.end();
}

double share(std::uint64_t part, std::uint64_t all) noexcept { return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all); }
std::uint64_t packets(const tcp::ConnectionView& v) noexcept { return v.ends[0].packets + v.ends[1].packets; }
std::uint64_t bytes(const tcp::ConnectionView& v) noexcept { return v.ends[0].ip_bytes + v.ends[1].ip_bytes; }
std::uint64_t retransmitted(const tcp::ConnectionView& v) noexcept {
  return std::uint64_t{v.ends[0].retransmitted_segments} + v.ends[1].retransmitted_segments;
}

/// Beyond the end of any list.
constexpr int kFar = 1'000'000;

class Press {
 public:
  Press(Ui& ui, const Model& model, int rows) : ui_(ui), model_(model), rows_(std::max(rows, 1)) {}

  void type(int key) {
    if (key == key::kEnter || key == '\r') {
      ui_.typing = false;
    } else if (key == key::kEscape) {
      ui_.typing = false;
      ui_.filter.clear();
    } else if (key == key::kBackspace || key == 8) {
      if (!ui_.filter.empty()) ui_.filter.pop_back();
    } else if (key >= ' ' && key < key::kBackspace && ui_.filter.size() < 60) {
      ui_.filter += static_cast<char>(key);
    }
    ui_.selected = 0;
  }

  void act(Action action) {
    switch (action) {
      case Action::kShowOverview:
      case Action::kShowBusiest:
      case Action::kShowSickest:
      case Action::kShowConnections:
      case Action::kShowAnomalies:
        return show(static_cast<Page>(action));
      case Action::kNextPage:
        return show(static_cast<Page>((static_cast<int>(ui_.page) + 1) % kPages));
      case Action::kUp:
        return move(-1);
      case Action::kDown:
        return move(1);
      case Action::kPageUp:
        return move(-rows_);
      case Action::kPageDown:
        return move(rows_);
      case Action::kFirst:
        return move(-kFar);
      case Action::kLast:
        return move(kFar);
      case Action::kOpen:
        return open();
      case Action::kBack:
        return back();
      case Action::kSort:
        return sort();
      case Action::kReverse:
        ui_.reverse = !ui_.reverse;
        return;
      case Action::kPause:
        ui_.paused = !ui_.paused;
        return;
      case Action::kFilter:
        ui_.typing = true;
        ui_.help = false;
        return;
      case Action::kHelp:
        ui_.help = !ui_.help;
        return;
      case Action::kQuit:
        ui_.quit = true;
        return;
    }
  }

 private:
  void show(Page page) {
    ui_.page = page;
    ui_.help = false;
    ui_.open.reset();
    ui_.searched.reset();
    ui_.selected = ui_.scroll = 0;
    ui_.reverse = false;
  }

  void move(int by) {
    int& at = ui_.open ? ui_.scroll : ui_.selected;
    const int limit = last();
    if (ui_.open && ui_.at_end) at = limit;
    at = std::max(0, std::min(at + by, limit));
    ui_.at_end = ui_.open && by > 0 && at >= limit;
  }

  /// The last row of the list, or the first line of the last screenful of a closeup.
  [[nodiscard]] int last() const {
    if (!ui_.open) return static_cast<int>(arranged(model_, ui_).size()) - 1;
    if (!model_.closeup) return 0;
    return static_cast<int>(closeup_lines(*model_.closeup, model_.status.counters.clock).size()) - rows_;
  }

  void open() {
    const auto rows = arranged(model_, ui_);
    if (ui_.open || static_cast<std::size_t>(ui_.selected) >= rows.size()) return;
    const std::size_t row = rows[static_cast<std::size_t>(ui_.selected)];
    if (ui_.page == Page::kConnections) {
      const ConnectionRow& chosen = model_.connections[row];
      ui_.open = Ui::Open{chosen.view.id, chosen.view.index, chosen.shard};
      ui_.scroll = 0;
      ui_.at_end = false;
    } else if (ui_.page == Page::kOverview || ui_.page == Page::kAnomalies) {
      ui_.searched = model_.notices[row].connection;
    } else {
      const std::string pair = text_of(model_.pairs[row].pair);
      show(Page::kConnections);
      ui_.filter = pair;
    }
  }

  void back() {
    if (ui_.help) {
      ui_.help = false;
    } else if (ui_.open || ui_.searched) {
      ui_.open.reset();
      ui_.searched.reset();
      ui_.scroll = 0;
    } else {
      ui_.filter.clear();
      ui_.selected = 0;
    }
  }

  void sort() {
    const std::size_t all = sorts(ui_.page).size();
    if (all == 0) return;
    std::size_t& now = ui_.sort[static_cast<std::size_t>(ui_.page)];
    now = (now + 1) % all;
    ui_.selected = 0;
  }

  Ui& ui_;
  const Model& model_;
  int rows_;
};

template <class Row>
std::vector<std::size_t> filtered(const std::vector<Row>& rows, std::string_view filter) {
  std::vector<std::size_t> shown;
  for (std::size_t n = 0; n != rows.size(); ++n) {
    if (matches(rows[n], filter)) shown.push_back(n);
  }
  return shown;
}

template <class Row>
std::vector<std::size_t> sorted(const std::vector<Row>& rows, const Ui& ui) {
  std::vector<std::size_t> shown = filtered(rows, ui.filter);
  const Sort by = *ui.sorted_by();
  std::stable_sort(shown.begin(), shown.end(),
                   [&](std::size_t a, std::size_t b) { return ui.reverse ? before(rows[b], rows[a], by) : before(rows[a], rows[b], by); });
  return shown;
}

}  // namespace

std::span<const KeyRow> key_table() noexcept { return kKeys; }

std::string_view name(Sort sort) noexcept {
  constexpr std::array<std::string_view, 8> kNames{"bytes/s", "packets",       "bytes",  "connections",
                                                   "trouble", "retransmitted", "newest", "idle"};
  return kNames[static_cast<std::size_t>(sort)];
}

std::span<const Sort> sorts(Page page) noexcept {
  if (page == Page::kBusiest) return kPairSorts;
  if (page == Page::kSickest) return kSickSorts;
  if (page == Page::kConnections) return kConnectionSorts;
  return {};
}

std::optional<Sort> Ui::sorted_by() const noexcept {
  const auto all = sorts(page);
  return all.empty() ? std::nullopt : std::optional(all[sort[static_cast<std::size_t>(page)] % all.size()]);
}

void press(Ui& ui, int key, const Model& model, int rows) {
  Press pressed(ui, model, rows);
  if (ui.typing) return pressed.type(key);
  for (const KeyRow& row : kKeys) {
    if (std::find(row.keys.begin(), row.keys.end(), key) != row.keys.end() && key != 0) return pressed.act(row.action);
  }
}

std::vector<std::size_t> arranged(const Model& model, const Ui& ui) {
  if (ui.page == Page::kBusiest || ui.page == Page::kSickest) return sorted(model.pairs, ui);
  if (ui.page == Page::kConnections) return sorted(model.connections, ui);
  std::vector<std::size_t> shown = filtered(model.notices, ui.filter);
  if (ui.reverse) std::reverse(shown.begin(), shown.end());
  return shown;
}

bool before(const PairRow& a, const PairRow& b, Sort sort) noexcept {
  const auto value = [sort](const PairRow& row) {
    const auto number = [](std::uint64_t n) { return static_cast<double>(n); };
    switch (sort) {
      case Sort::kBytes:
        return number(row.bytes);
      case Sort::kPackets:
        return row.packet_rate;
      case Sort::kConnections:
        return number(row.connections);
      case Sort::kTrouble:
        return number(row.trouble);
      case Sort::kRetransmitted:
        return share(row.retransmitted, row.packets);
      default:
        return row.byte_rate;
    }
  };
  const double left = value(a);
  const double right = value(b);
  return left != right ? left > right : a.bytes > b.bytes;
}

bool before(const ConnectionRow& a, const ConnectionRow& b, Sort sort) noexcept {
  const auto value = [sort](const ConnectionRow& row) {
    const auto number = [](auto n) { return static_cast<double>(n); };
    switch (sort) {
      case Sort::kBytes:
        return number(bytes(row.view));
      case Sort::kPackets:
        return number(packets(row.view));
      case Sort::kTrouble:
        return number(row.trouble);
      case Sort::kRetransmitted:
        return share(retransmitted(row.view), packets(row.view));
      case Sort::kNewest:
        return number(row.view.start);
      case Sort::kIdle:
        return -number(row.view.end);
      default:
        return row.byte_rate;
    }
  };
  const double left = value(a);
  const double right = value(b);
  return left != right ? left > right : a.view.id > b.view.id;
}

bool matches(const PairRow& row, std::string_view filter) { return filter.empty() || contains(text_of(row.pair), filter); }

bool matches(const tcp::ConnectionView& view, std::string_view filter) {
  if (filter.empty() || contains(text_of(view), filter)) return true;
  if (contains(tcp::name(view.ends[0].state), filter) || contains(tcp::name(view.ends[1].state), filter)) return true;
  for (std::uint64_t left = view.anomaly_kinds; left != 0; left &= left - 1) {
    if (contains(tcp::info(static_cast<tcp::AnomalyKind>(std::countr_zero(left))).name, filter)) return true;
  }
  // A pair as its row is written: the originator's address without its port.
  const report::Busiest::Pair pair{view.ends[0].address, view.ends[1].address, view.ends[1].port, view.ip_version};
  return contains(text_of(pair), filter);
}

bool matches(const tcp::Notice& notice, std::string_view filter) {
  return filter.empty() || contains(text_of(notice), filter) || contains(tcp::info(notice.kind).name, filter) ||
         contains(tcp::name(notice.severity), filter);
}

}  // namespace finwait::screen

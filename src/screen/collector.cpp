#include "finwait/screen/collector.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "finwait/tcp/anomaly.h"

namespace finwait::screen {
namespace {

constexpr base::Duration kRateOver = 3 * base::kSecond;

/// What a second brought, between two looks at the counters.
Rates rates_between(const engine::LiveCounters& from, const engine::LiveCounters& to) {
  Rates rates;
  const double seconds = static_cast<double>(base::elapsed(from.now, to.now)) / 1e9;
  if (seconds < 0.05) return rates;
  const auto rate = [seconds](std::uint64_t before, std::uint64_t after) {
    return after > before ? static_cast<double>(after - before) / seconds : 0.0;
  };
  rates.packets = rate(from.analysed, to.analysed);
  rates.bytes = rate(from.bytes, to.bytes);
  rates.dropped = rate(from.dropped_by_kernel + from.dropped_by_interface, to.dropped_by_kernel + to.dropped_by_interface);
  rates.created = rate(from.created, to.created);
  rates.opened = rate(from.opened, to.opened);
  rates.ended = rate(from.ended, to.ended);
  rates.failed = rate(from.failed, to.failed);
  for (std::size_t n = 0; n != rates.entered.size(); ++n) rates.entered[n] = rate(from.entered[n], to.entered[n]);
  return rates;
}

/// Someone asked, and nobody answered: in a flood there are more of them than of anything else.
bool is_bare_attempt(const tcp::ConnectionView& v) noexcept { return v.ends[0].packets == 0 || v.ends[1].packets == 0; }

}  // namespace

std::size_t Collector::PairHash::operator()(const report::Busiest::Pair& pair) const noexcept {
  std::array<std::uint64_t, 4> words;
  std::memcpy(words.data(), &pair.from, 16);
  std::memcpy(words.data() + 2, &pair.to, 16);
  std::uint64_t hash = pair.port;
  for (const std::uint64_t word : words) hash = (hash ^ word ^ hash >> 29) * 0x9e37'79b9'7f4a'7c15;
  return hash ^ hash >> 32;
}

Collector::Collector(Sources sources) : sources_(std::move(sources)), before_(sources_.readers.size()) {}

void Collector::look(Status& status) {
  status.interfaces = sources_.interfaces;
  status.counters = sources_.counters();
  const base::Timestamp now = status.counters.now;
  if (began_ == 0) began_ = now;
  status.elapsed = base::elapsed(began_, now);
  if (looks_.empty() || looks_.back().now < now) looks_.push_back(status.counters);
  while (looks_.size() > 2 && base::elapsed(looks_[1].now, now) >= kRateOver) looks_.pop_front();
  status.rates = rates_between(looks_.front(), status.counters);
  status.lost = 0;
  for (const tcp::LiveFeed* feed : sources_.feeds) status.lost += feed->lost();
}

void Collector::listen(Model& model, bool held) {
  for (tcp::LiveFeed* feed : sources_.feeds) {
    for (tcp::Notice notice; feed->take(notice);) {
      notices_.push_front(notice);
      news_ = true;
    }
    for (tcp::LiveStep step; feed->take(step);) {
      if (held || !model.closeup || (step.connection != 0 && step.connection != model.closeup->details.view.id)) continue;
      auto& steps = model.closeup->steps;
      if (steps.size() == Model::kMostSteps) {
        const std::size_t half = steps.size() / 2;
        steps.erase(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(half));
        model.closeup->left_out += half;
      }
      steps.push_back(step);
    }
  }
  if (notices_.size() > Model::kMostNotices) notices_.resize(Model::kMostNotices);
  if (!news_ || held) return;
  news_ = false;
  model.notices.assign(notices_.begin(), notices_.end());
}

void Collector::round(Model& model, const Ui& ui, const std::function<void()>& rest) {
  const engine::LiveCounters counters = sources_.counters();
  const base::Timestamp now = counters.now;
  const std::uint64_t still_since = std::exchange(round_frames_, counters.analysed);
  seconds_ = round_at_ == 0 ? 0 : static_cast<double>(base::elapsed(round_at_, now)) / 1e9;
  round_at_ = now;
  pairs_.clear();
  best_.clear();
  matching_ = 0;
  found_.reset();
  for (std::uint32_t shard = 0; shard != sources_.readers.size(); ++shard) {
    const tcp::TableReader& reader = sources_.readers[shard];
    before_[shard].resize(std::max<std::size_t>(before_[shard].size(), reader.limit()));
    reader.for_each([&](const tcp::ConnectionView& view) { see(view, shard, ui); }, rest, still_since);
  }
  hand_over_pairs(model, ui);
  model.connections.swap(best_);
  model.all_connections = matching_;
}

void Collector::see(const tcp::ConnectionView& view, std::uint32_t shard, const Ui& ui) {
  if (ui.searched == view.id) found_ = Ui::Open{view.id, view.index, shard};
  const Growth grown = growth(view, shard);
  if (view.over || view.candidate) return;
  const std::uint32_t trouble = weight(view.anomaly_kinds);
  add_to_pair(view, grown, trouble);
  const bool filtered = ui.page == Page::kConnections && !ui.filter.empty();
  if (filtered && !matches(view, ui.filter)) return;
  ++matching_;
  keep_best({view, shard, grown.bytes, trouble}, ui);
}

/// By how much it grew in a second since the round before; one that is new, by all it has. A table may have grown since the round began:
/// what is new there has its turn in the next.
Collector::Growth Collector::growth(const tcp::ConnectionView& view, std::uint32_t shard) {
  if (view.index >= before_[shard].size()) return {};
  Before& before = before_[shard][view.index];
  const std::uint64_t bytes = view.ends[0].ip_bytes + view.ends[1].ip_bytes;
  const std::uint64_t packets = view.ends[0].packets + view.ends[1].packets;
  const Before last = before.id == view.id ? before : Before{view.id, 0, 0};
  before = {view.id, bytes, packets};
  if (seconds_ < 0.05) return {};
  return {static_cast<double>(bytes - last.bytes) / seconds_, static_cast<double>(packets - last.packets) / seconds_};
}

void Collector::add_to_pair(const tcp::ConnectionView& view, const Growth& growth, std::uint32_t trouble) {
  const report::Busiest::Pair pair{view.ends[0].address, view.ends[1].address, view.ends[1].port, view.ip_version};
  auto at = pairs_.find(pair);
  if (at == pairs_.end()) {
    if (pairs_.size() >= (is_bare_attempt(view) ? kRoom / 2 : kRoom)) return;
    at = pairs_.emplace(pair, PairRow{}).first;
    at->second.pair = pair;
  }
  PairRow& row = at->second;
  ++row.connections;
  for (const tcp::EndView& end : view.ends) {
    row.bytes += end.ip_bytes;
    row.packets += end.packets;
    row.retransmitted += end.retransmitted_segments;
    row.missing += end.missing_bytes;
  }
  row.ill += trouble != 0;
  row.trouble += trouble;
  row.byte_rate += growth.bytes;
  row.packet_rate += growth.packets;
}

void Collector::keep_best(const ConnectionRow& row, const Ui& ui) {
  const auto all = sorts(Page::kConnections);
  const Sort by = all[ui.sort[static_cast<std::size_t>(Page::kConnections)] % all.size()];
  const bool reverse = ui.reverse && ui.page == Page::kConnections;
  const auto order = [&](const ConnectionRow& a, const ConnectionRow& b) { return reverse ? before(b, a, by) : before(a, b, by); };
  if (best_.size() == Model::kMostRows) {
    if (!order(row, best_.front())) return;
    std::pop_heap(best_.begin(), best_.end(), order);
    best_.back() = row;
  } else {
    best_.push_back(row);
  }
  std::push_heap(best_.begin(), best_.end(), order);
}

void Collector::hand_over_pairs(Model& model, const Ui& ui) {
  std::vector<PairRow> rows;
  rows.reserve(pairs_.size());
  const bool filtered = (ui.page == Page::kBusiest || ui.page == Page::kSickest) && !ui.filter.empty();
  for (const auto& [pair, row] : pairs_) {
    if (!filtered || matches(row, ui.filter)) rows.push_back(row);
  }
  model.all_pairs = rows.size();
  if (rows.size() > Model::kMostRows) {
    const auto all = sorts(ui.page == Page::kSickest ? Page::kSickest : Page::kBusiest);
    const std::size_t page =
        ui.page == Page::kSickest ? static_cast<std::size_t>(Page::kSickest) : static_cast<std::size_t>(Page::kBusiest);
    const Sort by = all[ui.sort[page] % all.size()];
    const auto order = [&](const PairRow& a, const PairRow& b) { return ui.reverse ? before(b, a, by) : before(a, b, by); };
    std::nth_element(rows.begin(), rows.begin() + Model::kMostRows, rows.end(), order);
    rows.resize(Model::kMostRows);
  }
  model.pairs = std::move(rows);
}

void Collector::follow(Model& model, const Ui& ui) {
  if (followed_ != ui.open) {
    followed_ = ui.open;
    model.closeup.reset();
    for (tcp::LiveFeed* feed : sources_.feeds) feed->ask({});
  }
  if (!ui.open || (ui.paused && model.closeup)) return;
  const tcp::TableReader& reader = sources_.readers[ui.open->shard];
  tcp::ConnectionDetails details;
  const auto look = reader.details(ui.open->index, model.status.counters.clock, details);
  if (look == tcp::TableReader::Look::kBusy) return;
  if (look == tcp::TableReader::Look::kNothing || details.view.id != ui.open->id) {
    if (model.closeup) model.closeup->gone = true;
    return;
  }
  if (!model.closeup) {
    model.closeup.emplace();
    sources_.feeds[ui.open->shard]->ask({true, key_of(details.view)});
  }
  model.closeup->details = std::move(details);
}

}  // namespace finwait::screen

// The collector: samples into the store; at the end Holm's procedure over all sets of samples.
#include "finwait/hosts/isn.h"

#include <algorithm>
#include <future>
#include <numeric>
#include <span>
#include <system_error>
#include <tuple>
#include <utility>

#include "finwait/hosts/isn_analysis.h"
#include "isn_room.h"
#include "isn_weight.h"
#include "sorted.h"

namespace finwait::hosts {
namespace {

constexpr std::size_t kLeastReported = 4;
constexpr std::size_t kLeastTested = 64;                    ///< of a host that has them
constexpr std::size_t kTestedInAll = std::size_t{1} << 17;  ///< samples, over all hosts: what the tests cost has a bound

/// One set of samples to test: all of a host, or those of one machine behind its address.
struct Unit {
  static constexpr std::size_t kNoFinding = ~std::size_t{0};
  const IsnStore::Entry* entry = nullptr;
  std::size_t finding = kNoFinding;                 // where the finding goes if the host is innocent
  IsnVerdict innocent = IsnVerdict::kInconclusive;  // and what it says then
  double p = 1;
  int machine = -1;  // -1: all together
  bool split = false;
  bool tested = false;
  bool rejected = false;
};

/// All that a thread needs to judge.
struct Bench {
  IsnRoom room;
  std::vector<IsnObservation> samples;
  IsnSeries series;
};

/// How many samples of a host are tested: all that are kept, but fewer where hosts are many. The most that comes to kTestedInAll together.
std::size_t most_tested(const IsnStore& store) {
  std::vector<std::size_t> holding(IsnStore::kRuns.back() + 1);  // how many hosts have so many samples
  for (const IsnStore::Entry& entry : store.entries()) ++holding[entry.kept];
  std::size_t all = 0;
  std::size_t with_more = std::accumulate(holding.begin() + 1, holding.end(), std::size_t{0});
  std::size_t most = 0;
  while (most != IsnStore::kRuns.back() && (most < kLeastTested || all + with_more <= kTestedInAll)) {
    all += with_more;
    with_more -= holding[++most];
  }
  return most;
}

/// The latest `most` of an entry, in the order of time.
void take_latest(const IsnStore& store, const IsnStore::Entry& entry, std::size_t most, Bench& bench) {
  std::vector<IsnObservation>& samples = bench.samples;
  store.take_samples(entry, samples);
  if (samples.size() > most) {
    const auto from = samples.end() - static_cast<std::ptrdiff_t>(most);
    if (!std::is_sorted(samples.begin(), samples.end())) std::nth_element(samples.begin(), from, samples.end());
    samples.erase(samples.begin(), from);
  }
  sort_observations(samples, bench.room);
}

/// The samples of a unit into bench.series.
void take_series(const IsnStore& store, const Unit& unit, std::size_t most, Bench& bench) {
  take_latest(store, *unit.entry, most, bench);
  if (unit.machine >= 0) bench.samples = machines(bench.samples, unit.entry->host.port != 0)[static_cast<std::size_t>(unit.machine)];
  make_series(bench.samples, bench.series, bench.room);
}

/// Whether all samples that an entry has come from machines that look the same.
bool one_machine(const IsnStore& store, const IsnStore::Entry& entry) {
  const auto run = store.run(entry);
  const bool listener = entry.host.port != 0;
  return std::all_of(run.begin(), run.end(), [&first = run.front(), listener](const IsnObservation& o) {
    return o.ttl == first.ttl && (listener || o.options == first.options);
  });
}

std::vector<Unit> units_of(const IsnStore& store, std::size_t most) {
  std::vector<Unit> units;
  Bench bench;
  std::size_t findings = 0;
  const auto next_finding = [&](const IsnStore::Entry& entry) { return entry.kept >= kLeastReported ? findings++ : Unit::kNoFinding; };
  for (const IsnStore::Entry& entry : store.entries()) {
    if (entry.kept < 2) continue;
    std::size_t split = 1;
    if (!one_machine(store, entry)) {
      take_latest(store, entry, most, bench);
      split = machines(bench.samples, entry.host.port != 0).size();
    }
    if (split == 1) {
      units.push_back({.entry = &entry, .finding = next_finding(entry)});
      continue;
    }
    units.push_back({.entry = &entry, .split = true});
    for (std::size_t i = 0; i < split; ++i) {
      units.push_back({.entry = &entry, .finding = next_finding(entry), .machine = static_cast<int>(i), .split = true});
    }
  }
  return units;
}

/// Holm: the k-th smallest of m is held against family / (m - k). Returns the level at which the last was rejected.
double holm(std::vector<Unit>& units, double family) {
  std::vector<Unit*> order;
  for (Unit& u : units) {
    if (u.tested) order.push_back(&u);
  }
  std::sort(order.begin(), order.end(), [](const Unit* a, const Unit* b) { return a->p < b->p; });
  double level = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const double threshold = family / static_cast<double>(order.size() - k);
    if (order[k]->p > threshold) break;
    order[k]->rejected = true;
    level = threshold;
  }
  return level;
}

}  // namespace

std::string_view name(IsnVerdict verdict) noexcept {
  switch (verdict) {
    case IsnVerdict::kConstant:
      return "constant";
    case IsnVerdict::kSequential:
      return "sequential";
    case IsnVerdict::kClock:
      return "clock";
    case IsnVerdict::kClockWeakHash:
      return "clock-weak-hash";
    case IsnVerdict::kLowEntropy:
      return "low-entropy";
    case IsnVerdict::kLinear:
      return "linear";
    case IsnVerdict::kRfc6528Like:
      return "rfc6528-like";
    case IsnVerdict::kRandomLike:
      return "random-like";
    case IsnVerdict::kInconclusive:
      break;
  }
  return "inconclusive";
}

std::string_view name(IsnKind kind) noexcept {
  switch (kind) {
    case IsnKind::kPredictable:
      return "isn-predictable";
    case IsnKind::kRepeated:
      return "isn-repeated";
    case IsnKind::kQuality:
      break;
  }
  return "isn-quality";
}

std::string_view name(IsnSeverity severity) noexcept {
  switch (severity) {
    case IsnSeverity::kAlert:
      return "alert";
    case IsnSeverity::kWarning:
      return "warning";
    case IsnSeverity::kInfo:
      break;
  }
  return "info";
}

struct IsnCollector::Impl {
  explicit Impl(const IsnLimits& l) : limits(l), store(std::max(l.memory, kLeastMemory), l.seed) {}
  IsnLimits limits;
  IsnStore store;
};

IsnCollector::IsnCollector(const IsnLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
IsnCollector::~IsnCollector() = default;
IsnCollector::IsnCollector(IsnCollector&&) noexcept = default;
IsnCollector& IsnCollector::operator=(IsnCollector&&) noexcept = default;

std::size_t IsnCollector::hosts() const noexcept { return impl_->store.hosts(); }
std::uint64_t IsnCollector::evicted_hosts() const noexcept { return impl_->store.evicted(); }
std::size_t IsnCollector::memory() const noexcept { return impl_->store.memory(); }

std::uint64_t IsnCollector::hash(const wire::FlowKey& subject) const noexcept { return impl_->store.hash(subject); }
void IsnCollector::prefetch(std::uint64_t hash) const noexcept { impl_->store.prefetch(hash); }
std::uint32_t IsnCollector::prefetch_entry(std::uint64_t hash) const noexcept { return impl_->store.prefetch_entry(hash); }
void IsnCollector::prefetch_run(std::uint32_t guess) const noexcept { impl_->store.prefetch_run(guess); }

void IsnCollector::add(const IsnHost& host, std::uint64_t hash, const IsnObservation& observation) noexcept {
  impl_->store.add(host, hash, observation);
}

void IsnCollector::add(const IsnHost& host, std::uint64_t hash, const IsnObservation& observation, std::uint32_t guess) noexcept {
  impl_->store.add(host, hash, observation, guess);
}

void IsnCollector::add(const IsnSample& s) noexcept {
  const IsnHost host{s.host.bytes, s.network, s.port};
  const bool goes_on = s.after_time_wait && continues(s.isn, s.previous_snd_nxt);
  add(host, impl_->store.hash(host),
      {s.time, s.connection, s.isn, short_of(s.peer), s.host_port, s.peer_port, s.ttl, s.options_signature, goes_on});
}

namespace {

/// f(element, its thread's bench) for each, every so many of them on a thread of their own. What f throws is thrown; a thread that is not
/// to be had is done without.
template <class T, class F>
void for_each_on_threads(std::vector<T>& all, std::size_t threads, F f) {
  const auto do_every = [&](std::size_t first) {
    Bench bench;
    for (std::size_t n = first; n < all.size(); n += threads) f(all[n], bench);
  };
  std::vector<std::future<void>> others;
  for (std::size_t n = 1; n < std::min(threads, all.size()); ++n) {
    try {
      others.push_back(std::async(std::launch::async, do_every, n));
    } catch (const std::system_error&) {
      do_every(n);
    }
  }
  do_every(0);
  for (std::future<void>& other : others) other.get();
}

/// Whose finding it is.
IsnFinding finding_of(const Unit& unit, const IsnSeries& series) {
  IsnFinding finding;
  finding.host.bytes = unit.entry->host.address;
  finding.network = unit.entry->host.network;
  if (unit.entry->host.port != 0) finding.port = unit.entry->host.port;
  if (unit.machine >= 0) finding.ttl = series.all.front().ttl;
  finding.seen = unit.machine >= 0 ? series.all.size() : unit.entry->seen();
  finding.p_value = unit.p;
  return finding;
}

/// Those that are rejected, described: where an innocent's finding was, if it has been described too, else at the end. All machines
/// together only if that shows what no machine shows by itself.
void describe_rejected(const IsnStore& store, std::size_t most, double level, std::span<const Unit> units,
                       std::vector<IsnFinding>& findings) {
  Bench bench;
  const std::size_t described = findings.size();
  for (std::size_t i = 0; i < units.size(); ++i) {
    const Unit& unit = units[i];
    if (!unit.rejected) continue;
    bool machines_show = false;
    for (std::size_t j = i + 1; unit.split && unit.machine < 0 && j < units.size() && units[j].entry == unit.entry; ++j) {
      machines_show = machines_show || units[j].rejected;
    }
    if (machines_show) continue;
    take_series(store, unit, most, bench);
    IsnFinding finding = finding_of(unit, bench.series);
    describe_weak(bench.series, weigh(bench.series, unit.entry->host.port != 0), level, finding);
    if (unit.finding < described) {
      findings[unit.finding] = std::move(finding);
    } else {
      findings.push_back(std::move(finding));
    }
  }
}

}  // namespace

std::vector<IsnFinding> IsnCollector::finish() const { return judge(nullptr); }
std::vector<IsnFinding> IsnCollector::finish(IsnVerdictCounts& sound) const { return judge(&sound); }

std::vector<IsnFinding> IsnCollector::judge(IsnVerdictCounts* sound) const {
  const IsnStore& store = impl_->store;
  const std::size_t most = most_tested(store);
  auto units = units_of(store, most);
  const auto reported = [](const Unit& unit) { return unit.finding != Unit::kNoFinding; };
  std::vector<IsnFinding> findings(sound != nullptr ? 0 : static_cast<std::size_t>(std::count_if(units.begin(), units.end(), reported)));
  for_each_on_threads(units, impl_->limits.threads, [&](Unit& unit, Bench& bench) {
    take_series(store, unit, most, bench);
    const IsnWeight weight = weigh_quickly(bench.series, unit.entry->host.port != 0, bench.room);
    unit.tested = weight.tests > 0;
    unit.p = weight.p;
    if (!reported(unit)) return;
    if (sound != nullptr) {
      unit.innocent = verdict_of_innocent(bench.series);
    } else {
      findings[unit.finding] = finding_of(unit, bench.series);
      describe_innocent(bench.series, findings[unit.finding]);
    }
  });
  const double level = holm(units, impl_->limits.family_error);
  for (const Unit& unit : units) {
    if (sound != nullptr && reported(unit) && !unit.rejected) ++(*sound)[static_cast<std::size_t>(unit.innocent)];
  }
  describe_rejected(store, most, level, units, findings);
  return sorted(std::move(findings), [](const IsnFinding& a, const IsnFinding& b) {
    return std::tie(a.host, a.network, a.port, a.ttl) < std::tie(b.host, b.network, b.port, b.ttl);
  });
}

}  // namespace finwait::hosts

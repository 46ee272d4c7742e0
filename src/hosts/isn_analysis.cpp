// Weighing: which tests are run on a set of samples, on which groupings, and which machines are told apart.
#include "finwait/hosts/isn_analysis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include "isn_room.h"
#include "isn_screen.h"
#include "isn_weight.h"

namespace finwait::hosts {
namespace {

constexpr std::size_t kLeastForTests = 4;
constexpr std::size_t kLeastForShape = 16;  // Watson's U^2
constexpr std::size_t kLeastForShiftRegister = 34;
constexpr std::size_t kLeastSteps = 3;  // of a grouping
constexpr std::size_t kMostMachines = 8;

constexpr std::array<Grouping, 2> kListenerGroupings = {Grouping{true, false, false}, Grouping{false, true, false}};
constexpr std::array<Grouping, 6> kOriginatorGroupings = {Grouping{true, false, false}, Grouping{false, true, false},
                                                          Grouping{false, false, true}, Grouping{true, true, false},
                                                          Grouping{true, false, true},  Grouping{false, true, true}};

bool coarser(const Grouping& a, const Grouping& b) noexcept {
  return (!a.peer || b.peer) && (!a.peer_port || b.peer_port) && (!a.host_port || b.host_port);
}

std::span<const Grouping> groupings_of(bool listener) noexcept {
  return listener ? std::span<const Grouping>(kListenerGroupings) : std::span<const Grouping>(kOriginatorGroupings);
}

/// f(grouping, steps within it) for each that tells groups apart as no other does, and has steps enough.
template <class F>
void for_each_grouping(const IsnSeries& series, bool listener, IsnRoom& room, F&& f) {
  std::array<std::pair<Grouping, std::size_t>, kOriginatorGroupings.size()> done;
  std::size_t used = 0;
  for (const Grouping& grouping : groupings_of(listener)) {
    const auto few = [n = series.fresh.size()](std::size_t groups) { return groups <= 1 || n - groups < kLeastSteps; };
    if (const auto counted = count_groups(series.fresh, grouping, room); counted && few(*counted)) continue;
    std::size_t groups = 0;
    const auto steps = steps_within(series, grouping, &groups);
    // One group is the whole; as many groups as a coarser grouping has is the same partition (all to port 443, say).
    const auto same = [&](const auto& d) { return d.second == groups && coarser(d.first, grouping); };
    if (few(groups) || std::any_of(done.begin(), done.begin() + used, same)) continue;
    done[used++] = {grouping, groups};
    f(grouping, steps);
  }
}

/// Between neighbours, ascending.
void take_increments(const IsnSeries& series, IsnRoom& room) {
  room.increments.clear();
  for (std::size_t i = 1; i < series.fresh.size(); ++i) room.increments.push_back(series.fresh[i].isn - series.fresh[i - 1].isn);
  spread_sort(room.increments, room.numbers);
}

/// How many p-values there are of n fresh samples, groupings aside.
std::size_t tests_of(std::size_t n) noexcept {
  if (n < kLeastForTests) return 1;
  return IsnBars::kLeastTests + (n >= kLeastForShape ? 2 : 0) + (n >= kLeastForShiftRegister ? 1 : 0);
}

}  // namespace

double IsnEvidence::p() const noexcept {
  double least = std::min({repeats.p, numbers.p, increments.p, overall.least_p(), bits.stuck_p, bits.frequency_p, bits.low_cells_p,
                           bits.rank_p, gcd.p, congruential.p, rand48.p, shift_register.p, watson_p, watson_increments_p});
  for (const GroupedFit& g : groups) least = std::min(least, g.fit.least_p());
  return std::min(1.0, least * static_cast<double>(std::max<std::size_t>(tests, 1)));
}

IsnEvidence weigh(const IsnSeries& series, bool listener) {
  IsnEvidence evidence;
  const std::size_t n = series.fresh.size();
  if (n < 2 && (!listener || series.all.size() < 2)) return evidence;
  evidence.tests = tests_of(n);
  evidence.repeats = repeats(series, listener);
  if (n < kLeastForTests) return evidence;
  IsnRoom room;
  take_increments(series, room);
  evidence.numbers = crowd_anywhere(series.sorted);
  evidence.increments = crowd_anywhere(room.increments);
  evidence.overall = fit_slope(steps_within(series, {}));
  evidence.bits = bit_tests(series.sorted);
  evidence.gcd = gcd_test(series.fresh);
  evidence.congruential = congruential_test(series);
  evidence.rand48 = rand48_test(series);
  if (n >= kLeastForShape) {
    evidence.watson_p = watson_p(series.sorted);
    evidence.watson_increments_p = watson_p(room.increments);
  }
  if (n >= kLeastForShiftRegister) evidence.shift_register = shift_register_test(series);
  for_each_grouping(series, listener, room, [&](const Grouping& grouping, const std::vector<IsnStep>& steps) {
    evidence.groups.push_back({grouping, fit_slope(steps), steps.size()});
    evidence.tests += kSlopeTests;
  });
  return evidence;
}

IsnWeight weigh_quickly(const IsnSeries& series, bool listener, IsnRoom& room) {
  IsnWeight weight;
  const std::size_t n = series.fresh.size();
  if (n < 2 && (!listener || series.all.size() < 2)) return weight;
  weight.tests = tests_of(n);
  double least = may_repeat(series) ? repeats(series, listener).p : 1;
  const auto consider = [&least](double p) { least = std::min(least, p); };
  if (n >= kLeastForTests) {
    take_increments(series, room);
    steps_between(series, room.steps);
    if (may_crowd(series.sorted, room)) consider(crowd_anywhere(series.sorted).p);
    if (may_crowd(room.increments, room)) consider(crowd_anywhere(room.increments).p);
    if (may_have_slope(room.steps, room)) consider(fit_slope(room.steps).least_p());
    consider(bits_p(series.sorted, room));
    consider(gcd_test(series.fresh).p);
    consider(congruential_test(series).p);
    consider(rand48_test(series).p);
    if (n >= kLeastForShape && may_be_uneven(series.sorted)) consider(watson_p(series.sorted));
    if (n >= kLeastForShape && may_be_uneven(room.increments)) consider(watson_p(room.increments));
    if (n >= kLeastForShiftRegister) consider(shift_register_test(series).p);
    for_each_grouping(series, listener, room, [&](const Grouping&, const std::vector<IsnStep>& steps) {
      if (may_have_slope(steps, room)) consider(fit_slope(steps).least_p());
      weight.tests += kSlopeTests;
    });
  }
  weight.p = std::min(1.0, least * static_cast<double>(weight.tests));
  return weight;
}

IsnWeight weigh_quickly(const IsnSeries& series, bool listener) {
  IsnRoom room;
  return weigh_quickly(series, listener, room);
}

std::vector<std::vector<IsnObservation>> machines(const std::vector<IsnObservation>& observations, bool listener) {
  // Options in a SYN-ACK depend on what the client offered, so a listener's machines are told by TTL alone.
  std::map<std::pair<std::uint8_t, std::uint8_t>, std::vector<IsnObservation>> by_looks;
  for (const IsnObservation& o : observations) by_looks[{o.ttl, listener ? std::uint8_t{0} : o.options}].push_back(o);
  std::vector<std::vector<IsnObservation>> found;
  for (auto& [looks, samples] : by_looks) {
    if (samples.size() >= kLeastForTests) found.push_back(std::move(samples));
  }
  if (found.size() < 2) return {observations};
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  if (found.size() > kMostMachines) found.resize(kMostMachines);
  return found;
}

NmapIsn nmap_measures(const std::vector<IsnObservation>& observations) {
  NmapIsn result;
  if (observations.size() < 3) return result;
  std::vector<double> rates;
  rates.reserve(observations.size() - 1);
  for (std::size_t i = 1; i < observations.size(); ++i) {
    const std::uint32_t up = observations[i].isn - observations[i - 1].isn;
    const std::uint32_t difference = std::min(up, 0U - up);
    const base::Duration passed = base::elapsed(observations[i - 1].time, observations[i].time) / base::kMicrosecond;
    if (result.gcd != 1) result.gcd = std::gcd(result.gcd, difference);
    rates.push_back(difference * 1e6 / static_cast<double>(std::max<base::Duration>(passed, 1)));
  }
  if (result.gcd == 0) return result;
  const double mean = std::accumulate(rates.begin(), rates.end(), 0.0) / static_cast<double>(rates.size());
  const double divisor = result.gcd > 9 ? result.gcd : 1;
  double squares = 0;
  for (const double r : rates) squares += (r - mean) / divisor * ((r - mean) / divisor);
  const double deviation = std::sqrt(squares / static_cast<double>(rates.size() - 1));
  result.isr = mean > 1 ? static_cast<std::uint32_t>(std::log2(mean) * 8 + 0.5) : 0;
  result.sp = deviation > 1 ? static_cast<std::uint32_t>(std::log2(deviation) * 8 + 0.5) : 0;
  return result;
}

}  // namespace finwait::hosts

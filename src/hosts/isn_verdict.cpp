// From rejected tests to words: the verdict, the guess interval, the sentence.
#include <fmt/format.h>
#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

#include "finwait/hosts/isn_analysis.h"

namespace finwait::hosts {
namespace {

constexpr double kTurn = 4294967296.0;
constexpr double kConfidence = 0.95;
constexpr std::size_t kEnoughForRandom = 32;
constexpr double kConforms = 1e-4;  // good news needs no family-wise error, only to be true
constexpr std::int32_t kClockNoise = 1 << 22;
constexpr double kNotDwarfed = 0.2;  // of the logarithm of the least p-value
constexpr std::size_t kExamples = 10;
constexpr std::size_t kEnoughForQuantiles = 79;  // below, a normal prediction interval joined with the range

std::vector<std::int32_t> residues_of(const std::vector<IsnStep>& steps, double slope) {
  std::vector<std::int32_t> out;
  for (const IsnStep& s : steps) out.push_back(residue(s, slope));
  return out;
}

/// Residues within a generous multiple of the crowd's width, and which share of all they are.
struct Kept {
  std::vector<double> residues;
  double share = 0;
  double spread = 0;  ///< median distance from the median
};
Kept keep(const std::vector<std::int32_t>& residues, unsigned crowd_bits) {
  Kept kept;
  const double limit = std::ldexp(1.0, static_cast<int>(std::min(crowd_bits + 3, 31U)));
  for (const std::int32_t r : residues) {
    if (std::abs(static_cast<double>(r)) <= limit) kept.residues.push_back(r);
  }
  kept.share = residues.empty() ? 0 : static_cast<double>(kept.residues.size()) / static_cast<double>(residues.size());
  if (kept.residues.empty()) return kept;
  std::vector<double> sorted = kept.residues;
  std::sort(sorted.begin(), sorted.end());
  const double median = sorted[sorted.size() / 2];
  for (double& v : sorted) v = std::abs(v - median);
  std::sort(sorted.begin(), sorted.end());
  kept.spread = sorted[sorted.size() / 2];
  return kept;
}

/// The 95 % range for one more, given count, sum, sum of squares and extremes.
Range normal_range(double n, double sum, double squares, double least, double most) {
  const double mean = sum / n;
  const double variance = std::max(0.0, (squares - sum * mean) / (n - 1));
  const double t = boost::math::quantile(boost::math::students_t(n - 1), 0.5 + kConfidence / 2);
  const double half = t * std::sqrt(variance * (1 + 1 / n));
  return {std::min(least, mean - half), std::max(most, mean + half)};
}

/// The range from `sorted` without element `out` (none left out: sorted.size()).
Range range_without(const std::vector<double>& sorted, std::size_t out, double sum, double squares) {
  const std::size_t size = sorted.size();
  const std::size_t n = out < size ? size - 1 : size;
  const auto at = [&](std::size_t i) { return sorted[i < out ? i : i + 1]; };
  if (n >= kEnoughForQuantiles) {
    const auto low =
        static_cast<std::size_t>((1 - kConfidence) / 2 * static_cast<double>(n + 1));  // order statistics: coverage without assumptions
    return {at(low - 1), at(n - low)};
  }
  const double gone = out < size ? sorted[out] : 0;
  return normal_range(static_cast<double>(n), sum - gone, squares - gone * gone, at(0), at(n - 1));
}

void set_guess(IsnFinding& finding, double from, double low, double high) {
  const double width = std::min(high - low, kTurn - 1);
  finding.guess.share = std::min(kConfidence, (width + 1) / kTurn);
  finding.guess.from = static_cast<std::uint32_t>(static_cast<std::int64_t>(std::fmod(std::floor(from + low), kTurn)));
  finding.guess.width = static_cast<std::uint32_t>(std::ceil(width));
}

std::string share_text(double share) {
  return share >= kConfidence ? std::string("no better than chance") : fmt::format("within {:.3g} of the 2^32 numbers", share);
}

double weight(double p) { return std::log(std::max(p, 1e-300)); }

struct Judgement {
  const IsnSeries& series;
  const IsnEvidence& evidence;
  double level;
  IsnFinding& finding;

  [[nodiscard]] bool rejects(double p) const { return p * static_cast<double>(evidence.tests) <= level; }
  /// Rejects, and is not dwarfed by another explanation: what is far less likely by chance is more likely the cause.
  [[nodiscard]] bool explains(double p) const { return rejects(p) && weight(p) <= kNotDwarfed * weight(evidence.p()); }
  [[nodiscard]] std::size_t n() const { return series.fresh.size(); }
  [[nodiscard]] double last() const { return series.fresh.back().isn; }

  bool constant();
  bool sequence_or_clock();
  bool weak_hash();
  bool linear();
  void low_entropy();
  void pool();
  /// Most numbers lie close together, or are few by their bits.
  [[nodiscard]] bool narrow() const {
    return (rejects(evidence.numbers.p) && 2 * evidence.numbers.count >= n()) || rejects(evidence.bits.stuck_p) ||
           rejects(evidence.bits.rank_p);
  }

 private:
  [[nodiscard]] const GroupedFit* best_group() const;
  [[nodiscard]] bool clock_holds_across(const GroupedFit& group) const;
  void sequential(const Kept& kept);
  void clock(const Kept& kept);
};

bool Judgement::constant() {
  const Repeats& r = evidence.repeats;
  const bool one = r.distinct == 1 || (r.repeated_values == 1 && (r.most >= 3 || 2 * r.most >= n()));
  if (!rejects(r.p) || !one) return false;
  finding.verdict = IsnVerdict::kConstant;
  set_guess(finding, r.value, 0, 0);
  finding.text = fmt::format("the same initial sequence number, {}, in {} of {} connections", r.value, r.most, finding.samples);
  return true;
}

void Judgement::pool() {
  const Repeats& r = evidence.repeats;
  finding.verdict = IsnVerdict::kLowEntropy;
  if (r.most == 2 && 2 * r.repeated_values < n() && !narrow()) {
    finding.kind = IsnKind::kRepeated;
    finding.severity = IsnSeverity::kWarning;
    finding.text = fmt::format("{} initial sequence numbers came twice in {} connections: by chance that happens once in {:.2g} such hosts",
                               r.repeated_values, finding.samples, 1 / std::max(finding.p_value, 1e-300));
    return;
  }
  finding.guess.share = static_cast<double>(r.distinct) / kTurn;
  finding.text = fmt::format("only {} different initial sequence numbers in {} connections", r.distinct, finding.samples);
}

void Judgement::sequential(const Kept& kept) {
  finding.verdict = IsnVerdict::kSequential;
  const Range range = prediction_range(kept.residues);
  set_guess(finding, last(), range.low, range.high);
  finding.text =
      fmt::format("each initial sequence number follows the one before by {:.0f} to {:.0f} ({:.0f} % of {} steps); the next lies {}",
                  range.low, range.high, 100 * kept.share, n() - 1, share_text(finding.guess.share));
}

void Judgement::clock(const Kept& kept) {
  finding.verdict = IsnVerdict::kClock;
  finding.slope = evidence.overall.slope();
  const Range range = prediction_range(kept.residues);
  set_guess(finding, last(), range.low, range.high);
  finding.text = fmt::format(
      "initial sequence numbers follow a clock of {:.0f} per second, the same for all connections ({:.0f} % of {} steps); the next lies {}",
      *finding.slope, 100 * kept.share, n() - 1, share_text(finding.guess.share));
}

const GroupedFit* Judgement::best_group() const {
  const GroupedFit* best = nullptr;
  for (const GroupedFit& g : evidence.groups) {
    if (explains(g.fit.least_p()) && (best == nullptr || g.fit.log_p() < best->fit.log_p())) best = &g;
  }
  return best;
}

/// A clock (or counter) without any hash also fits between neighbours of different groups. Too few of those: nothing speaks against it.
bool Judgement::clock_holds_across(const GroupedFit& group) const {
  const bool small_steps = group.fit.prefers_steps();
  const double slope = small_steps ? 0 : group.fit.slope();
  const unsigned bits = small_steps ? group.fit.step.bits : group.fit.clock().bits;
  const auto across = steps_across(series, group.grouping);
  if (across.size() < 3) return true;
  const double within = keep(residues_of(steps_within(series, group.grouping), slope), bits).share;
  return keep(residues_of(across, slope), bits).share >= 0.4 * within;
}

bool Judgement::sequence_or_clock() {
  const SlopeFit& fit = evidence.overall;
  const bool steps_reject = explains(fit.step.p);
  const bool clock_rejects = explains(fit.clock_p());
  if (!steps_reject && !clock_rejects && !explains(evidence.increments.p)) return false;
  if (const GroupedFit* g = best_group(); g != nullptr && !clock_holds_across(*g)) return false;
  const auto steps = steps_within(series, {});
  const auto differences = residues_of(steps, 0);
  const Kept small = keep(differences, steps_reject ? fit.step.bits : 31);
  const auto inside = static_cast<double>(small.residues.size());
  const auto ups = static_cast<double>(std::count_if(small.residues.begin(), small.residues.end(), [](double r) { return r > 0; }));
  const auto still = static_cast<double>(std::count(small.residues.begin(), small.residues.end(), 0.0));
  if (rejects(evidence.repeats.p) && still >= inside / 2) return false;  // a small pool, drawn twice running
  // Numbers that stay in one place but go up and down there are drawn from a small range, not counted.
  const bool to_and_fro = ups > 0.2 * inside && ups < 0.8 * inside;
  if (rejects(evidence.numbers.p) && to_and_fro && small.share > 0.5) return false;
  if (clock_rejects) {
    const Kept ticks = keep(residues_of(steps, fit.slope()), fit.clock().bits);
    // A clock must explain better than counting does by a bit a step: three steps fit some slope a little better by luck.
    const double margin = 0.7 * static_cast<double>(steps.size()) + 5;
    if (!steps_reject || (ticks.spread < small.spread / 2 && fit.clock().log_p < fit.step.log_p - margin)) {
      clock(ticks);
      return true;
    }
  }
  if (!steps_reject && to_and_fro) return false;
  sequential(small);
  return true;
}

bool Judgement::weak_hash() {
  const GroupedFit* best = best_group();
  // What holds between groups as well does not come from what they share: a small range, say.
  if (best == nullptr || clock_holds_across(*best)) return false;
  finding.verdict = IsnVerdict::kClockWeakHash;
  const bool small_steps = best->fit.prefers_steps();
  const double slope = small_steps ? 0 : best->fit.slope();
  if (!small_steps) finding.slope = slope;
  const Kept kept =
      keep(residues_of(steps_within(series, best->grouping), slope), small_steps ? best->fit.step.bits : best->fit.clock().bits);
  const Range range = prediction_range(kept.residues);
  set_guess(finding, 0, range.low, range.high);
  finding.guess.from.reset();  // it begins at a number of the same group, which the attacker gets by a connection of his own
  std::string shared;
  const auto part = [&](bool is, const char* what) {
    if (is) shared += (shared.empty() ? "" : ", ") + std::string(what);
  };
  part(best->grouping.peer, "peer address");
  part(best->grouping.peer_port, "peer port");
  part(best->grouping.host_port, "own port");
  finding.text = fmt::format(
      "connections with the same {} share one {} ({:.0f} % of {} steps): the hash leaves out the rest of the 4-tuple; knowing one number, "
      "the next lies {}",
      shared, small_steps ? std::string("counter") : fmt::format("clock of {:.0f} per second", slope), 100 * kept.share, best->steps,
      share_text(finding.guess.share));
  return true;
}

bool Judgement::linear() {
  const LinearTest* best = nullptr;
  const char* what = "";
  const auto consider = [&](const LinearTest& test, const char* words) {
    if (rejects(test.p) && (best == nullptr || test.p < best->p)) {
      best = &test;
      what = words;
    }
  };
  consider(evidence.congruential, "a linear congruential generator");
  consider(evidence.rand48, "rand48, whose 48 bits of state two numbers reveal");
  consider(evidence.shift_register, "a shift register, linear over single bits");
  if (best == nullptr) return false;
  finding.verdict = IsnVerdict::kLinear;
  finding.guess.share = 1 / kTurn;
  if (best->next) set_guess(finding, *best->next, 0, 0);
  const std::string modulus = best == &evidence.congruential ? fmt::format(" modulo {}", best->modulus) : "";
  finding.text = fmt::format("{} initial sequence numbers obey {}{}: the next follows from those before{}", finding.samples, what, modulus,
                             best->next ? fmt::format(" ({})", *best->next) : "");
  return true;
}

void Judgement::low_entropy() {
  finding.verdict = IsnVerdict::kLowEntropy;
  double share = 1;
  std::string what = "initial sequence numbers are not spread evenly over the 2^32";
  const auto consider = [&](double p, double s, const std::string& text) {
    if (!rejects(p) || s >= share) return;
    share = s;
    what = text;
  };
  const Crowd& c = evidence.numbers;
  consider(c.p, std::ldexp(1.0, static_cast<int>(c.bits) - 32),
           fmt::format("{} of {} initial sequence numbers lie within an arc of 2^{}", c.count, n(), c.bits));
  const double rank = evidence.bits.rank;
  consider(evidence.bits.rank_p, std::exp2(rank - 32),
           fmt::format("initial sequence numbers have only {} independent bits", evidence.bits.rank));
  consider(evidence.bits.stuck_p, std::exp2(-static_cast<double>(evidence.bits.stuck)),
           fmt::format("{} bits of the initial sequence numbers never change", evidence.bits.stuck));
  consider(evidence.gcd.p, 1 / static_cast<double>(std::max<std::uint64_t>(evidence.gcd.gcd, 1)),
           fmt::format("initial sequence numbers differ by multiples of {}", evidence.gcd.gcd));
  consider(evidence.bits.frequency_p, 0.999, "some bits of the initial sequence numbers are nearly always the same");
  consider(evidence.bits.low_cells_p, 0.999, "the low bits of the initial sequence numbers take few values");
  finding.guess.share = kConfidence * share;
  finding.text = fmt::format("{} ({} connections); the next lies {}", what, finding.samples, share_text(finding.guess.share));
}

/// What is said of a host without a weakness, and by what of it.
struct Innocence {
  IsnVerdict verdict = IsnVerdict::kInconclusive;
  double slope = 0;       ///< kRfc6528Like: of the clock that 4-tuples follow when they are used again
  std::size_t again = 0;  ///< how often that was
  std::size_t close = 0;  ///< and how often it fits the clock
};

Innocence judge_innocent(const IsnSeries& series) {
  const auto again = steps_of_same_tuple(series);
  if (again.size() >= 2) {
    const SlopeFit fit = fit_slope(again);
    const bool named = fit.named.log_p <= fit.free.log_p;
    const double slope = named ? fit.named_slope : fit.free_slope;
    const auto left = residues_of(again, slope);
    // SYN cookies move on with the time as well, but the lower 24 bits of each are its own.
    const auto close = std::count_if(left.begin(), left.end(), [](std::int32_t r) { return r > -kClockNoise && r < kClockNoise; });
    const bool most = static_cast<double>(close) >= 0.8 * static_cast<double>(again.size());
    if (std::min(fit.named.p, fit.free.p) < kConforms && slope >= 1000 && most) {
      return {IsnVerdict::kRfc6528Like, slope, again.size(), static_cast<std::size_t>(close)};
    }
  }
  return {.verdict = series.all.size() >= kEnoughForRandom ? IsnVerdict::kRandomLike : IsnVerdict::kInconclusive};
}

void set_common(const IsnSeries& series, IsnFinding& finding) {
  finding.samples = series.all.size();
  finding.nmap = nmap_measures(series.all);
  finding.rfc = "RFC 6528, 3";
  finding.connections.clear();
  finding.connections.reserve(std::min(series.all.size(), kExamples));
  for (std::size_t i = series.all.size(); i-- > 0 && finding.connections.size() < kExamples;)
    finding.connections.push_back(series.all[i].connection);
  std::reverse(finding.connections.begin(), finding.connections.end());
}

}  // namespace

Range prediction_range(std::vector<double> residues) {
  constexpr std::size_t kMost = 512;
  if (residues.size() > kMost) residues.erase(residues.begin(), residues.end() - kMost);
  std::sort(residues.begin(), residues.end());
  const std::size_t n = residues.size();
  if (n < 3) return {-kTurn / 2, kTurn / 2};
  const double sum = std::accumulate(residues.begin(), residues.end(), 0.0);
  const double squares = std::inner_product(residues.begin(), residues.end(), residues.begin(), 0.0);
  const Range whole = range_without(residues, n, sum, squares);
  for (double wider = 0; wider < 32; wider = wider * 2 + 0.25) {
    std::size_t held = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const Range r = range_without(residues, i, sum, squares);
      const double more = wider * (r.high - r.low);
      held += residues[i] >= r.low - more - 0.5 && residues[i] <= r.high + more + 0.5 ? 1U : 0U;
    }
    // Below twenty one left out may be outside: it is all that such a small number can say.
    if (static_cast<double>(held) >= std::floor(kConfidence * static_cast<double>(n)) - (n < 20 ? 1 : 0)) {
      const double more = wider * (whole.high - whole.low);
      return {std::floor(whole.low - more), std::ceil(whole.high + more)};
    }
  }
  return {-kTurn / 2, kTurn / 2};
}

IsnVerdict verdict_of_innocent(const IsnSeries& series) { return judge_innocent(series).verdict; }

void describe_innocent(const IsnSeries& series, IsnFinding& finding) {
  set_common(series, finding);
  const Innocence innocence = judge_innocent(series);
  finding.verdict = innocence.verdict;
  if (innocence.verdict == IsnVerdict::kRfc6528Like) {
    finding.slope = innocence.slope;
    finding.text = fmt::format(
        "{} of {} uses of the same 4-tuple again follow a clock of {:.0f} per second, as RFC 6528 wants; no weakness found with {} "
        "samples",
        innocence.close, innocence.again, innocence.slope, finding.samples);
  } else if (innocence.verdict == IsnVerdict::kRandomLike) {
    finding.text = fmt::format("no weakness found with {} samples", finding.samples);
  } else {
    finding.text = fmt::format("no weakness found with {} samples, which are too few to say more", finding.samples);
  }
}

void describe_weak(const IsnSeries& series, const IsnEvidence& evidence, double level, IsnFinding& finding) {
  set_common(series, finding);
  finding.kind = IsnKind::kPredictable;
  finding.severity = IsnSeverity::kAlert;
  Judgement judge{series, evidence, level, finding};
  if (judge.constant() || judge.sequence_or_clock()) return;
  // In a narrow range some come twice, which is no finding of its own.
  if (judge.explains(evidence.repeats.p) || (judge.rejects(evidence.repeats.p) && !judge.narrow())) {
    judge.pool();
    return;
  }
  if (judge.weak_hash() || judge.linear()) return;
  judge.low_entropy();
}

}  // namespace finwait::hosts

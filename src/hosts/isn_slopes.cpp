// Slopes: is there a rule isn' = isn + slope * time + little?
#include "isn_slopes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace finwait::hosts {
namespace {

constexpr double kTurn = 4294967296.0;
constexpr std::size_t kMostSteps = 512;    // of a free fit; the latest
constexpr std::size_t kMostSlopes = 2048;  // grid points of a free fit

/// The slope that the steps agree on best: the largest of |sum exp(i (difference - slope * seconds))| over a grid, as a Rayleigh test.
struct Peak {
  double slope = 0;
  double log_p = 0;
};
Peak rayleigh_peak(std::span<const IsnStep> steps, double longest, SlopeRoom& room) {
  const double range = 2 * kFastestClock / kTurn * longest;  // turns of 2^32 over the longest step, over all slopes
  const auto points = static_cast<std::size_t>(std::ceil(4 * range)) + 1;
  const double spacing = 2 * kFastestClock / static_cast<double>(points);
  std::vector<double>& re = room.re;
  std::vector<double>& im = room.im;
  re.assign(points, 0);
  im.assign(points, 0);
  for (const IsnStep& s : steps) {
    const double start = 2 * std::numbers::pi * (s.difference / kTurn + kFastestClock * s.seconds / kTurn);
    const double turn = -2 * std::numbers::pi * spacing * s.seconds / kTurn;
    double x = std::cos(start);
    double y = std::sin(start);
    const double c = std::cos(turn);
    const double d = std::sin(turn);
    for (std::size_t i = 0; i < points; ++i) {
      re[i] += x;
      im[i] += y;
      const double next = x * c - y * d;
      y = x * d + y * c;
      x = next;
    }
  }
  std::size_t best = 0;
  double most = -1;
  for (std::size_t i = 0; i < points; ++i) {
    const double length = re[i] * re[i] + im[i] * im[i];
    if (length > most) {
      most = length;
      best = i;
    }
  }
  const double z = most / static_cast<double>(steps.size());
  return {-kFastestClock + spacing * static_cast<double>(best), std::min(0.0, std::log(static_cast<double>(points)) - z)};
}

/// The value or, without a branch, 0: which of random residues are within a window is not to be foretold.
double if_true(bool condition, double value) noexcept {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) & (std::uint64_t{0} - std::uint64_t{condition}));
}

/// Least squares on the steps whose residues are within a window that narrows.
double refine(std::span<const IsnStep> steps, double slope) {
  for (double window = kTurn / 4; window > 16; window /= 4) {
    double st = 0;
    double tt = 0;
    std::size_t n = 0;
    for (const IsnStep& s : steps) {
      const double r = residue(s, slope);
      const bool inside = std::abs(r) <= window;
      st += if_true(inside, r * s.seconds);
      tt += if_true(inside, s.seconds * s.seconds);
      n += inside;
    }
    if (n < 3 || tt <= 0) break;
    slope += st / tt;
  }
  return slope;
}

Crowd crowd_at(std::span<const IsnStep> steps, double slope, SlopeRoom& room, double slopes_per_turn = 0) {
  take_residues(steps, slope, room);
  return crowd_at_zero(room.residues, slopes_per_turn);
}

void fit_free(std::span<const IsnStep> steps, SlopeFit& fit, SlopeRoom& room) {
  const FreeSlopes found = find_free_slopes(steps, room);
  if (!found.any) return;
  fit.rayleigh_log = found.peak_log_p;
  fit.rayleigh_p = std::exp(found.peak_log_p);
  for (const double slope : found.slopes) {
    if (std::abs(slope) > kFastestClock) continue;
    const Crowd crowd = crowd_at(room.steps, slope, room, found.turns);
    if (crowd.log_p < fit.free.log_p) {
      fit.free = crowd;
      fit.free_slope = slope;
    }
  }
  if (fit.free.log_p >= 0) fit.free_slope = found.peak;
}

}  // namespace

FreeSlopes find_free_slopes(std::span<const IsnStep> steps, SlopeRoom& room) {
  FreeSlopes found;
  if (steps.size() > kMostSteps) steps = steps.last(kMostSteps);
  constexpr double kLongest = static_cast<double>(kMostSlopes - 2) / 4 * kTurn / (2 * kFastestClock);
  std::vector<IsnStep>& usable = room.steps;
  usable.clear();
  double longest = 0;
  for (const IsnStep& s : steps) {
    if (s.seconds < 0 || s.seconds > kLongest) continue;
    usable.push_back(s);
    longest = std::max(longest, s.seconds);
  }
  if (usable.size() < 3 || longest <= 0) return found;
  const Peak peak = rayleigh_peak(usable, longest, room);
  found.any = true;
  found.turns = 2 * kFastestClock / kTurn * longest;
  found.peak = peak.slope;
  found.peak_log_p = peak.log_p;
  found.slopes = {refine(usable, peak.slope), refine(usable, 0)};
  return found;
}

void take_residues(std::span<const IsnStep> steps, double slope, SlopeRoom& room) {
  room.residues.resize(steps.size());
  for (std::size_t i = 0; i != steps.size(); ++i) room.residues[i] = residue(steps[i], slope);
}

std::int32_t residue(const IsnStep& step, double slope) noexcept {
  constexpr double kExact = 9e15;  // below 2^53 a double holds every whole number, and the cast does the modulo
  double moved = slope * step.seconds;
  if (std::abs(moved) > kExact) moved = std::fmod(moved, kTurn);
  const auto whole = static_cast<std::int64_t>(moved + (moved < 0 ? -0.5 : 0.5));
  return static_cast<std::int32_t>(step.difference - static_cast<std::uint32_t>(whole));
}

double SlopeFit::clock_p() const noexcept { return std::min({named.p, free.p, rayleigh_p}); }
double SlopeFit::least_p() const noexcept { return std::min(step.p, clock_p()); }
bool SlopeFit::is_named() const noexcept { return named.log_p <= std::min(free.log_p, rayleigh_log); }
double SlopeFit::slope() const noexcept { return is_named() ? named_slope : free_slope; }
const Crowd& SlopeFit::clock() const noexcept { return is_named() ? named : free; }
bool SlopeFit::prefers_steps() const noexcept { return step.log_p <= std::min(clock().log_p, rayleigh_log); }
double SlopeFit::log_p() const noexcept { return std::min({step.log_p, named.log_p, free.log_p, rayleigh_log}); }

SlopeFit fit_slope(std::span<const IsnStep> steps) {
  SlopeFit fit;
  SlopeRoom room;
  fit.step = crowd_at(steps, 0, room);
  for (const double slope : kNamedSlopes) {
    Crowd crowd = crowd_at(steps, slope, room);
    crowd.p = std::min(1.0, crowd.p * static_cast<double>(kNamedSlopes.size()));
    if (crowd.log_p < fit.named.log_p) {
      fit.named = crowd;
      fit.named_slope = slope;
    }
  }
  fit_free(steps, fit, room);
  return fit;
}

}  // namespace finwait::hosts

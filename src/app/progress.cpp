#include "progress.h"

#include <fmt/format.h>

#include <cstdio>

#include "finwait/report/format.h"
#include "signals.h"

namespace finwait::app {
namespace {

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

bool Steward::go_on(const engine::Progress& progress) {
  if (take_reopen_request()) reporter_.reopen();
  if (take_counters_request()) {
    clear();
    const double seconds = seconds_between(start_, Clock::now());
    fmt::print(stderr, "finwait: {} packets, {}, {:.1f} s\n", report::human_count(progress.frames), report::human_bytes(progress.bytes),
               seconds);
  }
  if (show_) {
    const auto now = Clock::now();
    if (now >= next_) draw(progress, now);
  }
  return !stop_requested();
}

void Steward::draw(const engine::Progress& progress, Clock::time_point now) {
  next_ = now + kEvery;
  drawn_ = true;
  const double seconds = seconds_between(start_, now);
  std::string line = fmt::format("{} packets, {}/s", report::human_count(progress.frames),
                                 report::human_count(static_cast<std::uint64_t>(static_cast<double>(progress.frames) / seconds)));
  if (progress.share > 0.0) {
    const double left = seconds * (1.0 - progress.share) / progress.share;
    line = fmt::format("{:3.0f} %, {}, {} left", progress.share * 100.0, line,
                       report::human_duration(static_cast<base::Duration>(left * 1e9)));
  }
  fmt::print(stderr, "\r{}\x1b[K", line);
}

void Steward::clear() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
}

}  // namespace finwait::app

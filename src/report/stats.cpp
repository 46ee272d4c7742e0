#include "finwait/report/stats.h"

#include <fmt/format.h>

#include "finwait/report/format.h"

namespace finwait::report {

std::string stats_text(const Totals& totals) {
  const Performance& p = totals.performance;
  const auto packets = static_cast<double>(totals.frames.read);
  const double rate = p.seconds > 0.0 ? packets / p.seconds : 0.0;
  std::string text =
      fmt::format("{} packets, {} in {:.3f} s: {} packets/s, {:.1f} ns a packet, {} thread{}, {} of memory at most\n",
                  human_count(totals.frames.read), human_bytes(p.bytes), p.seconds, human_count(static_cast<std::uint64_t>(rate)),
                  packets > 0.0 ? p.seconds * 1e9 / packets : 0.0, p.threads, p.threads == 1 ? "" : "s", human_bytes(p.peak_memory));
  text += fmt::format("frames: read {}", human_count(totals.frames.read));
  for (int n = 0; n < wire::kFates; ++n) {
    const auto fate = static_cast<wire::Fate>(n);
    text += fmt::format(", {} {}", wire::fate_name(fate), human_count(totals.frames.of(fate)));
  }
  text += fmt::format("\nconnections: made {}, reported {}, not selected {}", human_count(totals.tracker.created),
                      human_count(totals.counts.connections), human_count(totals.counts.passed_over));
  for (int n = 0; n < tcp::kStates; ++n) {
    const std::uint64_t evicted = totals.tracker.evicted[static_cast<std::size_t>(n)];
    if (evicted != 0) text += fmt::format(", evicted in {} {}", tcp::name(static_cast<tcp::State>(n)), human_count(evicted));
  }
  text += fmt::format("\nstray segments {}, evidence not kept for lack of room {}\n", human_count(totals.tracker.strays),
                      human_count(totals.tracker.blocks_exhausted));
  for (std::size_t n = 0; n != p.segments.size(); ++n) text += fmt::format("thread {}: {} segments\n", n + 1, human_count(p.segments[n]));
  return text;
}

}  // namespace finwait::report

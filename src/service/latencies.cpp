#include "finwait/service/latencies.h"

#include <algorithm>
#include <optional>

namespace finwait::service {
namespace {

/// From the first FIN until both ends were done with, timers aside.
std::optional<base::Duration> close_took(const tcp::Outcome& outcome) noexcept {
  if (outcome.verdict.ending != tcp::Ending::kGraceful) return std::nullopt;
  std::optional<base::Timestamp> first;
  std::optional<base::Timestamp> last;
  for (const tcp::Transition& t : outcome.transitions) {
    if (t.evidence == tcp::Proof::kTimer || t.evidence == tcp::Proof::kRefuted) continue;
    if (t.to == tcp::State::kFinWait1) first = std::min(first.value_or(t.time), t.time);
    if (t.to == tcp::State::kTimeWait || t.to == tcp::State::kClosed) last = std::max(last.value_or(t.time), t.time);
  }
  if (!first || !last) return std::nullopt;
  return base::elapsed(*first, *last);
}

}  // namespace

void Latency::add(base::Duration took) noexcept {
  took = std::max<base::Duration>(took, 0);
  const auto* const bound = std::lower_bound(kBounds.begin(), kBounds.end(), took);
  if (bound != kBounds.end()) ++within[static_cast<std::size_t>(bound - kBounds.begin())];
  ++count;
  seconds += static_cast<double>(took) / 1e9;
}

void LatencySink::connection(const tcp::Outcome& outcome) {
  const tcp::Handshake& h = outcome.connection.handshake;
  if (h.syn_frame != 0 && h.syn_ack_frame != 0 && h.ack_frame != 0) latencies_.handshake.add(base::elapsed(h.syn_time, h.ack_time));
  if (const auto took = close_took(outcome)) latencies_.close.add(*took);
}

}  // namespace finwait::service

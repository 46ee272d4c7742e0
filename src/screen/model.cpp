#include "finwait/screen/model.h"

#include <bit>

#include "finwait/report/format.h"

namespace finwait::screen {

std::uint32_t weight(tcp::Severity severity) noexcept {
  constexpr std::array<std::uint32_t, 4> kWeights{0, 1, 3, 10};
  return kWeights[static_cast<std::size_t>(severity)];
}

std::uint32_t weight(std::uint64_t anomaly_kinds) noexcept {
  std::uint32_t most = 0;
  for (std::uint64_t left = anomaly_kinds; left != 0; left &= left - 1) {
    const auto kind = static_cast<tcp::AnomalyKind>(std::countr_zero(left));
    most = std::max(most, weight(tcp::info(kind).severity));
  }
  return most;
}

std::string text_of(const report::Busiest::Pair& pair) {
  return report::address_text(pair.from, pair.ip_version) + " > " + report::endpoint_text(pair.to, pair.ip_version, pair.port);
}

std::string text_of(const tcp::ConnectionView& view) {
  return report::endpoint_text(view.ends[0].address, view.ip_version, view.ends[0].port) + " > " +
         report::endpoint_text(view.ends[1].address, view.ip_version, view.ends[1].port);
}

std::string text_of(const tcp::Notice& notice) {
  const wire::FlowKey& key = notice.key;
  const std::string low = report::endpoint_text(key.low, key.ip_version(), key.low_port);
  const std::string high = report::endpoint_text(key.high, key.ip_version(), key.high_port);
  return notice.originator == 0 ? low + " > " + high : high + " > " + low;
}

}  // namespace finwait::screen

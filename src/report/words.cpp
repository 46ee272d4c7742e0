#include "finwait/report/words.h"

#include <array>

#include "finwait/tcp/anomaly.h"

namespace finwait::report {

std::string_view name(tcp::Proof proof) noexcept {
  static constexpr std::array<std::string_view, 4> kNames{"proven", "presumed", "refuted", "timer"};
  return kNames[static_cast<std::size_t>(proof)];
}

std::string_view origin_name(std::uint8_t origin) noexcept {
  switch (origin) {
    case tcp::origin::kEndpoint:
      return "endpoint";
    case tcp::origin::kNetwork:
      return "network";
    case tcp::origin::kCapture:
      return "capture";
    case tcp::origin::kAttacker:
      return "attacker";
    default:
      return "";
  }
}

}  // namespace finwait::report

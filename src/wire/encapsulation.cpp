#include "finwait/wire/encapsulation.h"

#include <array>

namespace finwait::wire {

const char* tunnel_name(Tunnel kind) noexcept {
  static constexpr std::array<const char*, kTunnels> kNames = {nullptr,  "gre",     "erspan",     "ipip", "6in4", "vxlan",
                                                               "geneve", "gtp-u",   "teredo",     "ah",   "mpls", "pppoe",
                                                               "l2tp",   "etherip", "fabricpath", "cmd",  "pbb"};
  const auto index = static_cast<std::size_t>(kind);
  return index < kNames.size() ? kNames[index] : nullptr;
}

}  // namespace finwait::wire

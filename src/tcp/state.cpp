// Names of the states.
#include "finwait/tcp/state.h"

#include <array>

namespace finwait::tcp {

std::string_view name(State state) noexcept {
  static constexpr std::array<std::string_view, kStates> kNames{"UNKNOWN",     "LISTEN",     "SYN-SENT",   "SYN-RECEIVED",
                                                                "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT",
                                                                "CLOSING",     "LAST-ACK",   "TIME-WAIT",  "CLOSED"};
  return kNames[static_cast<std::size_t>(state)];
}

}  // namespace finwait::tcp

// The states of one end of a connection: the eleven of RFC 9293, 3.3.2, and UNKNOWN for an end that has not been seen to do anything.
#pragma once

#include <cstdint>
#include <string_view>

namespace finwait::tcp {

enum class State : std::uint8_t {
  kUnknown,
  kListen,
  kSynSent,
  kSynReceived,
  kEstablished,
  kFinWait1,
  kFinWait2,
  kCloseWait,
  kClosing,
  kLastAck,
  kTimeWait,
  kClosed,
};
inline constexpr int kStates = 12;

/// As RFC 9293 spells it: "SYN-SENT".
[[nodiscard]] std::string_view name(State state) noexcept;

}  // namespace finwait::tcp

// What the kernel tells of interfaces: up, down, gone, a new MTU, and what they dropped (rtnetlink).
//
// Never blocks. Everything goes through one socket that is opened at the start, so it works without any privilege afterwards.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace finwait::capture {

struct LinkState {
  int index = 0;
  bool gone = false;
  bool up = false;  ///< switched on by its administrator
  std::uint32_t mtu = 0;
  bool counted = false;       ///< `dropped` is known
  std::uint64_t dropped = 0;  ///< received and dropped by the device or its driver, since it exists
};

class LinkWatch {
 public:
  /// Without the socket (a kernel or a sandbox that has none) nothing is ever told.
  LinkWatch();
  ~LinkWatch();
  LinkWatch(const LinkWatch&) = delete;
  LinkWatch& operator=(const LinkWatch&) = delete;

  /// Asks for the state of the interface; the answer comes to take().
  void ask(int index) noexcept;
  /// Every answer and every change since the last call.
  void take(const std::function<void(const LinkState&)>& tell);

  [[nodiscard]] int descriptor() const noexcept { return socket_; }

 private:
  int socket_ = -1;
};

}  // namespace finwait::capture

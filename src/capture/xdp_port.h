// An interface whose frames go to AF_XDP sockets: whether it may be one, and the program on it.
//
// What XDP gives to a socket, this host does not get. So an interface is refused that this host uses for anything: one with an address, or
// one that is part of a bridge, a bond or the like. What may be used is one that only receives a mirror.
//
// Always true: the program is attached by a link that belongs to this process alone. When the process ends, however it does, the kernel
// takes the program off; no privilege is needed for that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xdp_program.h"

namespace finwait::capture {

class XdpPort {
 public:
  /// Asks for all traffic if `promiscuous`. Throws CaptureError.
  XdpPort(std::string interface, bool promiscuous);
  ~XdpPort();
  XdpPort(const XdpPort&) = delete;
  XdpPort& operator=(const XdpPort&) = delete;

  /// Frames go to the sockets from now on. Throws CaptureError. Does nothing if it was called before.
  void attach();
  /// Frames go where they went before.
  void detach() noexcept;

  [[nodiscard]] const std::string& interface() const noexcept { return interface_; }
  [[nodiscard]] int index() const noexcept { return index_; }
  /// How many queues it receives on, at least 1.
  [[nodiscard]] std::uint32_t queues() const noexcept { return queues_; }
  /// Bytes of the longest frame that its MTU allows, a VLAN tag included.
  [[nodiscard]] std::uint32_t longest() const noexcept { return longest_; }
  [[nodiscard]] const XdpProgram& program() const noexcept { return *program_; }
  [[nodiscard]] std::vector<std::string> take_news();

 private:
  void open(bool promiscuous);
  void clear() noexcept;
  void inspect();
  void refuse_if_used() const;
  void watch_all_traffic();

  std::string interface_;
  int index_ = 0;
  std::uint32_t queues_ = 1;
  std::uint32_t longest_ = 0;
  std::optional<XdpProgram> program_;
  int watching_ = -1;  // a socket that receives nothing, but asks for all traffic as long as it lives
  int link_ = -1;      // the program on the interface
  bool attached_ = false;
  std::vector<std::string> news_;
};

/// The longest frame that a socket takes.
constexpr std::uint32_t kLongestXdpFrame = 4096 - 256;

}  // namespace finwait::capture

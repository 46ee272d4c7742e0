#include "xdp_port.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "finwait/capture/error.h"
#include "packet_ring.h"

namespace finwait::capture {
namespace {

constexpr std::uint32_t kLinkHeader = 14 + 4;  // with a VLAN tag

/// Asks about the interface by ioctl(2).
class Question {
 public:
  explicit Question(const std::string& interface) : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    std::memcpy(request_.ifr_name, interface.c_str(), interface.size());
  }
  ~Question() {
    if (socket_ >= 0) ::close(socket_);
  }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  [[nodiscard]] bool ask(unsigned long what) noexcept { return ::ioctl(socket_, what, &request_) == 0; }
  template <class T>
  [[nodiscard]] bool ask_driver(T& value) noexcept {
    request_.ifr_data = reinterpret_cast<char*>(&value);
    return ask(SIOCETHTOOL);
  }
  [[nodiscard]] const ifreq& answer() const noexcept { return request_; }

 private:
  int socket_;
  ifreq request_{};
};

/// One of the interface itself (fe80::) does not count: every interface has one.
bool has_address(const std::string& interface) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return false;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> kept(all, &::freeifaddrs);
  for (const ifaddrs* at = all; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || interface != at->ifa_name) continue;
    if (at->ifa_addr->sa_family == AF_INET) return true;
    if (at->ifa_addr->sa_family != AF_INET6) continue;
    const auto* address = reinterpret_cast<const sockaddr_in6*>(at->ifa_addr);
    if (!IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr)) return true;
  }
  return false;
}

/// A bridge, a bond, a VLAN on top of it.
std::string what_stands_on(const std::string& interface) {
  constexpr std::string_view kUpper = "upper_";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/class/net/" + interface, ignored)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kUpper)) return name.substr(kUpper.size());
  }
  return {};
}

}  // namespace

XdpPort::XdpPort(std::string interface, bool promiscuous) : interface_(std::move(interface)) {
  try {
    open(promiscuous);
  } catch (...) {
    clear();
    throw;
  }
}

XdpPort::~XdpPort() { clear(); }

void XdpPort::clear() noexcept {
  detach();
  if (watching_ >= 0) ::close(watching_);
  watching_ = -1;
}

void XdpPort::open(bool promiscuous) {
  if (interface_ == "any") throw CaptureError("any: XDP takes the packets of interfaces that are named; leave --capture-method xdp out");
  if (interface_.size() < IFNAMSIZ) index_ = static_cast<int>(if_nametoindex(interface_.c_str()));
  if (index_ == 0) throw CaptureError(interface_ + ": no such interface; finwait -D lists them");
  inspect();
  refuse_if_used();
  program_.emplace(interface_, queues_);
  if (promiscuous) watch_all_traffic();
}

void XdpPort::inspect() {
  Question question(interface_);
  if (!question.ask(SIOCGIFHWADDR)) fail_xdp(interface_, "the interface cannot be asked what it is", errno);
  if (question.answer().ifr_hwaddr.sa_family != ARPHRD_ETHER)
    throw CaptureError(interface_ + ": XDP is for Ethernet; leave --capture-method xdp out");
  if (!question.ask(SIOCGIFMTU)) fail_xdp(interface_, "the interface cannot be asked for its MTU", errno);
  longest_ = static_cast<std::uint32_t>(question.answer().ifr_mtu) + kLinkHeader;
  if (longest_ > kLongestXdpFrame) {
    throw CaptureError(fmt::format("{}: its MTU is {}, and XDP takes frames of an MTU up to {}; leave --capture-method xdp out", interface_,
                                   longest_ - kLinkHeader, kLongestXdpFrame - kLinkHeader));
  }
  queues_ = std::max(receive_queues(interface_), 1U);
  ethtool_value flags{};
  flags.cmd = ETHTOOL_GFLAGS;
  if (question.ask_driver(flags) && (flags.data & ETH_FLAG_RXVLAN) != 0)
    news_.push_back(fmt::format("{0}: VLAN tags that the device takes off are not seen by XDP: ethtool -K {0} rxvlan off", interface_));
}

void XdpPort::refuse_if_used() const {
  const std::string upper = what_stands_on(interface_);
  if (upper.empty() && !has_address(interface_)) return;
  throw CaptureError(
      fmt::format("{}: XDP would take its packets away from this host, which uses it ({}); --capture-method xdp is for an "
                  "interface that only receives a mirror",
                  interface_, upper.empty() ? "it has an address" : "it is part of " + upper));
}

/// Refused by some virtual devices, which show all they have anyway.
void XdpPort::watch_all_traffic() {
  watching_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (watching_ < 0) fail_xdp(interface_, "cannot open a packet socket", errno);
  packet_mreq request{};
  request.mr_ifindex = index_;
  request.mr_type = PACKET_MR_PROMISC;
  (void)::setsockopt(watching_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request);
}

/// In the driver if it can, else where the kernel has a frame of any device first.
void XdpPort::attach() {
  if (std::exchange(attached_, true)) return;
  bpf_link_create_opts how{};
  how.sz = sizeof how;
  how.flags = XDP_FLAGS_DRV_MODE;
  link_ = bpf_link_create(program_->descriptor(), index_, BPF_XDP, &how);
  if (link_ < 0 && errno != EBUSY && errno != EEXIST && errno != EPERM) {
    how.flags = XDP_FLAGS_SKB_MODE;
    link_ = bpf_link_create(program_->descriptor(), index_, BPF_XDP, &how);
    if (link_ >= 0) news_.push_back(interface_ + ": its driver cannot do XDP as it is set up: packets come by the kernel's slower way");
  }
  if (link_ >= 0) return;
  if (errno == EBUSY || errno == EEXIST)
    throw CaptureError(interface_ + ": has an XDP program already (ip link shows it); leave --capture-method xdp out");
  fail_xdp(interface_, "the interface refuses the program", errno);
}

void XdpPort::detach() noexcept {
  if (link_ >= 0) ::close(link_);
  link_ = -1;
}

std::vector<std::string> XdpPort::take_news() { return std::exchange(news_, {}); }

}  // namespace finwait::capture

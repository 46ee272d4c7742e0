#include "link_watch.h"

#include <linux/if_link.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace finwait::capture {
namespace {

constexpr std::size_t kAnswers = std::size_t{64} << 10U;

constexpr std::size_t padded(std::size_t length) { return (length + 3) / 4 * 4; }

/// A copy of the structure at `at`, zeros where the message ends before it does.
template <class T>
T copy(const std::uint8_t* at, std::size_t length) noexcept {
  T value{};
  std::memcpy(&value, at, std::min(sizeof value, length));
  return value;
}

void read_attribute(std::uint16_t type, const std::uint8_t* at, std::size_t length, LinkState& state) noexcept {
  if (type == IFLA_MTU) state.mtu = copy<std::uint32_t>(at, length);
  if (type != IFLA_STATS64) return;
  const auto stats = copy<rtnl_link_stats64>(at, length);
  state.counted = true;
  state.dropped = stats.rx_dropped + stats.rx_missed_errors;  // the latter: no room in the device
}

/// The message of one link: ifinfomsg, then attributes.
LinkState read_link(std::uint16_t type, const std::uint8_t* at, std::size_t length) noexcept {
  const auto info = copy<ifinfomsg>(at, length);
  LinkState state;
  state.index = info.ifi_index;
  state.gone = type == RTM_DELLINK;
  state.up = (info.ifi_flags & IFF_UP) != 0;
  std::size_t done = padded(sizeof info);
  while (done + sizeof(rtattr) <= length) {
    const auto attribute = copy<rtattr>(at + done, length - done);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > length - done) break;
    read_attribute(attribute.rta_type, at + done + sizeof attribute, attribute.rta_len - sizeof attribute, state);
    done += padded(attribute.rta_len);
  }
  return state;
}

void read_messages(const std::uint8_t* at, std::size_t length, const std::function<void(const LinkState&)>& tell) {
  std::size_t done = 0;
  while (done + sizeof(nlmsghdr) <= length) {
    const auto header = copy<nlmsghdr>(at + done, length - done);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > length - done) return;
    const std::uint8_t* const body = at + done + sizeof header;
    const std::size_t room = header.nlmsg_len - sizeof header;
    const bool link = header.nlmsg_type == RTM_NEWLINK || header.nlmsg_type == RTM_DELLINK;
    // Of another family they tell of a bridge's ports: one that leaves its bridge is not gone.
    if (link && copy<ifinfomsg>(body, room).ifi_family == AF_UNSPEC) tell(read_link(header.nlmsg_type, body, room));
    done += padded(header.nlmsg_len);
  }
}

}  // namespace

LinkWatch::LinkWatch() : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (socket_ >= 0) (void)::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

LinkWatch::~LinkWatch() {
  if (socket_ >= 0) ::close(socket_);
}

void LinkWatch::ask(int index) noexcept {
  struct {
    nlmsghdr header;
    ifinfomsg info;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.info.ifi_index = index;
  (void)::send(socket_, &request, sizeof request, 0);
}

void LinkWatch::take(const std::function<void(const LinkState&)>& tell) {
  alignas(nlmsghdr) std::array<std::uint8_t, kAnswers> answers;
  for (ssize_t length = 0; (length = ::recv(socket_, answers.data(), answers.size(), 0)) > 0;)
    read_messages(answers.data(), static_cast<std::size_t>(length), tell);
}

}  // namespace finwait::capture

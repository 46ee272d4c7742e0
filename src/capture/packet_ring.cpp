#include "packet_ring.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "finwait/capture/error.h"

namespace finwait::capture {
namespace {

constexpr std::uint16_t kEthernet = 1;
constexpr std::uint16_t kRaw = 101;
constexpr std::uint32_t kVlanTag = 4;
constexpr std::uint32_t kAddresses = 12;                     // of an Ethernet frame, before the tag
constexpr std::uint32_t kBlock = std::uint32_t{256} << 10U;  // holds a super-segment of 64 KiB, and thousands of small frames
constexpr std::uint32_t kLeastBlock = std::uint32_t{4} << 10U;
constexpr std::uint64_t kMostBlocks = std::uint64_t{1} << 20U;

template <class T>
bool set(int socket, int level, int name, const T& value) noexcept {
  return ::setsockopt(socket, level, name, &value, sizeof value) == 0;
}

/// The kernel hands a block over by its status, and takes it back so. It is shared memory: what is read after the status must not be read
/// before it (pairs with the kernel's barriers in prb_close_block and prb_open_block).
std::uint32_t status_of(tpacket_block_desc* block) noexcept {
  return std::atomic_ref<std::uint32_t>(block->hdr.bh1.block_status).load(std::memory_order_acquire);
}
void give_to_kernel(tpacket_block_desc* block) noexcept {
  std::atomic_ref<std::uint32_t>(block->hdr.bh1.block_status).store(TP_STATUS_KERNEL, std::memory_order_release);
}

template <class T>
T* beyond(void* start, std::size_t bytes) noexcept {
  return reinterpret_cast<T*>(static_cast<std::uint8_t*>(start) + bytes);
}

base::Timestamp stamp_of(const tpacket3_hdr& header) noexcept {
  return static_cast<base::Timestamp>(header.tp_sec) * base::kSecond + static_cast<base::Timestamp>(header.tp_nsec);
}

}  // namespace

std::uint16_t link_type_of_hardware(std::uint16_t hardware) noexcept {
  switch (hardware) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK:
      return kEthernet;
    case ARPHRD_IEEE80211:
      return 105;
    case ARPHRD_IEEE80211_PRISM:
      return 119;
    case ARPHRD_IEEE80211_RADIOTAP:
      return 127;
    default:
      return kRaw;
  }
}

std::string permission_advice(const char* capabilities) {
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  return fmt::format("no permission to capture: run as root, or allow it once: sudo setcap {}+ep {}", capabilities,
                     length > 0 ? path.data() : "finwait");
}

PacketRing::PacketRing(const RingOptions& options) : options_(options) {
  try {
    open();
  } catch (...) {
    clear();
    throw;
  }
}

PacketRing::~PacketRing() { clear(); }

void PacketRing::clear() noexcept {
  if (memory_ != nullptr) ::munmap(memory_, bytes());
  if (socket_ >= 0) ::close(socket_);
  memory_ = nullptr;
  socket_ = -1;
}

void PacketRing::fail(const char* what, int error) const {
  throw CaptureError(fmt::format("{}: {}: {}", options_.interface, what, std::generic_category().message(error)));
}

/// Bound to no protocol and with a filter that lets nothing through at first, so that nothing comes in before all is there.
void PacketRing::open() {
  socket_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0) {
    if (errno == EPERM || errno == EACCES) throw CaptureError(options_.interface + ": " + permission_advice());
    fail("cannot open a packet socket", errno);
  }
  find_interface();
  set_options();
  map_ring();
  bind();
  if (options_.shared) join_group();
  if (options_.promiscuous && index_ != 0) watch_all_traffic();
}

void PacketRing::find_interface() {
  if (options_.interface == "any") return;
  if (options_.interface.size() < IFNAMSIZ) index_ = static_cast<int>(if_nametoindex(options_.interface.c_str()));
  if (index_ == 0) throw CaptureError(options_.interface + ": no such interface; finwait -D lists them");
  ifreq request{};
  std::memcpy(request.ifr_name, options_.interface.c_str(), options_.interface.size());
  if (::ioctl(socket_, SIOCGIFHWADDR, &request) != 0) fail("cannot be asked what it is", errno);
  hardware_ = request.ifr_hwaddr.sa_family;
  link_type_ = link_type_of_hardware(hardware_);
}

/// SO_TIMESTAMPNS has each frame stamped when it enters the network stack, once for all who capture, instead of when it is copied here.
void PacketRing::set_options() {
  if (!set(socket_, SOL_PACKET, PACKET_VERSION, int{TPACKET_V3})) fail("the kernel has no TPACKET_V3", errno);
  if (!set(socket_, SOL_PACKET, PACKET_RESERVE, kVlanTag)) fail("no room for VLAN tags", errno);
  (void)set(socket_, SOL_SOCKET, SO_TIMESTAMPNS, int{1});
  if (!attach(socket_, closed_program())) fail("the kernel refuses the filter", errno);
}

void PacketRing::begin() {
  KernelFilter filter;
  if (index_ != 0 && link_type_ != kRaw) filter.expression = options_.filter;  // else frames are of any link type
  filter.link_type = link_type_;
  filter.loopback = index_ == 0 || hardware_ == ARPHRD_LOOPBACK;
  filter.snapshot_length = options_.snapshot_length;
  if (!attach(socket_, kernel_program(filter))) fail("the kernel refuses the filter", errno);
}

bool PacketRing::try_ring(std::uint64_t bytes) {
  block_size_ = kBlock;
  while (block_size_ > kLeastBlock && block_size_ > bytes / 2) block_size_ /= 2;
  block_count_ = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(bytes / block_size_, 2, kMostBlocks));
  tpacket_req3 request{};
  request.tp_block_size = block_size_;
  request.tp_block_nr = block_count_;
  request.tp_frame_size = kLeastBlock / 2;  // of no meaning in this version, but checked
  request.tp_frame_nr = block_size_ / request.tp_frame_size * block_count_;
  request.tp_retire_blk_tov = options_.retire;
  return set(socket_, SOL_PACKET, PACKET_RX_RING, request);
}

void PacketRing::map_ring() {
  if (!try_ring(options_.buffer)) {
    if (errno == ENOMEM) {
      throw CaptureError(fmt::format("{}: no memory for a ring of {} KiB; give a smaller -B", options_.interface, options_.buffer >> 10U));
    }
    fail("the kernel refuses the ring", errno);
  }
  void* memory = ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, socket_, 0);
  if (memory == MAP_FAILED) fail("the ring cannot be mapped", errno);
  memory_ = static_cast<std::uint8_t*>(memory);
}

void PacketRing::bind() {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = index_;
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("cannot be captured on", errno);
}

/// The kernel chooses a number for the group, which nobody else has. Before Linux 6.13 an interface that is down can have none.
void PacketRing::join_group() {
  constexpr std::uint32_t kByFlow = std::uint32_t{PACKET_FANOUT_HASH} << 16U;
  constexpr std::uint32_t kNew = kByFlow | std::uint32_t{PACKET_FANOUT_FLAG_UNIQUEID} << 16U;
  if (!set(socket_, SOL_PACKET, PACKET_FANOUT, options_.group != 0 ? options_.group : kNew)) {
    if (options_.group == 0) return;
    fail("cannot have several rings; take one thread (-t 1)", errno);
  }
  std::uint32_t joined = 0;
  socklen_t length = sizeof joined;
  if (::getsockopt(socket_, SOL_PACKET, PACKET_FANOUT, &joined, &length) != 0) fail("cannot be asked for its group", errno);
  group_ = (joined & 0xffffU) | kByFlow;
}

/// Refused by some virtual devices, which show all they have anyway.
void PacketRing::watch_all_traffic() {
  packet_mreq request{};
  request.mr_ifindex = index_;
  request.mr_type = PACKET_MR_PROMISC;
  (void)set(socket_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, request);
}

tpacket_block_desc* PacketRing::block(std::uint32_t number) const noexcept {
  return reinterpret_cast<tpacket_block_desc*>(memory_ + std::size_t{number} * block_size_);
}

void PacketRing::give_back() noexcept {
  give_to_kernel(block(current_));
  current_ = current_ + 1 == block_count_ ? 0 : current_ + 1;
  held_ = false;
}

void PacketRing::release() noexcept {
  if (held_ && left_ == 0) give_back();
}

bool PacketRing::ready() noexcept {
  while (!held_) {
    tpacket_block_desc* const next = block(current_);
    if ((status_of(next) & TP_STATUS_USER) == 0) return false;
    held_ = true;
    left_ = next->hdr.bh1.num_pkts;
    at_ = beyond<tpacket3_hdr>(next, next->hdr.bh1.offset_to_first_pkt);
    if (left_ == 0) give_back();
  }
  return left_ != 0;
}

base::Timestamp PacketRing::next_stamp() const noexcept { return stamp_of(*at_); }

bool PacketRing::pressed() const noexcept { return (status_of(block((current_ + block_count_ / 2) % block_count_)) & TP_STATUS_USER) != 0; }

std::size_t PacketRing::read(std::span<Frame> batch, base::Timestamp until) noexcept {
  if (!ready()) return 0;
  std::size_t count = 0;
  while (count < batch.size() && left_ != 0 && stamp_of(*at_) <= until) {
    describe(batch[count++], at_);
    --left_;
    at_ = beyond<tpacket3_hdr>(at_, at_->tp_next_offset);
  }
  return count;
}

void PacketRing::describe(Frame& frame, tpacket3_hdr* header) const noexcept {
  const auto* address = beyond<const sockaddr_ll>(header, sizeof(tpacket3_hdr));
  const std::uint16_t link_type = index_ != 0 ? link_type_ : link_type_of_hardware(address->sll_hatype);
  auto* data = beyond<std::uint8_t>(header, header->tp_mac);
  frame.captured = header->tp_snaplen;
  frame.length = header->tp_len;
  if (link_type == kRaw) {  // the packet alone, whatever stands before it
    const std::uint32_t before = std::min<std::uint32_t>(header->tp_net - header->tp_mac, frame.captured);
    data += before;
    frame.captured -= before;
    frame.length -= before;
  } else if (link_type == kEthernet && (header->tp_status & TP_STATUS_VLAN_VALID) != 0 && frame.captured >= kAddresses) {
    const bool named = (header->tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
    const std::uint32_t tag =
        htonl(std::uint32_t{named ? header->hv1.tp_vlan_tpid : std::uint16_t{ETH_P_8021Q}} << 16U | (header->hv1.tp_vlan_tci & 0xffffU));
    data -= kVlanTag;
    std::memmove(data, data + kVlanTag, kAddresses);
    std::memcpy(data + kAddresses, &tag, kVlanTag);
    frame.captured += kVlanTag;
    frame.length += kVlanTag;
  }
  frame.data = data;
  frame.time = stamp_of(*header);
  frame.link_type = link_type;
  frame.interface = options_.number;
}

std::uint32_t receive_queues(const std::string& interface) noexcept {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return 0;
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  ifreq request{};
  std::memcpy(request.ifr_name, interface.c_str(), std::min<std::size_t>(interface.size(), IFNAMSIZ - 1));
  request.ifr_data = reinterpret_cast<char*>(&channels);
  const bool known = ::ioctl(socket, SIOCETHTOOL, &request) == 0;
  ::close(socket);
  return known ? channels.rx_count + channels.combined_count : 0;
}

void PacketRing::close() noexcept { (void)attach(socket_, closed_program()); }

RingCounts PacketRing::take_counts() noexcept {
  tpacket_stats_v3 counts{};
  socklen_t length = sizeof counts;
  if (::getsockopt(socket_, SOL_PACKET, PACKET_STATISTICS, &counts, &length) != 0) return {};
  return {counts.tp_packets, counts.tp_drops, counts.tp_freeze_q_cnt};
}

int PacketRing::take_error() noexcept {
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : 0;
}

}  // namespace finwait::capture

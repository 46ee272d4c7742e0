#include "xdp_ring.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>
#include <xdp/libxdp.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <new>
#include <thread>
#include <utility>

#include "finwait/capture/error.h"

namespace finwait::capture {
namespace {

constexpr std::uint32_t kSmallPlace = 2048;
constexpr std::uint32_t kLargePlace = 4096;
constexpr std::uint32_t kHeadroom = 256;  // that the kernel keeps in each
constexpr std::uint32_t kLeastPlaces = 16;
constexpr std::uint32_t kMostPlaces = 1U << 26U;
constexpr std::uint32_t kAhead = 8;  // frames; each lies on lines of its own
static_assert(kLongestXdpFrame == kLargePlace - kHeadroom);

base::Timestamp time_of(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);
  return base::Timestamp{now.tv_sec} * base::kSecond + now.tv_nsec;
}

/// How far the kernel is, in a ring that it fills (pairs with its release in xskq_prod_submit).
std::uint32_t produced(const xsk_ring_cons& ring) noexcept {
  return std::atomic_ref<std::uint32_t>(*ring.producer).load(std::memory_order_acquire);
}

}  // namespace

XdpRing::XdpRing(std::shared_ptr<XdpPort> port, const XdpRingOptions& options) : port_(std::move(port)), options_(options) {
  try {
    open();
  } catch (...) {
    clear();
    throw;
  }
}

XdpRing::~XdpRing() { clear(); }

void XdpRing::clear() noexcept {
  if (socket_ != nullptr) xsk_socket__delete(socket_);
  if (area_ != nullptr) (void)xsk_umem__delete(area_);
  socket_ = nullptr;
  area_ = nullptr;
}

/// Places as small as the longest frame allows. All of them fit into either ring, so of the two only that of free ones can be empty.
void XdpRing::map_places() {
  place_ = port_->longest() + kHeadroom <= kSmallPlace ? kSmallPlace : kLargePlace;
  const std::uint64_t wanted = std::clamp<std::uint64_t>(options_.buffer / place_, kLeastPlaces, kMostPlaces);
  places_ = static_cast<std::uint32_t>(std::bit_floor(wanted));
  try {
    memory_ = base::Pages(std::size_t{place_} * places_);
  } catch (const std::bad_alloc&) {
    throw CaptureError(
        fmt::format("{}: no memory for a ring of {} KiB; give a smaller -B", port_->interface(), place_ * std::uint64_t{places_} >> 10U));
  }
}

void XdpRing::open() {
  libxdp_set_print(nullptr);  // what went wrong is said in our one line
  map_places();
  xsk_umem_config area{};
  area.fill_size = places_;
  area.comp_size = 2;
  area.frame_size = place_;
  int error = -xsk_umem__create(&area_, memory_.data(), std::uint64_t{place_} * places_, &free_, &returned_, &area);
  if (error == EAFNOSUPPORT) throw CaptureError(port_->interface() + ": this kernel has no AF_XDP; leave --capture-method xdp out");
  if (error == ENOBUFS || error == ENOMEM)
    throw CaptureError(port_->interface() + ": so much memory may not be locked; raise the limit (ulimit -l), or give a smaller -B");
  if (error != 0) fail_xdp(port_->interface(), "the kernel refuses the memory for packets", error);
  give_all();
  xsk_socket_config socket{};
  socket.rx_size = places_;
  socket.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
  socket.bind_flags = XDP_COPY;
  const auto create = [&] {
    return -xsk_socket__create(&socket_, port_->interface().c_str(), options_.queue, area_, &filled_, nullptr, &socket);
  };
  error = create();
  // Of a process that has just ended the kernel takes its time to let go of the queue.
  for (int left = 50; error == EBUSY && left != 0; --left) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    error = create();
  }
  if (error == EBUSY) throw CaptureError(port_->interface() + ": another program has its packets by AF_XDP already");
  if (error != 0) fail_xdp(port_->interface(), "the kernel refuses the socket", error);
  descriptor_ = xsk_socket__fd(socket_);
  if (bpf_map_update_elem(port_->program().sockets(), &options_.queue, &descriptor_, BPF_ANY) != 0)
    fail_xdp(port_->interface(), "the kernel refuses the socket's place in the map", errno);
  set_clock();
}

void XdpRing::give_all() noexcept {
  std::uint32_t first = 0;
  const std::uint32_t given = xsk_ring_prod__reserve(&free_, places_, &first);
  for (std::uint32_t n = 0; n < given; ++n) *xsk_ring_prod__fill_addr(&free_, first + n) = std::uint64_t{n} * place_;
  xsk_ring_prod__submit(&free_, given);
}

void XdpRing::begin() { port_->attach(); }

std::uint8_t* XdpRing::at(std::uint32_t place, std::uint32_t& length) const noexcept {
  const xdp_desc* const filled = xsk_ring_cons__rx_desc(&filled_, place);
  length = filled->len;
  return bytes() + filled->addr;
}

/// The stamp before a frame is wiped out, so that an old one is never taken for that of the next frame there.
void XdpRing::release() noexcept {
  if (handed_ == 0) return;
  std::uint32_t first = 0;
  if (xsk_ring_prod__reserve(&free_, handed_, &first) != handed_) return;  // cannot be: there is room for all places
  for (std::uint32_t n = 0; n < handed_; ++n) {
    const std::uint64_t address = xsk_ring_cons__rx_desc(&filled_, next_ - handed_ + n)->addr;
    std::memset(bytes() + address - sizeof(std::uint64_t), 0, sizeof(std::uint64_t));
    *xsk_ring_prod__fill_addr(&free_, first + n) = address & ~std::uint64_t{place_ - 1};
  }
  xsk_ring_prod__submit(&free_, handed_);
  xsk_ring_cons__release(&filled_, handed_);
  handed_ = 0;
}

bool XdpRing::ready() noexcept {
  if (left_ != 0) return true;
  std::uint32_t first = 0;
  left_ = xsk_ring_cons__peek(&filled_, places_, &first);
  if (left_ == 0) return false;
  next_ = first;
  found_ = time_of(CLOCK_REALTIME);
  return true;
}

base::Timestamp XdpRing::next_stamp() const noexcept {
  std::uint32_t length = 0;
  std::uint64_t stamp = 0;
  std::memcpy(&stamp, at(next_, length) - sizeof stamp, sizeof stamp);
  return stamp != 0 ? static_cast<base::Timestamp>(stamp) + clock_ : found_;
}

bool XdpRing::pressed() const noexcept { return produced(filled_) - (next_ - handed_) > places_ / 2; }

std::size_t XdpRing::read(std::span<Frame> batch, base::Timestamp until) noexcept {
  std::size_t count = 0;
  while (count < batch.size() && ready()) {
    if (left_ > kAhead) {
      std::uint32_t ignored = 0;
      base::prefetch_line(at(next_ + kAhead, ignored) - sizeof(std::uint64_t));
    }
    Frame& frame = batch[count];
    frame.time = next_stamp();
    if (frame.time > until) break;
    frame.data = at(next_, frame.length);
    frame.captured = std::min(frame.length, options_.snapshot_length);
    frame.link_type = link_type();
    frame.interface = options_.number;
    ++count;
    ++next_;
    --left_;
    ++handed_;
  }
  return count;
}

void XdpRing::close() noexcept { port_->detach(); }

/// Read one around the other, and again if something came between. Both clocks are slewed alike: what is between them changes when the time
/// of day is set.
void XdpRing::set_clock() noexcept {
  constexpr base::Duration kClose = 2 * base::kMicrosecond;
  constexpr int kTries = 4;
  for (int n = 0; n < kTries; ++n) {
    const base::Timestamp before = time_of(CLOCK_MONOTONIC);
    const base::Timestamp day = time_of(CLOCK_REALTIME);
    const base::Timestamp after = time_of(CLOCK_MONOTONIC);
    if (after - before > kClose && n + 1 < kTries) continue;
    const base::Duration now = day - before - (after - before) / 2;
    const base::Duration moved = now > clock_ ? now - clock_ : clock_ - now;
    if (moved > 10 * kClose + (after - before)) clock_ = now;
    return;
  }
}

/// A frame for which there is no place is counted twice by the kernel, among all that were dropped and by this reason.
RingCounts XdpRing::dropped() noexcept {
  xdp_statistics now{};
  socklen_t length = sizeof now;
  if (::getsockopt(descriptor_, SOL_XDP, XDP_STATISTICS, &now, &length) != 0) return {};
  RingCounts counts;
  counts.dropped = now.rx_dropped - last_.rx_dropped + (now.rx_ring_full - last_.rx_ring_full);
  const std::uint64_t no_place = now.rx_fill_ring_empty_descs - last_.rx_fill_ring_empty_descs + (now.rx_ring_full - last_.rx_ring_full);
  counts.freezes = no_place != 0 ? 1 : 0;
  dropped_ += counts.dropped;
  no_place_ += no_place;
  last_ = now;
  return counts;
}

RingCounts XdpRing::take_counts() noexcept {
  set_clock();
  RingCounts counts = dropped();
  const std::uint32_t filled = produced(filled_);
  counts.received = counts.dropped + (filled - counted_);
  counted_ = filled;
  if (options_.queue != 0) return counts;
  const std::uint64_t passed = port_->program().passed();
  counts.received += passed - passed_;
  counts.dropped += passed - passed_;
  passed_ = passed;
  return counts;
}

std::vector<std::string> XdpRing::take_news() {
  std::vector<std::string> news = port_->take_news();
  const std::string& name = port_->interface();
  if (dropped_ > no_place_ && !std::exchange(told_too_long_, true)) {
    news.push_back(fmt::format("{0}: packets longer than {1} bytes are dropped; turn offloads off (ethtool -K {0} gro off lro off)", name,
                               place_ - kHeadroom));
  }
  if (passed_ != 0 && !std::exchange(told_passed_, true))
    news.push_back(name + ": packets come on a queue that was not there at the start: they go to this host unseen; start again");
  return news;
}

int XdpRing::take_error() noexcept {
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : 0;
}

}  // namespace finwait::capture

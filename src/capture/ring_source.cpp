// The live source: a ring or several for each interface, merged by stamps; what the kernel counts; what becomes of the interfaces.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "finwait/capture/error.h"
#include "finwait/capture/filter.h"
#include "finwait/capture/interfaces.h"
#include "finwait/capture/live_source.h"
#include "finwait/capture/record_reader.h"
#include "finwait/capture/stop.h"
#include "link_watch.h"
#include "packet_ring.h"
#include "xdp_open.h"

namespace finwait::capture {
namespace {

constexpr base::Duration kRetire = 50 * base::kMillisecond;
/// A frame that nobody has seen this long after its stamp does not come any more: the retirement of a block, ten times over.
constexpr base::Duration kSettled = 20 * kRetire;
constexpr base::Duration kCountEvery = 20 * base::kMillisecond;
constexpr base::Duration kAskEvery = base::kSecond;

base::Timestamp time_of(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);
  return base::Timestamp{now.tv_sec} * base::kSecond + now.tv_nsec;
}

/// A number counts the interfaces that -D lists.
std::string interface_of(const std::string& word) {
  if (word.empty() || word.find_first_not_of("0123456789") != std::string::npos || word.size() > 4) return word;
  const std::vector<Interface> all = list_interfaces();
  const std::size_t number = std::stoul(word);
  return number >= 1 && number <= all.size() ? all[number - 1].name : word;
}

/// An interface, and what is known of it.
struct Tap {
  std::string name;
  int index = 0;  // 0: all interfaces
  bool up = true;
  bool gone = false;
  std::uint32_t mtu = 0;
  std::uint64_t dropped_at_start = 0;
  std::uint64_t dropped = 0;    // by the interface
  std::uint64_t by_kernel = 0;  // for want of room in its rings
  bool counted = false;
};

/// A ring of an interface.
struct Lane {
  std::size_t tap = 0;
  std::unique_ptr<FrameRing> ring;
  RingCounts counts;  // so far
};

class RingSource final : public LiveSource {
 public:
  explicit RingSource(const LiveOptions& options);

  [[nodiscard]] Arrival next(std::span<Frame> batch, base::Duration wait) override;
  void close() override;
  [[nodiscard]] LiveStats stats() const noexcept override { return stats_; }
  [[nodiscard]] std::vector<RingStats> ring_stats() const override;
  [[nodiscard]] LossSpan take_loss() noexcept override { return std::exchange(loss_, {}); }
  [[nodiscard]] std::vector<std::string> take_news() override { return std::exchange(news_, {}); }
  [[nodiscard]] const std::vector<std::string>& interfaces() const noexcept override { return names_; }

  [[nodiscard]] SourceStatus status() const override { return {!lost_.empty(), lost_}; }
  [[nodiscard]] std::vector<std::uint16_t> link_types() const override { return link_types_.in_order(); }
  [[nodiscard]] std::uint32_t interface_count() const noexcept override { return static_cast<std::uint32_t>(taps_.size()); }
  [[nodiscard]] std::string name() const override { return fmt::format("{}", fmt::join(names_, ", ")); }

 private:
  void open(const LiveOptions& options, const std::string& name);
  void open_rings(const LiveOptions& options, const std::string& name);
  [[nodiscard]] std::size_t take(std::span<Frame> batch, base::Timestamp now);
  [[nodiscard]] bool wait_for_frames(base::Duration wait);
  void look_after(base::Timestamp steady, base::Timestamp now);
  void count(base::Timestamp now);
  void note(const LinkState& state);
  void note_gone(Tap& tap);

  bool xdp_;
  std::vector<std::string> names_;
  std::vector<Tap> taps_;
  std::vector<Lane> lanes_;
  LinkWatch links_;
  LinkTypes link_types_;
  LiveStats stats_;
  LossSpan loss_;
  std::vector<std::string> news_;
  std::string lost_;
  base::Timestamp counted_at_ = 0;  // the machine's clock when the kernel was last asked what it dropped
  base::Timestamp next_count_ = 0;  // steady clock
  base::Timestamp next_ask_ = 0;    // steady clock
  base::Timestamp closed_at_ = 0;   // steady clock; 0: open
  bool held_back_ = false;          // there are frames, but earlier ones of another interface may come
};

RingSource::RingSource(const LiveOptions& options) : xdp_(options.method == CaptureMethod::kXdp) {
  if (!options.filter.empty()) (void)Filter(options.filter);  // throws if it is none
  for (const std::string& word : options.interfaces) {
    const std::string name = interface_of(word);
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) open(options, name);
  }
  if (names_.size() > 1 && std::find(names_.begin(), names_.end(), "any") != names_.end())
    throw CaptureError("any: has every interface already; leave the others out");
  counted_at_ = time_of(CLOCK_REALTIME);
  for (Lane& lane : lanes_) lane.ring->begin();
}

/// A ring for each processor that receives, as far as they were asked for: where there is one ring for several, these wait for each other
/// at each frame.
void RingSource::open_rings(const LiveOptions& options, const std::string& name) {
  const std::uint32_t queues = receive_queues(name);
  const std::uint32_t rings = std::max(queues == 0 ? options.rings : std::min(options.rings, queues), 1U);
  RingOptions ring;
  ring.interface = name;
  ring.number = static_cast<std::uint32_t>(taps_.size());
  ring.buffer = options.buffer / rings;
  ring.retire = static_cast<std::uint32_t>(kRetire / base::kMillisecond);
  ring.snapshot_length = options.snapshot_length;
  ring.filter = options.filter;
  ring.promiscuous = options.promiscuous;
  ring.shared = rings > 1;
  for (std::uint32_t n = 0; n != rings && (n == 0 || ring.group != 0); ++n) {
    auto one = std::make_unique<PacketRing>(ring);
    ring.group = one->group();
    if (ring.shared && ring.group == 0) {
      ring.shared = false;
      ring.buffer = options.buffer;
      one.reset();
      one = std::make_unique<PacketRing>(ring);
    }
    lanes_.push_back({taps_.size(), std::move(one), {}});
  }
}

void RingSource::open(const LiveOptions& options, const std::string& name) {
  if (xdp_) {
    for (auto& ring : open_xdp(options, name, static_cast<std::uint32_t>(taps_.size())))
      lanes_.push_back({taps_.size(), std::move(ring), {}});
  } else {
    open_rings(options, name);
  }
  Tap tap;
  tap.name = name;
  tap.index = lanes_.back().ring->index();
  if (tap.index != 0) link_types_.note(lanes_.back().ring->link_type());
  names_.push_back(name);
  taps_.push_back(std::move(tap));
}

/// In the order of stamps, until a ring has been read to the end of its block: what comes next there is only known when that went back. A
/// ring without a frame may still get an earlier one: unless room is short in any, what is fresh waits for it.
std::size_t RingSource::take(std::span<Frame> batch, base::Timestamp now) {
  held_back_ = false;
  bool pressed = lanes_.size() == 1 || closed_at_ != 0;
  for (Lane& lane : lanes_) {
    lane.ring->release();
    pressed = pressed || lane.ring->pressed();
  }
  std::size_t count = 0;
  for (bool whole = true; whole && count < batch.size();) {
    FrameRing* first = nullptr;
    base::Timestamp until = base::kNever;
    for (Lane& lane : lanes_) {
      const Tap& tap = taps_[lane.tap];
      base::Timestamp stamp = pressed || tap.gone || !tap.up ? base::kNever : now - lane.ring->delay();
      if (lane.ring->ready()) {
        stamp = lane.ring->next_stamp();
        if (first == nullptr || stamp < first->next_stamp()) {
          if (first != nullptr) until = std::min(until, first->next_stamp());
          first = lane.ring.get();
          continue;
        }
      }
      until = std::min(until, stamp);
    }
    if (first == nullptr) break;
    const std::size_t more = first->read(batch.subspan(count), until);
    held_back_ = count + more == 0;
    if (more == 0) break;
    if (first->index() == 0)
      for (std::size_t n = count; n < count + more; ++n) link_types_.note(batch[n].link_type);
    count += more;
    whole = !first->at_block_end();
  }
  return count;
}

Arrival RingSource::next(std::span<Frame> batch, base::Duration wait) {
  Arrival arrival;
  const base::Timestamp end = time_of(CLOCK_MONOTONIC) + wait;
  base::Timestamp steady = 0;
  for (;;) {
    arrival.now = time_of(CLOCK_REALTIME);
    steady = time_of(CLOCK_MONOTONIC);
    look_after(steady, arrival.now);
    arrival.frames = take(batch, arrival.now);
    if (arrival.frames != 0 || (held_back_ && steady >= end)) return arrival;
    if (!held_back_) break;
    (void)wait_for_frames(std::min(
        end - steady, std::max(lanes_.front().ring->delay() / 10, base::kMillisecond)));  // the rings that hold it back may fill meanwhile
  }
  const bool closing = closed_at_ != 0;
  arrival.ended = closing && steady - closed_at_ > 3 * kRetire;  // the last block comes when its time is over
  if (arrival.ended) {
    count(arrival.now);
    return arrival;
  }
  arrival.passed = arrival.now - kSettled;
  if (wait_for_frames(closing ? std::min(wait, kRetire) : wait)) {
    arrival.now = time_of(CLOCK_REALTIME);
    arrival.frames = take(batch, arrival.now);
  }
  return arrival;
}

/// False if nothing came in rings that had nothing. An error of a socket is no frame: it tells that its interface went down, and is
/// cleared.
bool RingSource::wait_for_frames(base::Duration wait) {
  std::vector<pollfd> waiting;
  for (const Lane& lane : lanes_) waiting.push_back({lane.ring->descriptor(), static_cast<short>(lane.ring->ready() ? 0 : POLLIN), 0});
  waiting.push_back({links_.descriptor(), POLLIN, 0});
  if (::poll(waiting.data(), waiting.size(), static_cast<int>(wait / base::kMillisecond)) <= 0) return false;
  bool any = false;
  for (std::size_t n = 0; n < lanes_.size(); ++n) {
    any = any || (waiting[n].revents & POLLIN) != 0;
    if ((waiting[n].revents & POLLERR) != 0) (void)lanes_[n].ring->take_error();
  }
  if (waiting.back().revents != 0) links_.take([this](const LinkState& state) { note(state); });
  return any;
}

/// What is looked at now and then: counters, and the interfaces.
void RingSource::look_after(base::Timestamp steady, base::Timestamp now) {
  if (steady >= next_count_) {
    next_count_ = steady + kCountEvery;
    count(now);
  }
  if (steady < next_ask_) return;
  next_ask_ = steady + kAskEvery;
  links_.take([this](const LinkState& state) { note(state); });
  for (const Tap& tap : taps_) {
    if (tap.index != 0 && !tap.gone) links_.ask(tap.index);
  }
  for (Lane& lane : lanes_)
    for (std::string& line : lane.ring->take_news()) news_.push_back(std::move(line));
}

void RingSource::count(base::Timestamp now) {
  bool dropped = false;
  for (Lane& lane : lanes_) {
    const RingCounts counts = lane.ring->take_counts();
    lane.counts.received += counts.received;
    lane.counts.dropped += counts.dropped;
    lane.counts.freezes += counts.freezes;
    taps_[lane.tap].by_kernel += counts.dropped;
    stats_.received += counts.received;
    stats_.dropped_by_kernel += counts.dropped;
    stats_.freezes += counts.freezes;
    dropped = dropped || counts.dropped != 0;
  }
  if (dropped) {
    loss_.from = loss_.empty() ? counted_at_ : std::min(loss_.from, counted_at_);
    loss_.to = now;
  }
  counted_at_ = now;
}

std::vector<RingStats> RingSource::ring_stats() const {
  std::vector<RingStats> all;
  for (const Lane& lane : lanes_) all.push_back({taps_[lane.tap].name, lane.counts.received, lane.counts.dropped, lane.counts.freezes});
  return all;
}

void RingSource::note(const LinkState& state) {
  const auto tap = std::find_if(taps_.begin(), taps_.end(), [&](const Tap& t) { return t.index == state.index && !t.gone; });
  if (tap == taps_.end()) return;
  if (state.gone) return note_gone(*tap);
  if (tap->up != state.up) {
    tap->up = state.up;
    news_.push_back(tap->name + (state.up ? ": is up again" : ": is down; waiting for it"));
  }
  if (state.mtu != 0 && tap->mtu != 0 && state.mtu != tap->mtu)
    news_.push_back(fmt::format("{}: its MTU changed from {} to {}", tap->name, tap->mtu, state.mtu));
  if (state.mtu != 0) tap->mtu = state.mtu;
  if (!state.counted) return;
  if (!std::exchange(tap->counted, true)) tap->dropped_at_start = state.dropped;
  std::uint64_t dropped = state.dropped - std::min(state.dropped, tap->dropped_at_start);
  if (dropped > tap->dropped && xdp_) {  // some drivers count what the sockets had no room for too
    count(time_of(CLOCK_REALTIME));
    dropped -= std::min(dropped, tap->by_kernel);
  }
  if (dropped <= tap->dropped) return;
  stats_.dropped_by_interface += dropped - tap->dropped;
  tap->dropped = dropped;
}

void RingSource::note_gone(Tap& tap) {
  tap.gone = true;
  lost_ += fmt::format("{}{}: the interface is gone", lost_.empty() ? "" : "\n", tap.name);
  if (std::all_of(taps_.begin(), taps_.end(), [](const Tap& t) { return t.gone; })) {
    close();
  } else {
    news_.push_back(tap.name + ": the interface is gone; going on with the others");
  }
}

void RingSource::close() {
  if (closed_at_ != 0) return;
  closed_at_ = time_of(CLOCK_MONOTONIC);
  for (Lane& lane : lanes_) lane.ring->close();
}

}  // namespace

std::size_t LiveSource::read(std::span<Frame> batch) {
  while (!stop_requested()) {
    const Arrival arrival = next(batch, 100 * base::kMillisecond);
    if (arrival.frames != 0 || arrival.ended) return arrival.frames;
  }
  return 0;
}

std::unique_ptr<LiveSource> open_live(const LiveOptions& options) { return std::make_unique<RingSource>(options); }

}  // namespace finwait::capture

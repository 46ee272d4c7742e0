// The AF_XDP socket of one receive queue: frames are copied by the kernel into memory of this process, and handed out where they lie there.
//
// Always true: a place that was handed out is not given back to the kernel before release(). The stamp is the program's, from the moment
// the frame came to it; where its driver had no room for one, the moment it was found here. As many frames can wait as there are places;
// the kernel drops what comes beyond, and counts it.
//
// In copy mode only. Documentation/networking/af_xdp.rst of the kernel.
#pragma once

#include <xdp/xsk.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "finwait/base/memory.h"
#include "frame_ring.h"
#include "xdp_port.h"

namespace finwait::capture {

struct XdpRingOptions {
  std::uint32_t queue = 0;
  std::uint32_t number = 0;  ///< Frame::interface
  std::uint64_t buffer = 0;  ///< bytes; the largest power of two in it is used
  std::uint32_t snapshot_length = 262144;
};

class XdpRing final : public FrameRing {
 public:
  /// Throws CaptureError.
  XdpRing(std::shared_ptr<XdpPort> port, const XdpRingOptions& options);
  ~XdpRing() override;

  void begin() override;
  void release() noexcept override;
  [[nodiscard]] bool ready() noexcept override;
  [[nodiscard]] base::Timestamp next_stamp() const noexcept override;
  /// A driver hands over what it has when its turn is over, or after 64 frames.
  [[nodiscard]] base::Duration delay() const noexcept override { return 2 * base::kMillisecond; }
  [[nodiscard]] bool pressed() const noexcept override;
  [[nodiscard]] std::size_t read(std::span<Frame> batch, base::Timestamp until) noexcept override;

  /// Of all queues of the interface.
  void close() noexcept override;
  /// What came to queues without a socket counts as received and dropped by that of queue 0.
  [[nodiscard]] RingCounts take_counts() noexcept override;
  [[nodiscard]] std::vector<std::string> take_news() override;
  [[nodiscard]] int take_error() noexcept override;

  [[nodiscard]] int descriptor() const noexcept override { return descriptor_; }
  [[nodiscard]] int index() const noexcept override { return port_->index(); }
  [[nodiscard]] std::uint16_t link_type() const noexcept override { return 1; }

 private:
  void open();
  void clear() noexcept;
  void map_places();
  void give_all() noexcept;
  [[nodiscard]] std::uint8_t* at(std::uint32_t place, std::uint32_t& length) const noexcept;
  [[nodiscard]] std::uint8_t* bytes() const noexcept { return reinterpret_cast<std::uint8_t*>(memory_.data()); }
  void set_clock() noexcept;
  [[nodiscard]] RingCounts dropped() noexcept;

  std::shared_ptr<XdpPort> port_;
  XdpRingOptions options_;
  std::uint32_t place_ = 0;   // bytes of one
  std::uint32_t places_ = 0;  // a power of two
  base::Pages memory_;
  xsk_umem* area_ = nullptr;
  xsk_socket* socket_ = nullptr;
  int descriptor_ = -1;
  xsk_ring_prod free_{};      // places for the kernel to fill
  xsk_ring_cons returned_{};  // of what was sent: nothing ever is
  xsk_ring_cons filled_{};
  std::uint32_t next_ = 0;     // in filled_: the next frame to hand out
  std::uint32_t left_ = 0;     // known frames from there on
  std::uint32_t handed_ = 0;   // frames before, since release()
  base::Timestamp found_ = 0;  // when those that are left were found
  base::Duration clock_ = 0;   // from the kernel's monotonic clock to the time of day
  std::uint32_t counted_ = 0;  // of filled_: how far the kernel was when asked last
  std::uint64_t passed_ = 0;
  xdp_statistics last_{};
  std::uint64_t dropped_ = 0;   // in all
  std::uint64_t no_place_ = 0;  // of these, for want of a place
  bool told_too_long_ = false;
  bool told_passed_ = false;
};

}  // namespace finwait::capture

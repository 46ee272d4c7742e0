// Memory shared with the kernel into which it puts frames: what the live source needs to know of it, whichever kind it is.
//
// Always true: what was handed out stays valid until release(); frames come in the order of their stamps; received = handed out + dropped
// once it was closed and read to its end. Nothing here blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "finwait/base/time.h"
#include "finwait/capture/source.h"

namespace finwait::capture {

/// What the kernel counted since the last time it was asked.
struct RingCounts {
  std::uint64_t received = 0;
  std::uint64_t dropped = 0;
  std::uint64_t freezes = 0;
};

class FrameRing {
 public:
  FrameRing() = default;
  FrameRing(const FrameRing&) = delete;
  FrameRing& operator=(const FrameRing&) = delete;
  virtual ~FrameRing() = default;

  /// From now on frames come in. Once all rings of an interface are there. Throws CaptureError.
  virtual void begin() {}

  /// Frames handed out are no longer used.
  virtual void release() noexcept = 0;
  /// Whether a frame can be had at once, without release().
  [[nodiscard]] virtual bool ready() noexcept = 0;
  /// Stamp of the next frame; only if ready().
  [[nodiscard]] virtual base::Timestamp next_stamp() const noexcept = 0;
  /// Whether a block was read to its end and not yet released, so that it is not known what comes next.
  [[nodiscard]] virtual bool at_block_end() const noexcept { return false; }
  /// How long after its stamp a frame may still come; an earlier one of another ring is held back so long.
  [[nodiscard]] virtual base::Duration delay() const noexcept = 0;
  /// Whether more than half of the ring waits to be read.
  [[nodiscard]] virtual bool pressed() const noexcept = 0;
  /// Some of the frames that can be had, up to the stamp `until`; none if none is ready.
  [[nodiscard]] virtual std::size_t read(std::span<Frame> batch, base::Timestamp until) noexcept = 0;

  /// Lets nothing new in. What is in the ring stays.
  virtual void close() noexcept = 0;
  [[nodiscard]] virtual RingCounts take_counts() noexcept = 0;
  /// What a person should know, since the last call: a line each.
  [[nodiscard]] virtual std::vector<std::string> take_news() { return {}; }
  /// Takes the error that the socket has, if any, and clears it.
  [[nodiscard]] virtual int take_error() noexcept = 0;

  /// Becomes readable when there are frames.
  [[nodiscard]] virtual int descriptor() const noexcept = 0;
  /// 0: all interfaces.
  [[nodiscard]] virtual int index() const noexcept = 0;
  [[nodiscard]] virtual std::uint16_t link_type() const noexcept = 0;
};

}  // namespace finwait::capture

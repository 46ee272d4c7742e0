// Frames of a live capture kept for a while, so that those of a connection can be written when it is known whether it is wanted.
//
// Always true: all memory is taken at construction; the newest frames are there, as many as fit, and those of one flow can be found without
// looking at others (but for flows whose hashes fall together). What has to make room is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "finwait/base/memory.h"
#include "finwait/capture/source.h"
#include "finwait/engine/pipeline.h"

namespace finwait::engine {

class HeldFrames final : public FrameKeeper {
 public:
  struct Held {
    capture::Frame frame;  ///< borrowed until the next keep()
    std::uint64_t number = 0;
  };

  /// At least 1 MiB is taken. Throws std::bad_alloc.
  explicit HeldFrames(std::size_t bytes);

  void keep(std::span<const capture::Frame> frames, std::uint64_t first, std::span<const wire::Segment> segments) override;

  /// The frames of a flow from number `first` to `last` that are still there and were not taken before, in order.
  [[nodiscard]] std::span<const Held> take(const wire::FlowKey& key, std::uint64_t hash, std::uint64_t first, std::uint64_t last);

 private:
  struct Record {
    std::uint64_t before = 0;  // where the frame before it with such a hash begins, + 1; 0: none
    std::uint64_t number = 0;
    wire::FlowKey key;
    base::Timestamp time = 0;
    std::uint32_t captured = 0;
    std::uint32_t length = 0;
    std::uint16_t link_type = 0;
    std::uint16_t taken = 0;
    std::uint32_t interface = 0;
  };

  void keep_one(const capture::Frame& frame, const wire::Segment& segment);
  [[nodiscard]] std::byte* at(std::uint64_t offset) const noexcept { return memory_.data() + offset % size_; }
  [[nodiscard]] bool there(std::uint64_t offset) const noexcept { return offset + size_ >= next_; }

  std::size_t size_;
  base::Pages memory_;                      // offsets only grow; a place in it is the offset modulo the size
  base::FixedArray<std::uint64_t> newest_;  // by hash: where its newest frame begins, + 1
  std::uint64_t next_ = 0;
  std::vector<Held> found_;
};

}  // namespace finwait::engine

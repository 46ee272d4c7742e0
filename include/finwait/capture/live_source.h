// Frames of interfaces as they come: a Source that does not end by itself, and what a live capture has to tell besides frames.
//
// Always true: received = handed out + dropped_by_kernel once the source was closed and read to its end; frames come in the order of
// their stamps as far as the kernel gives them so (see open_live); what happens to an interface is told in one line, once.
//
// Used by one thread. stats() costs no system call. Time is the machine's: here, at the edge of the world, and nowhere above.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "finwait/base/time.h"
#include "finwait/capture/source.h"

namespace finwait::capture {

/// What one call of LiveSource::next brought.
struct Arrival {
  std::size_t frames = 0;
  bool ended = false;          ///< every interface is gone, or the source was closed and is read to its end: then and ever after
  base::Timestamp now = 0;     ///< the machine's clock
  base::Timestamp passed = 0;  ///< every frame stamped before it has been handed out; 0: not known, there is more to read
};

/// Counts of the capturing side, from the beginning on.
struct LiveStats {
  std::uint64_t received = 0;              ///< that came to the tap and passed the kernel's filter, dropped ones included
  std::uint64_t dropped_by_kernel = 0;     ///< of these: for want of room in the ring
  std::uint64_t dropped_by_interface = 0;  ///< before the tap: the device or its driver had no room
  std::uint64_t freezes = 0;               ///< how often the ring was full
};

/// What one ring had, from the beginning on; the sums of all are those of LiveStats.
struct RingStats {
  std::string interface;
  std::uint64_t received = 0;
  std::uint64_t dropped = 0;
  std::uint64_t freezes = 0;
};

/// Frames were dropped between these two moments. Empty if `from` > `to`.
struct LossSpan {
  base::Timestamp from = 1;
  base::Timestamp to = 0;
  [[nodiscard]] bool empty() const noexcept { return from > to; }
};

class LiveSource : public Source {
 public:
  /// Waits for frames, `wait` at most, and fills the front of `batch` (not empty) with those of one block of a ring. Frames of the call
  /// before are no longer valid. Returns early on a signal. Never throws for anything that is in the data.
  [[nodiscard]] virtual Arrival next(std::span<Frame> batch, base::Duration wait) = 0;

  /// Nothing new is let in; what was received before can still be read.
  virtual void close() = 0;

  /// As of the last call of next(), a tenth of a second old at most while it is being called.
  [[nodiscard]] virtual LiveStats stats() const noexcept = 0;
  /// The same for each ring, those of an interface one after the other.
  [[nodiscard]] virtual std::vector<RingStats> ring_stats() const = 0;
  /// When frames were dropped, since the last call of it.
  [[nodiscard]] virtual LossSpan take_loss() noexcept = 0;
  /// What happened to the interfaces since the last call of it: lines for a person.
  [[nodiscard]] virtual std::vector<std::string> take_news() = 0;
  /// As the kernel calls them; "any" for all of them.
  [[nodiscard]] virtual const std::vector<std::string>& interfaces() const noexcept = 0;

  /// Waits as long as it takes: next() as a Source's read. 0 also after request_stop().
  [[nodiscard]] std::size_t read(std::span<Frame> batch) final;
  [[nodiscard]] std::uint64_t dropped_by_kernel() const final { return stats().dropped_by_kernel; }
  [[nodiscard]] std::uint64_t dropped_by_interface() const final { return stats().dropped_by_interface; }
};

/// LINKTYPE_ values that frames of a live capture can have: Ethernet, the packet alone, 802.11 bare and with either header.
inline constexpr std::array<std::uint16_t, 5> kLiveLinkTypes{1, 101, 105, 119, 127};

/// How frames come out of the kernel.
enum class CaptureMethod {
  kRing,  ///< a copy of each, in both directions (TPACKET_V3)
  kXdp,   ///< AF_XDP: those received, which are taken away from this host
};

struct LiveOptions {
  std::vector<std::string> interfaces;     ///< names, numbers of list_interfaces() from 1, or "any" alone
  std::string filter;                      ///< libpcap's; what can be decided in the kernel is left out there
  std::uint64_t buffer = 32U << 20U;       ///< bytes of the rings of an interface together
  std::uint32_t rings = 1;                 ///< for an interface, at most: no more than it has receive queues, where that is known
  std::uint32_t snapshot_length = 262144;  ///< bytes of a frame that are kept
  bool promiscuous = true;
  CaptureMethod method = CaptureMethod::kRing;
};

/// Whether kXdp was built in; without it open_live() refuses that.
[[nodiscard]] bool has_xdp() noexcept;

/// Opens memory-mapped rings for each interface; several of one interface are a fanout group by flow, both directions together. Frames of
/// several rings are merged by their stamps, for which they are held back a tenth of a second at most. The kernel's filter lets through all
/// frames that Filter::matches, and perhaps others: whoever wants a filter applies that one too. Throws CaptureError with one line that
/// says what to do: no permission, no such interface, no memory, a filter that is none; for kXdp also an interface that this host uses
/// itself, or one whose frames are too long. kXdp has a ring for each receive queue.
[[nodiscard]] std::unique_ptr<LiveSource> open_live(const LiveOptions& options);

}  // namespace finwait::capture

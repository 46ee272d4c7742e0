// A packet socket with a memory-mapped ring (TPACKET_V3): frames are handed out where the kernel put them, block by block.
//
// Always true: a block is given back to the kernel by release(), so what was handed out stays valid until then. Blocks come in order;
// frames within a block too. A VLAN tag, which the kernel takes off the frame, is put back in its place in the ring. The bytes are those of
// the link layer; of a device whose link layer is not understood, the packet alone.
//
// Several rings of one interface are a fanout group by flow hash. Since Linux 4.8 that hash is the same for both directions
// (__skb_get_hash_symmetric), so a connection comes on one ring, in order; its fragments, what of it is quoted in ICMP errors, and tunnels
// with more than one way may come on others.
//
// packet(7), and Documentation/networking/packet_mmap.rst of the kernel.
#pragma once

#include <linux/if_packet.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "finwait/capture/live_source.h"
#include "kernel_filter.h"

namespace finwait::capture {

struct RingOptions {
  std::string interface;      ///< "any": all of them
  std::uint32_t number = 0;   ///< Frame::interface
  std::uint64_t buffer = 0;   ///< bytes
  std::uint32_t retire = 50;  ///< milliseconds after which a block that is not full is handed out
  std::uint32_t snapshot_length = 262144;
  std::string filter;
  bool promiscuous = true;
  bool shared = false;      ///< one of several rings of the interface: each flow comes on one of them
  std::uint32_t group = 0;  ///< PacketRing::group() of the first of these; 0: this is the first
};

/// What the kernel counted since the last time it was asked.
struct RingCounts {
  std::uint64_t received = 0;
  std::uint64_t dropped = 0;
  std::uint64_t freezes = 0;
};

class PacketRing {
 public:
  /// Lets nothing in before begin(). Throws CaptureError.
  explicit PacketRing(const RingOptions& options);
  ~PacketRing();
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;

  /// From now on frames come in. Once all rings of a group are there: else a flow would change from one to another.
  void begin();

  /// Frames handed out are no longer used: a block that was read to its end goes back to the kernel.
  void release() noexcept;
  /// Whether a frame can be had at once, without release().
  [[nodiscard]] bool ready() noexcept;
  /// Stamp of the next frame; only if ready().
  [[nodiscard]] base::Timestamp next_stamp() const noexcept;
  /// Whether a block was read to its end and not yet released, so that it is not known what comes next.
  [[nodiscard]] bool at_block_end() const noexcept { return held_ && left_ == 0; }
  /// Whether more than half of the ring waits to be read.
  [[nodiscard]] bool pressed() const noexcept;
  /// Frames of one block, up to the stamp `until`; none if none is ready.
  [[nodiscard]] std::size_t read(std::span<Frame> batch, base::Timestamp until = base::kNever) noexcept;

  /// Lets nothing new in. What is in the ring stays.
  void close() noexcept;
  [[nodiscard]] RingCounts take_counts() noexcept;
  /// Takes the error that the socket has, if any, and clears it.
  [[nodiscard]] int take_error() noexcept;

  [[nodiscard]] int descriptor() const noexcept { return socket_; }
  /// 0: all interfaces.
  [[nodiscard]] int index() const noexcept { return index_; }
  [[nodiscard]] std::uint16_t link_type() const noexcept { return link_type_; }
  /// 0: it gets all frames of the interface, for want of a group if one was asked for.
  [[nodiscard]] std::uint32_t group() const noexcept { return group_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return std::uint64_t{block_size_} * block_count_; }

 private:
  void open();
  void find_interface();
  void set_options();
  void map_ring();
  void bind();
  void join_group();
  void watch_all_traffic();
  [[nodiscard]] bool try_ring(std::uint64_t bytes);
  [[nodiscard]] tpacket_block_desc* block(std::uint32_t number) const noexcept;
  void give_back() noexcept;
  void describe(Frame& frame, tpacket3_hdr* header) const noexcept;
  [[noreturn]] void fail(const char* what, int error) const;

  RingOptions options_;
  int socket_ = -1;
  int index_ = 0;
  std::uint32_t group_ = 0;
  std::uint16_t hardware_ = 0;
  std::uint16_t link_type_ = 1;
  std::uint8_t* memory_ = nullptr;
  std::uint32_t block_size_ = 0;
  std::uint32_t block_count_ = 0;
  std::uint32_t current_ = 0;   // block being read
  std::uint32_t left_ = 0;      // frames of it not handed out yet
  tpacket3_hdr* at_ = nullptr;  // the next of them
  bool held_ = false;           // the current block is ours
};

/// The LINKTYPE_ of what a device of this ARPHRD_ type puts before its packets; LINKTYPE_RAW where the packet alone is taken.
[[nodiscard]] std::uint16_t link_type_of_hardware(std::uint16_t hardware) noexcept;

/// How many queues the interface receives on, each served by a processor of its own; 0: it does not say.
[[nodiscard]] std::uint32_t receive_queues(const std::string& interface) noexcept;

/// "no permission to capture: ...": what to do.
[[nodiscard]] std::string permission_advice();

}  // namespace finwait::capture

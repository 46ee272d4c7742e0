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

#include "frame_ring.h"
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

class PacketRing final : public FrameRing {
 public:
  /// Lets nothing in before begin(). Throws CaptureError.
  explicit PacketRing(const RingOptions& options);
  ~PacketRing() override;

  /// Once all rings of a group are there: else a flow would change from one to another.
  void begin() override;

  /// A block that was read to its end goes back to the kernel.
  void release() noexcept override;
  [[nodiscard]] bool ready() noexcept override;
  [[nodiscard]] base::Timestamp next_stamp() const noexcept override;
  [[nodiscard]] bool at_block_end() const noexcept override { return held_ && left_ == 0; }
  [[nodiscard]] base::Duration delay() const noexcept override { return 2 * options_.retire * base::kMillisecond; }
  [[nodiscard]] bool pressed() const noexcept override;
  /// Frames of one block.
  [[nodiscard]] std::size_t read(std::span<Frame> batch, base::Timestamp until) noexcept override;

  void close() noexcept override;
  [[nodiscard]] RingCounts take_counts() noexcept override;
  [[nodiscard]] int take_error() noexcept override;

  [[nodiscard]] int descriptor() const noexcept override { return socket_; }
  [[nodiscard]] int index() const noexcept override { return index_; }
  [[nodiscard]] std::uint16_t link_type() const noexcept override { return link_type_; }
  /// 0: it gets all frames of the interface, for want of a group if one was asked for.
  [[nodiscard]] std::uint32_t group() const noexcept { return group_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return std::uint64_t{block_size_} * block_count_; }

 private:
  void open();
  void clear() noexcept;
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

/// "no permission to capture: ...": what to do. `capabilities` are what it takes.
[[nodiscard]] std::string permission_advice(const char* capabilities = "cap_net_raw");

}  // namespace finwait::capture

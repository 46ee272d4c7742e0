// IP fragments put together again (RFC 791, 3.2; RFC 815; RFC 8200, 4.5), within fixed memory.
//
// Always true: everything is allocated at construction; a fragment costs time in proportion to its own bytes and no more. A datagram waits
// at most `timeout` on the trace clock; when there is no room the oldest one makes way, so a flood of first fragments pushes out itself.
//
// Overlaps. IPv4: what came first stays, and a fragment that contradicts the datagram's end, or repeats its first bytes otherwise, begins a
// new datagram (identifiers of 16 bits come round soon). IPv6: an overlap that is no exact copy drops the datagram and all that comes of it
// (RFC 5722). Fragments cut by the snap length count for what they were on the wire: the headers are read as far as they were captured.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "finwait/base/hash.h"
#include "finwait/base/memory.h"
#include "finwait/base/time.h"
#include "finwait/wire/decode.h"

namespace finwait::wire {

struct ReassemblyLimits {
  std::size_t memory = std::size_t{4} << 20;    ///< bytes, at least 512 KiB; never passed
  base::Duration timeout = 30 * base::kSecond;  ///< as Linux; RFC 8200 says 60 s
  std::uint64_t seed = 0x6672'6167'6d65'6e74;   ///< of the keyed hash; random where the traffic may be hostile
};

/// One fragment, or (`offset` 0, not `more`) the datagram that fragments made.
struct Fragment {
  Address source;
  Address destination;
  std::uint32_t network = 0;   ///< as FlowKey::network, the bit for IPv6 included
  std::uint32_t id = 0;        ///< IPv4: the protocol in the upper half (RFC 791: part of what is the same)
  std::uint32_t offset = 0;    ///< bytes, a multiple of 8
  std::uint32_t length = 0;    ///< bytes on the wire, at least 1; offset + length <= 65535; a multiple of 8 if `more`
  std::uint32_t captured = 0;  ///< bytes at `data`, at most `length`
  const std::uint8_t* data = nullptr;
  bool more = false;

  // Of the packet around it. A datagram has those of its first fragment.
  std::uint8_t protocol = 0;
  std::uint8_t ttl = 0;
  std::uint16_t noted = 0;          ///< present:: bits that the IP header caused
  std::uint32_t header_length = 0;  ///< of all headers before the data, but for IPv6's fragment header
  Encapsulation encapsulation;
};

class Reassembler {
 public:
  struct Counters {
    std::uint64_t fragments = 0;  ///< taken in, copies and dropped ones included
    std::uint64_t datagrams = 0;  ///< complete
    std::uint64_t timed_out = 0;  ///< datagrams given up incomplete
    std::uint64_t evicted = 0;    ///< datagrams that made way
    std::uint64_t copies = 0;     ///< fragments that brought nothing new and nothing else
    std::uint64_t overlaps = 0;   ///< fragments that overlapped others
    std::uint64_t restarted = 0;  ///< IPv4 datagrams replaced by another of the same identifier
    std::uint64_t dropped = 0;    ///< IPv6 datagrams dropped for an overlap
  };

  /// Throws std::invalid_argument if the memory is too little, std::bad_alloc.
  explicit Reassembler(const ReassemblyLimits& limits);

  /// Takes a fragment. True if it completed its datagram: `whole` is the datagram, its bytes valid until the next call. `fragment.data` may
  /// lie in the datagram given out before. `clock`: the trace clock; never goes back. One thread.
  [[nodiscard]] bool add(const Fragment& fragment, base::Timestamp clock, Fragment& whole) noexcept;

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  /// Datagrams that wait for fragments (or, dropped, for their time to pass).
  [[nodiscard]] std::uint32_t waiting() const noexcept { return waiting_; }
  /// How many can wait at most.
  [[nodiscard]] std::uint32_t capacity() const noexcept { return static_cast<std::uint32_t>(pending_.size()); }
  /// Bytes allocated, at construction, for good.
  [[nodiscard]] std::size_t memory() const noexcept;

 private:
  static constexpr std::uint32_t kBlockBytes = 2048;
  static constexpr std::uint32_t kUnit = 8;
  static constexpr std::uint32_t kLongest = 65536;
  static constexpr std::uint32_t kBlocksEach = kLongest / kBlockBytes;
  static constexpr std::uint16_t kNoBlock = 0xffff;
  static constexpr std::uint16_t kNobody = 0xffff;
  static constexpr std::uint32_t kUnknown = 0xffff'ffff;

  /// What fragments of one datagram share; 40 bytes without padding, so that it can be hashed and compared as such.
  struct Key {
    Address source;
    Address destination;
    std::uint32_t network = 0;
    std::uint32_t id = 0;
    bool operator==(const Key&) const = default;
  };
  static_assert(sizeof(Key) == base::KeyedHash::kBytes);

  /// A stretch of a datagram, and which units of eight bytes of it are there.
  struct Block {
    std::array<std::uint8_t, kBlockBytes> data;
    std::array<std::uint64_t, kBlockBytes / kUnit / 64> present;
  };

  struct Pending {
    Key key;
    base::Timestamp since = 0;
    Fragment first;  ///< facts of the first fragment, once seen
    std::uint32_t total = kUnknown;
    std::uint32_t furthest = 0;         ///< end of the data seen
    std::uint32_t units = 0;            ///< there
    std::uint32_t readable = kUnknown;  ///< bytes from here on may be missing: the snap length cut a fragment
    std::uint32_t bucket = 0;
    std::uint16_t next_in_bucket = kNobody;
    std::uint16_t older = kNobody;
    std::uint16_t newer = kNobody;
    bool dropped = false;
    std::array<std::uint16_t, kBlocksEach> blocks{};
  };

  /// How a fragment meets what is there already.
  struct Meeting {
    std::uint32_t units = 0;  ///< of the fragment
    std::uint32_t known = 0;  ///< of them, there already
    bool differs = false;     ///< other bytes there
  };

  [[nodiscard]] std::uint16_t find(const Key& key, std::uint32_t bucket) const noexcept;
  [[nodiscard]] std::uint16_t begin(const Key& key, std::uint32_t bucket, base::Timestamp clock) noexcept;
  void forget(std::uint16_t index) noexcept;
  void free_blocks(Pending& pending) noexcept;
  void expire(base::Timestamp clock) noexcept;
  [[nodiscard]] std::uint16_t take_block(std::uint16_t owner) noexcept;
  [[nodiscard]] Meeting meet(const Pending& pending, const Fragment& fragment) const noexcept;
  [[nodiscard]] static bool contradicts(const Pending& pending, const Fragment& fragment) noexcept;
  [[nodiscard]] bool admit(std::uint16_t& index, const Fragment& fragment, base::Timestamp clock) noexcept;
  void store(std::uint16_t index, const Fragment& fragment) noexcept;
  void give(const Pending& pending, Fragment& whole) noexcept;

  base::KeyedHash hash_;
  base::Duration timeout_;
  base::FixedArray<Block> blocks_;  ///< nearly all of the memory, and mostly never touched
  std::vector<std::uint16_t> unused_blocks_;
  std::vector<Pending> pending_;
  std::vector<std::uint16_t> unused_pending_;
  std::vector<std::uint16_t> buckets_;
  std::vector<std::uint8_t> whole_;  ///< the datagram given out
  std::uint16_t oldest_ = kNobody;
  std::uint16_t newest_ = kNobody;
  std::uint32_t waiting_ = 0;
  Counters counters_;
};

/// As decode(frame, options, out), with fragments put together: the frame that completes a datagram gives what the whole datagram gives,
/// every other fragment is kFragment. `clock`: the trace clock at this frame. One thread for each Reassembler.
[[nodiscard]] Fate decode(const FrameView& frame, const DecodeOptions& options, Reassembler& reassembler, base::Timestamp clock,
                          Segment& out) noexcept;

}  // namespace finwait::wire

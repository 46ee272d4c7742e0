// What a unit carries to the shards: segments, each shard's own, and the stamps and fragments of which the sequencer makes the rest.
//
// Segments stand in blocks, which a shard gets as it needs them: however the flows are divided, all shards together need no more than
// there are segments, and a block each. Blocks are lent; where those are too few it takes memory of its own, and keeps it for what comes
// next. One thread at a time, but for the segments of a shard, which are the shard's once the unit has been placed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "finwait/base/memory.h"
#include "finwait/base/time.h"
#include "finwait/wire/segment.h"

namespace finwait::engine {

/// A frame that holds an IP fragment: what it is part of is known only in file order.
struct HeldFrame {
  std::uint32_t number = 0;  ///< within the unit, from 1
  std::size_t begin = 0;     ///< its bytes, in Cargo::held_bytes
  std::uint32_t captured = 0;
  std::uint32_t length = 0;
  std::uint16_t link_type = 0;
  base::Timestamp time = 0;
  base::Timestamp clock = 0;  ///< by the unit's own clock
};

/// The segments of each shard, in order. Whoever appends has a copy to give: which shard it is for is known only when a segment is
/// complete. A shard reads its own a block after the other, and nobody else's lines.
class Parts {
 public:
  /// For no shard.
  Parts() noexcept = default;
  /// `block` segments stand in a block, at least 1. `lent`, whose contents mean nothing, outlives it and is nobody else's. Throws
  /// std::bad_alloc.
  Parts(std::size_t shards, std::size_t block, std::span<wire::Segment> lent) : parts_(shards), lent_(lent), block_(block) {}

  /// Throws std::bad_alloc.
  void append(std::size_t shard, const wire::Segment& segment) {
    Part& part = parts_[shard];
    if (part.next == part.end) [[unlikely]]
      add_block(part);
    fetch(part.next + kAhead);
    *part.next++ = segment;
  }
  [[nodiscard]] std::size_t shards() const noexcept { return parts_.size(); }
  [[nodiscard]] std::size_t size(std::size_t shard) const noexcept {
    const Part& part = parts_[shard];
    return part.blocks.size() * block_ - static_cast<std::size_t>(part.end - part.next);
  }
  /// Of a shard's blocks the `n`-th, from 0: all but the last are full, and behind it they are empty.
  [[nodiscard]] std::span<wire::Segment> block(std::size_t shard, std::size_t n) const noexcept {
    const Part& part = parts_[shard];
    if (n >= part.blocks.size()) return {};
    return {part.blocks[n], n + 1 == part.blocks.size() ? block_ - static_cast<std::size_t>(part.end - part.next) : block_};
  }
  /// Brings a shard's segments from place `from` on to their places among the others, by `frame`; both are in order already. Throws
  /// std::bad_alloc, with some of them lost.
  void merge_from(std::size_t shard, std::size_t from);
  /// Keeps the memory.
  void clear() noexcept;
  /// Blocks for which it has memory of its own.
  [[nodiscard]] std::size_t own_blocks() const noexcept { return own_.size(); }

 private:
  static constexpr std::size_t kAhead = 16;

  struct Part {
    std::vector<wire::Segment*> blocks;
    wire::Segment* next = nullptr;  // where the next one goes, in the last block
    wire::Segment* end = nullptr;   // of the last block
  };

  /// The shard that read the memory when it was used before still has its lines. What lies behind a block is mostly the one given out next.
  static void fetch(const wire::Segment* segment) noexcept {
    const auto* at = reinterpret_cast<const std::byte*>(segment);
    base::prefetch_line_to_write(at);
    base::prefetch_line_to_write(at + base::kCacheLine);
  }
  [[gnu::noinline]] void add_block(Part& part);
  [[nodiscard]] wire::Segment& at(const Part& part, std::size_t n) const noexcept { return part.blocks[n / block_][n % block_]; }

  std::vector<Part> parts_;
  std::span<wire::Segment> lent_;
  std::size_t block_ = 1;
  std::vector<base::Pages> own_;  // a block each, given out when all that were lent are
  std::size_t given_ = 0;         // blocks
};

struct Cargo {
  std::vector<base::Timestamp> stamps;  ///< of each frame; kNever: outside the span asked for
  std::vector<HeldFrame> held;
  std::vector<std::uint8_t> held_bytes;
  Parts parts;  ///< `frame` within the unit, `clock` by the unit's own clock, until the shard comes

  /// Empties it, but for what it keeps of its memory.
  void clear() noexcept;
};

}  // namespace finwait::engine

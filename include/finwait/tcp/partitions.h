// How the room for connections is divided: by the hash of the flow into partitions, each with a quota of its own, whatever the number of
// trackers that share the work.
//
// Always true: partitions, quotas and which flow is in which follow from the number of connections and the hash alone. A tracker has whole
// partitions. So who has to make room for whom is the same with one tracker and with many.
//
// Why so many: 128 divide evenly enough over any number of threads that is usual (over seven, none has more than 4 % above its share), and
// with a quota of a thousand or more the fullest of them is full when all together are full to more than nine tenths (nearly all, with the
// default room). Where that would take too much from a small room there are fewer, down to one.
//
// A quota counts the connections that are alive, and those that are over but may not be given yet because something earlier may come. What
// has been given its turn in the order of release counts no more. It has `slack` places until it is handed out, which whoever drains keeps
// to (Tracker::most_at_once).
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "finwait/base/hash.h"

namespace finwait::tcp {

class Partitions {
 public:
  static constexpr std::uint32_t kMost = 128;
  static constexpr std::uint32_t kLeastQuota = 1024;  ///< where there is more than one
  static constexpr std::uint32_t kMaxSlack = 8192;

  /// For so many connections (at least 2 are taken for granted), the slack included if there are 4 or more.
  explicit constexpr Partitions(std::uint32_t connections) noexcept {
    const std::uint32_t all = std::max<std::uint32_t>(connections, 2);
    slack_ = std::min(kMaxSlack, all / 4);
    room_ = all - slack_;
    count_ = std::clamp<std::uint32_t>(std::bit_floor(room_ / kLeastQuota), 1, kMost);
    bits_ = static_cast<std::uint32_t>(std::countr_zero(count_));
  }

  [[nodiscard]] constexpr std::uint32_t count() const noexcept { return count_; }
  [[nodiscard]] constexpr std::uint32_t quota(std::uint32_t partition) const noexcept {
    return room_ / count_ + (partition < room_ % count_ ? 1 : 0);
  }
  [[nodiscard]] constexpr std::uint32_t of(std::uint64_t hash) const noexcept { return base::shard_of(hash, count_); }

  /// Tracker `shard` of `shards` has the partitions from first_of(shard) up to first_of(shard + 1); none, if there are more trackers.
  [[nodiscard]] constexpr std::uint32_t first_of(std::uint32_t shard, std::uint32_t shards) const noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{shard} * count_ + shards - 1) / shards);
  }
  [[nodiscard]] constexpr std::uint32_t shard_of(std::uint64_t hash, std::uint32_t shards) const noexcept {
    return static_cast<std::uint32_t>(std::uint64_t{of(hash)} * shards >> bits_);
  }

  /// Of each of so many trackers.
  [[nodiscard]] constexpr std::uint32_t slack(std::uint32_t shards) const noexcept { return std::max<std::uint32_t>(slack_ / shards, 1); }
  /// Places of one tracker, slack included.
  [[nodiscard]] constexpr std::uint32_t capacity(std::uint32_t shard, std::uint32_t shards) const noexcept {
    std::uint32_t places = slack(shards);
    for (std::uint32_t p = first_of(shard, shards); p != first_of(shard + 1, shards); ++p) places += quota(p);
    return places;
  }

 private:
  std::uint32_t slack_ = 0;
  std::uint32_t room_ = 0;
  std::uint32_t count_ = 1;
  std::uint32_t bits_ = 0;  // count_ is 1 << bits_: no packet is worth a division
};

}  // namespace finwait::tcp

// How many ends were in which state over time, for all states on one axis of time.
//
// A row of changes for each bin of time, a column for each state. When the bins are full, neighbours are merged by two, so the resolution
// adapts to the length of the capture. Always true: the result does not depend on the order in which connections come; nothing is
// allocated by adding; a stamp may be any 64 bits. UNKNOWN, LISTEN and CLOSED are not counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "finwait/hosts/life.h"
#include "finwait/hosts/watch.h"

namespace finwait::hosts {

class Census {
 public:
  static constexpr std::size_t kBins = 256;

  void add(const Life& life) noexcept;
  /// An end that was in one state and no other, from `from` until `until`; kNever: to the end.
  void add_stay(base::Timestamp from, tcp::State state, base::Timestamp until) noexcept;
  [[nodiscard]] Populations populations() const;

 private:
  static constexpr std::uint64_t kFinest = 20;  // a bin is at least 2^20 ns: about a millisecond
  static constexpr std::size_t kRow = 16;       // states, and room to make it a cache line

  /// The row of changes at a time.
  std::array<std::int32_t, kRow>& at(base::Timestamp time) noexcept {
    if (!in_use(time >> shift_)) make_room(time);
    return changes_[place(time >> shift_)];
  }
  [[nodiscard]] bool in_use(std::int64_t bin) const noexcept { return static_cast<std::uint64_t>(bin - low_) < width_; }
  /// What an end went through.
  struct Course {
    const base::Timestamp* times;
    std::uint64_t states;
    unsigned steps;            ///< at least one
    base::Timestamp released;  ///< when it left the last state
  };
  void add_end(const Course& course) noexcept;
  void note_seen(std::uint64_t states, unsigned steps) noexcept;
  void add_rest(const Course& course, unsigned n) noexcept;
  void make_room(base::Timestamp time) noexcept;
  void merge() noexcept;
  [[nodiscard]] static std::size_t place(std::int64_t bin) noexcept { return static_cast<std::size_t>(bin) & (kBins - 1); }

  std::int64_t low_ = 0;     // number of the first bin in use: stamp >> shift
  std::uint64_t width_ = 0;  // bins in use; 0: nobody was in any state
  std::uint64_t shift_ = kFinest;
  std::uint32_t seen_ = 0;                 // the states that somebody was in
  std::array<std::uint64_t, 16> noted_{};  // steps of which all states are in it; 0: UNKNOWN alone, which is not counted
  alignas(64) std::array<std::array<std::int32_t, kRow>,
                         kBins> changes_{};  // those not in use are 0; what is not counted has columns too, which nobody reads
};

}  // namespace finwait::hosts

// The time stamps of a pcapng interface: ticks of any resolution, shifted by whole seconds, to nanoseconds since the epoch.
//
// Ticks are unsigned, but some programs write times before 1970 as negative numbers. So ticks with the top bit set are taken as negative if
// they would otherwise lie beyond the range (the year 2262) and this way lie after 1900. What does not fit is held at the ends of the
// range, below base::kNever: no frame's time is mistaken for "never". Fractions of a nanosecond are cut off.
#pragma once

#include <cstdint>

#include "finwait/base/time.h"

namespace finwait::capture {

class TickClock {
 public:
  /// `resolution` as in if_tsresol: the highest bit clear, 10^-n seconds a tick; set, 2^-n seconds, n the lower seven bits. Default:
  /// microseconds.
  explicit TickClock(std::uint8_t resolution = 6, std::int64_t offset_seconds = 0) noexcept;

  [[nodiscard]] base::Timestamp time(std::uint64_t ticks) const noexcept {
    if (ticks <= fast_limit_) return static_cast<base::Timestamp>(ticks * multiplier_) + fast_offset_;
    return wide_time(ticks);
  }

 private:
  [[nodiscard]] base::Timestamp wide_time(std::uint64_t ticks) const noexcept;
  [[nodiscard]] bool negative_time(std::uint64_t ticks, base::Timestamp& time) const noexcept;

  std::uint8_t resolution_;
  std::int64_t offset_seconds_;
  std::uint64_t multiplier_ = 0;  // of the fast way, open to ticks up to the limit
  std::uint64_t fast_limit_ = 0;
  base::Timestamp fast_offset_ = 0;
};

}  // namespace finwait::capture

// Time on the trace clock.
//
// A Timestamp counts nanoseconds since the Unix epoch, a Duration nanoseconds; both are signed, so captures with stamps before 1970 are
// ordinary. Nothing here asks a clock: time is always the packets' own.
#pragma once

#include <cstdint>
#include <limits>

namespace finwait::base {

using Timestamp = std::int64_t;
using Duration = std::int64_t;

inline constexpr Duration kMicrosecond = 1'000;
inline constexpr Duration kMillisecond = 1'000'000;
inline constexpr Duration kSecond = 1'000'000'000;
inline constexpr Timestamp kNever = std::numeric_limits<Timestamp>::max();

/// a - b, held at the ends of the range instead of overflowing: stamps in a damaged capture may be any 64 bits.
[[nodiscard]] constexpr Duration elapsed(Timestamp from, Timestamp to) noexcept {
  Duration difference = 0;
  if (__builtin_sub_overflow(to, from, &difference)) {
    return to > from ? std::numeric_limits<Duration>::max() : std::numeric_limits<Duration>::min();
  }
  return difference;
}

/// at + wait, held at the ends of the range.
[[nodiscard]] constexpr Timestamp after(Timestamp at, Duration wait) noexcept {
  Timestamp sum = 0;
  if (__builtin_add_overflow(at, wait, &sum)) {
    return wait > 0 ? kNever : std::numeric_limits<Timestamp>::min();
  }
  return sum;
}

}  // namespace finwait::base

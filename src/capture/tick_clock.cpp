#include "finwait/capture/tick_clock.h"

#include <limits>

namespace finwait::capture {
namespace {

__extension__ typedef unsigned __int128 Wide;
__extension__ typedef __int128 SignedWide;

constexpr unsigned kBinary = 0x80;
constexpr std::int64_t kYear1900 = -2'208'988'800;  // in seconds

constexpr std::uint64_t power_of_ten(unsigned exponent) noexcept {
  std::uint64_t power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

/// Ticks of a resolution in nanoseconds, cut off.
constexpr Wide nanoseconds(unsigned resolution, std::uint64_t ticks) noexcept {
  const unsigned exponent = resolution & ~kBinary;
  if ((resolution & kBinary) != 0) return (Wide{ticks} * 1'000'000'000U) >> exponent;
  if (exponent <= 9) return Wide{ticks} * power_of_ten(9 - exponent);
  // 10^20 ticks do not fit in 64 bits: less than a nanosecond.
  return exponent - 9 <= 19 ? ticks / power_of_ten(exponent - 9) : 0;
}

}  // namespace

TickClock::TickClock(std::uint8_t resolution, std::int64_t offset_seconds) noexcept
    : resolution_(resolution), offset_seconds_(offset_seconds) {
  // Half the range for the ticks, half for the offset: then the sum cannot overflow.
  constexpr std::int64_t kHalf = std::numeric_limits<std::int64_t>::max() / 2;
  const bool offset_fits = offset_seconds >= -(kHalf / base::kSecond) && offset_seconds <= kHalf / base::kSecond;
  if (resolution <= 9 && offset_fits) {
    multiplier_ = power_of_ten(9U - resolution);
    fast_limit_ = static_cast<std::uint64_t>(kHalf) / multiplier_;
    fast_offset_ = offset_seconds * base::kSecond;
  } else {
    fast_offset_ = wide_time(0);
  }
}

base::Timestamp TickClock::wide_time(std::uint64_t ticks) const noexcept {
  const SignedWide sum = static_cast<SignedWide>(nanoseconds(resolution_, ticks)) + SignedWide{offset_seconds_} * base::kSecond;
  if (sum >= base::kNever) {
    base::Timestamp time = 0;
    return negative_time(ticks, time) ? time : base::kNever - 1;
  }
  constexpr base::Timestamp kFirst = std::numeric_limits<base::Timestamp>::min();
  return sum < kFirst ? kFirst : static_cast<base::Timestamp>(sum);
}

/// `ticks` as a negative number; false if that is no sensible time either.
bool TickClock::negative_time(std::uint64_t ticks, base::Timestamp& time) const noexcept {
  if (static_cast<std::int64_t>(ticks) >= 0) return false;
  const SignedWide before = static_cast<SignedWide>(nanoseconds(resolution_, ~ticks + 1));
  const SignedWide sum = SignedWide{offset_seconds_} * base::kSecond - before;
  if (sum < SignedWide{kYear1900} * base::kSecond || sum >= base::kNever) return false;
  time = static_cast<base::Timestamp>(sum);
  return true;
}

}  // namespace finwait::capture

// Durations counted in buckets whose width grows with the value: percentiles of any number of values in fixed memory.
//
// Always true: a percentile is given to within 1/64 of its value; least and most are exact. Values below 0 count as 0.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "finwait/base/time.h"

namespace finwait::report {

class Histogram {
 public:
  void add(base::Duration value) noexcept {
    const auto v = static_cast<std::uint64_t>(std::max<base::Duration>(value, 0));
    least_ = count_ == 0 ? v : std::min(least_, v);
    most_ = std::max(most_, v);
    ++count_;
    ++buckets_[bucket_of(v)];
  }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] base::Duration least() const noexcept { return static_cast<base::Duration>(least_); }
  [[nodiscard]] base::Duration most() const noexcept { return static_cast<base::Duration>(most_); }

  /// The value that `share` (0 to 1) of all values do not exceed; 0 without values.
  [[nodiscard]] base::Duration percentile(double share) const noexcept;

 private:
  static constexpr unsigned kBits = 5;  // 32 buckets for each power of two
  static constexpr std::uint64_t kSteps = 1U << kBits;

  [[nodiscard]] static std::size_t bucket_of(std::uint64_t v) noexcept {
    if (v < kSteps) return static_cast<std::size_t>(v);
    const auto shift = static_cast<unsigned>(std::bit_width(v)) - 1 - kBits;
    return static_cast<std::size_t>((shift + 1) * kSteps + (v >> shift) - kSteps);
  }
  /// The middle of a bucket.
  [[nodiscard]] static std::uint64_t value_of(std::size_t bucket) noexcept;

  std::array<std::uint64_t, (64 - kBits + 1) * kSteps> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t least_ = 0;
  std::uint64_t most_ = 0;
};

}  // namespace finwait::report

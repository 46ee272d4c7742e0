#include "finwait/report/histogram.h"

#include <cmath>

namespace finwait::report {

base::Duration Histogram::percentile(double share) const noexcept {
  if (count_ == 0) return 0;
  const auto wanted = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  if (wanted == 1) return least();
  if (wanted >= count_) return most();
  std::uint64_t seen = 0;
  for (std::size_t n = 0; n < buckets_.size(); ++n) {
    seen += buckets_[n];
    if (seen >= wanted) return static_cast<base::Duration>(std::clamp(value_of(n), least_, most_));
  }
  return most();
}

std::uint64_t Histogram::value_of(std::size_t bucket) noexcept {
  if (bucket < kSteps) return bucket;
  const std::size_t shift = bucket / kSteps - 1;
  const std::uint64_t low = (kSteps + bucket % kSteps) << shift;
  return low + ((std::uint64_t{1} << shift) >> 1);
}

}  // namespace finwait::report

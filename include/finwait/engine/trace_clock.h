// The trace clock: the greatest stamp so far in file order.
//
// Always true: it never goes back. A stamp more than an hour ahead of it is not believed by itself: the clock stays where it is until
// another frame confirms it, with a stamp within an hour of it, or later still (which then waits to be confirmed in its turn). So one
// damaged stamp cannot expire every connection, and a true pause of hours costs one frame's delay.
#pragma once

#include <algorithm>
#include <cstdint>

#include "finwait/base/time.h"

namespace finwait::engine {

class TraceClock {
 public:
  static constexpr base::Duration kLeap = 3'600 * base::kSecond;

  /// Takes the next frame's stamp and returns the clock.
  base::Timestamp tick(base::Timestamp stamp) noexcept {
    if (!goes_on(stamp)) consider(stamp);
    return now_;
  }

  /// As tick() for a stamp that needs no thought: neither before the clock nor far ahead of it. False: nothing was done.
  [[nodiscard]] bool goes_on(base::Timestamp stamp) noexcept {
    const std::uint64_t ahead = static_cast<std::uint64_t>(stamp) - static_cast<std::uint64_t>(now_);  // fits, if it is ahead
    if (ahead >= reach_ || stamp < now_) return false;
    now_ = stamp;
    return true;
  }

  /// Whether both answer alike to whatever stamps come.
  [[nodiscard]] bool agrees(const TraceClock& other) const noexcept {
    return now_ == other.now_ && started_ == other.started_ && reach_ == other.reach_ && (is_plain() || doubtful_ == other.doubtful_);
  }
  /// Goes the way that `then`, which agrees with this clock, went until it was `later`.
  void follow(const TraceClock& then, const TraceClock& later) noexcept;

  [[nodiscard]] base::Timestamp now() const noexcept { return now_; }
  /// Frames stamped earlier than the clock stood.
  [[nodiscard]] std::uint64_t went_back() const noexcept { return went_back_; }
  /// Stamps that ran ahead and were not confirmed, so far.
  [[nodiscard]] std::uint64_t disbelieved() const noexcept { return disbelieved_ + (doubted() ? 1U : 0U); }

 private:
  [[nodiscard]] bool doubted() const noexcept { return started_ && !is_plain(); }
  [[nodiscard]] bool is_plain() const noexcept { return reach_ != 0; }
  void consider(base::Timestamp stamp) noexcept;

  static constexpr std::uint64_t kPlain = static_cast<std::uint64_t>(kLeap) + 1;

  base::Timestamp now_ = 0;
  base::Timestamp doubtful_ = 0;  // the stamp far ahead that waits to be confirmed
  bool started_ = false;
  std::uint64_t reach_ = 0;  // kPlain as long as no stamp is in doubt, 0 then and before the first
  std::uint64_t went_back_ = 0;
  std::uint64_t disbelieved_ = 0;
};

}  // namespace finwait::engine

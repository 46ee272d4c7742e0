#include "finwait/engine/trace_clock.h"

namespace finwait::engine {

void TraceClock::consider(base::Timestamp stamp) noexcept {
  if (!started_) {
    started_ = true;
    reach_ = kPlain;
    now_ = stamp;
    return;
  }
  if (stamp < now_) {
    ++went_back_;
    return;
  }
  if (doubted() && base::elapsed(stamp, doubtful_) <= kLeap) {  // near it, or later: the doubtful stamp was true
    reach_ = kPlain;
    now_ = doubtful_;
    if (stamp < now_) {
      ++went_back_;
      return;
    }
  }
  if (base::elapsed(now_, stamp) <= kLeap) {
    now_ = stamp;
    return;
  }
  if (doubted()) ++disbelieved_;
  reach_ = 0;
  doubtful_ = stamp;
}

void TraceClock::follow(const TraceClock& then, const TraceClock& later) noexcept {
  const std::uint64_t went_back = went_back_ + (later.went_back_ - then.went_back_);
  const std::uint64_t disbelieved = disbelieved_ + (later.disbelieved_ - then.disbelieved_);
  *this = later;
  went_back_ = went_back;
  disbelieved_ = disbelieved;
}

}  // namespace finwait::engine

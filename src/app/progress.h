// The line on standard error that says how far it has come, and the steering of a run by signals.
#pragma once

#include <chrono>

#include "finwait/engine/pipeline.h"

namespace finwait::app {

class Steward final : public engine::Steering {
 public:
  /// `reporter` outlives it. With `show` the line is drawn some times a second, beginning when a run takes longer than a moment.
  Steward(bool show, report::Reporter& reporter) : reporter_(reporter), show_(show), start_(Clock::now()), next_(start_ + kFirst) {}

  [[nodiscard]] bool go_on(const engine::Progress& progress) override;

  /// Takes the line away.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kFirst{500};
  static constexpr std::chrono::milliseconds kEvery{200};

  void draw(const engine::Progress& progress, Clock::time_point now);

  report::Reporter& reporter_;
  bool show_;
  bool drawn_ = false;
  Clock::time_point start_;
  Clock::time_point next_;
};

}  // namespace finwait::app

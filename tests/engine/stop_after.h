// A steering that stops a run after so many frames.
#pragma once

#include <cstdint>

#include "finwait/engine/pipeline.h"

namespace finwait::engine {

class StopAfter final : public Steering {
 public:
  explicit StopAfter(std::uint64_t frames) : frames_(frames) {}
  bool go_on(const Progress& progress) override { return progress.frames < frames_; }

 private:
  std::uint64_t frames_;
};

}  // namespace finwait::engine

// What every sink that writes lines has in common: an output, and when its lines are due there.
#pragma once

#include <utility>

#include "finwait/report/output.h"
#include "finwait/report/sink.h"

namespace finwait::report {

class LineSink : public Sink {
 public:
  /// With `prompt` everything is written out at each settle().
  LineSink(Output output, bool prompt) : output_(std::move(output)), prompt_(prompt) {}

  void advance(base::Timestamp clock) final { output_.advance(clock); }
  void conclude(base::Timestamp clock) final { output_.conclude(clock); }
  void reopen() final { output_.reopen(); }
  void settle() final {
    if (prompt_) output_.flush();
  }
  [[nodiscard]] bool closed() const noexcept final { return output_.closed(); }

 protected:
  Output output_;

 private:
  bool prompt_;
};

}  // namespace finwait::report

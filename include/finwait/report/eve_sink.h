// The format `eve`: Suricata's `flow` event, one JSON object a line, with its `flow` and `tcp` objects.
//
// To the server means from finwait's originator. Bytes are those of IP: Suricata counts the link layer's too. `timestamp` is the stamp of
// the connection's last packet, so that the same capture gives the same file; `alerted` is always false, for nothing here alerts.
#pragma once

#include <utility>

#include "finwait/report/output.h"
#include "finwait/report/sink.h"

namespace finwait::report {

class EveSink final : public Sink {
 public:
  /// With `prompt` everything is written out at each settle().
  EveSink(Output output, bool prompt) : output_(std::move(output)), prompt_(prompt) {}

  void connection(const tcp::Outcome& outcome) override;
  void advance(base::Timestamp clock) override { output_.advance(clock); }
  void conclude(base::Timestamp clock) override { output_.conclude(clock); }
  void reopen() override { output_.reopen(); }
  void settle() override;
  void finish(const Totals& totals) override;
  [[nodiscard]] bool closed() const noexcept override { return output_.closed(); }

 private:
  Output output_;
  bool prompt_;
};

}  // namespace finwait::report

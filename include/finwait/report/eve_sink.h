// The format `eve`: Suricata's `flow` event, one JSON object a line, with its `flow` and `tcp` objects.
//
// To the server means from finwait's originator. Bytes are those of IP: Suricata counts the link layer's too. `timestamp` is the stamp of
// the connection's last packet, so that the same capture gives the same file; `alerted` is always false, for nothing here alerts.
#pragma once

#include <string>

#include "finwait/report/output.h"
#include "finwait/report/sink.h"

namespace finwait::report {

class EveSink final : public Sink {
 public:
  /// Throws OutputError. With `prompt` everything is written out at each settle().
  EveSink(const std::string& path, bool prompt) : output_(path), prompt_(prompt) {}

  void connection(const tcp::Outcome& outcome) override;
  void settle() override;
  void finish(const Totals& totals) override;
  [[nodiscard]] bool closed() const noexcept override { return output_.closed(); }

 private:
  Output output_;
  bool prompt_;
};

}  // namespace finwait::report

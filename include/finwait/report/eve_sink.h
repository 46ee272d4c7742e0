// The format `eve`: Suricata's `flow` event, one JSON object a line, with its `flow` and `tcp` objects.
//
// To the server means from finwait's originator. Bytes are those of IP: Suricata counts the link layer's too. `timestamp` is the stamp of
// the connection's last packet, so that the same capture gives the same file; `alerted` is always false, for nothing here alerts.
#pragma once

#include "finwait/report/line_sink.h"

namespace finwait::report {

class EveSink final : public LineSink {
 public:
  using LineSink::LineSink;

  void connection(const tcp::Outcome& outcome) override;
  void finish(const Totals& totals) override;
};

}  // namespace finwait::report

// The formats `zeek` and `zeek-json`: Zeek's conn.log, as text in columns or one JSON object a line.
//
// The fields are those of Zeek's base script in its order, then community_id, where Zeek's own script for it puts it. Who is id.orig, the
// letters and the byte counts follow Zeek's rules (tcp/zeek_view.h), so that a line is true in itself. The stamps at #open and #close are
// the capture's own, so that the same capture gives the same file. Never set: service, tunnel_parents.
#pragma once

#include <utility>

#include "finwait/report/line_sink.h"
#include "finwait/report/local_nets.h"

namespace finwait::report {

class ZeekSink final : public LineSink {
 public:
  enum class Format { kColumns, kJson };

  /// With `prompt` everything is written out at each settle().
  ZeekSink(Output output, Format format, const LocalNets& local, bool prompt)
      : LineSink(std::move(output), prompt), local_(local), format_(format) {}

  void connection(const tcp::Outcome& outcome) override;
  void finish(const Totals& totals) override;

 private:
  void begin(base::Timestamp at);

  LocalNets local_;
  Format format_;
  bool begun_ = false;
};

}  // namespace finwait::report

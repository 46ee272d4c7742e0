// The formats `zeek` and `zeek-json`: Zeek's conn.log, as text in columns or one JSON object a line.
//
// The fields are those of Zeek's base script in its order, then community_id, where Zeek's own script for it puts it. Who is id.orig, the
// letters and the byte counts follow Zeek's rules (tcp/zeek_view.h), so that a line is true in itself. The stamps at #open and #close are
// the capture's own, so that the same capture gives the same file. Never set: service, tunnel_parents.
#pragma once

#include <utility>

#include "finwait/report/local_nets.h"
#include "finwait/report/output.h"
#include "finwait/report/sink.h"

namespace finwait::report {

class ZeekSink final : public Sink {
 public:
  enum class Format { kColumns, kJson };

  /// With `prompt` everything is written out at each settle().
  ZeekSink(Output output, Format format, const LocalNets& local, bool prompt)
      : output_(std::move(output)), local_(local), format_(format), prompt_(prompt) {}

  void connection(const tcp::Outcome& outcome) override;
  void advance(base::Timestamp clock) override { output_.advance(clock); }
  void conclude(base::Timestamp clock) override { output_.conclude(clock); }
  void reopen() override { output_.reopen(); }
  void settle() override;
  void finish(const Totals& totals) override;
  [[nodiscard]] bool closed() const noexcept override { return output_.closed(); }

 private:
  void begin(base::Timestamp at);

  Output output_;
  LocalNets local_;
  Format format_;
  bool prompt_;
  bool begun_ = false;
};

}  // namespace finwait::report

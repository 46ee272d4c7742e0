// The formats `zeek` and `zeek-json`: Zeek's conn.log, as text in columns or one JSON object a line.
//
// The fields are those of Zeek's base script in its order, then community_id, where Zeek's own script for it puts it. Who is id.orig, the
// letters and the byte counts follow Zeek's rules (tcp/zeek_view.h), so that a line is true in itself. The stamps at #open and #close are
// the capture's own, so that the same capture gives the same file. Never set: service, tunnel_parents.
#pragma once

#include <string>

#include "finwait/report/local_nets.h"
#include "finwait/report/output.h"
#include "finwait/report/sink.h"

namespace finwait::report {

class ZeekSink final : public Sink {
 public:
  enum class Format { kColumns, kJson };

  /// Throws OutputError. With `prompt` everything is written out at each settle().
  ZeekSink(const std::string& path, Format format, const LocalNets& local, bool prompt)
      : output_(path), local_(local), format_(format), prompt_(prompt) {}

  void connection(const tcp::Outcome& outcome) override;
  void settle() override;
  void finish(const Totals& totals) override;
  [[nodiscard]] bool closed() const noexcept override { return output_.closed(); }

 private:
  void open(base::Timestamp at);

  Output output_;
  LocalNets local_;
  Format format_;
  bool prompt_;
  bool opened_ = false;
};

}  // namespace finwait::report

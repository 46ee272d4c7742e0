// The formats `json` and `events`: one object a line.
#pragma once

#include "finwait/report/line_sink.h"

namespace finwait::report {

/// Connections as they are released, then the summary object.
class JsonSink final : public LineSink {
 public:
  using LineSink::LineSink;

  void connection(const tcp::Outcome& outcome) override;
  [[nodiscard]] bool tells_of_sound_numbers() const noexcept override { return true; }
  void finish(const Totals& totals) override;
};

/// Transitions and findings as they happen, and nothing else.
class EventsSink final : public LineSink {
 public:
  using LineSink::LineSink;

  void event(const tcp::Event& event, const tcp::Connection& connection) override;
  void finish(const Totals& totals) override;
};

}  // namespace finwait::report

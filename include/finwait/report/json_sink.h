// The formats `json` and `events`: one object a line.
#pragma once

#include <utility>

#include "finwait/report/output.h"
#include "finwait/report/sink.h"

namespace finwait::report {

/// Connections as they are released, then the summary object.
class JsonSink final : public Sink {
 public:
  /// With `prompt` everything is written out at each settle().
  JsonSink(Output output, bool prompt) : output_(std::move(output)), prompt_(prompt) {}

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

/// Transitions and findings as they happen, and nothing else.
class EventsSink final : public Sink {
 public:
  EventsSink(Output output, bool prompt) : output_(std::move(output)), prompt_(prompt) {}

  void event(const tcp::Event& event, const tcp::Connection& connection) override;
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

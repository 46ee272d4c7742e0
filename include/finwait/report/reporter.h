// Between the machine and the sinks: selects, counts, and hands on to each sink.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "finwait/report/selection.h"
#include "finwait/report/sink.h"
#include "finwait/report/totals.h"

namespace finwait::report {

class Reporter {
 public:
  Reporter(std::vector<std::unique_ptr<Sink>> sinks, const Selection& selection) : sinks_(std::move(sinks)), selection_(selection) {}

  void connection(const tcp::Outcome& outcome);
  void event(const tcp::Event& event, const tcp::Connection& connection);
  void settle();
  /// `totals` gets the counts of the connections reported, then goes to each sink. Throws OutputError, after every sink had its turn.
  void finish(Totals& totals);

  [[nodiscard]] const ConnectionCounts& counts() const noexcept { return counts_; }
  /// Whether every sink's reader has gone, so that going on is in vain.
  [[nodiscard]] bool closed() const noexcept;
  /// The gravest finding of the connections reported.
  [[nodiscard]] std::optional<tcp::Severity> gravest() const noexcept { return gravest_; }

 private:
  void count(const tcp::Outcome& outcome) noexcept;

  std::vector<std::unique_ptr<Sink>> sinks_;
  Selection selection_;
  ConnectionCounts counts_;
  std::optional<tcp::Severity> gravest_;
};

}  // namespace finwait::report

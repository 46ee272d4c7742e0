// Between the machine and the sinks: selects, counts, and hands on to each sink. Hosts are watched here, where connections come one after
// the other in the order of the output: so what is found of hosts is the same at any number of threads.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "finwait/base/memory.h"
#include "finwait/hosts/watch.h"
#include "finwait/report/selection.h"
#include "finwait/report/sink.h"
#include "finwait/report/totals.h"

namespace finwait::report {

class Reporter {
 public:
  /// Takes the memory of the hosts' watch; throws std::bad_alloc.
  Reporter(std::vector<std::unique_ptr<Sink>> sinks, const Selection& selection, const hosts::HostOptions& hosts = {})
      : sinks_(std::move(sinks)), selection_(selection), hosts_(hosts), takes_briefs_(none_in_full(sinks_)) {}

  /// Whether no connection need be given in full.
  [[nodiscard]] bool takes_briefs() const noexcept { return takes_briefs_; }
  void connection(const tcp::Outcome& outcome);
  /// Only if takes_briefs().
  void connection(const tcp::BriefOutcome& outcome) {
    hosts_.observe(outcome);
    report(outcome, nullptr);
  }
  /// Some that never opened, one after the other. Only if takes_briefs().
  void connections(std::span<const tcp::Unopened> unopened);
  /// What connection() does, piece by piece, each in the order of the output. Until finish() each part of the hosts may be observed by
  /// another thread than the rest; conclude_hosts() is for that of HostPart::kConduct. `whole`: the same in full; may be null if
  /// takes_briefs().
  void observe(hosts::HostPart part, const hosts::Life& life) noexcept { hosts_.observe(part, life); }
  void report(const tcp::BriefOutcome& outcome, const tcp::Outcome* whole);
  void event(const tcp::Event& event, const tcp::Connection& connection);
  /// The batch that ended at `clock`, on the trace clock, has been given.
  void settle(base::Timestamp clock);
  /// The input has ended at `clock`, on the trace clock; what was remembered to the end is still to come.
  void conclude(base::Timestamp clock) {
    conclude_hosts(clock);
    conclude_output(clock);
  }
  /// Its two halves.
  void conclude_hosts(base::Timestamp clock) noexcept { hosts_.conclude(clock); }
  void conclude_output(base::Timestamp clock);
  /// Every sink goes on in a new file. Throws OutputError.
  void reopen();
  /// `totals` gets the counts of the connections reported and the findings about hosts, then goes to each sink. Throws OutputError, after
  /// every sink had its turn.
  void finish(Totals& totals);

  [[nodiscard]] const ConnectionCounts& counts() const noexcept { return counts_; }
  /// Whether every sink's reader has gone, so that going on is in vain.
  [[nodiscard]] bool closed() const noexcept;
  /// The gravest finding of the connections and, after finish(), the hosts reported.
  [[nodiscard]] std::optional<tcp::Severity> gravest() const noexcept { return gravest_; }

 private:
  [[nodiscard]] static bool none_in_full(const std::vector<std::unique_ptr<Sink>>& sinks) noexcept;
  void count(const tcp::BriefOutcome& outcome);
  void count(const tcp::Anomaly& anomaly, const PairWords& pair, std::uint64_t id);
  void count_bytes(const tcp::Brief::End& n) noexcept;
  void take_hosts(Totals& totals);
  void take_groups(Totals& totals) const;

  std::vector<std::unique_ptr<Sink>> sinks_;
  Selection selection_;
  hosts::HostWatch hosts_;
  bool takes_briefs_;
  // On lines of their own: written for every connection, while other threads look up there where the hosts are.
  alignas(2 * base::kCacheLine) ConnectionCounts counts_;
  AnomalyGroups groups_;
  std::optional<tcp::Severity> gravest_;
};

}  // namespace finwait::report

// Who takes what is found and makes something of it.
//
// A sink is called by one thread, in the order of the output. What it is given is borrowed for the call.
#pragma once

#include <span>

#include "finwait/report/totals.h"
#include "finwait/tcp/brief.h"
#include "finwait/tcp/tracker.h"
#include "finwait/tcp/unopened.h"
#include "finwait/tcp/verdict.h"

namespace finwait::report {

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// A connection that is over and was selected.
  virtual void connection(const tcp::Outcome& /*outcome*/) {}
  /// Whether a Brief of each connection is all it needs; then it is given that instead. Says always the same.
  [[nodiscard]] virtual bool takes_briefs() const noexcept { return false; }
  virtual void brief(const tcp::BriefOutcome& /*outcome*/) {}
  /// Instead of brief() for some that never opened, one after the other.
  virtual void unopened(std::span<const tcp::Unopened> connections);
  /// Whether it tells of each host whose initial sequence numbers show no weakness; else their number is all that Totals says of them.
  [[nodiscard]] virtual bool tells_of_sound_numbers() const noexcept { return false; }
  /// A transition or a finding as it happens; only if the tracker keeps events.
  virtual void event(const tcp::Event& /*event*/, const tcp::Connection& /*connection*/) {}
  /// The trace clock has come to `clock`: nothing that was over a second before will be given any more.
  virtual void advance(base::Timestamp /*clock*/) {}
  /// The input has ended at `clock`; what was remembered to the end is still to come.
  virtual void conclude(base::Timestamp /*clock*/) {}
  /// Whoever keeps the output has moved its file away: go on in a new one. Throws OutputError.
  virtual void reopen() {}
  /// All that was read so far has been given: whoever follows live may see it.
  virtual void settle() {}
  /// The end. Throws OutputError.
  virtual void finish(const Totals& totals) = 0;
  /// Nobody reads what it writes any more.
  [[nodiscard]] virtual bool closed() const noexcept { return false; }
};

}  // namespace finwait::report

// --only: the connections that have one of the named openings, endings or anomalies, and the findings about hosts of the named kinds.
#pragma once

#include <bitset>
#include <string>
#include <string_view>

#include "finwait/hosts/finding.h"
#include "finwait/tcp/brief.h"
#include "finwait/tcp/tracker.h"
#include "finwait/tcp/verdict.h"

namespace finwait::report {

class Selection {
 public:
  /// Selects everything.
  Selection() = default;

  /// Adds a kind by its name; a word that is an opening, an ending and an anomaly at once ("half-open") means each of them. False if
  /// nothing is called so.
  [[nodiscard]] bool add(std::string_view kind) noexcept;

  [[nodiscard]] bool everything() const noexcept { return openings_.none() && endings_.none() && anomalies_.none() && hosts_.none(); }
  [[nodiscard]] bool selects(const tcp::BriefOutcome& outcome) const noexcept;
  /// Events come before it is known how a connection ends: a finding is selected by its kind, a transition only if everything is.
  [[nodiscard]] bool selects(const tcp::Event& event) const noexcept;

  /// A finding about a host is selected by its kind.
  [[nodiscard]] bool selects(hosts::HostKind kind) const noexcept;

 private:
  std::bitset<tcp::kOpenings> openings_;
  std::bitset<tcp::kEndings> endings_;
  std::bitset<tcp::kAnomalyKinds> anomalies_;
  std::bitset<hosts::kHostKinds> hosts_;
};

/// All names that add() knows, one paragraph each for openings, endings, anomalies and kinds about hosts, lines of at most 80 columns.
[[nodiscard]] std::string known_kinds();

}  // namespace finwait::report

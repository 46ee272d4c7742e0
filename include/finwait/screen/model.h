// What the live screen shows, as values: how the capture stands, the endpoint pairs, the connections, what was found, one connection.
//
// Plain data, filled by the Collector, drawn by draw(): neither asks a clock, a terminal or a tracker.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "finwait/base/time.h"
#include "finwait/engine/live_counters.h"
#include "finwait/report/busiest.h"
#include "finwait/tcp/connection_view.h"
#include "finwait/tcp/live_feed.h"

namespace finwait::screen {

/// How much of what happens in a second, over the last seconds.
struct Rates {
  double packets = 0;
  double bytes = 0;
  double dropped = 0;  ///< by kernel and interface
  double created = 0;
  double opened = 0;
  double ended = 0;
  double failed = 0;
  std::array<double, tcp::kStates> entered{};
};

/// Always fresh, also when the lists are held.
struct Status {
  std::string interfaces;
  base::Duration elapsed = 0;
  engine::LiveCounters counters;
  Rates rates;
  std::string message;     ///< the last thing a person should know; empty: none
  std::uint64_t lost = 0;  ///< findings and segments that came faster than they could be shown
};

/// From an originating host to a responder's address and port: all its connections that are remembered.
struct PairRow {
  report::Busiest::Pair pair;
  std::uint64_t connections = 0;
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;
  std::uint64_t retransmitted = 0;
  std::uint64_t missing = 0;  ///< bytes that were acknowledged and never seen
  std::uint64_t ill = 0;      ///< connections with a finding of weight
  std::uint64_t trouble = 0;  ///< the weights of the gravest finding of each connection
  double packet_rate = 0;
  double byte_rate = 0;
};

struct ConnectionRow {
  tcp::ConnectionView view;
  std::uint32_t shard = 0;  ///< which of the readers sees it
  double byte_rate = 0;
  std::uint32_t trouble = 0;  ///< weight of its gravest finding
};

/// One connection that is looked at closely.
struct Closeup {
  tcp::ConnectionDetails details;
  bool gone = false;                 ///< it is no longer remembered: this is how it was last seen
  std::vector<tcp::LiveStep> steps;  ///< its segments since it is looked at, the newest last
  std::uint64_t left_out = 0;        ///< older ones that are no longer kept
};

struct Model {
  static constexpr std::size_t kMostRows = 1'000;  ///< of pairs, and of connections
  static constexpr std::size_t kMostNotices = 500;
  static constexpr std::size_t kMostSteps = 2'000;

  Status status;
  std::vector<PairRow> pairs;
  std::uint64_t all_pairs = 0;
  std::vector<ConnectionRow> connections;
  std::uint64_t all_connections = 0;  ///< that match the filter
  std::vector<tcp::Notice> notices;   ///< the newest first
  std::optional<Closeup> closeup;
};

/// Of a finding's severity: info 0, notice 1, warning 3, alert 10.
[[nodiscard]] std::uint32_t weight(tcp::Severity severity) noexcept;
/// Of the gravest kind in a set of them.
[[nodiscard]] std::uint32_t weight(std::uint64_t anomaly_kinds) noexcept;

// How things are written in a row; a filter looks for its text in these.
[[nodiscard]] std::string text_of(const report::Busiest::Pair& pair);
[[nodiscard]] std::string text_of(const tcp::ConnectionView& view);
[[nodiscard]] std::string text_of(const tcp::Notice& notice);

}  // namespace finwait::screen

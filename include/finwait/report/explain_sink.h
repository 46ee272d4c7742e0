// --explain: one connection, or all that used one pair of endpoints, as a ladder.
//
// Keeps the segments of one watched flow as they pass and prints at the end, when it is known who is originator and how it ended. Bounded:
// of a connection's segments no more than kMaxRows are kept; how many were left out is said.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "finwait/report/output.h"
#include "finwait/report/sink.h"
#include "finwait/tcp/tracker.h"

namespace finwait::report {

/// A segment of the watched flow, or (segment.frame 0) something a timer did.
struct LadderRow {
  wire::Segment segment;
  std::uint64_t connection = 0;  ///< its id; 0: no incarnation
  std::uint64_t beside = 0;      ///< id of the one it came upon without being part of it; 0: none
  std::array<tcp::State, 2> states{};
  std::size_t first_event = 0;  ///< into LadderData::events
  std::size_t last_event = 0;
};

/// A connection that is over, as a value.
struct LadderConnection {
  tcp::Connection connection;
  tcp::Verdict verdict;
  std::vector<tcp::Anomaly> anomalies;  ///< as they stand at the end
};

struct LadderData {
  std::vector<LadderRow> rows;
  std::vector<tcp::Event> events;
  std::vector<std::uint64_t> whose;  ///< of each event, the id of its connection
  std::vector<LadderConnection> connections;
  std::uint64_t left_out = 0;
};

/// One connection's ladder. `files`: to turn frame numbers into those of a file.
void put_ladder(Text& text, const LadderData& data, const LadderConnection& of, std::span<const InputFile> files);

class ExplainSink final : public Sink {
 public:
  static constexpr std::size_t kMaxRows = 200'000;

  explicit ExplainSink(Output output) : output_(std::move(output)) {}

  /// Only the connection with this id; otherwise all of the watched flow.
  void want(std::uint64_t id) { wanted_ = id; }
  /// From now on connections of this flow are kept.
  void watch(const wire::FlowKey& key) { key_ = key; }

  /// A segment of the flow, the ids of what it belongs to and came upon, and what happened at it, with the id of the connection of each
  /// event.
  void add(const tcp::Step& step, std::uint64_t connection, std::uint64_t beside, std::span<const tcp::Event> events,
           std::span<const std::uint64_t> whose);
  /// What a timer did.
  void add(const tcp::Event& event, std::uint64_t connection);

  void connection(const tcp::Outcome& outcome) override;
  void finish(const Totals& totals) override;
  [[nodiscard]] bool closed() const noexcept override { return output_.closed(); }

  /// Whether there was anything to explain; after finish().
  [[nodiscard]] bool found() const noexcept { return !data_.connections.empty(); }

 private:
  Output output_;
  std::optional<std::uint64_t> wanted_;
  std::optional<wire::FlowKey> key_;
  LadderData data_;
};

}  // namespace finwait::report

// The format `summary`: one screen for the whole capture, for a person.
//
// Widest news first: what was read and whether it can be trusted, who talked most, how long handshakes took, how connections opened and
// ended, and what was odd, gravest first, each with a command that shows an example. Memory is bounded, whatever the capture.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "finwait/report/busiest.h"
#include "finwait/report/histogram.h"
#include "finwait/report/output.h"
#include "finwait/report/sink.h"

namespace finwait::report {

struct SummaryOptions {
  std::string command;   ///< how to run on the same input again: "finwait -r a.pcap"
  std::string only;      ///< the kinds given to --only; empty: all connections
  bool verbose = false;  ///< more of everything
};

/// What the summary remembers of all connections.
struct SummaryData {
  static constexpr std::size_t kExamples = 8;
  Busiest busiest;
  Histogram handshakes;  ///< SYN to SYN-ACK
  std::array<std::array<Example, kExamples>, tcp::kAnomalyKinds> examples{};

  void add(const tcp::BriefOutcome& outcome);
  void add(std::span<const tcp::Unopened> connections);
};

/// The whole text. `colour`: with terminal escapes.
void put_summary_screen(Text& text, const SummaryData& data, const Totals& totals, const SummaryOptions& options, bool colour);

class SummarySink final : public Sink {
 public:
  SummarySink(Output output, const SummaryOptions& options) : output_(std::move(output)), options_(options) {}

  [[nodiscard]] bool takes_briefs() const noexcept override { return true; }
  void brief(const tcp::BriefOutcome& outcome) override { data_.add(outcome); }
  void unopened(std::span<const tcp::Unopened> connections) override { data_.add(connections); }
  void conclude(base::Timestamp clock) override { output_.conclude(clock); }
  void finish(const Totals& totals) override;
  [[nodiscard]] bool closed() const noexcept override { return output_.closed(); }

 private:
  Output output_;
  SummaryOptions options_;
  SummaryData data_;
};

}  // namespace finwait::report

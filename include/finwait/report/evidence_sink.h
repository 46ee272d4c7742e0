// For -w: which frames belong to the connections selected, and what is to be said about them.
//
// Keeps, of each connection that is over, its flow and the frames between which it lived, and each of its findings as the line that stands
// beside the frames of evidence. Bounded: what is beyond EvidenceLimits is counted and left out. Reads and writes no frame:
// that is the second pass (engine::write_evidence).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "finwait/report/sink.h"
#include "finwait/wire/flow_key.h"

namespace finwait::report {

/// The frames of `key` from `first` to `last` belong to one connection.
struct EvidenceSpan {
  wire::FlowKey key;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// The line `remarks[remark]` belongs to `frame`.
struct EvidencePlace {
  std::uint64_t frame = 0;
  std::uint32_t remark = 0;
};

struct Evidence {
  std::vector<EvidenceSpan> spans;    ///< by `first`, once finished
  std::vector<std::string> remarks;   ///< "warning half-open: ..."
  std::vector<EvidencePlace> places;  ///< by frame, then remark, once finished; no pair twice
  std::uint64_t last_frame = 0;       ///< greatest `last`
  std::uint64_t connections_left_out = 0;
  std::uint64_t findings_left_out = 0;
};

struct EvidenceLimits {
  std::size_t connections = 4'000'000;  ///< 56 bytes each
  std::size_t findings = 500'000;       ///< about 250 bytes each
};

class EvidenceSink final : public Sink {
 public:
  explicit EvidenceSink(const EvidenceLimits& limits = {}) : limits_(limits) {}

  void connection(const tcp::Outcome& outcome) override;
  void finish(const Totals& totals) override;

  /// Complete after finish().
  [[nodiscard]] const Evidence& evidence() const noexcept { return evidence_; }

 private:
  void add_finding(const tcp::Anomaly& anomaly, const tcp::Connection& connection);

  EvidenceLimits limits_;
  Evidence evidence_;
};

}  // namespace finwait::report

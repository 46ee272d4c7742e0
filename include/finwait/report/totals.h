// What a whole run comes to: where every frame went, what was counted, whether the capture can be trusted, and how long it took.
//
// Plain values, filled in by the engine and by Tally, read by the sinks. Everything but `performance` is the same for the same input.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "finwait/base/time.h"
#include "finwait/hosts/watch.h"
#include "finwait/report/anomaly_groups.h"
#include "finwait/tcp/anomaly.h"
#include "finwait/tcp/tracker.h"
#include "finwait/tcp/verdict.h"
#include "finwait/wire/decode.h"

namespace finwait::report {

/// Every frame read, under exactly one Fate.
struct FrameCounts {
  std::uint64_t read = 0;
  std::array<std::uint64_t, wire::kFates> fates{};
  std::uint64_t dropped_by_kernel = 0;
  std::uint64_t dropped_by_interface = 0;
  std::uint64_t received = 0;  ///< live: read and dropped by the kernel
  std::uint64_t freezes = 0;   ///< live: how often a ring was full

  [[nodiscard]] std::uint64_t of(wire::Fate fate) const noexcept { return fates[static_cast<std::size_t>(fate)]; }
};

/// Counts over the connections reported.
struct ConnectionCounts {
  std::uint64_t connections = 0;
  std::uint64_t passed_over = 0;  ///< not selected by --only
  std::array<std::uint64_t, tcp::kOpenings> openings{};
  std::array<std::uint64_t, tcp::kEndings> endings{};
  std::array<std::uint64_t, tcp::kAnomalyKinds> anomalies{};                  ///< occurrences
  std::array<std::uint64_t, tcp::kAnomalyKinds> affected{};                   ///< connections that have it
  std::array<std::array<std::uint64_t, 4>, tcp::kAnomalyKinds> severities{};  ///< connections that have it, by the severity it had there
  std::uint64_t payload_bytes = 0;
  std::uint64_t missing_bytes = 0;  ///< acknowledged, never seen
  std::uint64_t incomplete = 0;     ///< connections with missing bytes
  std::uint64_t one_direction = 0;  ///< of these, those of which one end was never captured
  std::uint64_t packets = 0;        ///< TCP segments of the connections
  std::uint64_t duplicates = 0;     ///< exact copies among them
  double data_packets = 0.0;        ///< full ones that would carry what the ends sent, seen or missing; no end has less than one
  double missing_packets = 0.0;     ///< of each end its share of missing bytes, in these packets
};

/// The findings of the connections reported, by kind and pair of endpoints.
struct AnomalyPairs {
  std::vector<AnomalyGroup> groups;                       ///< of each kind those that touch most connections, gravest first
  std::array<std::uint64_t, tcp::kAnomalyKinds> pairs{};  ///< of each kind, how many pairs have it
  bool exact = true;                                      ///< none had to be forgotten
};

struct InputFile {
  std::string name;
  std::uint64_t first_frame = 0;  ///< number of its first frame; 0: it had none
};

struct CaptureFacts {
  std::vector<InputFile> files;
  std::vector<std::string> interfaces;  ///< of a live capture
  std::vector<std::string> link_types;
  std::vector<std::string> damage;  ///< a line for each input that could not be read to its end
  base::Timestamp first = 0;        ///< least and greatest stamp; meaningless without frames
  base::Timestamp last = 0;
  std::uint64_t time_went_back = 0;    ///< frames stamped earlier than one before them
  std::uint64_t time_disbelieved = 0;  ///< frames whose stamp ran ahead and was never confirmed
  std::uint64_t cut_short = 0;         ///< frames of which the snap length left a part out
  bool stopped = false;                ///< by a signal or a limit, before the end of the input
};

struct Performance {
  double seconds = 0.0;
  std::uint64_t bytes = 0;  ///< captured bytes of all frames
  unsigned threads = 1;
  std::vector<std::uint64_t> segments;  ///< that each of several threads analysed
  std::uint64_t peak_memory = 0;        ///< bytes
};

struct Totals {
  FrameCounts frames;
  ConnectionCounts counts;
  CaptureFacts capture;
  tcp::TrackerCounts tracker;
  std::vector<hosts::HostFinding> hosts;    ///< those that were selected; HostKind::kIsnQuality only if a sink tells of them
  hosts::IsnVerdictCounts sound_numbers{};  ///< hosts whose initial sequence numbers show no weakness, if selected
  hosts::Populations populations;
  AnomalyPairs anomaly_pairs;
  Performance performance;

  /// Share of payload bytes that were acknowledged and never captured.
  [[nodiscard]] double loss_estimate() const noexcept {
    const auto seen = static_cast<double>(counts.payload_bytes);
    const auto missing = static_cast<double>(counts.missing_bytes);
    return missing == 0.0 ? 0.0 : missing / (seen + missing);
  }

  /// The same by packets: the mean of what the ends that send payload miss, each with the weight of the packets it needs for all it sent.
  /// What was lost does not change that weight, while the packets that were seen grow fewer with it.
  [[nodiscard]] double packet_loss_estimate() const noexcept {
    return counts.missing_packets == 0.0 ? 0.0 : counts.missing_packets / counts.data_packets;
  }
};

}  // namespace finwait::report

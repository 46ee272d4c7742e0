// The command line as values.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "finwait/capture/live_source.h"
#include "finwait/engine/pipeline.h"
#include "finwait/hosts/finding.h"
#include "finwait/report/local_nets.h"
#include "finwait/report/log_file.h"
#include "finwait/report/selection.h"
#include "finwait/service/metrics_server.h"

namespace finwait::app {

/// what() is one clear line; the exit status is 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class Task { kAnalyse, kHelp, kVersion, kListInterfaces, kDescribe };

struct OutputChoice {
  std::string format;
  std::string path = "-";
};

struct Options {
  Task task = Task::kAnalyse;
  std::string describe;  ///< a kind

  std::vector<std::string> captures;
  std::vector<std::string> interfaces;  ///< live: names, numbers or "any"
  std::optional<std::uint64_t> buffer;  ///< live: bytes of the ring
  bool promiscuous = true;              ///< live
  capture::CaptureMethod capture_method = capture::CaptureMethod::kRing;
  std::optional<base::Duration> counters;  ///< live: between two lines of counters; 0: none
  std::string filter;
  std::vector<OutputChoice> outputs;
  report::Rotation rotation;  ///< of those outputs that have a path
  std::string explain;        ///< empty: no
  std::string write;          ///< a path for the packets selected; empty: no
  report::Selection only;
  std::string only_words;
  report::LocalNets local_nets;
  std::optional<tcp::Severity> fail_on;
  engine::PipelineOptions pipeline;
  hosts::HostThresholds host_thresholds;
  std::optional<std::uint64_t> seed;
  std::optional<std::uint64_t> memory;  ///< bytes
  std::optional<std::uint32_t> max_connections;
  std::optional<unsigned> threads;  ///< unset: as many as help
  std::optional<bool> progress;     ///< unset: on a terminal
  bool sandbox = true;              ///< live: give up what is not needed once the interfaces are open
  std::optional<service::MetricsAddress> metrics;
  std::string user;  ///< whom to become then; empty: who called sudo, or nobody
  bool stats = false;
  bool quiet = false;
  bool verbose = false;
};

/// Throws UsageError.
[[nodiscard]] Options parse_options(int argc, const char* const* argv);

[[nodiscard]] std::string help_text();

}  // namespace finwait::app

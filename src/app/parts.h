// What a run on files and a live one have in common: options made into sinks and into the options of the floors below.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "budget.h"
#include "finwait/engine/pipeline.h"
#include "finwait/hosts/watch.h"
#include "finwait/report/log_file.h"
#include "finwait/report/sink.h"
#include "finwait/service/messages.h"
#include "finwait/service/queued_destination.h"
#include "options.h"

namespace finwait::app {

/// An output whose place is known to be there, before anything else is done.
struct OpenOutput {
  std::string format;
  report::LogFile file;
};

/// Those of a live run, for who counts what they lost; their sinks own them.
using Queues = std::vector<const service::QueuedDestination*>;

/// A destination with a thread that writes `file`, begun here, and room for so many bytes that wait. It tells its troubles to `messages`,
/// which live longer.
[[nodiscard]] std::unique_ptr<service::QueuedDestination> queued(report::LogFile file, std::size_t bytes, service::Messages& messages);

/// Those of -o; a summary if nothing else is asked for. Throws report::OutputError.
[[nodiscard]] std::vector<OpenOutput> open_outputs(const Options& options);

/// What the outputs of a live run need besides.
struct Queueing {
  std::size_t waiting;  ///< bytes of lines that wait for each
  Queues& queues;       ///< filled
  service::Messages& messages;
};

/// Live, each output has a thread that writes it, begun here. `live` is null for files.
[[nodiscard]] std::vector<std::unique_ptr<report::Sink>> make_sinks(const Options& options, std::vector<OpenOutput> outputs,
                                                                    const Queueing* live = nullptr);

/// All but max_connections: that is the budget's.
[[nodiscard]] engine::PipelineOptions pipeline_options(const Options& options);

/// `threads`: that judge sequence numbers in the end.
[[nodiscard]] hosts::HostOptions host_options(const Options& options, const Budget& budget, std::uint64_t seed, unsigned threads = 1);

/// Bytes of this process at most so far.
[[nodiscard]] std::uint64_t peak_memory();

}  // namespace finwait::app

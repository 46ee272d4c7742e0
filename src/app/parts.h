// What a run on files and a live one have in common: options made into sinks and into the options of the floors below.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "finwait/engine/pipeline.h"
#include "finwait/hosts/watch.h"
#include "finwait/report/sink.h"
#include "options.h"

namespace finwait::app {

/// Those of -o; a summary if nothing else is asked for. Throws report::OutputError.
[[nodiscard]] std::vector<std::unique_ptr<report::Sink>> make_sinks(const Options& options);

[[nodiscard]] engine::PipelineOptions pipeline_options(const Options& options);

[[nodiscard]] hosts::HostOptions host_options(const Options& options, std::uint64_t seed);

/// Bytes of this process at most so far.
[[nodiscard]] std::uint64_t peak_memory();

}  // namespace finwait::app

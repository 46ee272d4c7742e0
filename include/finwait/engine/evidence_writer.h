// The second pass of -w: reads the input again and writes the frames of the connections that the first pass selected, each with a comment
// that says what it is evidence of.
//
// Decodes exactly as the first pass did (filter, span of time, snapshot length, fragments), so a frame has the same number and the same
// flow. Keeps a place for each flow selected and no frame. Fragments are not written but the one that completes a datagram: the others
// belong to no connection when they come.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "finwait/capture/filter.h"
#include "finwait/capture/pcapng_writer.h"
#include "finwait/capture/source.h"
#include "finwait/engine/pipeline.h"
#include "finwait/report/evidence_sink.h"

namespace finwait::engine {

/// `source` is at its beginning, `filter` may be null, `options` are those of the first pass. Returns how many frames were written; the
/// caller closes `writer`. Throws CaptureError if they cannot be written, or if the input ends before the last frame the evidence tells of
/// (it has changed, or a stop was asked for).
std::uint64_t write_evidence(capture::Source& source, capture::Filter* filter, const PipelineOptions& options,
                             const report::Evidence& evidence, capture::PcapngWriter& writer);

/// The first of `captures` that cannot be read twice (standard input, a pipe); empty if all can.
[[nodiscard]] std::string not_readable_twice(const std::vector<std::string>& captures);

}  // namespace finwait::engine

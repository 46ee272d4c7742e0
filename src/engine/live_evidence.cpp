#include "finwait/engine/live_evidence.h"

#include "finwait/capture/error.h"
#include "finwait/report/evidence_sink.h"
#include "finwait/report/output.h"

namespace finwait::engine {
namespace {

/// What is to be said of frame `number`; `next` goes through the places, which are in the order of frames.
std::string comment_at(const report::Evidence& evidence, std::uint64_t number, std::size_t& next) {
  std::string comment;
  const auto& places = evidence.places;
  while (next < places.size() && places[next].frame < number) ++next;
  for (; next < places.size() && places[next].frame == number; ++next) {
    if (!comment.empty()) comment += '\n';
    comment += evidence.remarks[places[next].remark];
  }
  return comment;
}

}  // namespace

LiveEvidence::LiveEvidence(const std::string& path, HeldFrames& frames) : frames_(frames), writer_(path) {}

template <class F>
void LiveEvidence::guarded(F&& write) {
  if (!failure_.empty()) return;
  try {
    write();
  } catch (const capture::CaptureError& e) {
    failure_ = e.what();
  }
}

void LiveEvidence::connection(const tcp::Outcome& outcome) {
  report::EvidenceSink sink;
  sink.connection(outcome);
  sink.finish({});
  const report::Evidence& evidence = sink.evidence();
  const report::EvidenceSpan& span = evidence.spans.front();
  const auto held = frames_.take(span.key, outcome.connection.hash, span.first, span.last);
  const std::uint64_t all = std::uint64_t{outcome.connection.ends[0].counters.packets} + outcome.connection.ends[1].counters.packets;
  if (all > held.size()) left_out_ += all - held.size();
  std::size_t next = 0;
  guarded([&] {
    for (const HeldFrames::Held& one : held) writer_.write(one.frame, comment_at(evidence, one.number, next));
  });
}

void LiveEvidence::settle() {
  guarded([&] { writer_.flush(); });
}

void LiveEvidence::finish(const report::Totals& /*totals*/) {
  guarded([&] { writer_.close(); });
  if (!failure_.empty()) throw report::OutputError(failure_);
}

}  // namespace finwait::engine

#include "finwait/engine/live_evidence.h"

#include "finwait/capture/pcapng_blocks.h"
#include "finwait/report/evidence_sink.h"

namespace finwait::engine {
namespace {

constexpr std::uint32_t kSnapshotLength = 262144;
constexpr report::Lines kPackets{"packets", capture::whole_blocks, capture::count_packets};

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

LiveEvidence::LiveEvidence(report::Output output, HeldFrames& frames, const std::vector<std::string>& interfaces,
                           const std::vector<std::uint16_t>& link_types)
    : frames_(frames), output_(std::move(output)) {
  capture::append_section(opening_);
  for (std::uint32_t interface = 0; interface != interfaces.size(); ++interface) {
    for (const std::uint16_t link_type : link_types) {
      numbers_.try_emplace({interface, link_type}, static_cast<std::uint32_t>(numbers_.size()));
      capture::append_interface(opening_, link_type, kSnapshotLength, interfaces[interface]);
    }
  }
  report::FileFrame frame;
  frame.opening = opening_;
  frame.lines = &kPackets;
  output_.begin(frame, 0);
}

void LiveEvidence::write(const capture::Frame& frame, const std::string& comment) {
  const auto number = numbers_.find({frame.interface, frame.link_type});
  if (number == numbers_.end()) {
    ++left_out_;
    return;
  }
  block_.clear();
  capture::append_packet(block_, number->second, frame, kSnapshotLength, comment);
  output_.text().put(block_);
  output_.relieve();
}

void LiveEvidence::connection(const tcp::Outcome& outcome) {
  output_.at(outcome.connection.released_at);
  report::EvidenceSink sink;
  sink.connection(outcome);
  sink.finish({});
  const report::Evidence& evidence = sink.evidence();
  const report::EvidenceSpan& span = evidence.spans.front();
  const auto held = frames_.take(span.key, outcome.connection.hash, span.first, span.last);
  const std::uint64_t all = std::uint64_t{outcome.connection.ends[0].counters.packets} + outcome.connection.ends[1].counters.packets;
  if (all > held.size()) left_out_ += all - held.size();
  std::size_t next = 0;
  for (const HeldFrames::Held& one : held) write(one.frame, comment_at(evidence, one.number, next));
}

}  // namespace finwait::engine

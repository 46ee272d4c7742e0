#include "finwait/engine/evidence_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <unordered_map>

#include "finwait/base/hash.h"
#include "finwait/capture/error.h"
#include "finwait/capture/stop.h"

namespace finwait::engine {
namespace {

struct KeyHash {
  base::KeyedHash hash;
  std::size_t operator()(const wire::FlowKey& key) const noexcept { return hash.hash40(&key); }
};

class SecondPass {
 public:
  SecondPass(capture::Filter* filter, const PipelineOptions& options, const report::Evidence& evidence, capture::PcapngWriter& writer)
      : filter_(filter),
        options_(options),
        evidence_(evidence),
        writer_(writer),
        reassembler_(wire::ReassemblyLimits{.seed = options.tracker.seed}),
        last_of_(0, KeyHash{base::KeyedHash(options.tracker.seed)}) {}

  void take(const capture::Frame& frame);
  [[nodiscard]] bool done() const noexcept { return frames_ >= evidence_.last_frame; }
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t written() const noexcept { return written_; }

 private:
  [[nodiscard]] bool decode(const capture::Frame& frame, wire::FlowKey& key);
  [[nodiscard]] bool belongs(const wire::FlowKey& key);
  [[nodiscard]] const std::string& comment();

  capture::Filter* filter_;
  const PipelineOptions& options_;
  const report::Evidence& evidence_;
  capture::PcapngWriter& writer_;
  wire::Reassembler reassembler_;
  TraceClock clock_;
  std::unordered_map<wire::FlowKey, std::uint64_t, KeyHash> last_of_;  // of the connections begun so far, the last frame
  std::size_t next_span_ = 0;
  std::size_t next_place_ = 0;
  std::string comment_;
  std::uint64_t frames_ = 0;
  std::uint64_t written_ = 0;
};

/// As Pipeline::examine: the clock and the reassembler must go through what they went through then.
bool SecondPass::decode(const capture::Frame& frame, wire::FlowKey& key) {
  if (frame.time < options_.from || frame.time > options_.to) return false;
  clock_.tick(frame.time);
  if (filter_ != nullptr && !filter_->matches(frame)) return false;
  const wire::FrameView view{frame.data, std::min(frame.captured, options_.snapshot_length), frame.length, frame.link_type};
  wire::Segment segment;
  const wire::Fate fate = wire::decode(view, options_.decode, reassembler_, clock_.now(), segment);
  key = segment.key;
  return wire::gives_segment(fate, segment);
}

/// A frame lies within some connection of its flow if, of those that have begun, the one that lives longest is not over.
bool SecondPass::belongs(const wire::FlowKey& key) {
  const auto& spans = evidence_.spans;
  for (; next_span_ < spans.size() && spans[next_span_].first <= frames_; ++next_span_) {
    std::uint64_t& last = last_of_[spans[next_span_].key];
    last = std::max(last, spans[next_span_].last);
  }
  const auto found = last_of_.find(key);
  return found != last_of_.end() && frames_ <= found->second;
}

const std::string& SecondPass::comment() {
  comment_.clear();
  const auto& places = evidence_.places;
  while (next_place_ < places.size() && places[next_place_].frame < frames_) ++next_place_;
  for (; next_place_ < places.size() && places[next_place_].frame == frames_; ++next_place_) {
    if (!comment_.empty()) comment_ += '\n';
    comment_ += evidence_.remarks[places[next_place_].remark];
  }
  return comment_;
}

void SecondPass::take(const capture::Frame& frame) {
  ++frames_;
  wire::FlowKey key;
  if (!decode(frame, key) || !belongs(key)) return;
  capture::Frame copy = frame;
  copy.interface = 0;                                    // one interface for each link type, however many files there were
  copy.length = std::max(frame.length, frame.captured);  // a damaged capture may say less
  writer_.write(copy, comment());
  ++written_;
}

}  // namespace

std::uint64_t write_evidence(capture::Source& source, capture::Filter* filter, const PipelineOptions& options,
                             const report::Evidence& evidence, capture::PcapngWriter& writer) {
  SecondPass pass(filter, options, evidence, writer);
  std::vector<capture::Frame> batch(std::max<std::size_t>(options.batch, 1));
  while (!pass.done()) {
    const std::size_t count = source.read(batch);
    if (count == 0) break;
    for (std::size_t n = 0; n < count && !pass.done(); ++n) pass.take(batch[n]);
  }
  if (pass.done()) return pass.written();
  const char* why = capture::stop_requested() ? "stopped" : "the input has changed since";
  throw capture::CaptureError(fmt::format("-w: the second reading ended at frame {} of {}: {}; what is written is incomplete",
                                          pass.frames(), evidence.last_frame, why));
}

std::string not_readable_twice(const std::vector<std::string>& captures) {
  const auto once = [](const std::string& path) {
    std::error_code ignored;
    const auto kind = std::filesystem::status(path, ignored).type();
    using enum std::filesystem::file_type;
    return path == "-" || (kind != regular && kind != directory && kind != not_found && kind != none);
  };
  const auto found = std::find_if(captures.begin(), captures.end(), once);
  return found == captures.end() ? std::string() : *found;
}

}  // namespace finwait::engine

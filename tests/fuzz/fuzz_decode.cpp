// Any bytes as a frame: a fate within its bytes, the same fate again, and a segment that keeps its promises.
//
// The first two bytes are the link type (modulo a list of them and a few others), the third says how much longer the frame was on the wire.
// What is left is cut in two frames at a place that the fourth byte gives, so that fragments can meet.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "finwait/wire/reassembly.h"

namespace {

using namespace finwait::wire;

constexpr std::uint16_t kLinkTypes[] = {1,   101, 228, 229, 0,   9,   10,  50,  51,  100, 104, 105, 107, 108, 113, 117,
                                        119, 127, 129, 163, 166, 192, 219, 239, 274, 276, 281, 282, 284, 285, 189, 147};

void demand(bool holds) {
  if (!holds) std::abort();
}

void check_segment(const Segment& segment, const FrameView& frame) {
  const FlowKey& key = segment.key;
  const bool ordered = key.low < key.high || (key.low == key.high && key.low_port <= key.high_port);
  demand(ordered);
  demand(segment.direction <= 1);
  demand(segment.payload_length <= std::max({frame.length, frame.captured, 65535U}));
  demand(!segment.has(present::kTimestamps) ? segment.ts_val == 0 && segment.ts_ecr == 0 : true);
  demand(segment.has(present::kMss) || segment.mss == 0);
  demand(segment.has(present::kPayloadSum) || segment.payload_sum == 0);
  demand(!segment.has(present::kFastOpenCookie) || segment.has(present::kFastOpen));
}

void run(std::uint16_t link_type, std::span<const std::uint8_t> bytes, std::uint32_t more, Reassembler& reassembler) {
  // Of exactly this size, so that a sanitizer sees the first byte behind it.
  const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), exact.get());
  const auto captured = static_cast<std::uint32_t>(bytes.size());
  const FrameView frame{exact.get(), captured, captured + more, link_type};
  std::array<Segment, 2> segments;
  for (const Checksums checksums : {Checksums::kIgnore, Checksums::kVerify, Checksums::kCount}) {
    const Fate fate = decode(frame, {checksums}, segments[0]);
    demand(fate <= Fate::kMalformed);
    demand(decode(frame, {checksums}, segments[1]) == fate);
    demand(segments[0].kind == segments[1].kind);
    if (fate == Fate::kTcp) demand(segments[0].seq == segments[1].seq && segments[0].key == segments[1].key);
    if (fate == Fate::kTcp || segments[0].kind == SegmentKind::kIcmpError) check_segment(segments[0], frame);
  }
  const Fate alone = decode(frame, {}, segments[0]);
  const Fate together = decode(frame, {}, reassembler, 0, segments[1]);
  demand(alone == Fate::kFragment || together == alone);
  if (together == Fate::kTcp) check_segment(segments[1], frame);
  demand(reassembler.waiting() <= reassembler.capacity());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Reassembler reassembler{{.memory = std::size_t{512} << 10}};
  if (size < 4) return 0;
  const std::uint16_t chosen = static_cast<std::uint16_t>(data[0] | data[1] << 8);
  const std::uint16_t link_type = chosen < 0x8000 ? kLinkTypes[chosen % std::size(kLinkTypes)] : static_cast<std::uint16_t>(chosen & 0x1ff);
  const std::span<const std::uint8_t> bytes(data + 4, size - 4);
  const std::uint32_t more = data[2] < 128 ? 0 : data[2] * 16U;
  const std::size_t split = bytes.size() * data[3] / 255;
  run(link_type, bytes.subspan(0, split), more, reassembler);
  run(link_type, bytes.subspan(split), more, reassembler);
  return 0;
}

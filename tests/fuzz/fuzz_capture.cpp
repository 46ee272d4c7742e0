// Any bytes as a capture file: the readers neither crash nor hand out a byte that is not theirs, and a sliding buffer sees what memory
// shows.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "finwait/capture/error.h"
#include "finwait/capture/open_capture.h"

namespace {

using namespace finwait::capture;

class MemoryProvider final : public ByteProvider {
 public:
  explicit MemoryProvider(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::size_t read(std::span<std::uint8_t> into) override {
    const std::size_t count = std::min(into.size(), bytes_.size());
    std::copy_n(bytes_.begin(), count, into.begin());
    bytes_ = bytes_.subspan(count);
    return count;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

struct Outcome {
  std::uint64_t frames = 0;
  std::uint64_t sum = 0;
  bool damaged = false;
  bool refused = false;
  bool operator==(const Outcome&) const = default;
};

/// Reads to the end, touching the first and the last byte of each frame. `memory`, if not empty, is where frames must lie.
Outcome read_all(ByteWindow window, std::span<const std::uint8_t> memory) {
  Outcome outcome;
  try {
    const auto source = open_capture(std::move(window), "fuzz");
    std::array<Frame, 7> batch;
    while (const std::size_t count = source->read(batch)) {
      for (const Frame& frame : std::span(batch).first(count)) {
        if (!memory.empty() && (frame.data < memory.data() || frame.data + frame.captured > memory.data() + memory.size())) std::abort();
        if (frame.captured != 0) outcome.sum += frame.data[0] + std::uint64_t{frame.data[frame.captured - 1]} * 257U;
        outcome.sum = outcome.sum * 31U + frame.captured + frame.length + static_cast<std::uint64_t>(frame.time) + frame.link_type;
        if (frame.interface >= source->interface_count()) std::abort();
        ++outcome.frames;
      }
    }
    if (source->read(batch) != 0) std::abort();
    const SourceStatus status = source->status();
    if (status.damaged == status.what.empty()) std::abort();
    outcome.damaged = status.damaged;
  } catch (const CaptureError&) {
    outcome.refused = true;
  }
  return outcome;
}

/// pcap and pcapng as they are; what is decompressed first, or read through libpcap, lies elsewhere.
bool is_read_in_place(std::span<const std::uint8_t> bytes) {
  static constexpr std::array<std::array<std::uint8_t, 4>, 5> kMagics{
      {{0x0a, 0x0d, 0x0d, 0x0a}, {0xa1, 0xb2, 0xc3, 0xd4}, {0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d}, {0x4d, 0x3c, 0xb2, 0xa1}}};
  return std::any_of(kMagics.begin(), kMagics.end(),
                     [&](const auto& magic) { return bytes.size() >= 4 && std::equal(magic.begin(), magic.end(), bytes.begin()); });
}

bool is_zstd(std::span<const std::uint8_t> bytes) {
  static constexpr std::array<std::uint8_t, 3> kRest{0xb5, 0x2f, 0xfd};  // after 0x28, or a skippable frame's 0x50 to 0x5f
  return bytes.size() >= 4 && (bytes[0] == 0x28 || bytes[0] >> 4 == 5) &&
         (std::equal(kRest.begin(), kRest.end(), bytes.begin() + 1) || bytes[0] != 0x28);
}

/// How much of a damaged zstd block comes out depends on the pieces in which it went in. That it is damaged does not.
bool same(const Outcome& left, const Outcome& right, bool zstd) {
  if (left == right) return true;
  return zstd && (left.damaged || left.refused) && (right.damaged || right.refused);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  const Outcome whole = read_all(ByteWindow(bytes), is_read_in_place(bytes) ? bytes : std::span<const std::uint8_t>{});
  const Outcome slid = read_all(ByteWindow(std::make_unique<MemoryProvider>(bytes), 13), {});
  if (!same(whole, slid, is_zstd(bytes))) std::abort();
  return 0;
}

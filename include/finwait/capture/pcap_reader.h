// Classic pcap, every variant that its magic number tells for certain.
//
//   a1b2c3d4  microseconds          a1b23c4d  nanoseconds          a1b2cd34  "modified": 24-byte record headers
//   1c0001ab, 1c0001ac  Ixia: microseconds, four more bytes in the file header
//
// each in both byte orders. Files older than version 2.3, and those of DG/UX (version 543.0), have the two lengths exchanged. Variants that
// share a magic number and can only be guessed at (AIX, Nokia, ss990915) are read as what their magic number says.
//
// Always true: a frame lies within the window. A captured length above the snapshot length or the wire length is accepted, as Wireshark
// does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "finwait/capture/record_reader.h"

namespace finwait::capture {

/// What a magic number tells.
struct PcapVariant {
  bool swapped = false;
  std::uint32_t tick = 1000;  ///< nanoseconds
  std::size_t file_header = 24;
  std::size_t record_header = 16;
};

/// The variant that the first four bytes of a file announce.
[[nodiscard]] std::optional<PcapVariant> pcap_variant(std::span<const std::uint8_t, 4> magic) noexcept;

class PcapReader final : public RecordReader {
 public:
  /// `window` stands at the start of the file. Throws CaptureError if the file header is cut or of a version never seen.
  PcapReader(ByteWindow window, std::string name, const PcapVariant& variant);

  [[nodiscard]] std::size_t read(std::span<Frame> batch) override;

 private:
  enum class Lengths : std::uint8_t { kInOrder, kExchanged, kExchangedIfLarger };

  void read_file_header();
  template <bool kSwapped>
  [[nodiscard]] std::size_t take_records(std::span<Frame> batch) noexcept;
  [[nodiscard]] bool bring_record();
  void put_lengths_in_order(std::uint32_t& captured, std::uint32_t& length) const noexcept;

  PcapVariant variant_;
  std::uint32_t limit_ = kUsualMaxRecord;
  std::uint16_t link_type_ = 0;
  Lengths lengths_ = Lengths::kInOrder;
};

}  // namespace finwait::capture

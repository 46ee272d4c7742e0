// Classic pcap, every variant of it that can be told.
//
//   a1b2c3d4  microseconds          a1b23c4d  nanoseconds          a1b2cd34  "modified": 24-byte record headers
//   1c0001ab, 1c0001ac  Ixia: microseconds, four more bytes in the file header
//
// each in both byte orders. Files older than version 2.3, and those of DG/UX (version 543.0), have the two lengths exchanged. AIX is told
// by its version 2.2 and its link types. Variants that share a magic number but have longer record headers (Nokia, two patches of 1999) are
// told by their first records, where these can be looked at without waiting; from a pipe they are read as what their magic number says.
//
// Always true: a frame lies within the window. A captured length above the snapshot length or the wire length is accepted, as Wireshark
// does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "finwait/capture/pcap_variant.h"
#include "finwait/capture/record_reader.h"

namespace finwait::capture {

class PcapReader final : public RecordReader {
 public:
  /// `window` stands at the start of the file. Throws CaptureError if the file header is cut or of a version never seen.
  PcapReader(ByteWindow window, std::string name, const PcapVariant& variant);

  [[nodiscard]] std::size_t read(std::span<Frame> batch) override;

 protected:
  [[nodiscard]] std::unique_ptr<RecordReader> copy_over(ByteWindow window) const override;
  [[nodiscard]] std::optional<std::size_t> find_record(std::span<const std::uint8_t> bytes, std::uint64_t offset) const override;
  [[nodiscard]] bool would_agree(const RecordReader& fork) const override;
  void count_as(const RecordReader& fork) override;

 private:
  PcapReader(ByteWindow window, const PcapReader& like);

  enum class Lengths : std::uint8_t { kInOrder, kExchanged, kExchangedIfLarger };

  void read_file_header();
  void recognise_aix() noexcept;
  template <bool kPlain>
  [[nodiscard]] std::size_t take_records(std::span<Frame> batch) noexcept;
  [[nodiscard]] bool bring_record();
  [[nodiscard]] bool is_chain(std::span<const std::uint8_t> bytes) const noexcept;
  void put_lengths_in_order(std::uint32_t& captured, std::uint32_t& length) const noexcept;

  PcapVariant variant_;
  std::uint32_t limit_ = kUsualMaxRecord;
  std::uint16_t link_type_ = 0;
  Lengths lengths_ = Lengths::kInOrder;
};

}  // namespace finwait::capture

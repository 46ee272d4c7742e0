#include "finwait/capture/pcap_variant.h"

#include <array>

#include "finwait/capture/bytes.h"

namespace finwait::capture {
namespace {

constexpr std::uint32_t kMicroseconds = 1'000'000;
constexpr std::uint32_t kDay = 86'400;
constexpr std::size_t kEnoughRecords = 8;
constexpr std::array<std::size_t, 2> kInPlaceOf16 = {24, 20};
constexpr std::array<std::size_t, 1> kInPlaceOf24 = {28};

struct Record {
  std::uint32_t seconds;
  std::uint32_t fraction;
  std::uint32_t captured;
  std::uint32_t length;
};

Record load_record(const std::uint8_t* at, bool swapped) noexcept {
  return {load32(at, swapped), load32(at + 4, swapped), load32(at + 8, swapped), load32(at + 12, swapped)};
}

bool possible(const Record& record, std::uint32_t limit) noexcept { return record.captured <= limit && record.fraction < kMicroseconds; }

/// As a capture program would have written it, soon after or before `previous`.
bool exemplary(const Record& record, const Record& previous, std::uint32_t limit) noexcept {
  const std::uint32_t later = record.seconds - previous.seconds;
  return possible(record, limit) && record.captured != 0 && record.captured <= record.length && record.length <= limit &&
         (later < kDay || ~later < kDay);
}

/// How many of the first records `judge` (of a record and the one before) accepts; 0 if it refuses one.
template <typename Judge>
std::size_t accepted(std::span<const std::uint8_t> records, bool swapped, std::size_t header, Judge judge) noexcept {
  std::size_t count = 0;
  Record previous{};
  while (records.size() >= header && count < kEnoughRecords) {
    const Record record = load_record(records.data(), swapped);
    if (!judge(record, count == 0 ? record : previous)) return 0;
    ++count;
    previous = record;
    if (record.captured > records.size() - header) break;
    records = records.subspan(header + record.captured);
  }
  return count;
}

}  // namespace

std::optional<PcapVariant> pcap_variant(std::span<const std::uint8_t, 4> magic) noexcept {
  for (const bool swapped : {false, true}) {
    switch (load32(magic.data(), swapped)) {
      case 0xa1b2c3d4:
        return PcapVariant{swapped, 1000, 24, 16};
      case 0xa1b23c4d:
        return PcapVariant{swapped, 1, 24, 16};
      case 0xa1b2cd34:
        return PcapVariant{swapped, 1000, 24, 24};
      case 0x1c0001ab:
        return PcapVariant{swapped, 1000, 28, 16};
      case 0x1c0001ac:
        return PcapVariant{swapped, 1000, 28, 16};
      default:
        break;
    }
  }
  return std::nullopt;
}

std::size_t likely_record_header(std::span<const std::uint8_t> records, const PcapVariant& variant, std::uint32_t limit) noexcept {
  const std::size_t usual = variant.record_header;
  std::span<const std::size_t> others;
  if (variant.file_header == 24 && variant.tick == 1000) others = usual == 16 ? std::span<const std::size_t>(kInPlaceOf16) : kInPlaceOf24;
  const auto is_possible = [limit](const Record& record, const Record&) { return possible(record, limit); };
  if (others.empty() || accepted(records, variant.swapped, usual, is_possible) != 0) return usual;
  const auto is_exemplary = [limit](const Record& record, const Record& previous) { return exemplary(record, previous, limit); };
  for (const std::size_t header : others) {
    if (accepted(records, variant.swapped, header, is_exemplary) >= 2) return header;
  }
  return usual;
}

}  // namespace finwait::capture

// The variants of classic pcap: what a magic number says, and what it does not.
//
// Three of them took a magic number that was in use and made the record headers longer: Nokia's (20 bytes), and two patches of 1999 that
// Linux distributions shipped (24 bytes with the usual magic number, 28 with the modified one). Only the records themselves tell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace finwait::capture {

struct PcapVariant {
  bool swapped = false;
  std::uint32_t tick = 1000;  ///< nanoseconds
  std::size_t file_header = 24;
  std::size_t record_header = 16;
};

/// The variant that the first four bytes of a file announce.
[[nodiscard]] std::optional<PcapVariant> pcap_variant(std::span<const std::uint8_t, 4> magic) noexcept;

/// So much of a file after its header is enough for likely_record_header().
inline constexpr std::size_t kVariantLook = std::size_t{64} << 10U;

/// The size of the record headers, judged by the first `records`. It is variant.record_header unless that makes no sense of them and
/// another size makes perfect sense of at least two. `limit` is the largest captured length that is accepted.
[[nodiscard]] std::size_t likely_record_header(std::span<const std::uint8_t> records, const PcapVariant& variant,
                                               std::uint32_t limit) noexcept;

}  // namespace finwait::capture

// The Internet checksum (RFC 1071): ones' complement sums.
//
// Sums are taken in the machine's own byte order, 32 bits at a time into 64, and put into network order once, when folded: the sum does not
// care (RFC 1071, 2 B). No sum of fewer than 2^33 bytes overflows.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "finwait/wire/load.h"

namespace finwait::wire {

/// The ones' complement sum of two words, each of which may be such a sum: the carry goes round (RFC 1071, 2 A and C). Zero only if both
/// are.
[[nodiscard]] constexpr std::uint64_t add_round(std::uint64_t a, std::uint64_t b) noexcept {
  const std::uint64_t sum = a + b;
  return sum + (sum < b ? 1U : 0U);
}

/// A sum of words in native order, in the upper 16 bits of a word in native order; what stands below means nothing. Each half is added to
/// the other, so that its carry comes round to the upper one. Only the sum of nothing but zeros gives 0.
[[nodiscard]] constexpr std::uint32_t fold_high(std::uint64_t sum) noexcept {
  const auto half = static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32);
  return half + std::rotl(half, 16);
}

/// A sum of words in native order, in 16 bits of native order. Only the sum of nothing but zeros gives 0.
[[nodiscard]] constexpr std::uint16_t fold(std::uint64_t sum) noexcept { return static_cast<std::uint16_t>(fold_high(sum) >> 16); }

/// From native order into network order, or back.
[[nodiscard]] constexpr std::uint16_t network_order(std::uint16_t value) noexcept {
  return std::endian::native == std::endian::little ? swap_bytes(value) : value;
}

/// The sum of `size` bytes, a multiple of four.
[[nodiscard]] inline std::uint64_t sum_words(const std::uint8_t* data, std::size_t size) noexcept {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at != size; at += 4) sum += load_native<std::uint32_t>(data + at);
  return sum;
}

/// A ones' complement sum under way.
class OnesSum {
 public:
  /// Adds `size` bytes. They stand at an even offset of the whole; an odd last byte is padded with zero, so nothing may follow it.
  void add(const std::uint8_t* data, std::size_t size) noexcept {
    const std::size_t words = size / 4 * 4;
    sum_ += sum_words(data, words);
    data += words;
    if ((size & 2) != 0) {
      sum_ += load_native<std::uint16_t>(data);
      data += 2;
    }
    if ((size & 1) != 0) sum_ += std::endian::native == std::endian::little ? *data : *data * 256U;
  }

  /// Adds one 16-bit number.
  void add(std::uint16_t value) noexcept { sum_ += network_order(value); }

  /// Adds a 32-bit number (a length) as two.
  void add_long(std::uint32_t value) noexcept { sum_ += std::endian::native == std::endian::little ? swap_bytes(value) : value; }

  /// The sum so far in 16 bits. 0xffff and 0 are the same number; only the sum of nothing but zeros gives 0.
  [[nodiscard]] std::uint16_t folded() const noexcept { return network_order(fold(sum_)); }

 private:
  std::uint64_t sum_ = 0;
};

/// Adds a header of `size` bytes of which `fixed` are always there: give a constant, and the compiler lays it out without a loop.
inline void add_header(OnesSum& sum, const std::uint8_t* header, std::size_t fixed, std::size_t size) noexcept {
  sum.add(header, fixed);
  if (size == fixed) return;
  constexpr std::size_t kAlignedTimestamps = 12;  // the options of most segments
  if (size == fixed + kAlignedTimestamps) return sum.add(header + fixed, kAlignedTimestamps);
  sum.add(header + fixed, size - fixed);
}

/// The payload's sum in its one normal form: 0xffff is 0.
[[nodiscard]] constexpr std::uint16_t normal_sum(std::uint16_t sum) noexcept { return sum == 0xffff ? std::uint16_t{0} : sum; }

}  // namespace finwait::wire

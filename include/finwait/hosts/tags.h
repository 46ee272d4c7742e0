// Tags of eight bits, all of a set looked at at once: which of a set's entries may be the one that is looked for.
//
// Always true: a mark stands where a tag equals the one asked for, exactly, and nowhere else. 0 is the tag of a free entry.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace finwait::hosts {

/// The tag of a hash: its lowest bits, never 0.
[[nodiscard]] inline std::uint8_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint8_t>(hash | 1); }

/// The marks of eight or sixteen entries, to be taken one by one.
class TagMarks {
 public:
  template <std::size_t Count>
  TagMarks(const std::array<std::uint8_t, Count>& tags, std::uint8_t wanted) noexcept {
    static_assert(Count == 8 || Count == 16);
#if defined(__SSE2__)
    const auto* all = reinterpret_cast<const __m128i*>(tags.data());
    const __m128i lanes = Count == 16 ? _mm_loadu_si128(all) : _mm_loadl_epi64(all);
    // In all bytes by a product: GCC 12 writes a byte to memory and reads four there, which waits until it has reached the cache.
    const __m128i sought = _mm_set1_epi32(static_cast<int>(wanted * 0x0101'0101U));
    const __m128i equal = _mm_cmpeq_epi8(lanes, sought);
    marks_ = static_cast<std::uint32_t>(_mm_movemask_epi8(equal)) & ((std::uint32_t{1} << Count) - 1);
#else
    for (std::size_t n = 0; n != Count; ++n) marks_ |= std::uint32_t{tags[n] == wanted} << n;
#endif
  }

  [[nodiscard]] bool any() const noexcept { return marks_ != 0; }
  /// The number of an entry that has the tag, the least first. any().
  [[nodiscard]] std::size_t first() const noexcept { return static_cast<std::size_t>(std::countr_zero(marks_)); }
  /// The same, or `other` (less than sixteen) if there is none: without a branch, for whether a host is known is not to be foretold.
  [[nodiscard]] std::size_t first_or(std::size_t other) const noexcept {
    return static_cast<std::size_t>(std::countr_zero(marks_ | std::uint32_t{0x10000} << other)) % 16;
  }
  /// The one that comes first in its half of sixteen, the lower half's if both do. any().
  [[nodiscard]] std::size_t first_in_half() const noexcept {
    constexpr std::uint32_t kNone = 0x100;
    const int low = std::countr_zero((marks_ & 0xff) | kNone);
    const int high = std::countr_zero((marks_ >> 8) | kNone);
    return static_cast<std::size_t>(low <= high ? low : high + 8);
  }
  void drop(std::size_t number) noexcept { marks_ &= ~(std::uint32_t{1} << number); }
  void drop_first() noexcept { marks_ &= marks_ - 1; }

 private:
  std::uint32_t marks_ = 0;
};

}  // namespace finwait::hosts

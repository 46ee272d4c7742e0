// Which of sixteen bytes, in two words, equal a tag.
//
// Always true: bit i of the answer belongs to byte i, counted from the lowest of the first word, on a machine of either byte order. The
// words come by value: whoever shares them with other threads loads them as it must. match_plain() is the definition; match() is the same
// by one comparison of the vector unit where there is one.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace finwait::flow {

[[nodiscard]] constexpr std::uint32_t match_plain(std::uint64_t low, std::uint64_t high, std::uint8_t tag) noexcept {
  std::uint32_t found = 0;
  for (unsigned i = 0; i != 8; ++i) {
    found |= std::uint32_t{static_cast<std::uint8_t>(low >> (8 * i)) == tag} << i;
    found |= std::uint32_t{static_cast<std::uint8_t>(high >> (8 * i)) == tag} << (8 + i);
  }
  return found;
}

[[nodiscard]] inline std::uint32_t match(std::uint64_t low, std::uint64_t high, std::uint8_t tag) noexcept {
#if defined(__SSE2__)
  const __m128i bytes = _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
  const __m128i equal = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(static_cast<char>(tag)));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(equal));
#else
  return match_plain(low, high, tag);
#endif
}

}  // namespace finwait::flow

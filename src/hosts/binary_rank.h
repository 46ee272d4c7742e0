// The rank of rows of bits over GF(2).
//
// Row by row, each later row is freed of the pivot's bit without a branch: rows of random bits would mislead every one, and the compiler
// takes several rows at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <limits>
#include <span>

namespace finwait::hosts {

/// Changes the rows. Ends as soon as the rank is all that so many bits can have.
template <class Word>
[[nodiscard]] inline unsigned binary_rank(std::span<Word> rows) noexcept {
  constexpr unsigned kFull = std::numeric_limits<Word>::digits;
  unsigned rank = 0;
  for (std::size_t i = 0; i != rows.size() && rank != kFull; ++i) {
    const Word pivot = rows[i];
    if (pivot == 0) continue;
    ++rank;
    const int bit = std::countr_zero(pivot);
    for (std::size_t below = i + 1; below < rows.size(); ++below) rows[below] ^= pivot & (Word{0} - (rows[below] >> bit & 1U));
  }
  return rank;
}

}  // namespace finwait::hosts

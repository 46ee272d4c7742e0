// Which pairs may be in a table that is full: a bit for each, so that the newcomers of a flood need not be looked for among those there.
//
// By a hash that costs little (mixed_of). Always true: may_have() is true of each pair that was noted since clear(); of others it mostly is
// not. So whoever aims at the bits of those that are there only makes a look-up necessary.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace finwait::report {

class PairFilter {
 public:
  /// No pair is there. Takes all memory the first time. Throws std::bad_alloc.
  void clear() {
    words_.resize(kWords);
    std::fill(words_.begin(), words_.end(), 0);
  }
  /// Only after clear().
  void note(std::uint64_t mixed) noexcept { words_[word_of(mixed)] |= bit_of(mixed); }
  [[nodiscard]] bool may_have(std::uint64_t mixed) const noexcept { return (words_[word_of(mixed)] & bit_of(mixed)) != 0; }

 private:
  static constexpr unsigned kBits = 19;  // eight for each pair of the larger table
  static constexpr std::size_t kWords = (std::size_t{1} << kBits) / 64;

  [[nodiscard]] static std::size_t word_of(std::uint64_t mixed) noexcept { return mixed >> (64 - kBits) >> 6; }
  [[nodiscard]] static std::uint64_t bit_of(std::uint64_t mixed) noexcept { return std::uint64_t{1} << (mixed >> (64 - kBits) & 63); }

  std::vector<std::uint64_t> words_;
};

}  // namespace finwait::report

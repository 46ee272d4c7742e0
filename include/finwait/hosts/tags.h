// Tags of eight bits, looked at eight in a word: which of a set's entries may be the one that is looked for.
//
// Always true: a mark stands where a tag equals the one asked for, exactly, and nowhere else. 0 is the tag of a free entry.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace finwait::hosts {

/// The tag of a hash: its lowest bits, never 0.
[[nodiscard]] inline std::uint8_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint8_t>(hash | 1); }

/// The marks of up to 64 entries, to be taken one by one.
class TagMarks {
 public:
  template <std::size_t Count>
  TagMarks(const std::array<std::uint8_t, Count>& tags, std::uint8_t wanted) noexcept {
    static_assert(Count % 8 == 0 && Count <= 64, "whole words, and a bit of each lane for each");
    for (std::size_t word = 0; word != Count / 8; ++word) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, tags.data() + 8 * word, sizeof eight);
      const std::uint64_t differs = eight ^ (kOnes * wanted);
      // Bit 7 of each lane that is zero: no carry crosses a lane.
      const std::uint64_t equal = ~(((differs & kLow) + kLow) | differs | kLow);
      marks_ |= equal >> (7 - word);
    }
  }

  [[nodiscard]] bool any() const noexcept { return marks_ != 0; }
  /// The number of an entry that has the tag. any().
  [[nodiscard]] std::size_t first() const noexcept {
    const auto bit = static_cast<unsigned>(std::countr_zero(marks_));
    const unsigned lane = std::endian::native == std::endian::little ? bit / 8 : 7 - bit / 8;
    return std::size_t{8} * (bit % 8) + lane;
  }
  void drop_first() noexcept { marks_ &= marks_ - 1; }

 private:
  static constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101;
  static constexpr std::uint64_t kLow = 0x7f7f'7f7f'7f7f'7f7f;
  std::uint64_t marks_ = 0;
};

}  // namespace finwait::hosts

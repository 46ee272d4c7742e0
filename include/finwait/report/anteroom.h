// Where newcomers wait once a table of pairs is full: most of those that come then, in a flood above all, never come a second time.
//
// Each key has one place, by a hash that is the same in every run: what is shown must not depend on chance. A newcomer takes the place of
// whoever waits there. So whoever aims at a place only makes another's first coming forgotten.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "finwait/report/endpoint_pair.h"

namespace finwait::report {

template <class Value>
class Anteroom {
 public:
  /// Where one key at a time waits.
  class Place {
   public:
    /// True if this key waits here: `value` becomes what it came with, and it waits no more.
    [[nodiscard]] bool recall(const EndpointPair& pair, std::uint8_t kind, Value& value) {
      const Words asked = words_of(pair, kind);
      std::uint64_t differ = 0;
      for (std::size_t n = 0; n != asked.size(); ++n) differ |= words_[n] ^ asked[n];
      if (differ != 0) return false;
      value = value_;
      words_.back() = 0;
      return true;
    }
    /// It waits from now on.
    void wait(const EndpointPair& pair, std::uint8_t kind, const Value& value) {
      words_ = words_of(pair, kind);
      value_ = value;
    }

   private:
    using Words = std::array<std::uint64_t, 5>;

    /// Never all zero, as they are where nobody waits. Words, not a pair: a copy of what was just written in pieces would wait for that.
    [[nodiscard]] static Words words_of(const EndpointPair& pair, std::uint8_t kind) noexcept {
      Words words = pair.words();
      words.back() |= std::uint64_t{kind} << 24 | std::uint64_t{1} << 63;
      return words;
    }

    Words words_{};
    Value value_{};
  };

  /// The one place of this key. `kind` tells apart what has the same pair. Takes all memory the first time. Throws std::bad_alloc.
  [[nodiscard]] Place& place_of(const EndpointPair& pair, std::uint8_t kind) {
    if (places_.empty()) places_.resize(kPlaces);
    std::uint64_t mixed = kind;
    for (const std::uint64_t word : pair.words()) mixed = (mixed ^ word) * 0x9e37'79b9'7f4a'7c15;
    return places_[mixed >> (64 - kBits)];
  }

 private:
  static constexpr unsigned kBits = 11;
  static constexpr std::size_t kPlaces = 1U << kBits;

  std::vector<Place> places_;
};

}  // namespace finwait::report

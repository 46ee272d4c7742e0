// Where newcomers wait once a table of pairs is full: most of those that come then, in a flood above all, never come a second time.
//
// Each key has one place, by a hash that is the same in every run: what is shown must not depend on chance. A newcomer takes the place of
// whoever waits there. So whoever aims at a place only makes another's first coming forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "finwait/base/memory.h"
#include "finwait/report/endpoint_pair.h"

namespace finwait::report {

template <class Value>
class Anteroom {
 public:
  /// Where one key at a time waits. On lines of its own: most are looked at once, and are somewhere in memory.
  class alignas(base::kCacheLine) Place {
   public:
    /// True if this key waits here: `value` becomes what it came with, and it waits no more.
    [[nodiscard]] bool recall(const PairWords& pair, std::uint8_t kind, Value& value) {
      if (!are_same(words_, marked(pair, kind))) return false;
      value = value_;
      words_.back() = 0;
      return true;
    }
    /// It waits from now on.
    void wait(const PairWords& pair, std::uint8_t kind, const Value& value) {
      words_ = marked(pair, kind);
      value_ = value;
    }

   private:
    /// Never all zero, as they are where nobody waits.
    [[nodiscard]] static PairWords marked(PairWords words, std::uint8_t kind) noexcept {
      words.back() |= std::uint64_t{kind} << 24 | std::uint64_t{1} << 63;
      return words;
    }

    PairWords words_{};
    Value value_{};
  };

  /// The one place of this key. `kind` tells apart what has the same pair. Takes all memory the first time. Throws std::bad_alloc.
  [[nodiscard]] Place& place_of(const PairWords& pair, std::uint8_t kind) {
    if (places_.empty()) places_.resize(kPlaces);
    return places_[number_of(pair, kind)];
  }
  /// Fetches it, if there is any yet.
  void prefetch(const PairWords& pair, std::uint8_t kind) const noexcept {
    if (!places_.empty()) base::prefetch_lines(&places_[number_of(pair, kind)], sizeof(Place));
  }

 private:
  static constexpr unsigned kBits = 11;
  static constexpr std::size_t kPlaces = 1U << kBits;

  [[nodiscard]] static std::size_t number_of(const PairWords& pair, std::uint8_t kind) noexcept {
    std::uint64_t mixed = kind;
    for (const std::uint64_t word : pair) mixed = (mixed ^ word) * 0x9e37'79b9'7f4a'7c15;
    return mixed >> (64 - kBits);
  }

  std::vector<Place> places_;
};

}  // namespace finwait::report

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
    /// What this key came with, if it waits here; it waits no more. Stands until another does.
    [[nodiscard]] const Value* recall(const PairWords& pair, std::uint8_t kind) {
      if (!are_same(words_, marked(pair, kind))) return nullptr;
      words_.back() = 0;
      return &value_;
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

  /// The one place of a key, by its mixed_of(). Takes all memory the first time. Throws std::bad_alloc.
  [[nodiscard]] Place& place_of(std::uint64_t mixed) {
    if (places_.empty()) places_.resize(kPlaces);
    return places_[number_of(mixed)];
  }
  /// Fetches it, if there is any yet.
  void prefetch(std::uint64_t mixed) const noexcept {
    if (!places_.empty()) base::prefetch_lines(&places_[number_of(mixed)], sizeof(Place));
  }

 private:
  static constexpr unsigned kBits = 11;
  static constexpr std::size_t kPlaces = 1U << kBits;

  [[nodiscard]] static std::size_t number_of(std::uint64_t mixed) noexcept { return mixed >> (64 - kBits); }

  std::vector<Place> places_;
};

}  // namespace finwait::report

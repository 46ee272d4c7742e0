// Where newcomers wait once a table of pairs is full: most of those that come then, in a flood above all, never come a second time.
//
// Each key has one place, by a hash that is the same in every run: what is shown must not depend on chance. A newcomer takes the place of
// whoever waits there. So whoever aims at a place only makes another's first coming forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "finwait/report/endpoint_pair.h"

namespace finwait::report {

template <class Value>
class Anteroom {
 public:
  /// True if the key waits here: `value` becomes what it came with, and it waits no more. `kind` tells apart what has the same pair.
  [[nodiscard]] bool recall(const EndpointPair& pair, std::uint8_t kind, Value& value) {
    Place& place = place_of(pair, kind);
    if (!place.taken || place.kind != kind || place.pair != pair) return false;
    value = place.value;
    place.taken = false;
    return true;
  }
  /// It waits from now on.
  void wait(const EndpointPair& pair, std::uint8_t kind, const Value& value) { place_of(pair, kind) = {pair, value, kind, true}; }

 private:
  static constexpr unsigned kBits = 11;
  static constexpr std::size_t kPlaces = 1U << kBits;
  struct Place {
    EndpointPair pair;
    Value value{};
    std::uint8_t kind = 0;
    bool taken = false;
  };

  /// Takes all memory the first time. Throws std::bad_alloc.
  [[nodiscard]] Place& place_of(const EndpointPair& pair, std::uint8_t kind) {
    if (places_.empty()) places_.resize(kPlaces);
    std::uint64_t mixed = kind;
    for (const std::uint64_t word : pair.words()) mixed = (mixed ^ word) * 0x9e37'79b9'7f4a'7c15;
    return places_[mixed >> (64 - kBits)];
  }

  std::vector<Place> places_;
};

}  // namespace finwait::report

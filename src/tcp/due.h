// Whose turn it is in the order of release.
#pragma once

#include <cstdint>
#include <span>

#include "finwait/base/time.h"

namespace finwait::tcp {

/// A connection whose turn has come. `number` is its id, or the frame for which it is given at once.
struct Due {
  base::Timestamp at;
  std::uint64_t number;
  std::uint32_t index;
  bool at_once;
  [[nodiscard]] bool operator<(const Due& other) const noexcept { return at != other.at ? at < other.at : number < other.number; }
};

/// Sorts them in place, without memory of its own: what a tick lets go is few, what is left at the end of input may be millions.
void put_in_order(std::span<Due> dues) noexcept;

}  // namespace finwait::tcp

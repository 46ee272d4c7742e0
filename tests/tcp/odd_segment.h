// A segment with one field that is not what it should be.
#pragma once

#include <cstdint>
#include <random>

#include "finwait/wire/segment.h"

namespace finwait::tcp {

/// Changes one of its numbers, its window, an age, an option, its time or a flag; by how much, `random` says.
inline void make_odd(wire::Segment& s, std::mt19937& random) {
  const auto below = [&](std::uint32_t bound) { return static_cast<std::uint32_t>(random() % bound); };
  switch (below(11)) {
    case 0:
      s.seq -= below(3000);
      break;
    case 1:
      s.seq += below(3000);
      break;
    case 2:
      s.ack += below(below(2) == 0 ? 3 : 3000);
      break;
    case 3:
      s.ack -= below(below(2) == 0 ? 3 : 3000);
      break;
    case 4:
      s.window = 0;
      break;
    case 5:
      s.window = static_cast<std::uint16_t>(random());
      break;
    case 6:
      s.ip_id = static_cast<std::uint16_t>(random());
      break;
    case 7:
      s.ts_val -= below(1000);
      break;
    case 8:
      s.present ^= static_cast<std::uint16_t>(1U << below(14));
      break;
    case 9:
      s.time -= static_cast<base::Duration>(below(1'000'000'000));
      break;
    default:
      s.flags ^= static_cast<std::uint16_t>(1U << below(9));
      break;
  }
  if (!s.has(wire::present::kTimestamps)) s.ts_val = s.ts_ecr = 0;  // as any segment
}

}  // namespace finwait::tcp

// How many different ports or addresses: one bit each, or HyperLogLog.
#include <bit>
#include <cmath>

#include "subjects.h"

namespace finwait::hosts {

void Sketch::add_hash(std::uint64_t hash) noexcept {
  const std::size_t place = hash % kRegisters;
  const auto rank = static_cast<std::uint8_t>(std::countl_zero(hash | kRegisters) + 1);  // of the bits that do not choose the register
  registers[place] = std::max(registers[place], rank);
}

std::uint64_t Sketch::ports() const noexcept {
  std::uint64_t count = 0;
  for (const std::uint8_t eight : registers) count += static_cast<std::uint64_t>(std::popcount(eight));
  return count;
}

std::uint64_t Sketch::hashes() const noexcept {
  constexpr auto kCount = static_cast<double>(kRegisters);
  double sum = 0;
  double empty = 0;
  for (const std::uint8_t rank : registers) {
    sum += std::ldexp(1.0, -rank);
    empty += rank == 0 ? 1.0 : 0.0;
  }
  const double raw = 0.7213 / (1.0 + 1.079 / kCount) * kCount * kCount / sum;
  const bool few = raw <= 2.5 * kCount && empty > 0;  // linear counting is better there
  return static_cast<std::uint64_t>(std::llround(few ? kCount * std::log(kCount / empty) : raw));
}

}  // namespace finwait::hosts

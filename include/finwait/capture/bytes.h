// Reading and writing integers of either byte order at any alignment.
#pragma once

#include <cstdint>
#include <cstring>

namespace finwait::capture {

[[nodiscard]] inline std::uint16_t load16(const std::uint8_t* from, bool swapped) noexcept {
  std::uint16_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return swapped ? __builtin_bswap16(value) : value;
}

[[nodiscard]] inline std::uint32_t load32(const std::uint8_t* from, bool swapped) noexcept {
  std::uint32_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return swapped ? __builtin_bswap32(value) : value;
}

[[nodiscard]] inline std::uint64_t load64(const std::uint8_t* from, bool swapped) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return swapped ? __builtin_bswap64(value) : value;
}

}  // namespace finwait::capture

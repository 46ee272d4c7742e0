// Numbers out of a frame's bytes, whatever their alignment.
//
// The caller has checked that the bytes are there. Each compiles to one load, and a byte swap where the orders differ.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace finwait::wire {

static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big);

[[nodiscard]] constexpr std::uint16_t swap_bytes(std::uint16_t value) noexcept { return __builtin_bswap16(value); }
[[nodiscard]] constexpr std::uint32_t swap_bytes(std::uint32_t value) noexcept { return __builtin_bswap32(value); }
[[nodiscard]] constexpr std::uint64_t swap_bytes(std::uint64_t value) noexcept { return __builtin_bswap64(value); }

/// sizeof(T) bytes as the machine would read them.
template <typename T>
[[nodiscard]] inline T load_native(const std::uint8_t* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename T>
[[nodiscard]] inline T load_be(const std::uint8_t* at) noexcept {
  const T value = load_native<T>(at);
  return std::endian::native == std::endian::big ? value : swap_bytes(value);
}

template <typename T>
[[nodiscard]] inline T load_le(const std::uint8_t* at) noexcept {
  const T value = load_native<T>(at);
  return std::endian::native == std::endian::little ? value : swap_bytes(value);
}

[[nodiscard]] inline std::uint16_t be16(const std::uint8_t* at) noexcept { return load_be<std::uint16_t>(at); }
[[nodiscard]] inline std::uint32_t be32(const std::uint8_t* at) noexcept { return load_be<std::uint32_t>(at); }
[[nodiscard]] inline std::uint64_t be64(const std::uint8_t* at) noexcept { return load_be<std::uint64_t>(at); }
[[nodiscard]] inline std::uint16_t le16(const std::uint8_t* at) noexcept { return load_le<std::uint16_t>(at); }
[[nodiscard]] inline std::uint32_t le32(const std::uint8_t* at) noexcept { return load_le<std::uint32_t>(at); }

}  // namespace finwait::wire

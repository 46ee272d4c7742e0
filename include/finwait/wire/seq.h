// Sequence number arithmetic modulo 2^32 (RFC 9293, 3.4).
//
// Comparisons are right as long as the two numbers are less than 2^31 apart; whoever needs to remember more ("SYN acknowledged") latches
// it.
#pragma once

#include <cstdint>

namespace finwait::wire {

/// a - b as a signed distance.
[[nodiscard]] constexpr std::int32_t seq_diff(std::uint32_t a, std::uint32_t b) noexcept { return static_cast<std::int32_t>(a - b); }

[[nodiscard]] constexpr bool seq_lt(std::uint32_t a, std::uint32_t b) noexcept { return seq_diff(a, b) < 0; }
[[nodiscard]] constexpr bool seq_le(std::uint32_t a, std::uint32_t b) noexcept { return seq_diff(a, b) <= 0; }
[[nodiscard]] constexpr bool seq_gt(std::uint32_t a, std::uint32_t b) noexcept { return seq_diff(a, b) > 0; }
[[nodiscard]] constexpr bool seq_ge(std::uint32_t a, std::uint32_t b) noexcept { return seq_diff(a, b) >= 0; }

}  // namespace finwait::wire

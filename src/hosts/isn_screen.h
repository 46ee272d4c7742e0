// Quick looks at tests: most say nothing of an innocent host, which is sooner seen than what exactly they say.
//
// Always true: if a look says no, the test's p-value is at least IsnBars::kNothing. If it says yes, the test is to be made.
#pragma once

#include <cstdint>
#include <span>

#include "isn_room.h"

namespace finwait::hosts {

/// repeats()
[[nodiscard]] bool may_repeat(const IsnSeries& series) noexcept;
/// crowd_anywhere()
[[nodiscard]] bool may_crowd(std::span<const std::uint32_t> sorted, IsnRoom& room);
/// fit_slope(): any of its four.
[[nodiscard]] bool may_have_slope(std::span<const IsnStep> steps, IsnRoom& room);
/// watson_p()
[[nodiscard]] bool may_be_uneven(std::span<const std::uint32_t> sorted) noexcept;
/// bit_tests(): the least of its p-values, exact if it is less than kNothing. At least four numbers.
[[nodiscard]] double bits_p(std::span<const std::uint32_t> numbers, IsnRoom& room);

}  // namespace finwait::hosts

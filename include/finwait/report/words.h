// The output's words for values of lower floors that have none of their own.
#pragma once

#include <cstdint>
#include <string_view>

#include "finwait/tcp/fact.h"

namespace finwait::report {

/// "proven", "presumed", "refuted", "timer".
[[nodiscard]] std::string_view name(tcp::Proof proof) noexcept;
/// Of a single bit of tcp::origin: "endpoint", "network", "capture", "attacker".
[[nodiscard]] std::string_view origin_name(std::uint8_t origin) noexcept;

}  // namespace finwait::report

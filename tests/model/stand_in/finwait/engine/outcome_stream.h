// For the model checker: of the outcomes the ring of units needs to know only who reads them. Each reader is as any other: two stand for
// however many there are, and leave few enough executions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace finwait::engine {

enum class Reader : std::uint8_t { kReport, kHosts };
inline constexpr std::size_t kReaders = 2;

}  // namespace finwait::engine

// libpcap's DLT_ numbers and the LINKTYPE_ numbers of files: the same but for those whose DLT_ differs between systems.
#pragma once

#include <cstdint>

namespace finwait::capture {

[[nodiscard]] int dlt_of(std::uint16_t link_type) noexcept;
[[nodiscard]] std::uint16_t link_type_of(int dlt) noexcept;

}  // namespace finwait::capture

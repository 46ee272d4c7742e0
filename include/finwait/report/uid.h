// The opaque name of a connection: 'C' and seventeen letters and digits.
//
// It holds the connection's id, disguised, and 27 bits that depend on its key and start: so it can be turned back into the id, two captures
// give different names to connections with the same id, and the same capture always gives the same names. Six digits of base 62 hold those
// 27 bits and eight check bits, eleven hold the disguised id. No secret: it hides nothing from who knows this page.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "finwait/tcp/connection.h"

namespace finwait::report {

inline constexpr std::size_t kUidLength = 18;
using Uid = std::array<char, kUidLength>;

[[nodiscard]] Uid uid_of(const wire::FlowKey& key, base::Timestamp start, std::uint64_t id) noexcept;
[[nodiscard]] inline Uid uid_of(const tcp::Connection& connection) noexcept {
  return uid_of(connection.key, connection.start, connection.id);
}
[[nodiscard]] inline std::string_view view(const Uid& uid) noexcept { return {uid.data(), uid.size()}; }

/// The id within, or nothing if this is no uid (one mistyped character is found out 255 times of 256).
[[nodiscard]] std::optional<std::uint64_t> id_of_uid(std::string_view uid) noexcept;

}  // namespace finwait::report

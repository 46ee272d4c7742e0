// Looking up a row of a table by its name.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace finwait::base {

/// The row of `table` whose member `name` is `wanted`, or null.
template <class Table>
[[nodiscard]] constexpr auto named_row(const Table& table, std::string_view wanted) noexcept -> decltype(std::data(table)) {
  const auto at = std::find_if(std::begin(table), std::end(table), [wanted](const auto& row) { return row.name == wanted; });
  return at == std::end(table) ? nullptr : &*at;
}

}  // namespace finwait::base

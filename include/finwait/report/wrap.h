// Prose broken into lines.
#pragma once

#include <string>
#include <string_view>

namespace finwait::report {

/// `text` in lines of at most `width` columns, each after the first behind `indent` spaces; the first begins at column `first`. A word too
/// long for a line stands on its own. Ends with a newline.
[[nodiscard]] std::string wrap(std::string_view text, std::size_t width, std::size_t indent, std::size_t first);

}  // namespace finwait::report

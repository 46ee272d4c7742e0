// One connection in detail, as lines: who, how it stands, what each end sent, how it came there, what is odd, and its segments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "finwait/screen/frame.h"
#include "finwait/screen/model.h"

namespace finwait::screen {

struct Line {
  std::string text;
  Style style = Style::kPlain;
};

[[nodiscard]] std::vector<Line> closeup_lines(const Closeup& closeup, base::Timestamp clock);

/// In eight columns, about as ss(8) has it.
[[nodiscard]] std::string_view brief(tcp::State state) noexcept;
[[nodiscard]] Style style_of(tcp::Severity severity) noexcept;

}  // namespace finwait::screen

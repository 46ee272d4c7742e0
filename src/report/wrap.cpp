#include "finwait/report/wrap.h"

namespace finwait::report {

std::string wrap(std::string_view text, std::size_t width, std::size_t indent, std::size_t first) {
  std::string lines;
  std::size_t column = first;
  bool fresh = true;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (word.empty()) continue;
    if (!fresh && column + 1 + word.size() > width) {
      lines += '\n';
      lines.append(indent, ' ');
      column = indent;
      fresh = true;
    }
    if (!fresh) lines += ' ';
    lines += word;
    column += word.size() + (fresh ? 0 : 1);
    fresh = false;
  }
  lines += '\n';
  return lines;
}

}  // namespace finwait::report

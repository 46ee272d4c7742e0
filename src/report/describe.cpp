#include "finwait/report/describe.h"

#include <fmt/format.h>

#include "finwait/hosts/finding.h"
#include "finwait/report/words.h"
#include "finwait/report/wrap.h"
#include "finwait/tcp/anomaly.h"
#include "finwait/tcp/verdict.h"

namespace finwait::report {
namespace {

void paragraph(std::string& to, std::string_view label, std::string_view text) {
  constexpr std::size_t kWidth = 80;
  constexpr std::size_t kIndent = 12;
  if (text.empty()) return;
  to += fmt::format("  {:<{}}", label, kIndent - 2);
  to += wrap(text, kWidth, kIndent, kIndent);
}

void add(std::string& to, std::string_view kind, std::string_view what, const tcp::Description& description) {
  to += fmt::format("{}: {}\n", kind, what);
  paragraph(to, "meaning", description.meaning);
  paragraph(to, "causes", description.causes);
  paragraph(to, "next", description.next_step);
}

std::string origins_text(unsigned origins) {
  std::string text;
  for (unsigned bit = 1; bit <= tcp::origin::kAttacker; bit <<= 1) {
    if ((origins & bit) == 0) continue;
    text += (text.empty() ? "" : " or ");
    text += origin_name(static_cast<std::uint8_t>(bit));
  }
  return text;
}

/// A row of either table of kinds; `what`: "an anomaly, handshake".
template <class Kind>
void add(std::string& to, const Kind& kind, std::string_view what) {
  to += fmt::format("{}: {}, severity {}\n", kind.name, what, tcp::name(kind.severity));
  paragraph(to, "meaning", kind.meaning);
  paragraph(to, "causes", kind.causes);
  paragraph(to, "next", kind.next_step);
  paragraph(to, "otherwise", kind.otherwise);
  paragraph(to, "origin", origins_text(kind.origins));
  paragraph(to, "see", kind.rfc);
}

}  // namespace

std::string describe(std::string_view kind) {
  std::string text;
  if (const auto opening = tcp::opening(kind)) add(text, kind, "an opening", tcp::describe(*opening));
  if (const auto ending = tcp::ending(kind)) add(text, kind, "an ending", tcp::describe(*ending));
  if (const auto anomaly = tcp::anomaly_kind(kind)) {
    const tcp::KindInfo& row = tcp::info(*anomaly);
    add(text, row, fmt::format("an anomaly, {}", row.group));
    paragraph(text, "reported", tcp::reported_when(*anomaly));
  }
  if (const auto host = hosts::host_kind(kind)) add(text, hosts::info(*host), "a finding about a host");
  return text;
}

}  // namespace finwait::report

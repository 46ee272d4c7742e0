// Writes docs/anomalies.md from the table of kinds, so that the page says what the program says.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "finwait/tcp/anomaly.h"

namespace {

using namespace finwait::tcp;

std::string origins(std::uint8_t bits) {
  std::string text;
  const auto add = [&](std::uint8_t bit, std::string_view name) {
    if ((bits & bit) == 0) return;
    text += text.empty() ? "" : ", ";
    text += name;
  };
  add(origin::kEndpoint, "endpoint");
  add(origin::kNetwork, "network");
  add(origin::kCapture, "capture");
  add(origin::kAttacker, "attacker");
  return text;
}

void put_kind(const KindInfo& kind) {
  fmt::print("### `{}`\n\n{}\n\n", kind.name, kind.meaning);
  fmt::print("- Severity: {}. Origin: {}.{}\n", name(kind.severity), origins(kind.origins),
             kind.rfc.empty() ? std::string() : fmt::format(" See {}.", kind.rfc));
  if (const std::string_view when = reported_when(kind.kind); !when.empty()) fmt::print("- Reported when: {}\n", when);
  fmt::print("- Usual causes: {}\n- What to do next: {}\n- What else it could be: {}\n\n", kind.causes, kind.next_step, kind.otherwise);
}

}  // namespace

int main() {
  fmt::print(
      "# Anomalies\n\n"
      "What finwait reports about a connection, by group. `finwait --describe KIND` prints the same of one kind. The severity is the "
      "usual\n"
      "one: a finding carries a lower one where the evidence is weak. An origin names who may have caused it, several where the evidence\n"
      "cannot tell; `capture` means that the capture itself may have lost what is missing. This page is made by `tools/anomalies_md`.\n\n"
      "| kind | group | severity | origin |\n|---|---|---|---|\n");
  for (const KindInfo& kind : anomaly_kinds()) {
    fmt::print("| [`{0}`](#{0}) | {1} | {2} | {3} |\n", kind.name, kind.group, name(kind.severity), origins(kind.origins));
  }
  std::string_view group;
  for (const KindInfo& kind : anomaly_kinds()) {
    if (kind.group != group) fmt::print("\n## {}\n\n", kind.group);
    group = kind.group;
    put_kind(kind);
  }
  return 0;
}

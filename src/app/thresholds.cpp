#include "thresholds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <type_traits>

#include "finwait/report/wrap.h"
#include "values.h"

namespace finwait::app {
namespace {

using T = tcp::Thresholds;
using H = hosts::HostThresholds;

// One connection in trouble is never said of its host: details are kept from the second on.
constexpr std::uint64_t kSeveral = 2;

constexpr std::array<ThresholdName, 27> kNames{{
    {"retransmissions", &T::retransmissions},
    {"retransmitted-share", &T::retransmitted_share},
    {"spurious", &T::spurious},
    {"spurious-share", &T::spurious_share},
    {"out-of-order", &T::out_of_order},
    {"out-of-order-share", &T::out_of_order_share},
    {"tries", &T::tries},
    {"silence", &T::silence},
    {"idle-before", &T::idle_before},
    {"stall", &T::stall},
    {"timestamp-ticks", &T::timestamp_ticks},
    {"storm", &T::storm},
    {"host-flood-half-open", &H::flood_half_open, kSeveral},
    {"host-flood-share", &H::flood_share},
    {"host-overflow-connections", &H::overflow_connections, kSeveral},
    {"host-overflow-share", &H::overflow_share},
    {"host-scan-ports", &H::scan_ports, kSeveral},
    {"host-scan-hosts", &H::scan_hosts, kSeveral},
    {"host-time-wait-share", &H::time_wait_share},
    {"host-time-wait-least", &H::time_wait_least, hosts::kFewestTimeWaits},
    {"host-leak-connections", &H::leak_connections, kSeveral},
    {"host-resets", &H::resets, kSeveral},
    {"host-reset-share", &H::reset_share},
    {"host-retransmissions", &H::retransmissions},
    {"host-retransmitted-share", &H::retransmitted_share},
    {"host-loss-bytes", &H::loss_bytes},
    {"host-loss-share", &H::loss_share},
}};

template <class Value>
Value& value_at(Thresholds& thresholds, Value T::*member) {
  return thresholds.tcp.*member;
}
template <class Value>
Value& value_at(Thresholds& thresholds, Value H::*member) {
  return thresholds.hosts.*member;
}

void parse_into(double& share, const std::string& word, std::uint64_t) { share = parse_share(word); }
void parse_into(base::Duration& duration, const std::string& word, std::uint64_t) { duration = parse_duration(word); }
template <class Count>
void parse_into(Count& count, const std::string& word, std::uint64_t least) {
  // Some are compared with signed numbers.
  constexpr std::uint64_t kMost =
      std::is_same_v<Count, std::uint32_t> ? std::numeric_limits<Count>::max() : std::numeric_limits<Count>::max() / 2;
  const std::uint64_t value = parse_count(word, least);
  if (value > kMost) throw std::invalid_argument("at most " + std::to_string(kMost));
  count = static_cast<Count>(value);
}

std::string text_of(double share) { return fmt::format("{:.12g}%", share * 100); }
std::string text_of(base::Duration duration) {
  if (duration % base::kSecond == 0) return fmt::format("{}s", duration / base::kSecond);
  if (duration % base::kMillisecond == 0) return fmt::format("{}ms", duration / base::kMillisecond);
  return fmt::format("{}ns", duration);
}
template <class Count>
std::string text_of(Count count) {
  return std::to_string(count);
}

std::string all_names() {
  std::string names;
  for (const ThresholdName& row : kNames) names += (names.empty() ? "" : ", ") + std::string(row.name);
  std::string lines = report::wrap(names, 80, 0, 0);
  lines.pop_back();
  return lines;
}

}  // namespace

std::span<const ThresholdName> threshold_names() noexcept { return kNames; }

void set_threshold(Thresholds& thresholds, const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  const auto* row = std::find_if(kNames.begin(), kNames.end(), [&](const auto& r) { return r.name == assignment.substr(0, equals); });
  if (row == kNames.end()) throw std::invalid_argument("no such threshold. There are\n" + all_names());
  if (equals == std::string::npos) throw std::invalid_argument("give it a value: " + threshold_text({}, *row) + " is the default");
  const std::string word = assignment.substr(equals + 1);
  std::visit([&](auto member) { parse_into(value_at(thresholds, member), word, row->least); }, row->member);
}

std::string threshold_text(const Thresholds& thresholds, const ThresholdName& row) {
  Thresholds copy = thresholds;
  return std::visit([&copy](auto member) { return text_of(value_at(copy, member)); }, row.member);
}

}  // namespace finwait::app

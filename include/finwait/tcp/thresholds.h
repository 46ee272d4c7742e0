// From where on something that happens in every network is worth a word.
//
// Each has a default and the reason for it; docs/anomalies.md prints both beside the kinds they belong to.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "finwait/base/time.h"

namespace finwait::tcp {

struct Thresholds {
  /// retransmission: this many segments, and this share of all the end sent.
  std::uint32_t retransmissions = 5;
  double retransmitted_share = 0.02;
  /// spurious-retransmission: this many segments, and this share.
  std::uint32_t spurious = 5;
  double spurious_share = 0.02;
  /// out-of-order: this many segments, and this share.
  std::uint32_t out_of_order = 10;
  double out_of_order_share = 0.02;
  /// data-unanswered, keepalive-unanswered, peer-silent: this many tries after the first.
  std::uint32_t tries = 3;
  /// peer-silent: silent for this long.
  base::Duration silence = 3 * base::kSecond;
  /// data-unanswered: the connection had been idle for this long before: a firewall may have forgotten it.
  base::Duration idle_before = 60 * base::kSecond;
  /// zero-window-stall: the window stayed closed for this long.
  base::Duration stall = base::kSecond;
  /// timestamp-regression: ticks back.
  std::uint32_t timestamp_ticks = 500;
  /// reset-storm: RSTs of one end.
  std::uint32_t storm = 10;
};

/// One of them in words, for the page and for --describe.
struct ThresholdInfo {
  std::string_view kinds;  ///< "keepalive-unanswered, data-unanswered"
  std::string_view default_value;
  std::string_view reason;
};
[[nodiscard]] std::span<const ThresholdInfo> thresholds() noexcept;

}  // namespace finwait::tcp

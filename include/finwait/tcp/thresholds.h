// From where on something that happens in every network is worth a word.
//
// Each has a default and the reason for it: reported_when() (anomaly.h) says both in words, and docs/anomalies.md prints them.
// --threshold sets them by name: a new one needs a row in src/app/thresholds.cpp.
#pragma once

#include <cstdint>

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

}  // namespace finwait::tcp

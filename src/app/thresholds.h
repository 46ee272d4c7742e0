// The thresholds by name, for --threshold NAME=VALUE: one table for all of tcp::Thresholds and hosts::HostThresholds.
//
// A name is the member's with dashes; those about hosts begin with "host-". Which value makes sense beside which other is left to the user.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "finwait/base/time.h"
#include "finwait/hosts/finding.h"
#include "finwait/tcp/thresholds.h"

namespace finwait::app {

struct Thresholds {
  tcp::Thresholds tcp;
  hosts::HostThresholds hosts;
};

/// Where a threshold is and what its values look like: a count, a duration or a share (the only double).
using ThresholdMember = std::variant<std::uint32_t tcp::Thresholds::*, double tcp::Thresholds::*, base::Duration tcp::Thresholds::*,
                                     std::uint64_t hosts::HostThresholds::*, double hosts::HostThresholds::*>;

struct ThresholdName {
  std::string_view name;  ///< "retransmitted-share"
  ThresholdMember member;
  std::uint64_t least = 1;  ///< of a count: with less it would say nothing, or the same
};

/// All of them, in the order of the structs.
[[nodiscard]] std::span<const ThresholdName> threshold_names() noexcept;

/// "NAME=VALUE". Throws std::invalid_argument with one clear phrase; for a name that is none it lists what there is.
void set_threshold(Thresholds& thresholds, const std::string& assignment);

/// As the man page writes it and set_threshold takes it: "5", "2%", "500ms".
[[nodiscard]] std::string threshold_text(const Thresholds& thresholds, const ThresholdName& row);

}  // namespace finwait::app

// What can be said of a host over many connections: the table of kinds, the thresholds, and one finding as a value.
//
// The table is the one place for a kind's name, severity, RFC section and explanation; docs/hosts.md and --describe print it. A finding is
// made when the capture ends, so it may allocate.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "finwait/base/time.h"
#include "finwait/hosts/isn.h"
#include "finwait/hosts/series.h"
#include "finwait/tcp/anomaly.h"
#include "finwait/wire/flow_key.h"

namespace finwait::hosts {

enum class HostKind : std::uint8_t {
  kIsnPredictable,
  kIsnRepeated,
  kIsnQuality,
  kSynFlood,
  kAcceptQueueOverflow,
  kPortScan,
  kTimeWaitPressure,
  kCloseWaitLeak,
  kFinWait2Leak,
  kResetRate,
  kRetransmissionRate,
  kCaptureLoss,
};
inline constexpr int kHostKinds = static_cast<int>(HostKind::kCaptureLoss) + 1;

struct HostKindInfo {
  HostKind kind;
  std::string_view name;   ///< "syn-flood"
  tcp::Severity severity;  ///< the usual one; a finding may carry another
  std::uint8_t origins;    ///< tcp::origin bits
  std::string_view rfc;
  std::string_view meaning;
  std::string_view causes;
  std::string_view next_step;
  std::string_view otherwise;
};
[[nodiscard]] const HostKindInfo& info(HostKind kind) noexcept;
[[nodiscard]] std::span<const HostKindInfo> host_kinds() noexcept;
[[nodiscard]] std::optional<HostKind> host_kind(std::string_view name) noexcept;

/// TIME-WAITs towards one listener below which they are not followed one by one: time_wait_least cannot be lower.
inline constexpr std::uint64_t kFewestTimeWaits = 64;

/// From where on it is worth a word. Each default has its reason in docs/hosts.md.
struct HostThresholds {
  std::uint64_t flood_half_open = 100;      ///< at once
  double flood_share = 0.2;                 ///< of the SYNs that the listener answered
  std::uint64_t overflow_connections = 10;  ///< of one listener
  double overflow_share = 0.05;             ///< of its handshakes
  std::uint64_t scan_ports = 15;            ///< of one target
  std::uint64_t scan_hosts = 25;            ///< on one port
  double time_wait_share = 0.5;             ///< of the ephemeral range
  std::uint64_t time_wait_least = 500;      ///< held at once
  std::uint64_t leak_connections = 10;      ///< stuck at once
  std::uint64_t resets = 20;
  double reset_share = 0.33;            ///< of a listener's connections that carried data
  std::uint64_t retransmissions = 100;  ///< segments of one host
  double retransmitted_share = 0.03;
  std::uint64_t loss_bytes = 10'000;
  double loss_share = 0.001;  ///< of the payload
};

/// A number of a finding, for programs: the same numbers stand in its text.
struct Measure {
  std::string_view name;  ///< "half_open_at_once"
  double value = 0;
  int decimals = 0;
};

struct HostFinding {
  HostKind kind{};
  tcp::Severity severity{};
  std::uint8_t origins = 0;
  std::optional<wire::Address> ip;  ///< none: it is about the capture
  std::uint32_t network = 0;        ///< wire::FlowKey::network
  std::optional<std::uint16_t> port;
  std::optional<wire::Address> peer;  ///< the one other end it is about, if there is just one
  std::optional<std::uint16_t> peer_port;
  std::optional<base::Timestamp> from;  ///< the span in which it happened
  std::optional<base::Timestamp> to;
  std::string text;  ///< one plain sentence with the numbers; ASCII that needs no escaping
  std::string_view rfc;
  std::vector<std::uint64_t> connections;  ///< ids of up to ten examples
  std::vector<Measure> measures;
  std::optional<IsnFinding> isn;  ///< for the kinds about initial sequence numbers
  Levels series;                  ///< of what `text` counts, if it lasts
};

}  // namespace finwait::hosts

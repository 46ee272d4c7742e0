// A connection that never opened: a SYN like any other and, if it was answered, one SYN-ACK like any other, which nobody acknowledged.
// What there is to say of it, once it is over.
//
// A flood is millions of these. What all have in common is said here once: one packet of each end that spoke, without payload; the
// originator was in SYN-SENT from its SYN on, the other end in SYN-RECEIVED from its SYN-ACK on, or in no state; no finding but that it was
// left half-open. Always true: no stamp is later than `clock`; the SYN-ACK is not before the SYN; a Brief made of it, and its finding,
// are what the tracker would give.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "finwait/base/time.h"
#include "finwait/tcp/anomaly.h"
#include "finwait/tcp/brief.h"
#include "finwait/tcp/verdict.h"
#include "finwait/wire/flow_key.h"

namespace finwait::tcp {

struct Unopened {
  struct End {
    wire::Address address;
    // Only of an end that spoke; as in Brief::End.
    base::Timestamp time;  ///< of its SYN or SYN-ACK
    std::uint32_t known;
    std::uint32_t iss;
    std::uint32_t ip_bytes;
    std::uint16_t port;  ///< of either end
    std::uint8_t ttl;
    std::uint8_t options_signature;
  };

  std::array<End, 2> ends;  ///< the originator first
  std::uint64_t id;
  base::Timestamp clock;
  base::Timestamp released_at;
  std::uint64_t syn_ack_frame;  ///< 0: nobody answered
  base::Duration waited;        ///< if answered, since then: up to its end or that of the capture
  std::uint32_t network;
  std::uint8_t originator;  ///< which end of the key it is: 0, the low one, or 1
  bool left_half_open;      ///< it was answered, and waited so long that this is a finding
  Ending ending;            ///< kUnanswered, kHalfOpen or kEvicted

  [[nodiscard]] wire::FlowKey key() const noexcept {
    const End& low = ends[originator];
    const End& high = ends[1U - originator];
    return {low.address, high.address, low.port, high.port, network};
  }
  [[nodiscard]] int ip_version() const noexcept { return wire::FlowKey{{}, {}, 0, 0, network}.ip_version(); }
  [[nodiscard]] bool answered() const noexcept { return syn_ack_frame != 0; }
  [[nodiscard]] Opening opening() const noexcept { return answered() ? Opening::kHalfOpen : Opening::kUnanswered; }
  [[nodiscard]] unsigned packets() const noexcept { return answered() ? 2 : 1; }
  [[nodiscard]] std::uint64_t ip_bytes() const noexcept { return std::uint64_t{ends[0].ip_bytes} + (answered() ? ends[1].ip_bytes : 0); }
};
static_assert(std::is_trivially_copyable_v<Unopened>);

/// Into a Brief, whatever stood there.
void write_brief(const Unopened& unopened, Brief& brief) noexcept;
/// That it was left half-open, if so.
[[nodiscard]] std::optional<Anomaly> finding_of(const Unopened& unopened) noexcept;

}  // namespace finwait::tcp

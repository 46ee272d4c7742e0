// What a screen or a list shows of one connection: a small value, originator first, taken from a copy of its record.
//
// Always true: trivially copyable, no index into anybody's memory but `index`, by which a TableReader finds the record again as long as
// `id` is still the same.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "finwait/base/time.h"
#include "finwait/tcp/anomaly.h"
#include "finwait/tcp/state.h"
#include "finwait/tcp/transition.h"
#include "finwait/tcp/verdict.h"
#include "finwait/wire/flow_key.h"

namespace finwait::tcp {

struct Connection;

/// Of one end: what it sent.
struct EndView {
  wire::Address address;
  std::uint16_t port = 0;
  State state = State::kUnknown;
  std::uint64_t packets = 0;
  std::uint64_t ip_bytes = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t missing_bytes = 0;
  std::uint32_t retransmitted_segments = 0;
  std::uint32_t out_of_order = 0;
  std::uint32_t duplicates = 0;
  std::uint32_t zero_windows = 0;
};

struct ConnectionView {
  std::uint64_t id = 0;
  std::uint32_t index = 0;    ///< for TableReader
  std::uint32_t network = 0;  ///< FlowKey::network
  std::uint8_t ip_version = 4;
  std::uint8_t originator = 0;  ///< which end of the flow's key ends[0] is
  bool candidate = false;       ///< a SYN on a flow in use, not yet decided
  bool over = false;            ///< released, waiting to be written
  RoleEvidence role_evidence = RoleEvidence::kFirstPacket;
  std::array<EndView, 2> ends;  ///< originator, responder
  base::Timestamp start = 0;
  base::Timestamp end = 0;  ///< of its last frame
  std::uint64_t last_frame = 0;
  base::Duration syn_to_syn_ack = -1;  ///< below 0: not known
  base::Duration syn_ack_to_ack = -1;
  std::uint64_t anomaly_kinds = 0;  ///< bit set of AnomalyKind
};
static_assert(std::is_trivially_copyable_v<ConnectionView>);

/// Which flow it is.
[[nodiscard]] wire::FlowKey key_of(const ConnectionView& view) noexcept;

/// All that can be told of one connection at once.
struct ConnectionDetails {
  ConnectionView view;
  Verdict verdict;  ///< as it stands, were the capture to end now
  std::vector<Transition> transitions;
  std::vector<Anomaly> anomalies;  ///< in order of time
};

/// `index` is noted in it. `connection`: a copy that nobody changes.
[[nodiscard]] ConnectionView view_of(const Connection& connection, std::uint32_t index) noexcept;

}  // namespace finwait::tcp

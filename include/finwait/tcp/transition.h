// The transition table (lifecycle, section 2; RFC 9293, figure 5) and one transition as it is reported.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "finwait/base/time.h"
#include "finwait/tcp/fact.h"
#include "finwait/tcp/state.h"

namespace finwait::tcp {

/// A row of the table: an end in state `from` for which `fact` becomes known is in state `to`.
struct Row {
  State from;
  Fact fact;
  State to;
  const char* rfc;  ///< section of RFC 9293
};

/// The whole table; kReset, which leads from any state but CLOSED to CLOSED, is not a row of it.
[[nodiscard]] std::span<const Row> transition_table() noexcept;

/// Where `fact` leads from `from`, or nothing if it moves nothing there.
[[nodiscard]] std::optional<State> next_state(State from, Fact fact) noexcept;

/// One step of one end. A kRefuted entry takes back the last entry of that end: from and to say which way the state went back.
struct Transition {
  std::uint8_t end = 0;  ///< index into Connection::ends
  State from = State::kUnknown;
  State to = State::kUnknown;
  Proof evidence = Proof::kProven;
  std::uint64_t cause_frame = 0;  ///< 0: none
  std::uint64_t proof_frame = 0;  ///< 0: none
  base::Timestamp time = 0;
  bool operator==(const Transition&) const = default;
};

}  // namespace finwait::tcp

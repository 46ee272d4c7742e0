// The transition table: lifecycle, section 2; RFC 9293, figure 5. It serves both ends and both directions.
#include "finwait/tcp/transition.h"

#include <array>

namespace finwait::tcp {
namespace {

using S = State;

constexpr std::array kTable{
    Row{S::kUnknown, Fact::kSyn, S::kSynSent, "3.5"},
    Row{S::kUnknown, Fact::kPeerSyn, S::kSynReceived, "3.10.7.2"},
    Row{S::kSynSent, Fact::kPeerSyn, S::kSynReceived, "3.5"},
    Row{S::kSynSent, Fact::kPeerSynAck, S::kEstablished, "3.10.7.3"},
    Row{S::kSynReceived, Fact::kSynAcked, S::kEstablished, "3.10.7.4"},
    Row{S::kUnknown, Fact::kSpoke, S::kEstablished, ""},
    Row{S::kUnknown, Fact::kFin, S::kFinWait1, "3.10.4"},
    Row{S::kSynReceived, Fact::kFin, S::kFinWait1, "3.10.4"},
    Row{S::kEstablished, Fact::kFin, S::kFinWait1, "3.10.4"},
    Row{S::kUnknown, Fact::kPeerFin, S::kCloseWait, "3.10.7.4"},
    Row{S::kEstablished, Fact::kPeerFin, S::kCloseWait, "3.10.7.4"},
    Row{S::kFinWait1, Fact::kFinAcked, S::kFinWait2, "3.10.7.4"},
    Row{S::kFinWait1, Fact::kPeerFin, S::kClosing, "3.10.7.4"},
    Row{S::kFinWait2, Fact::kPeerFin, S::kTimeWait, "3.10.7.4"},
    Row{S::kCloseWait, Fact::kFin, S::kLastAck, "3.10.4"},
    Row{S::kClosing, Fact::kFinAcked, S::kTimeWait, "3.10.7.4"},
    Row{S::kLastAck, Fact::kFinAcked, S::kClosed, "3.10.7.4"},
    Row{S::kTimeWait, Fact::kReused, S::kClosed, "3.6.1"},
    Row{S::kTimeWait, Fact::kTimer, S::kClosed, "3.6.1"},
};

/// The table as a matrix: kUnknown, to which nothing leads, stands for "nothing".
constexpr auto kMatrix = [] {
  std::array<std::array<State, 11>, kStates> matrix{};
  for (const Row& row : kTable) matrix[static_cast<std::size_t>(row.from)][static_cast<std::size_t>(row.fact)] = row.to;
  for (auto& facts : matrix) facts[static_cast<std::size_t>(Fact::kReset)] = S::kClosed;
  matrix[static_cast<std::size_t>(S::kClosed)][static_cast<std::size_t>(Fact::kReset)] = S::kUnknown;
  return matrix;
}();

}  // namespace

std::span<const Row> transition_table() noexcept { return kTable; }

std::optional<State> next_state(State from, Fact fact) noexcept {
  const State to = kMatrix[static_cast<std::size_t>(from)][static_cast<std::size_t>(fact)];
  return to != State::kUnknown ? std::optional(to) : std::nullopt;
}

}  // namespace finwait::tcp

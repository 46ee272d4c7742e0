// The full record of an ordinary life, and what the journal would hold of it. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "blocks.h"
#include "compact.h"
#include "finwait/tcp/connection.h"
#include "finwait/tcp/transition.h"

namespace finwait::tcp {

/// Writes `c` into `whole`, whatever stood there; but the log of transitions and the lists of what is in flight are empty.
void expand(const Compact& c, const Blocks& blocks, Connection& whole) noexcept;

/// An unanswered SYN or SYN-ACK, which is in flight although no list of the compact record holds it; the end that sent it. False: none.
[[nodiscard]] bool unanswered_syn(const Compact& c, unsigned& end, Sent& sent) noexcept;

/// What was said of it, in order.
class CompactHistory {
 public:
  CompactHistory(const Compact& c, const Blocks& blocks) noexcept;
  [[nodiscard]] std::span<const Transition> transitions() const noexcept { return {transitions_.data(), size_}; }

 private:
  void add(unsigned end, State from, State to, Proof evidence, std::uint64_t cause, std::uint64_t proof, base::Timestamp time) noexcept {
    transitions_[size_++] = {static_cast<std::uint8_t>(end), from, to, evidence, cause, proof, time};
  }
  void add_close(const CompactClose& close) noexcept;

  static constexpr std::size_t kMost = 11;  ///< opening 4, close 6, timer 1
  std::array<Transition, kMost> transitions_;
  std::size_t size_ = 0;
};

}  // namespace finwait::tcp

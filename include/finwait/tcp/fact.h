// What can be known of one end, and how: the evidence from which its path of states is derived.
//
// An end's path is a function of its facts alone (path.h). A fact keeps the frame that caused it (the peer's segment, for what an end
// received), the frame that proved it, and the time of the proof. Facts are added, replaced and taken back; the path follows. Facts that
// exclude one another share a slot, so setting one removes the other: a SYN sent or having spoken without one; the peer's SYN-ACK received
// or the own SYN acknowledged; the three ways in which a connection can be over.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "finwait/base/time.h"

namespace finwait::tcp {

enum class Fact : std::uint8_t {
  kSyn,         ///< it sent a SYN without ACK
  kSpoke,       ///< it sent data or an ACK outside any handshake that was captured
  kPeerSyn,     ///< it received the peer's SYN
  kPeerSynAck,  ///< it received the peer's SYN-ACK in answer to its SYN
  kSynAcked,    ///< its SYN was acknowledged (responder, or simultaneous open)
  kFin,         ///< it sent a FIN
  kPeerFin,     ///< it received the peer's FIN
  kFinAcked,    ///< its FIN was acknowledged
  kReset,       ///< it sent a RST that ends it, or accepted one
  kReused,      ///< its TIME-WAIT ended by a new incarnation
  kTimer,       ///< its TIME-WAIT ran out
};

/// How a transition is known (lifecycle, section 1). kRefuted only occurs in transitions: it takes the last one back.
enum class Proof : std::uint8_t { kProven, kPresumed, kRefuted, kTimer };

struct Evidence {
  std::uint64_t cause;   ///< frame that moved the end; 0: none (a timer)
  std::uint64_t proof;   ///< frame that showed it
  base::Timestamp time;  ///< of the proof
  bool operator==(const Evidence&) const = default;
};

class Facts {
 public:
  [[nodiscard]] bool has(Fact fact) const noexcept { return (present_ & bit(fact)) != 0; }
  /// Only if has(fact).
  [[nodiscard]] const Evidence& operator[](Fact fact) const noexcept { return slots_[slot(fact)]; }
  [[nodiscard]] Proof proof(Fact fact) const noexcept { return (presumed_ & bit(fact)) != 0 ? Proof::kPresumed : Proof::kProven; }
  [[nodiscard]] bool presumed(Fact fact) const noexcept { return (presumed_ & bit(fact)) != 0; }

  void set(Fact fact, const Evidence& evidence, Proof proof) noexcept {
    erase_slot(slot(fact));
    ++changes_;
    present_ = static_cast<std::uint16_t>(present_ | bit(fact));
    if (proof == Proof::kPresumed) presumed_ = static_cast<std::uint16_t>(presumed_ | bit(fact));
    slots_[slot(fact)] = evidence;
  }
  void erase(Fact fact) noexcept {
    ++changes_;
    present_ = static_cast<std::uint16_t>(present_ & ~bit(fact));
    presumed_ = static_cast<std::uint16_t>(presumed_ & ~bit(fact));
  }
  /// None at all, or nothing but what `fact` says.
  [[nodiscard]] bool only(Fact fact) const noexcept { return (present_ & ~bit(fact)) == 0; }
  [[nodiscard]] bool any() const noexcept { return present_ != 0; }
  /// The facts that are new since `before`, as a bit set by Fact, if nothing was replaced or taken back since; otherwise 0.
  [[nodiscard]] std::uint16_t added_since(const Facts& before) const noexcept {
    const auto added = static_cast<std::uint16_t>(present_ & ~before.present_);
    const bool kept = (before.present_ & ~present_) == 0;
    const auto changed = static_cast<std::uint16_t>(changes_ - before.changes_);
    return kept && changed == std::popcount(added) ? added : std::uint16_t{0};
  }
  /// All of them, as a bit set by Fact.
  [[nodiscard]] std::uint16_t present() const noexcept { return present_; }
  static constexpr std::uint16_t bit(Fact fact) noexcept { return static_cast<std::uint16_t>(1U << static_cast<unsigned>(fact)); }
  /// Counts every set and erase, modulo 2^16: as long as it stands still, so does the path.
  [[nodiscard]] std::uint16_t changes() const noexcept { return changes_; }

 private:
  static constexpr std::size_t slot(Fact fact) noexcept {
    constexpr std::array<std::uint8_t, 11> kSlot{0, 0, 1, 2, 2, 3, 4, 5, 6, 6, 6};
    return kSlot[static_cast<std::size_t>(fact)];
  }
  void erase_slot(std::size_t wanted) noexcept {
    constexpr std::array<std::uint16_t, 7> kSharing{0x003, 0x004, 0x018, 0x020, 0x040, 0x080, 0x700};  // the facts of each slot
    present_ = static_cast<std::uint16_t>(present_ & ~kSharing[wanted]);
    presumed_ = static_cast<std::uint16_t>(presumed_ & ~kSharing[wanted]);
  }

  std::array<Evidence, 7> slots_{};
  std::uint16_t present_ = 0;
  std::uint16_t presumed_ = 0;
  std::uint16_t changes_ = 0;
};

}  // namespace finwait::tcp

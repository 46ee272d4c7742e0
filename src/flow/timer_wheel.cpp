#include "finwait/flow/timer_wheel.h"

#include <bit>
#include <cassert>
#include <stdexcept>
#include <utility>

namespace finwait::flow {
namespace {

constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

base::Duration checked(base::Duration tick) {
  if (tick <= 0) throw std::invalid_argument("a timer wheel's tick is longer than nothing");
  return tick;
}

}  // namespace

TimerWheel::TimerWheel(std::uint32_t max_entries, base::Duration tick) : nodes_(max_entries), tick_(checked(tick)) {}

void TimerWheel::arm(std::uint32_t index, base::Timestamp deadline) noexcept {
  cancel(index);
  if (deadline == base::kNever) return;
  nodes_[index].before_never = static_cast<std::uint64_t>(base::kNever) - static_cast<std::uint64_t>(deadline);
  push(slot_of(tick_of(index)), index);
  ++size_;
}

void TimerWheel::cancel(std::uint32_t index) noexcept {
  if (!is_armed(index)) return;
  unlink(index);
  nodes_[index] = Node{};
  --size_;
}

TimerWheel::Tick TimerWheel::tick_at(base::Timestamp now) const noexcept {
  const base::Timestamp whole = now / tick_ - (now % tick_ < 0 ? 1 : 0);
  return static_cast<std::uint64_t>(whole) ^ kSign;
}

TimerWheel::Tick TimerWheel::tick_of(std::uint32_t index) const noexcept {
  const auto deadline = static_cast<base::Timestamp>(static_cast<std::uint64_t>(base::kNever) - nodes_[index].before_never);
  const base::Timestamp whole = deadline / tick_ + (deadline % tick_ > 0 ? 1 : 0);
  return static_cast<std::uint64_t>(whole) ^ kSign;
}

// An entry's slot is computed, not stored. It stays true while the clock moves on, because the clock never passes the beginning of an
// occupied slot without emptying it: until then the highest digit that differs is the same one.
std::uint32_t TimerWheel::slot_of(Tick tick) const noexcept {
  if (tick <= current_) return kOverdue;
  const unsigned level = static_cast<unsigned>(std::bit_width(tick ^ current_) - 1) / kDigitBits;
  const auto digit = static_cast<std::uint32_t>(tick >> (level * kDigitBits)) % kSlots;
  return level * kSlots + digit;
}

void TimerWheel::push(std::uint32_t slot, std::uint32_t index) noexcept {
  Node& node = nodes_[index];
  node.previous = 0;
  node.next = heads_[slot];
  if (node.next != 0) nodes_[node.next - 1].previous = index + 1;
  heads_[slot] = index + 1;
  if (slot >= kOverdue) return;
  occupied_[slot / kSlots] |= std::uint64_t{1} << (slot % kSlots);
  levels_ |= 1U << (slot / kSlots);
}

void TimerWheel::unlink(std::uint32_t index) noexcept {
  const Node& node = nodes_[index];
  if (node.next != 0) nodes_[node.next - 1].previous = node.previous;
  if (node.previous != 0) {
    nodes_[node.previous - 1].next = node.next;
    return;
  }
  std::uint32_t slot = slot_of(tick_of(index));
  if (slot == kOverdue && heads_[kFiring] == index + 1) slot = kFiring;
  assert(heads_[slot] == index + 1);
  heads_[slot] = node.next;
  if (node.next != 0 || slot >= kOverdue) return;
  std::uint64_t& level = occupied_[slot / kSlots];
  level &= ~(std::uint64_t{1} << (slot % kSlots));
  if (level == 0) levels_ &= ~(1U << (slot / kSlots));
}

/// Empties the earliest slot if it begins at or before `target`, and returns its head; 0 when there is none. A lower level's slots all come
/// before a higher level's, a lower digit before a higher one.
std::uint32_t TimerWheel::take_slot_until(Tick target) noexcept {
  if (levels_ == 0) return 0;
  const auto level = static_cast<unsigned>(std::countr_zero(levels_));
  const auto digit = static_cast<std::uint32_t>(std::countr_zero(occupied_[level]));
  const unsigned shift = level * kDigitBits;
  const Tick above = level + 1 == kLevels ? 0 : current_ >> (shift + kDigitBits) << (shift + kDigitBits);
  if ((above | Tick{digit} << shift) > target) return 0;
  occupied_[level] &= occupied_[level] - 1;
  if (occupied_[level] == 0) levels_ &= levels_ - 1;
  return std::exchange(heads_[level * kSlots + digit], 0);
}

void TimerWheel::gather(Tick target) noexcept {
  // What was armed for the past since the last time. A list apart, so that a callee arming for the past cannot keep advance() busy for
  // ever.
  assert(heads_[kFiring] == 0);
  heads_[kFiring] = std::exchange(heads_[kOverdue], 0);
  if (target <= current_) return;
  std::uint32_t later = 0;
  for (std::uint32_t head = take_slot_until(target); head != 0; head = take_slot_until(target)) {
    while (head != 0) {
      const std::uint32_t index = head - 1;
      const std::uint32_t next = nodes_[index].next;
      if (tick_of(index) <= target) {
        push(kFiring, index);
      } else {
        nodes_[index].next = std::exchange(later, head);
      }
      head = next;
    }
  }
  current_ = target;
  while (later != 0) {
    const std::uint32_t index = later - 1;
    later = nodes_[index].next;
    push(slot_of(tick_of(index)), index);
  }
}

}  // namespace finwait::flow

#include "finwait/flow/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <limits>
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

TimerWheel::TimerWheel(std::uint32_t max_entries, base::Duration tick, std::uint32_t seldom)
    : nodes_(max_entries, base::PageSize::kHugeIfLarge, seldom), chunks_(chunks_for(max_entries)), tick_(checked(tick)) {}

// What is due in an advance may hold all entries, and as many gaps as there are when it begins; what its callees arm may be all entries
// again. Not full are the last chunk of each slot, and of each that has come.
std::size_t TimerWheel::chunks_for(std::uint32_t max_entries) {
  const std::size_t chunks = (3 * std::size_t{max_entries} + kSpareGaps) / Chunk::kEntries + 2 * (kOverdue + 2);
  if (chunks * kPlaces > std::numeric_limits<std::uint32_t>::max()) throw std::invalid_argument("too many entries for a timer wheel");
  return chunks;
}

void TimerWheel::arm(std::uint32_t index, base::Timestamp deadline) noexcept {
  cancel(index);
  if (deadline == base::kNever) return;
  const Tick tick = tick_for(deadline);
  nodes_[index].tick = {static_cast<std::uint32_t>(tick), static_cast<std::uint32_t>(tick >> 32)};
  push_to_slot(slot_of(tick), index);
  ++size_;
}

void TimerWheel::cancel(std::uint32_t index) noexcept {
  const std::uint32_t where = nodes_[index].where;
  if (where == 0) return;  // without a touch: it may never have been armed
  nodes_[index].where = 0;
  chunks_[where / kPlaces].entries[where % kPlaces - 1] = 0;
  ++gaps_;
  --size_;
}

void TimerWheel::clear() noexcept {
  assert(firing_.first == 0);
  nodes_.give_back();
  chunks_.give_back();
  slots_ = {};
  occupied_ = {};
  chunks_used_ = free_ = levels_ = size_ = 0;
  gaps_ = 0;
}

TimerWheel::Tick TimerWheel::tick_at(base::Timestamp now) const noexcept {
  const base::Timestamp whole = now / tick_ - (now % tick_ < 0 ? 1 : 0);
  return static_cast<std::uint64_t>(whole) ^ kSign;
}

TimerWheel::Tick TimerWheel::tick_for(base::Timestamp deadline) const noexcept {
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

/// The link of a blank chunk.
std::uint32_t TimerWheel::take_chunk() noexcept {
  if (free_ == 0 && chunks_used_ == chunks_.size()) pack_all();
  const std::uint32_t link = free_ == 0 ? ++chunks_used_ : std::exchange(free_, chunks_[free_ - 1].next);
  chunks_[link - 1].next = chunks_[link - 1].count = 0;
  return link;
}

void TimerWheel::give_back_first(Chain& chain) noexcept {
  const std::uint32_t link = std::exchange(chain.first, chunks_[chain.first - 1].next);
  const Chunk& chunk = chunks_[link - 1];
  gaps_ -= static_cast<std::size_t>(std::count(chunk.entries.begin(), chunk.entries.begin() + chunk.count, 0U));
  chunks_[link - 1].next = std::exchange(free_, link);
}

void TimerWheel::push(Chain& chain, std::uint32_t index) noexcept {
  if (chain.first == 0 || chunks_[chain.last - 1].count == Chunk::kEntries) {
    const std::uint32_t fresh = take_chunk();
    (chain.first == 0 ? chain.first : chunks_[chain.last - 1].next) = fresh;
    chain.last = fresh;
  }
  Chunk& chunk = chunks_[chain.last - 1];
  nodes_[index].where = place_of(chain.last, chunk.count);
  chunk.entries[chunk.count++] = index + 1;
}

void TimerWheel::push_to_slot(std::uint32_t slot, std::uint32_t index) noexcept {
  push(slots_[slot], index);
  if (slot == kOverdue) return;
  occupied_[slot / kSlots] |= std::uint64_t{1} << (slot % kSlots);
  levels_ |= 1U << (slot / kSlots);
}

/// All but what is due in this advance.
[[gnu::noinline]] void TimerWheel::pack_all() noexcept {
  for (Chain& slot : slots_) pack(slot);
  levels_ = 0;
  for (std::uint32_t level = 0; level != kLevels; ++level) {
    std::uint64_t& occupied = occupied_[level];
    for (std::uint64_t left = occupied; left != 0; left &= left - 1) {
      const auto digit = static_cast<std::uint32_t>(std::countr_zero(left));
      if (slots_[level * kSlots + digit].first == 0) occupied &= ~(std::uint64_t{1} << digit);
    }
    if (occupied != 0) levels_ |= 1U << level;
  }
}

/// Without its gaps, in its order: what is written stands at or before what is read.
void TimerWheel::pack(Chain& chain) noexcept {
  Chain packed{};
  std::uint32_t filled = Chunk::kEntries;  // of its last chunk
  for (std::uint32_t at = chain.first; at != 0;) {
    Chunk& chunk = chunks_[at - 1];
    const std::uint32_t next = std::exchange(chunk.next, 0);
    const std::uint32_t count = std::exchange(chunk.count, 0);
    for (std::uint32_t n = 0; n != count; ++n) {
      const std::uint32_t entry = chunk.entries[n];
      gaps_ -= entry == 0;
      if (entry == 0) continue;
      if (filled == Chunk::kEntries) {
        (packed.first == 0 ? packed.first : chunks_[packed.last - 1].next) = at;
        packed.last = at;
        filled = 0;
      }
      Chunk& to = chunks_[packed.last - 1];
      to.entries[filled] = entry;
      nodes_[entry - 1].where = place_of(packed.last, filled);
      to.count = ++filled;
    }
    if (packed.first == 0 || packed.last != at) chunk.next = std::exchange(free_, at);
    at = next;
  }
  chain = packed;
}

/// Empties the earliest slot if it begins at or before `target`. A lower level's slots all come before a higher level's, a lower digit
/// before a higher one.
TimerWheel::Taken TimerWheel::take_slot_until(Tick target) noexcept {
  if (levels_ == 0) return {};
  const auto level = static_cast<unsigned>(std::countr_zero(levels_));
  const auto digit = static_cast<std::uint32_t>(std::countr_zero(occupied_[level]));
  const unsigned shift = level * kDigitBits;
  const Tick above = level + 1 == kLevels ? 0 : current_ >> (shift + kDigitBits) << (shift + kDigitBits);
  const Tick begin = above | Tick{digit} << shift;
  if (begin > target) return {};
  occupied_[level] &= occupied_[level] - 1;
  if (occupied_[level] == 0) levels_ &= levels_ - 1;
  return {std::exchange(slots_[level * kSlots + digit], {}), target - begin >= (Tick{1} << shift) - 1};
}

/// Is due in this advance, before what was found so far.
void TimerWheel::put_in_front(const Chain& chain) noexcept {
  if (chain.first == 0) return;
  if (firing_.first == 0) {
    firing_ = chain;
    return;
  }
  chunks_[chain.last - 1].next = firing_.first;
  firing_.first = chain.first;
}

void TimerWheel::gather(Tick target) noexcept {
  assert(firing_.first == 0);
  if (gaps_ > most_gaps()) pack_all();
  // What was armed for the past since the last time. A list apart, so that a callee arming for the past cannot keep advance() busy for
  // ever.
  put_in_front(std::exchange(slots_[kOverdue], {}));
  if (target <= current_) return;
  Taken taken = take_slot_until(target);
  for (; taken.chain.first != 0 && taken.whole; taken = take_slot_until(target)) put_in_front(taken.chain);
  current_ = target;
  if (taken.chain.first != 0) spread(taken.chain);
}

/// Each entry of the slot in which the clock stands now, the last one that has come, to where it belongs.
void TimerWheel::spread(Chain chain) noexcept {
  const auto fetch = [this](std::uint32_t link) {
    if (link == 0) return;
    const Chunk& chunk = chunks_[link - 1];
    for (std::uint32_t n = 0; n != chunk.count; ++n) nodes_.prefetch(chunk.entries[n] - 1);
    if (chunk.next != 0) chunks_.prefetch(chunk.next - 1);
  };
  Chain due{};
  fetch(chain.first);
  while (chain.first != 0) {
    const Chunk& chunk = chunks_[chain.first - 1];
    fetch(chunk.next);
    for (std::uint32_t n = 0; n != chunk.count; ++n) {
      if (chunk.entries[n] == 0) continue;
      const std::uint32_t index = chunk.entries[n] - 1;
      const Tick tick = tick_of(nodes_[index]);
      if (tick <= current_) {
        push(due, index);
      } else {
        push_to_slot(slot_of(tick), index);
      }
    }
    give_back_first(chain);
  }
  put_in_front(due);
}

}  // namespace finwait::flow

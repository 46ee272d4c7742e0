#include "finwait/flow/table.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>

namespace finwait::flow {
namespace {

/// With fewer buckets the two choices would meet too often for small tables to keep their promise.
constexpr std::size_t kMinBuckets = 4;

std::size_t buckets_for(std::size_t promised) {
  if (promised > Table::kMaxPromised) throw std::invalid_argument("a flow table holds at most 2^28 connections");
  return std::max(kMinBuckets, (2 * promised + Table::kSlots - 1) / Table::kSlots);
}

/// Of the bits of tagged(): those of the first bucket, and those that have a slot (the last word has but two).
constexpr std::uint64_t kFirstBits = 0x0007'0007'0007'0007;
constexpr std::uint64_t kSlotBits = 0x0033'0033'0077'0077;

}  // namespace

Table::Table(std::size_t promised_entries) : buckets_(buckets_for(promised_entries)) {}

void Table::set_tag(const Slot& slot, std::uint16_t tag) noexcept {
  const unsigned shift = slot.index % kLanes * 16;
  std::atomic_ref<std::uint64_t> word(buckets_[slot.bucket].tags[slot.index / kLanes]);
  const std::uint64_t others = word.load(std::memory_order_relaxed) & ~(std::uint64_t{0xffff} << shift);
  word.store(others | std::uint64_t{tag} << shift, std::memory_order_release);  // 2, 3
}

void Table::set_value(const Slot& slot, std::uint32_t kept) noexcept {
  std::atomic_ref<std::uint32_t>(buckets_[slot.bucket].values[slot.index]).store(kept, std::memory_order_release);  // 1, 3
}

bool Table::insert(std::uint64_t hash, std::uint32_t value) noexcept {
  assert(value != kNone);
  const Place place = place_of(hash);
  const std::uint64_t free = tagged(place, 0) & kSlotBits;
  const std::uint64_t in_first = free & kFirstBits;
  const std::uint64_t in_second = free & ~kFirstBits;
  const std::uint64_t emptier = std::popcount(in_first) >= std::popcount(in_second) ? in_first : in_second;
  if (emptier == 0) {
    refused_.add();
    return false;
  }
  const Slot slot = slot_of(place, emptier);
  set_value(slot, value + 1);  // 1
  set_tag(slot, place.tag);    // 2
  size_.add();
  return true;
}

Table::Slot Table::locate(const Place& place, std::uint32_t value) const noexcept {
  if (value == kNone) return kNoSlot;
  for (std::uint64_t left = tagged(place, place.tag); left != 0; left &= left - 1) {
    if (load(slot_at(place, left), std::memory_order_relaxed) == value + 1) return slot_of(place, left);
  }
  return kNoSlot;
}

bool Table::erase(std::uint64_t hash, std::uint32_t value) noexcept {
  const Slot slot = locate(place_of(hash), value);
  if (slot.bucket == kNone) return false;
  set_tag(slot, 0);    // 3
  set_value(slot, 0);  // 3
  size_.subtract();
  return true;
}

bool Table::replace(std::uint64_t hash, std::uint32_t old_value, std::uint32_t new_value) noexcept {
  assert(new_value != kNone);
  const Slot slot = locate(place_of(hash), old_value);
  if (slot.bucket == kNone) return false;
  set_value(slot, new_value + 1);  // 1
  return true;
}

std::size_t Table::victims(std::uint64_t hash, std::span<std::uint32_t> out) const noexcept {
  const Place place = place_of(hash);
  std::size_t count = 0;
  for (const std::uint32_t number : {place.first, place.second}) {
    for (const std::uint32_t& word : buckets_[number].values) {
      const std::uint32_t kept = load(word, std::memory_order_acquire);  // 5
      if (kept != 0 && count != out.size()) out[count++] = kept - 1;
    }
  }
  return count;
}

}  // namespace finwait::flow

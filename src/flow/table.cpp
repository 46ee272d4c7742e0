#include "finwait/flow/table.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>

namespace finwait::flow {
namespace {

/// With fewer buckets the two choices would meet too often for small tables to keep their promise.
constexpr std::size_t kMinBuckets = 4;

/// A first bucket with fewer entries takes the next one without a look at the second. Fuller first buckets would mean fewer overflows (all
/// twelve slots: 1 % of entries in their second bucket instead of 5 %), and both buckets full once in thousands of inserts instead of
/// never.
constexpr int kCrowded = 10;

std::size_t buckets_for(std::size_t promised) {
  if (promised > Table::kMaxPromised) throw std::invalid_argument("a flow table holds at most 2^28 connections");
  return std::max(kMinBuckets, (2 * promised + Table::kSlots - 1) / Table::kSlots);
}

}  // namespace

Table::Table(std::size_t promised_entries) : buckets_(buckets_for(promised_entries)) {}

void Table::set_tag(const Slot& slot, std::uint8_t tag) noexcept {
  const unsigned shift = slot.index % 8 * 8;
  std::atomic_ref<std::uint64_t> word(buckets_[slot.bucket].tags[slot.index / 8]);
  const std::uint64_t others = word.load(std::memory_order_relaxed) & ~(std::uint64_t{0xff} << shift);
  word.store(others | std::uint64_t{tag} << shift, std::memory_order_release);  // 2, 3
}

void Table::set_value(const Slot& slot, std::uint32_t kept) noexcept {
  std::atomic_ref<std::uint32_t>(buckets_[slot.bucket].values[slot.index]).store(kept, std::memory_order_release);  // 1, 3
}

void Table::add_overflow(std::uint32_t bucket, std::uint64_t n) noexcept {
  std::atomic_ref<std::uint64_t> word(buckets_[bucket].tags[1]);
  word.store(word.load(std::memory_order_relaxed) + (n << kOverflowShift), std::memory_order_release);  // 0
}

bool Table::insert(std::uint64_t hash, std::uint32_t value) noexcept {
  assert(value != kNone);
  const std::uint32_t first = first_of(hash);
  std::uint32_t bucket = first;
  std::uint32_t free = tags_of(first).matching(0);
  if (std::popcount(free) <= static_cast<int>(kSlots) - kCrowded) {
    const std::uint32_t second = second_of(hash, first);
    const std::uint32_t free_there = tags_of(second).matching(0);
    if (std::popcount(free_there) > std::popcount(free)) {
      bucket = second;
      free = free_there;
    }
  }
  if (free == 0) {
    refused_.add();
    return false;
  }
  const Slot slot{bucket, static_cast<std::uint32_t>(std::countr_zero(free))};
  if (bucket != first) add_overflow(first, 1);  // 0
  set_value(slot, value + 1);                   // 1
  set_tag(slot, tag_of(hash));                  // 2
  size_.add();
  return true;
}

Table::Slot Table::locate(std::uint64_t hash, std::uint32_t value) const noexcept {
  if (value == kNone) return kNoSlot;
  const std::uint32_t first = first_of(hash);
  for (const std::uint32_t bucket : {first, second_of(hash, first)}) {
    const Tags tags = tags_of(bucket);
    for (std::uint32_t left = tags.matching(tag_of(hash)); left != 0; left &= left - 1) {
      const auto index = static_cast<std::uint32_t>(std::countr_zero(left));
      if (load(buckets_[bucket].values[index], std::memory_order_relaxed) == value + 1) return {bucket, index};
    }
    if (tags.overflow() == 0) break;
  }
  return kNoSlot;
}

bool Table::erase(std::uint64_t hash, std::uint32_t value) noexcept {
  const Slot slot = locate(hash, value);
  if (slot.bucket == kNone) return false;
  set_tag(slot, 0);    // 3
  set_value(slot, 0);  // 3
  const std::uint32_t first = first_of(hash);
  if (slot.bucket != first) add_overflow(first, ~std::uint64_t{0});  // 0; one less
  size_.subtract();
  return true;
}

bool Table::replace(std::uint64_t hash, std::uint32_t old_value, std::uint32_t new_value) noexcept {
  assert(new_value != kNone);
  const Slot slot = locate(hash, old_value);
  if (slot.bucket == kNone) return false;
  set_value(slot, new_value + 1);  // 1
  return true;
}

void Table::clear() noexcept {
  buckets_.give_back();
  size_.set(0);
}

std::size_t Table::victims(std::uint64_t hash, std::span<std::uint32_t> out) const noexcept {
  const std::uint32_t first = first_of(hash);
  std::size_t count = 0;
  for (const std::uint32_t bucket : {first, second_of(hash, first)}) {
    for (const std::uint32_t& word : buckets_[bucket].values) {
      const std::uint32_t kept = load(word, std::memory_order_acquire);  // 5
      if (kept != 0 && count != out.size()) out[count++] = kept - 1;
    }
  }
  return count;
}

}  // namespace finwait::flow

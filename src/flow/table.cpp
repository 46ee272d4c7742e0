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

/// From none to this one, or back.
inline void Table::toggle_tag(const Slot& slot, std::uint8_t tag) noexcept {
  std::atomic_ref<std::uint64_t> word(slot.bucket->tags[slot.index / 8]);
  word.store(word.load(std::memory_order_relaxed) ^ std::uint64_t{tag} << slot.index % 8 * 8, std::memory_order_release);  // 2, 3
}

inline void Table::set_value(const Slot& slot, std::uint32_t kept) noexcept {
  std::atomic_ref<std::uint32_t>(slot.bucket->values[slot.index]).store(kept, std::memory_order_release);  // 1, 3
}

inline void Table::add_overflow(Bucket& bucket, std::uint64_t n) noexcept {
  std::atomic_ref<std::uint64_t> word(bucket.tags[1]);
  word.store(word.load(std::memory_order_relaxed) + (n << kOverflowShift), std::memory_order_release);  // 0
}

bool Table::insert(std::uint64_t hash, std::uint32_t value) noexcept {
  assert(value != kNone);
  const std::uint32_t first = first_of(hash);
  Bucket& own = buckets_[first];
  Bucket* bucket = &own;
  std::uint32_t free = tags_of(own).matching(0);
  if (std::popcount(free) <= static_cast<int>(kSlots) - kCrowded) [[unlikely]] {
    Bucket& second = buckets_[second_of(hash, first)];
    const std::uint32_t free_there = tags_of(second).matching(0);
    if (std::popcount(free_there) > std::popcount(free)) {
      bucket = &second;
      free = free_there;
    }
  }
  if (free == 0) {
    refused_.add();
    return false;
  }
  const Slot slot{bucket, static_cast<unsigned>(std::countr_zero(free))};
  if (bucket != &own) add_overflow(own, 1);  // 0
  set_value(slot, value + 1);                // 1
  toggle_tag(slot, tag_of(hash));            // 2
  size_.add();
  return true;
}

/// In this bucket; none: bucket is null.
inline Table::Slot Table::locate_in(Bucket& bucket, const Tags& tags, std::uint8_t tag, std::uint32_t value) noexcept {
  for (std::uint32_t left = tags.matching(tag); left != 0; left &= left - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(left));
    if (load(bucket.values[index], std::memory_order_relaxed) == value + 1) return {&bucket, index};
  }
  return {nullptr, 0};
}

inline Table::Slot Table::locate(std::uint64_t hash, std::uint32_t value) noexcept {
  if (value == kNone) return {nullptr, 0};
  const std::uint32_t first = first_of(hash);
  Bucket& own = buckets_[first];
  const Tags tags = tags_of(own);
  const Slot slot = locate_in(own, tags, tag_of(hash), value);
  if (slot.bucket != nullptr || tags.overflow() == 0) [[likely]]
    return slot;
  Bucket& second = buckets_[second_of(hash, first)];
  return locate_in(second, tags_of(second), tag_of(hash), value);
}

bool Table::erase(std::uint64_t hash, std::uint32_t value) noexcept {
  const Slot slot = locate(hash, value);
  if (slot.bucket == nullptr) return false;
  Bucket& own = buckets_[first_of(hash)];
  toggle_tag(slot, tag_of(hash));                                 // 3
  set_value(slot, 0);                                             // 3
  if (slot.bucket != &own) add_overflow(own, ~std::uint64_t{0});  // 0; one less
  size_.subtract();
  return true;
}

bool Table::replace(std::uint64_t hash, std::uint32_t old_value, std::uint32_t new_value) noexcept {
  assert(new_value != kNone);
  const Slot slot = locate(hash, old_value);
  if (slot.bucket == nullptr) return false;
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

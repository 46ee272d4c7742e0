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

}  // namespace

Table::Table(std::size_t promised_entries) : buckets_(buckets_for(promised_entries)) {}

void Table::set_tag(Bucket& bucket, std::size_t slot, std::uint16_t tag) noexcept {
  const std::size_t shift = slot % kLanes * 16;
  std::atomic_ref<std::uint64_t> word(bucket.tags[slot / kLanes]);
  const std::uint64_t others = word.load(std::memory_order_relaxed) & ~(std::uint64_t{0xffff} << shift);
  word.store(others | std::uint64_t{tag} << shift, std::memory_order_release);  // 2, 3
}

bool Table::insert(std::uint64_t hash, std::uint32_t value) noexcept {
  assert(value != kNone);
  const Place place = place_of(hash);
  Slot best;
  std::size_t most_free = 0;
  for (const std::uint32_t number : {place.first, place.second}) {
    Bucket& bucket = buckets_[number];
    std::size_t free = 0;
    std::size_t last_free = 0;
    for (std::size_t slot = 0; slot != kSlots; ++slot) {
      if (load(bucket.values[slot], std::memory_order_relaxed) != 0) continue;
      ++free;
      last_free = slot;
    }
    if (free > most_free) {
      most_free = free;
      best = {&bucket, last_free};
    }
  }
  if (best.bucket == nullptr) {
    refused_.add();
    return false;
  }
  std::atomic_ref<std::uint32_t>(best.bucket->values[best.index]).store(value + 1, std::memory_order_release);  // 1
  set_tag(*best.bucket, best.index, place.tag);                                                                 // 2
  size_.add();
  return true;
}

Table::Slot Table::locate(const Place& place, std::uint32_t value) noexcept {
  for (const std::uint32_t number : {place.first, place.second}) {
    Bucket& bucket = buckets_[number];
    for (std::size_t slot = 0; slot != kSlots; ++slot) {
      if (load(bucket.values[slot], std::memory_order_relaxed) == value + 1) return {&bucket, slot};
    }
  }
  return {};
}

bool Table::erase(std::uint64_t hash, std::uint32_t value) noexcept {
  const Slot slot = value == kNone ? Slot{} : locate(place_of(hash), value);
  if (slot.bucket == nullptr) return false;
  set_tag(*slot.bucket, slot.index, 0);                                                                 // 3
  std::atomic_ref<std::uint32_t>(slot.bucket->values[slot.index]).store(0, std::memory_order_release);  // 3
  size_.subtract();
  return true;
}

bool Table::replace(std::uint64_t hash, std::uint32_t old_value, std::uint32_t new_value) noexcept {
  assert(new_value != kNone);
  const Slot slot = old_value == kNone ? Slot{} : locate(place_of(hash), old_value);
  if (slot.bucket == nullptr) return false;
  std::atomic_ref<std::uint32_t>(slot.bucket->values[slot.index]).store(new_value + 1, std::memory_order_release);  // 1
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

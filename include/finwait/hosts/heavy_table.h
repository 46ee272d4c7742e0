// Counters for the heaviest of any number of keys, in memory sized at the start.
//
// Sets of eight. When a set is full, a newcomer takes the place of its lightest entry and that one's weight on top of its own
// (space-saving, Metwally et al. 2005). Always true: of the weight W that came to a set, an entry with more than W / 8 is never the one to
// go; nothing is allocated after the constructor; a look-up reads one line of tags, one of weights when it has to make room, and the entry
// itself. Which set a key belongs to is keyed, so nobody outside can crowd one.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "finwait/base/hash.h"
#include "finwait/base/memory.h"
#include "finwait/wire/flow_key.h"

namespace finwait::hosts {

/// hash.hash40(bytes), never inlined: callers here are many and run once for a connection, so that the one that runs for each packet stays
/// inlined.
[[nodiscard]] std::uint64_t hash_of(const base::KeyedHash& hash, const void* bytes) noexcept;

template <class Value>
class HeavyTable {
  static_assert(std::is_trivially_copyable_v<Value> && std::is_trivially_default_constructible_v<Value>, "entries live in pages of zeros");

 public:
  /// Room for about `capacity` keys. Throws std::bad_alloc.
  HeavyTable(std::size_t capacity, std::uint64_t seed)
      : hash_(seed), sets_((capacity + kSet - 1) / kSet), heads_(sets_), slots_(sets_ * kSet) {}

  /// The key's value, made room for if need be; `weight` is added to its weight. leaving(value) is called for one that has to go.
  template <class F>
  Value& touch(const wire::FlowKey& key, std::uint64_t weight, F&& leaving) noexcept {
    const Place place = place_of(key);
    Head& head = heads_[place.set];
    Slot* slots = slots_.begin() + place.set * kSet;
    std::size_t free = kSet;
    for (std::size_t n = 0; n != kSet; ++n) {
      if (head.tags[n] == place.tag && slots[n].key == key) {
        head.weights[n] += weight;
        return slots[n].value;
      }
      if (head.tags[n] == 0 && free == kSet) free = n;
    }
    if (free == kSet) {
      free = static_cast<std::size_t>(std::min_element(head.weights.begin(), head.weights.end()) - head.weights.begin());
      leaving(slots[free].value);
      ++evicted_;
    }
    head.tags[free] = place.tag;
    head.weights[free] += weight;
    slots[free].key = key;
    slots[free].value = Value{};
    return slots[free].value;
  }

  /// The key's value, or null.
  [[nodiscard]] Value* find(const wire::FlowKey& key) noexcept {
    const Place place = place_of(key);
    for (std::size_t n = 0; n != kSet; ++n) {
      Slot& slot = slots_[place.set * kSet + n];
      if (heads_[place.set].tags[n] == place.tag && slot.key == key) return &slot.value;
    }
    return nullptr;
  }

  /// f(const wire::FlowKey&, const Value&), in no order that means anything.
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t set = 0; set != sets_; ++set) {
      for (std::size_t n = 0; n != kSet; ++n) {
        if (heads_[set].tags[n] != 0) f(slots_[set * kSet + n].key, slots_[set * kSet + n].value);
      }
    }
  }

  [[nodiscard]] std::uint64_t evicted() const noexcept { return evicted_; }
  [[nodiscard]] std::size_t memory() const noexcept { return sets_ * (sizeof(Head) + kSet * sizeof(Slot)); }

 private:
  static constexpr std::size_t kSet = 8;
  struct Head {
    std::array<std::uint64_t, kSet> weights;
    std::array<std::uint16_t, kSet> tags;  // 0: free
  };
  struct Slot {
    struct Key {
      std::array<std::byte, sizeof(wire::FlowKey)> bytes;
      bool operator==(const wire::FlowKey& other) const noexcept { return std::memcmp(bytes.data(), &other, sizeof other) == 0; }
      Key& operator=(const wire::FlowKey& other) noexcept {
        std::memcpy(bytes.data(), &other, sizeof other);
        return *this;
      }
      operator wire::FlowKey() const noexcept {  // NOLINT(google-explicit-constructor): the same thing in pages of zeros
        wire::FlowKey copy;
        std::memcpy(static_cast<void*>(&copy), bytes.data(), sizeof copy);
        return copy;
      }
    } key;
    Value value;
  };
  struct Place {
    std::size_t set;
    std::uint16_t tag;
  };

  [[nodiscard]] Place place_of(const wire::FlowKey& key) const noexcept {
    const std::uint64_t h = hash_of(hash_, &key);
    return {static_cast<std::size_t>((h >> 32) * sets_ >> 32), static_cast<std::uint16_t>(h | 1)};
  }

  base::KeyedHash hash_;
  std::size_t sets_;
  base::FixedArray<Head> heads_;
  base::FixedArray<Slot> slots_;
  std::uint64_t evicted_ = 0;
};

}  // namespace finwait::hosts

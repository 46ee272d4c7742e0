// Counters for the heaviest of any number of keys, in memory sized at the start.
//
// Sets of eight. When a set is full, a newcomer takes the place of its lightest entry and that one's weight on top of its own
// (space-saving, Metwally et al. 2005). Always true: of the weight W that came to a set, an entry with more than W / 8 is never the one to
// go (weights stand still at 2^32 - 1); nothing is allocated after the constructor; a look-up reads one cache line and the entry itself,
// and both can be fetched ahead. The caller brings the hash of each key: it must be keyed, so that nobody outside can crowd a set.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "finwait/base/memory.h"
#include "finwait/hosts/least.h"
#include "finwait/hosts/tags.h"
#include "finwait/wire/flow_key.h"

namespace finwait::hosts {

template <class Value>
class HeavyTable {
  static_assert(std::is_trivially_copyable_v<Value> && std::is_trivially_default_constructible_v<Value>, "entries live in pages of zeros");

 public:
  /// Room for about `capacity` keys. Throws std::bad_alloc.
  explicit HeavyTable(std::size_t capacity) : sets_((capacity + kSet - 1) / kSet), heads_(sets_), slots_(sets_ * kSet) {}

  /// The key's value, made room for if need be; `weight` is added to its weight. leaving(value) is called for one that has to go.
  template <class F>
  Value& touch(const wire::FlowKey& key, std::uint64_t hash, std::uint32_t weight, F&& leaving) noexcept {
    const Place place = place_of(hash);
    Head& head = heads_[place.set];
    Slot* slots = slots_.begin() + place.set * kSet;
    std::size_t n = at(place, key);
    if (n == kSet) {
      n = head.next.find(head.tags, head.weights);
      if (head.tags[n] != 0) {
        leaving(slots[n].value);
        ++evicted_;
      }
      const std::uint32_t inherited = grown(head.weights[n], weight);
      head.next.note_newcomer(n, inherited, head.tags, head.weights);
      head.tags[n] = place.tag;
      head.weights[n] = inherited;
      slots[n].key = key;
      slots[n].value = nothing_;
      return slots[n].value;
    }
    head.weights[n] = grown(head.weights[n], weight);
    head.next.note_growth(n);
    return slots[n].value;
  }

  /// The key's value, or null.
  [[nodiscard]] Value* find(const wire::FlowKey& key, std::uint64_t hash) noexcept {
    const Place place = place_of(hash);
    const std::size_t n = at(place, key);
    return n == kSet ? nullptr : &slots_[place.set * kSet + n].value;
  }

  /// Fetches what says where an entry is, and later the entry that it probably is, or whose place it takes.
  void prefetch(std::uint64_t hash) const noexcept { heads_.prefetch(place_of(hash).set); }
  void prefetch_entry(std::uint64_t hash) const noexcept {
    const Place place = place_of(hash);
    const Head& head = heads_[place.set];
    const std::size_t n = TagMarks(head.tags, place.tag).first_or(head.next.guess);
    base::prefetch_lines(slots_.begin() + place.set * kSet + n, std::min(sizeof(Slot), kFetched));
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
  static constexpr std::size_t kFetched = 4 * base::kCacheLine;
  static constexpr std::uint32_t kHeaviest = 0xffff'ffff;
  struct alignas(base::kCacheLine) Head {
    std::array<std::uint32_t, kSet> weights;
    std::array<std::uint8_t, kSet> tags;  // 0: free
    NextPlace next;
  };
  struct Slot {
    struct Key {
      std::array<std::byte, sizeof(wire::FlowKey)> bytes;
      bool operator==(const wire::FlowKey& other) const noexcept { return static_cast<wire::FlowKey>(*this) == other; }
      Key& operator=(const wire::FlowKey& other) noexcept {
        std::memcpy(bytes.data(), &other, sizeof other);
        return *this;
      }
      operator wire::FlowKey() const noexcept {  // NOLINT(google-explicit-constructor): the same thing in pages of zeros
        wire::FlowKey copy;
        std::memcpy(static_cast<void*>(&copy), bytes.data(), sizeof copy);
        return copy;
      }
    };
    Value value;  // first: what is written in blocks and read in words right after must not lie across cache lines
    Key key;
  };
  struct Place {
    std::size_t set;
    std::uint8_t tag;
  };

  [[nodiscard]] Place place_of(std::uint64_t hash) const noexcept {
    return {static_cast<std::size_t>((hash >> 32) * sets_ >> 32), tag_of(hash)};
  }
  /// Where in its set the key is; kSet: nowhere.
  [[nodiscard]] std::size_t at(const Place& place, const wire::FlowKey& key) const noexcept {
    const Slot* slots = slots_.begin() + place.set * kSet;
    for (TagMarks marks(heads_[place.set].tags, place.tag); marks.any(); marks.drop_first()) {
      if (slots[marks.first()].key == key) return marks.first();
    }
    return kSet;
  }

  [[nodiscard]] static std::uint32_t grown(std::uint32_t weight, std::uint32_t by) noexcept {
    return weight > kHeaviest - by ? kHeaviest : weight + by;
  }

  std::size_t sets_;
  base::FixedArray<Head> heads_;
  base::FixedArray<Slot> slots_;
  std::uint64_t evicted_ = 0;
  Value nothing_{};  // to be copied, which takes the compiler fewer cycles than to fill with zeros
};

}  // namespace finwait::hosts

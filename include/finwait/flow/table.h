// The table from a flow's hash to a value: the index of a record that the caller keeps.
//
// A bucket is one cache line with ten slots; a slot is a 16-bit tag and a 32-bit value. The hash names two buckets and the tag. An entry
// stands in either of the two and never moves; insert takes the emptier. There are no tombstones and no rehash, so a lookup reads at most
// two lines, however long the table has lived. The table stores no keys: where a tag matches, the caller's functor compares with the
// record.
//
// Always true: capacity() >= 2 * promised. At a load of one half both buckets being full is not seen in tens of millions of replacements
// (with ideal hashing the first refusal comes above 0.6); it is possible all the same, and then insert refuses and counts.
//
// Threads: one writer (insert, erase, replace), any number of readers (everything const). Every method is wait-free: at most two buckets
// are looked at. A reader finds each entry that stands for the whole of its search. What a reader gets may be erased, and its record given
// to another flow, before it looks: it must take its copy of the record by a means of its own and compare the key in that copy.
//
//   The atomics of a slot, and their partners. Values are stored before tags (insert), tags taken away before values (erase).
//   1 value store, release (insert, replace)  -> 5: what the writer wrote to the record is seen by who reads the value
//   2 tag store, release (insert)             -> 4: who sees the tag sees the value of 1, or a later one
//   3 tag store, value store, release (erase) -> 4, 5: who still saw the tag finds the old value, none, or a later one
//   4 tag load, acquire (readers)             -> 2, 3
//   5 value load, acquire (readers)           -> 1, 3
//   The writer loads its own stores: relaxed.
//
// Not here: keys, records, time, and the choice of whom to evict.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "finwait/base/counter.h"
#include "finwait/base/memory.h"
#include "finwait/base/pool.h"

namespace finwait::flow {

using base::kNone;

class Table {
 public:
  static constexpr std::size_t kSlots = 10;
  /// At most so many entries share the two buckets of a hash.
  static constexpr std::size_t kMaxVictims = 2 * kSlots;
  static constexpr std::size_t kMaxPromised = std::size_t{1} << 28;

  /// Room for twice the `promised` entries. Throws std::bad_alloc, std::invalid_argument above kMaxPromised.
  explicit Table(std::size_t promised_entries);

  /// Fetches the two buckets of a hash. Any thread.
  void prefetch(std::uint64_t hash) const noexcept {
    const Place place = place_of(hash);
    buckets_.prefetch(place.first);
    buckets_.prefetch(place.second);
  }

  /// The value for which equal(value) is true among those whose tag matches, or kNone. Any thread. `equal` is called at most kMaxVictims
  /// times, and hardly ever for an entry of another hash.
  template <class Equal>
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, Equal&& equal) const noexcept {
    const Place place = place_of(hash);
    for (std::uint64_t left = tagged(place, place.tag); left != 0; left &= left - 1) {
      const std::uint32_t kept = load(slot_at(place, left), std::memory_order_acquire);  // 5
      if (kept != 0 && equal(kept - 1)) return kept - 1;
    }
    return kNone;
  }

  /// Calls f(value) for each entry whose tag matches, at most kMaxVictims times: whose records to prefetch. Any thread.
  template <class F>
  void candidates(std::uint64_t hash, F&& f) const noexcept {
    const auto visit = [&f](std::uint32_t value) {
      f(value);
      return false;
    };
    static_cast<void>(find(hash, visit));
  }

  /// Adds an entry. The caller has made sure that the flow is not there. False when both buckets are full: see victims(). value != kNone.
  [[nodiscard]] bool insert(std::uint64_t hash, std::uint32_t value) noexcept;

  /// Takes out the entry with this hash and value; false when there is none.
  bool erase(std::uint64_t hash, std::uint32_t value) noexcept;

  /// Puts new_value in the place of old_value; false when that is not there. A reader sees one or the other, never neither.
  bool replace(std::uint64_t hash, std::uint32_t old_value, std::uint32_t new_value) noexcept;

  /// Writes the values in the two buckets of a hash, whatever their tags, and returns how many: erasing one of them makes room for the
  /// hash. `out` shorter than kMaxVictims gets the first ones.
  [[nodiscard]] std::size_t victims(std::uint64_t hash, std::span<std::uint32_t> out) const noexcept;

  /// Entries in the table; times that insert found no room. Any thread.
  [[nodiscard]] std::size_t size() const noexcept { return size_.value(); }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_.value(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return buckets_.size() * kSlots; }

 private:
  static constexpr unsigned kLanes = 4;
  static constexpr unsigned kTagWords = 3;
  static constexpr std::uint64_t kOnes = 0x0001'0001'0001'0001;
  static constexpr std::uint64_t kLows = 0x7fff'7fff'7fff'7fff;

  /// Plain words, reached through std::atomic_ref only: zero pages are empty buckets without a constructor's run.
  /// Tag 0 is an empty slot; the last two lanes have no slot and stay 0. A value is kept plus one, 0 is none.
  struct alignas(base::kCacheLine) Bucket {
    std::array<std::uint64_t, kTagWords> tags;
    std::array<std::uint32_t, kSlots> values;
  };
  static_assert(sizeof(Bucket) == base::kCacheLine);
  static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free && std::atomic_ref<std::uint32_t>::is_always_lock_free);

  struct Place {
    std::uint32_t first;
    std::uint32_t second;
    std::uint16_t tag;
  };

  /// Buckets by the upper bits of each half, the tag by the lower bits of each, so that they stay independent up to 2^24 buckets.
  [[nodiscard]] Place place_of(std::uint64_t hash) const noexcept {
    const std::uint64_t low = hash & 0xffff'ffff;
    const std::uint64_t high = hash >> 32;
    const std::uint64_t count = buckets_.size();
    const auto first = static_cast<std::uint32_t>((low * count) >> 32);
    auto second = static_cast<std::uint32_t>((high * count) >> 32);
    if (second == first) second = second + 1 == count ? 0 : second + 1;
    const auto tag = static_cast<std::uint16_t>((low & 0xff) << 8 | (high & 0xff));
    return {first, second, tag != 0 ? tag : std::uint16_t{1}};
  }

  /// Bit 15 of each lane that equals the tag, exactly: no carry crosses a lane.
  [[nodiscard]] static std::uint64_t matches(std::uint64_t tags, std::uint16_t tag) noexcept {
    const std::uint64_t differs = tags ^ (kOnes * tag);
    return ~(((differs & kLows) + kLows) | differs | kLows);
  }

  template <class Word>
  [[nodiscard]] static Word load(const Word& word, std::memory_order order) noexcept {
    // std::atomic_ref<const Word> comes only with C++26; a load writes nothing.
    return std::atomic_ref<Word>(const_cast<Word&>(word)).load(order);
  }

  /// The slots of both buckets with a tag, in one word: bit 16 * lane + 4 * bucket + word. One word, so that a search has no branch but its
  /// loop, which nearly always runs once.
  [[nodiscard]] std::uint64_t tagged(const Place& place, std::uint16_t tag) const noexcept {
    const Bucket& first = buckets_[place.first];
    const Bucket& second = buckets_[place.second];
    std::uint64_t found = 0;
    for (unsigned word = 0; word != kTagWords; ++word) {
      found |= matches(load(first.tags[word], std::memory_order_acquire), tag) >> (15 - word);       // 4
      found |= matches(load(second.tags[word], std::memory_order_acquire), tag) >> (15 - 4 - word);  // 4
    }
    return found;
  }

  /// Where the lowest bit of tagged() stands.
  struct Slot {
    std::uint32_t bucket;
    std::uint32_t index;
  };
  static constexpr Slot kNoSlot{kNone, 0};
  [[nodiscard]] static Slot slot_of(const Place& place, std::uint64_t found) noexcept {
    const auto bit = static_cast<unsigned>(std::countr_zero(found));
    return {(bit & 4) != 0 ? place.second : place.first, (bit & 3) * kLanes + bit / 16};
  }
  [[nodiscard]] const std::uint32_t& slot_at(const Place& place, std::uint64_t found) const noexcept {
    const Slot slot = slot_of(place, found);
    return buckets_[slot.bucket].values[slot.index];
  }

  [[nodiscard]] Slot locate(const Place& place, std::uint32_t value) const noexcept;
  void set_tag(const Slot& slot, std::uint16_t tag) noexcept;
  void set_value(const Slot& slot, std::uint32_t kept) noexcept;

  base::FixedArray<Bucket> buckets_;
  base::Counter size_;
  base::Counter refused_;
};

}  // namespace finwait::flow

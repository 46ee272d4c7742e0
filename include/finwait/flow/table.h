// The table from a flow's hash to a value: the index of a record that the caller keeps.
//
// A bucket is one cache line with twelve slots; a slot is an 8-bit tag and a 32-bit value. The hash names two buckets and the tag. An entry
// goes into the first bucket, unless that is nearly full and the second has more room, and never moves. A bucket counts the entries that
// had to go elsewhere, so a look-up reads one line, and the second only behind a bucket that has overflowed: one in five when the table
// holds all it was promised, hardly any below two thirds of that. There are no tombstones and no rehash: a table that has lived long is as
// fast as a new one. It stores no keys: where a tag matches, the caller's functor compares with the record.
//
// Always true: capacity() >= 2 * promised. At a load of one half both buckets being full is not seen in tens of millions of replacements
// (with ideal hashing the first refusal comes above 0.6); it is possible all the same, and then insert refuses and counts.
//
// Threads: one writer (insert, erase, replace), any number of readers (everything const). Every method is wait-free: at most two buckets
// are looked at. A reader finds each entry that stands for the whole of its search. What a reader gets may be erased, and its record given
// to another flow, before it looks: it must take its copy of the record by a means of its own and compare the key in that copy.
//
//   The atomics of a bucket, and their partners. insert goes 0, 1, 2; erase goes 3, 0. So as long as an entry stands in its second bucket,
//   its first says that there is one, and whoever finds the tag finds the value.
//   0 overflow store, release (insert, erase) -> 4: it stands in a word of tags, so who sees those sees it too
//   1 value store, release (insert, replace)  -> 5: what the writer wrote to the record is seen by who reads the value
//   2 tag store, release (insert)             -> 4: who sees the tag sees the value of 1, or a later one
//   3 tag store, value store, release (erase) -> 4, 5: who still saw the tag finds the old value, none, or a later one
//   4 tag load, acquire (readers)             -> 0, 2, 3
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
#include "finwait/flow/tag_match.h"

namespace finwait::flow {

using base::kNone;

class Table {
 public:
  static constexpr std::size_t kSlots = 12;
  /// At most so many entries share the two buckets of a hash.
  static constexpr std::size_t kMaxVictims = 2 * kSlots;
  static constexpr std::size_t kMaxPromised = std::size_t{1} << 28;

  /// Room for twice the `promised` entries. Throws std::bad_alloc, std::invalid_argument above kMaxPromised.
  explicit Table(std::size_t promised_entries);

  /// Fetches the bucket of a hash in which its entry nearly always stands. Any thread.
  void prefetch(std::uint64_t hash) const noexcept { buckets_.prefetch(first_of(hash)); }

  /// The value for which equal(value) is true among those whose tag matches, or kNone. Any thread. `equal` is called at most kMaxVictims
  /// times: for one in forty look-ups with an entry of another hash when the table holds all it was promised, for fewer before.
  template <class Equal>
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, Equal&& equal) const noexcept {
    const std::uint32_t first = first_of(hash);
    const Tags tags = tags_of(first);
    const std::uint32_t found = find_in(first, tags.matching(tag_of(hash)), equal);
    if (found != kNone || tags.overflow() == 0) [[likely]]
      return found;
    const std::uint32_t second = second_of(hash, first);
    return find_in(second, tags_of(second).matching(tag_of(hash)), equal);
  }

  /// True only if find() would compare with no entry at all: no key of this hash is there. Any thread.
  [[nodiscard]] bool has_none(std::uint64_t hash) const noexcept {
    const std::uint32_t first = first_of(hash);
    const Tags tags = tags_of(first);
    if (tags.matching(tag_of(hash)) != 0) return false;
    return tags.overflow() == 0 || tags_of(second_of(hash, first)).matching(tag_of(hash)) == 0;
  }

  /// Calls f(value) for each entry that find() would most likely compare with, at most kSlots times: whose records to fetch. They stand in
  /// the first bucket, or in the second if none does. Any thread.
  template <class F>
  void candidates(std::uint64_t hash, F&& f) const noexcept {
    const auto visit = [&f](std::uint32_t value) {
      f(value);
      return false;
    };
    const std::uint32_t first = first_of(hash);
    const Tags tags = tags_of(first);
    const std::uint32_t matching = tags.matching(tag_of(hash));
    static_cast<void>(find_in(first, matching, visit));
    if (matching != 0 || tags.overflow() == 0) [[likely]]
      return;
    const std::uint32_t second = second_of(hash, first);
    static_cast<void>(find_in(second, tags_of(second).matching(tag_of(hash)), visit));
  }

  /// Adds an entry. The caller has made sure that the flow is not there. False when both buckets are full: see victims(). value != kNone.
  [[nodiscard]] bool insert(std::uint64_t hash, std::uint32_t value) noexcept;

  /// Takes out the entry with this hash and value; false when there is none.
  bool erase(std::uint64_t hash, std::uint32_t value) noexcept;

  /// Puts new_value in the place of old_value; false when that is not there. A reader sees one or the other, never neither.
  bool replace(std::uint64_t hash, std::uint32_t old_value, std::uint32_t new_value) noexcept;

  /// Takes out all entries, and gives the memory back. No reader looks on.
  void clear() noexcept;

  /// Writes the values in the two buckets of a hash, whatever their tags, and returns how many: erasing one of them makes room for the
  /// hash. `out` shorter than kMaxVictims gets the first ones.
  [[nodiscard]] std::size_t victims(std::uint64_t hash, std::span<std::uint32_t> out) const noexcept;

  /// Entries in the table; times that insert found no room. Any thread.
  [[nodiscard]] std::size_t size() const noexcept { return size_.value(); }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_.value(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return buckets_.size() * kSlots; }

 private:
  static constexpr std::uint32_t kSlotBits = (1U << kSlots) - 1;
  static constexpr unsigned kOverflowShift = 32;

  /// Plain words, reached through std::atomic_ref only: zero pages are empty buckets without a constructor's run.
  /// A byte a tag, 0 is an empty slot; the upper half of the second word counts the entries that this bucket, their first, had no room for.
  /// A value is kept plus one, 0 is none.
  struct alignas(base::kCacheLine) Bucket {
    std::array<std::uint64_t, 2> tags;
    std::array<std::uint32_t, kSlots> values;
  };
  static_assert(sizeof(Bucket) == base::kCacheLine);
  static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free && std::atomic_ref<std::uint32_t>::is_always_lock_free);

  /// A bucket's words of tags as they were when they were loaded.
  struct Tags {
    std::uint64_t low;
    std::uint64_t high;
    [[nodiscard]] std::uint32_t matching(std::uint8_t tag) const noexcept { return match(low, high, tag) & kSlotBits; }
    [[nodiscard]] std::uint32_t overflow() const noexcept { return static_cast<std::uint32_t>(high >> kOverflowShift); }
  };

  struct Slot {
    Bucket* bucket;
    unsigned index;
  };

  /// The first bucket by the lower half of the hash, the second by the upper bits of the upper half and the tag by its lower ones: the tag
  /// tells nothing of the first bucket, and nothing of the second up to 2^24 buckets.
  [[nodiscard]] std::uint32_t first_of(std::uint64_t hash) const noexcept {
    return static_cast<std::uint32_t>(((hash & 0xffff'ffff) * buckets_.size()) >> 32);
  }
  [[nodiscard]] std::uint32_t second_of(std::uint64_t hash, std::uint32_t first) const noexcept {
    const auto second = static_cast<std::uint32_t>(((hash >> 32) * buckets_.size()) >> 32);
    if (second != first) return second;
    return second + 1 == buckets_.size() ? 0 : second + 1;
  }
  [[nodiscard]] static std::uint8_t tag_of(std::uint64_t hash) noexcept {
    const auto tag = static_cast<std::uint8_t>(hash >> 32);
    return tag != 0 ? tag : std::uint8_t{1};
  }

  template <class Word>
  [[nodiscard]] static Word load(const Word& word, std::memory_order order) noexcept {
    // std::atomic_ref<const Word> comes only with C++26; a load writes nothing.
    return std::atomic_ref<Word>(const_cast<Word&>(word)).load(order);
  }

  [[nodiscard, gnu::always_inline]] static Tags tags_of(const Bucket& bucket) noexcept {
    return {load(bucket.tags[0], std::memory_order_acquire), load(bucket.tags[1], std::memory_order_acquire)};  // 4
  }
  [[nodiscard, gnu::always_inline]] Tags tags_of(std::uint32_t bucket) const noexcept { return tags_of(buckets_[bucket]); }

  template <class Equal>
  [[nodiscard]] std::uint32_t find_in(std::uint32_t bucket, std::uint32_t matching, Equal& equal) const noexcept {
    for (; matching != 0; matching &= matching - 1) {
      const std::uint32_t kept =
          load(buckets_[bucket].values[static_cast<unsigned>(std::countr_zero(matching))], std::memory_order_acquire);  // 5
      if (kept != 0 && equal(kept - 1)) return kept - 1;
    }
    return kNone;
  }

  [[nodiscard]] static Slot locate_in(Bucket& bucket, const Tags& tags, std::uint8_t tag, std::uint32_t value) noexcept;
  [[nodiscard]] Slot locate(std::uint64_t hash, std::uint32_t value) noexcept;
  static void toggle_tag(const Slot& slot, std::uint8_t tag) noexcept;
  static void set_value(const Slot& slot, std::uint32_t kept) noexcept;
  static void add_overflow(Bucket& bucket, std::uint64_t n) noexcept;

  base::FixedArray<Bucket> buckets_;
  base::Counter size_;
  base::Counter refused_;
};

}  // namespace finwait::flow

// Many are sorted by their bits, not by comparing, which costs a wrong guess of the processor for every other comparison: Boost.Sort's
// spreadsort, in place, which is std::sort where they are few. What is left at the end of input lies so close together that counting is
// quicker still, by ten times.
#include "due.h"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/sort/pdqsort/pdqsort.hpp>
#include <boost/sort/spreadsort/integer_sort.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>

namespace finwait::tcp {
namespace {

namespace spreadsort = boost::sort::spreadsort;

/// In the same order as times, without a sign.
std::uint64_t bits_of(base::Timestamp at) noexcept { return static_cast<std::uint64_t>(at) ^ std::uint64_t{1} << 63; }

void sort_by_time(std::span<Due> dues) {
  spreadsort::integer_sort(
      dues.begin(), dues.end(), [](const Due& due, unsigned shift) { return bits_of(due.at) >> shift; },
      [](const Due& a, const Due& b) { return a.at < b.at; });
}

void sort_by_number(std::span<Due> dues) {
  spreadsort::integer_sort(
      dues.begin(), dues.end(), [](const Due& due, unsigned shift) { return due.number >> shift; },
      [](const Due& a, const Due& b) { return a.number < b.number; });
}

constexpr unsigned kNumberBits = 32;  // the upper ones of a word
constexpr unsigned kMostPlaceBits = 13;
using Places = std::array<std::uint32_t, std::size_t{1} << kMostPlaceBits>;

/// Into `to`, by `bits` of their number from `shift` on; those of which these are alike stay in their order. `ends` becomes where each
/// value of these bits ends there.
void place_by_bits(std::span<const std::uint64_t> from, std::uint64_t* to, unsigned shift, unsigned bits, Places& ends) noexcept {
  const auto part_of = [shift = shift + kNumberBits, mask = (std::uint64_t{1} << bits) - 1](std::uint64_t word) {
    return word >> shift & mask;
  };
  const std::span<std::uint32_t> places(ends.data(), std::size_t{1} << bits);
  std::fill(places.begin(), places.end(), 0);
  for (const std::uint64_t word : from) ++places[part_of(word)];
  std::uint32_t before = 0;
  for (std::uint32_t& place : places) before += std::exchange(place, before);
  for (const std::uint64_t word : from) to[places[part_of(word)]++] = word;
}

/// By number: all by its upper bits, then those that have these in common, which stand close together, by its lower ones. Not the other way
/// round: they come nearly in order, and if hardly one is missing, places that are written to in turn would stand a power of two apart.
/// Throws std::bad_alloc before anything has moved.
void sort_by_number(std::span<std::uint64_t> words) {
  constexpr std::size_t kFew = 1000;
  if (words.size() < kFew) return boost::sort::pdqsort_branchless(words.begin(), words.end());
  std::uint64_t any = 0;
  for (const std::uint64_t word : words) any |= word;
  const auto width = static_cast<unsigned>(std::bit_width(any >> kNumberBits));
  const unsigned upper = std::min(width, kMostPlaceBits);
  const unsigned lower = width - upper;
  base::FixedArray<std::uint64_t> beside(words.size());  // not from the heap, which would keep it
  Places ends;
  Places ends_within;
  place_by_bits(words, beside.begin(), lower, upper, ends);
  std::size_t begin = 0;
  for (std::size_t place = 0; place != std::size_t{1} << upper; ++place) {
    const std::span<std::uint64_t> part(beside.begin() + begin, ends[place] - begin);
    constexpr std::size_t kPlacesForEach = 32;  // more of them, and comparing is quicker
    if (std::size_t{1} << lower <= kPlacesForEach * part.size() && lower <= kMostPlaceBits) {
      place_by_bits(part, words.data() + begin, 0, lower, ends_within);
    } else {
      boost::sort::pdqsort_branchless(part.begin(), part.end());
      std::copy(part.begin(), part.end(), words.begin() + static_cast<std::ptrdiff_t>(begin));
    }
    begin = ends[place];
  }
}

}  // namespace

void put_in_order(std::span<Due> dues) noexcept {
  if (std::is_sorted(dues.begin(), dues.end())) return;
  try {
    sort_by_time(dues);
    for (auto begin = dues.begin(); begin != dues.end();) {
      const auto end = std::find_if(begin, dues.end(), [at = begin->at](const Due& due) { return due.at != at; });
      sort_by_number({begin, end});
      begin = end;
    }
  } catch (const std::bad_alloc&) {  // for its counters; all are there still, in whatever order
    std::sort(dues.begin(), dues.end());
  }
}

const Due* Dues::next() noexcept {
  if (first_ != end_) return given_ = &all_[first_++];
  first_ = end_ = 0;
  if (words_ == 0) return nullptr;
  const Word word = *first_word();
  --words_;
  unpacked_ = {base::kNever, least_ + (word >> 32), index_in(word), false};
  return given_ = &unpacked_;
}

// A word has 32 bits for a number: what began before the last 2^32 frames, and is still remembered, is pushed as any other.
void Dues::begin_last(std::uint64_t newest) noexcept {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  least_ = newest - std::min(newest, kMost);
  make_room();
  begin_tick();
}

void Dues::end_last() noexcept {
  end_tick();
  const std::span<Word> words(first_word(), words_);
  try {
    sort_by_number(words);
  } catch (const std::bad_alloc&) {
    std::sort(words.begin(), words.end());
  }
}

/// There is room: each has a place of its own, but those given before stand in front.
void Dues::make_room() noexcept {
  std::copy(all_.begin() + first_, all_.begin() + end_, all_.begin());
  sorted_ -= std::min(sorted_, first_);
  end_ -= first_;
  first_ = 0;
}

void Dues::give_at_once(std::size_t n, base::Timestamp clock, std::uint64_t frame) noexcept {
  const std::span<Due> given(all_.begin() + first_ + n, all_.begin() + end_);
  put_in_order(given);
  for (Due& due : given) due = {clock, frame, due.index, true};
}

}  // namespace finwait::tcp

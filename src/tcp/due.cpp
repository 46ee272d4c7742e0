// Many are sorted by their bits, not by comparing, which costs a wrong guess of the processor for every other comparison: Boost.Sort's
// spreadsort, in place, which is std::sort where they are few.
#include "due.h"

#include <algorithm>
#include <boost/sort/spreadsort/integer_sort.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>

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

/// The same of many of one time, whose numbers are close enough; false if they are not. Nothing but number and index differs, so words of
/// both are sorted, at the beginning of their own memory, and from the last to the first each is written where it belongs: behind all words
/// that are still to be read.
bool sort_words(std::span<Due> dues) {
  using Word = std::uint64_t;
  constexpr std::size_t kMany = 1000;
  static_assert(sizeof(Due) % sizeof(Word) == 0 && alignof(Due) == alignof(Word));
  if (dues.size() < kMany) return false;
  const base::Timestamp at = dues[0].at;
  const bool at_once = dues[0].at_once;
  std::uint64_t least = dues[0].number;
  std::uint64_t most = dues[0].number;
  for (const Due& due : dues) {
    if (due.at_once != at_once) return false;
    least = std::min(least, due.number);
    most = std::max(most, due.number);
  }
  if (most - least > std::numeric_limits<std::uint32_t>::max()) return false;
  auto* words = reinterpret_cast<Word*>(dues.data());
  Due due{};
  for (std::size_t n = 0; n != dues.size(); ++n) {
    std::memcpy(&due, &dues[n], sizeof due);
    words[n] = (due.number - least) << 32 | due.index;
  }
  try {
    spreadsort::integer_sort(words, words + dues.size());
  } catch (const std::bad_alloc&) {  // as in put_in_order()
    std::sort(words, words + dues.size());
  }
  for (std::size_t n = dues.size(); n-- != 0;) {
    due = {at, least + (words[n] >> 32), static_cast<std::uint32_t>(words[n]), at_once};
    std::memcpy(&dues[n], &due, sizeof due);
  }
  return true;
}

}  // namespace

void put_in_order(std::span<Due> dues) noexcept {
  if (std::is_sorted(dues.begin(), dues.end())) return;
  try {
    sort_by_time(dues);
    for (auto begin = dues.begin(); begin != dues.end();) {
      const auto end = std::find_if(begin, dues.end(), [at = begin->at](const Due& due) { return due.at != at; });
      if (!sort_words({begin, end})) sort_by_number({begin, end});
      begin = end;
    }
  } catch (const std::bad_alloc&) {  // for its counters; all are there still, in whatever order
    std::sort(dues.begin(), dues.end());
  }
}

const Due* Dues::next() noexcept {
  if (first_ != end_) return &all_[first_++];
  first_ = end_ = 0;
  return nullptr;
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

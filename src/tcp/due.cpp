// Many are sorted by their bits, not by comparing, which costs a wrong guess of the processor for every other comparison: Boost.Sort's
// spreadsort, in place, which is std::sort where they are few. What a flood leaves at the end of input are millions of one time: these are
// sorted by a radix sort of our own, which needs a tenth of the time, because of each only number and index need be moved.
#include "due.h"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/sort/spreadsort/integer_sort.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
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

/// Those of one time, in a third of their own memory each: their numbers, less the least, and their indices, as one word. A pass takes
/// these from one third to another, in the order of eight bits more of the numbers (least significant digit first); the last one to the
/// third at the end, from which whole ones are written again from the beginning on: each word is read before its place is written to.
class Words {
 public:
  explicit Words(std::span<Due> dues) noexcept
      : bytes_(reinterpret_cast<std::byte*>(dues.data())), count_(dues.size()), at_(dues[0].at), at_once_(dues[0].at_once) {}

  /// `most` - `least` < 2^32.
  void sort(std::uint64_t least, std::uint64_t most) noexcept {
    const auto digits = static_cast<unsigned>(std::bit_width(most - least) + kDigitBits - 1) / kDigitBits;
    for (std::size_t n = 0; n != count_; ++n) {
      Due due;
      std::memcpy(&due, bytes_ + n * sizeof due, sizeof due);
      put(0, n, (due.number - least) << 32 | due.index);
    }
    std::size_t from = 0;
    for (unsigned digit = 0; digit != digits; ++digit) {
      const std::size_t to = digit + 1 == digits ? 2 : 1 - from;
      pass(from, to, 32 + digit * kDigitBits);
      from = to;
    }
    for (std::size_t n = 0; n != count_; ++n) {
      const std::uint64_t word = get(from, n);
      const Due due{at_, least + (word >> 32), static_cast<std::uint32_t>(word), at_once_};
      std::memcpy(bytes_ + n * sizeof due, &due, sizeof due);
    }
  }

 private:
  static constexpr unsigned kDigitBits = 8;
  static constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
  static_assert(sizeof(Due) == 3 * sizeof(std::uint64_t));

  [[nodiscard]] std::byte* place(std::size_t third, std::size_t n) const noexcept {
    return bytes_ + (third * count_ + n) * sizeof(std::uint64_t);
  }
  [[nodiscard]] std::uint64_t get(std::size_t third, std::size_t n) const noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, place(third, n), sizeof word);
    return word;
  }
  void put(std::size_t third, std::size_t n, std::uint64_t word) noexcept { std::memcpy(place(third, n), &word, sizeof word); }

  void pass(std::size_t from, std::size_t to, unsigned shift) noexcept {
    std::array<std::size_t, kDigits> next{};
    for (std::size_t n = 0; n != count_; ++n) ++next[get(from, n) >> shift & (kDigits - 1)];
    std::size_t before = 0;
    for (std::size_t& count : next) before += std::exchange(count, before);
    for (std::size_t n = 0; n != count_; ++n) {
      const std::uint64_t word = get(from, n);
      put(to, next[word >> shift & (kDigits - 1)]++, word);
    }
  }

  std::byte* bytes_;
  std::size_t count_;
  base::Timestamp at_;
  bool at_once_;
};

/// True if they were many whose numbers are close enough; all alike but for number and index. They are sorted now.
bool sort_words(std::span<Due> dues) noexcept {
  constexpr std::size_t kMany = 1000;
  if (dues.size() < kMany) return false;
  std::uint64_t least = dues[0].number;
  std::uint64_t most = dues[0].number;
  for (const Due& due : dues) {
    if (due.at_once != dues[0].at_once) return false;
    least = std::min(least, due.number);
    most = std::max(most, due.number);
  }
  if (most - least > 0xffff'ffff) return false;
  if (most != least) Words(dues).sort(least, most);
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

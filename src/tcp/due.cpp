// Many are dealt out by the leading bits in which they differ, in place, until they are few (McIlroy, Bostic and McIlroy, "Engineering
// radix sort": American flag sort). Comparing millions costs a wrong guess of the processor for every other comparison.
#include "due.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <utility>

namespace finwait::tcp {
namespace {

constexpr std::size_t kFew = 64;
constexpr std::size_t kAhead = 8;
constexpr unsigned kBits = 8;
constexpr std::size_t kHeaps = std::size_t{1} << kBits;

/// The same order, without a sign.
struct ByTime {
  std::uint64_t operator()(const Due& due) const noexcept { return static_cast<std::uint64_t>(due.at) ^ std::uint64_t{1} << 63; }
};
struct ByNumber {
  std::uint64_t operator()(const Due& due) const noexcept { return due.number; }
};

/// By bits `shift` and up of what their keys are above `least`: no more than kBits. Then each heap by the bits below.
template <class Key>
void deal_out(std::span<Due> dues, std::uint64_t least, unsigned shift) noexcept {
  const auto heap_of = [=](const Due& due) { return static_cast<std::size_t>((Key()(due) - least) >> shift); };
  std::array<std::size_t, kHeaps> next{};
  std::array<std::size_t, kHeaps> end{};
  for (const Due& due : dues) ++end[heap_of(due)];
  for (std::size_t heap = 1; heap != kHeaps; ++heap) end[heap] += next[heap] = end[heap - 1];
  for (std::size_t heap = 0; heap != kHeaps; ++heap) {
    while (next[heap] != end[heap]) {
      Due due = dues[next[heap]];
      for (std::size_t home = heap_of(due); home != heap; home = heap_of(due)) {
        Due* place = dues.data() + next[home]++;
        base::prefetch_line(place + kAhead);  // where it goes on depends on what stands there: each would be waited for
        std::swap(due, *place);
      }
      dues[next[heap]++] = due;
    }
  }
  std::size_t begin = 0;
  for (std::size_t heap = 0; heap != kHeaps; begin = end[heap++]) {
    const std::span<Due> one = dues.subspan(begin, end[heap] - begin);
    if (one.size() < kFew || shift == 0) {
      put_in_order(one);
    } else {
      deal_out<Key>(one, least + (std::uint64_t{heap} << shift), shift > kBits ? shift - kBits : 0);
    }
  }
}

/// False if the keys are all the same.
template <class Key>
bool sort_by(std::span<Due> dues) noexcept {
  const auto before = [](const Due& a, const Due& b) { return Key()(a) < Key()(b); };
  const auto [first, last] = std::minmax_element(dues.begin(), dues.end(), before);
  const std::uint64_t least = Key()(*first);
  const auto width = static_cast<unsigned>(std::bit_width(Key()(*last) - least));
  if (width == 0) return false;
  deal_out<Key>(dues, least, width > kBits ? width - kBits : 0);
  return true;
}

}  // namespace

// Those of one heap whose bits are used up have the same key: those of one time are left to be sorted by number, those of one number are
// in order.
void put_in_order(std::span<Due> dues) noexcept {
  if (dues.size() < kFew) return std::sort(dues.begin(), dues.end());
  if (std::is_sorted(dues.begin(), dues.end())) return;
  if (!sort_by<ByTime>(dues)) sort_by<ByNumber>(dues);
}

const Due* Dues::next() noexcept {
  if (first_ != end_) return &all_[first_++];
  first_ = end_ = 0;
  return nullptr;
}

/// There is room: each has a place of its own, but those given before stand in front.
void Dues::push(base::Timestamp at, std::uint64_t number, std::uint32_t index, bool at_once) noexcept {
  if (end_ == all_.size()) {
    std::copy(all_.begin() + first_, all_.begin() + end_, all_.begin());
    sorted_ -= std::min(sorted_, first_);
    end_ -= first_;
    first_ = 0;
  }
  Due& due = all_[end_++];  // field by field: a whole one would be read as soon as it is written, and wait for that
  due.at = at;
  due.number = number;
  due.index = index;
  due.at_once = at_once;
}

void Dues::give_at_once(std::size_t n, base::Timestamp clock, std::uint64_t frame) noexcept {
  const std::span<Due> given(all_.begin() + first_ + n, all_.begin() + end_);
  put_in_order(given);
  for (Due& due : given) due = {clock, frame, due.index, true};
}

}  // namespace finwait::tcp

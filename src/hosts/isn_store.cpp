#include "finwait/hosts/isn_store.h"

#include <algorithm>
#include <cassert>

#include "finwait/hosts/least.h"
#include "finwait/hosts/tags.h"

namespace finwait::hosts {
namespace {

constexpr std::uint32_t kClose = 1U << 22;  // of 2^32: by chance one in 512, both sides

constexpr std::uint32_t kCloseWorth = 64;

/// What an entry is worth, before wear.
std::uint64_t value(const IsnStore::Entry& e) noexcept { return e.seen() + std::uint64_t{e.close()} * kCloseWorth; }

void raise(std::uint32_t& worth, std::uint32_t by) noexcept { worth = worth > 0xffff'ffff - by ? 0xffff'ffff : worth + by; }

}  // namespace

IsnStore::IsnStore(std::size_t bytes, std::uint64_t seed) : hash_(seed) {
  // Per host: an entry and a run of four; each larger size has as many bytes as the small ones have, by being fewer. The lists of runs take
  // ten bytes or so of those that stand for them.
  constexpr std::size_t kForLists = 40;
  constexpr std::size_t kPage = 4096;
  constexpr std::size_t kFixed = std::size_t{2} * kRuns.back() * sizeof(IsnObservation);
  const std::size_t usable = std::max(bytes, std::size_t{1} << 20) - kFixed;
  const std::size_t per_host = sizeof(Entry) + sizeof(Head) / kSet + kRuns.size() * kRuns[0] * sizeof(IsnObservation) + kForLists;
  sets_ = std::max<std::size_t>(usable / per_host / kSet, 1);
  const std::size_t capacity = sets_ * kSet;
  heads_ = base::FixedArray<Head>(sets_);
  entries_ = base::FixedArray<Entry>(capacity);
  scratch_ = base::FixedArray<IsnObservation>(kRuns.back());
  bytes_ = sets_ * sizeof(Head) + capacity * sizeof(Entry) + scratch_.size() * sizeof(IsnObservation);
  for (std::size_t i = 0; i < kRuns.size(); ++i) {
    const std::size_t runs = std::max<std::size_t>(capacity * kRuns[0] / kRuns[i], 1);
    // Of runs that take pages of their own each has only those that it has filled.
    const bool has_pages = kRuns[i] * sizeof(IsnObservation) >= 2 * kPage;
    pools_[i].samples =
        base::FixedArray<IsnObservation>(runs * kRuns[i], has_pages ? base::PageSize::kSmall : base::PageSize::kHugeIfLarge);
    pools_[i].owner = base::FixedArray<std::uint32_t>(runs);
    pools_[i].free = base::FixedArray<std::uint32_t>(runs);
    bytes_ += runs * (kRuns[i] * sizeof(IsnObservation) + 2 * sizeof(std::uint32_t));
  }
}

std::uint64_t IsnStore::hash(const IsnHost& host) const noexcept {
  wire::FlowKey subject;
  subject.low = {host.address};
  subject.low_port = host.port;
  subject.network = host.network;
  return hash(subject);
}

IsnStore::Place IsnStore::place_of(std::uint64_t hash) const noexcept { return {(hash >> 32) * sets_ >> 32, tag_of(hash)}; }

std::size_t IsnStore::at(const Place& place, const IsnHost& host) const noexcept {
  const Entry* set = entries_.begin() + place.set * kSet;
  for (TagMarks marks(heads_[place.set].tags, place.tag); marks.any(); marks.drop_first()) {
    if (set[marks.first()].host == host) return marks.first();
  }
  return kSet;
}

const IsnStore::Entry* IsnStore::find(const IsnHost& host) const noexcept {
  const Place place = place_of(hash(host));
  const std::size_t n = at(place, host);
  return n == kSet ? nullptr : &entries_[place.set * kSet + n];
}

void IsnStore::prefetch(std::uint64_t hash) const noexcept {
  const auto* head = reinterpret_cast<const std::byte*>(heads_.begin() + place_of(hash).set);
  base::prefetch_line(head);
  base::prefetch_line(head + base::kCacheLine);
}

std::uint32_t IsnStore::prefetch_entry(std::uint64_t hash) const noexcept {
  const Place place = place_of(hash);
  const Head& head = heads_[place.set];
  const std::size_t guess = place.set * kSet + TagMarks(head.tags, place.tag).first_or(head.next.guess);
  entries_.prefetch(guess);
  return static_cast<std::uint32_t>(guess);
}

void IsnStore::prefetch_run(std::uint32_t guess) const noexcept {
  const Entry& entry = entries_[guess];
  if (!entry.is_alone()) base::prefetch_line(run_of(entry) + entry.many.head);
}

void IsnStore::admit(const IsnHost& host, const Place& place, const IsnObservation& first) noexcept {
  Head& head = heads_[place.set];
  Entry* set = entries_.begin() + place.set * kSet;
  const std::size_t free = head.next.find(head.tags, head.worth);
  Entry& entry = set[free];
  const bool taken = head.tags[free] != 0;
  if (taken && head.worth[free] > 1) {
    --head.worth[free];
    return;
  }
  evicted_ += taken;
  hosts_ += !taken;
  if (taken && !entry.is_alone()) release(entry);
  entry.host.address = host.address;
  entry.host.network = host.network;
  entry.host.port = host.port;
  entry.kept = 1;
  entry.size = Entry::kAlone;
  entry.only = first;
  if (!taken) head.next.note_newcomer(free, 1, head.tags, head.worth);
  head.tags[free] = place.tag;
  head.worth[free] = 1;
}

bool IsnStore::take_run(std::uint32_t owner, std::uint8_t size, std::uint32_t& run) noexcept {
  Pool& pool = pools_[size];
  if (pool.freed > 0) {
    run = pool.free[--pool.freed];
  } else if (pool.used < pool.owner.size()) {
    run = pool.used++;
  } else {
    return false;
  }
  pool.owner[run] = owner;
  return true;
}

void IsnStore::release(const Entry& entry) noexcept {
  Pool& pool = pools_[entry.size];
  pool.free[pool.freed++] = entry.many.run;
}

void IsnStore::begin_run(Entry& entry) noexcept {
  const IsnObservation first = entry.only;
  std::uint32_t run = 0;
  [[maybe_unused]] const bool taken = take_run(static_cast<std::uint32_t>(&entry - entries_.begin()), 0, run);
  assert(taken && "there is one run of four for each entry");
  entry.many = {.seen = 1, .close = 0, .last = first.isn, .run = run, .head = 1};
  entry.size = 0;
  *run_of(entry) = first;
}

void IsnStore::move_run(Entry& entry, std::uint8_t size, std::uint32_t run) noexcept {
  // Unroll the ring, keep what fits of the latest, and write it from the beginning.
  const std::uint32_t old_size = kRuns[entry.size];
  const IsnObservation* old = run_of(entry);
  const std::uint32_t oldest = entry.kept < old_size ? 0 : entry.many.head;
  for (std::uint32_t i = 0; i < entry.kept; ++i) scratch_[i] = old[(oldest + i) % old_size];
  const std::uint32_t keep = std::min<std::uint32_t>(entry.kept, kRuns[size]);
  entry.size = size;
  entry.many.run = run;
  std::copy_n(scratch_.begin() + (entry.kept - keep), keep, run_of(entry));
  entry.kept = static_cast<std::uint16_t>(keep);
  entry.many.head = static_cast<std::uint16_t>(keep % kRuns[size]);
}

void IsnStore::grow(Entry& entry) noexcept {
  if (entry.size + 1U >= kRuns.size()) return;
  const auto larger = static_cast<std::uint8_t>(entry.size + 1);
  std::uint32_t run = 0;
  if (take_run(static_cast<std::uint32_t>(&entry - entries_.begin()), larger, run)) {
    const Entry before = entry;
    move_run(entry, larger, run);
    release(before);
  } else {
    cut_back_for(entry);
  }
}

void IsnStore::cut_back_for(Entry& entry) noexcept {
  // The least valuable of the next eight owners changes places with this one, if it is worth less.
  const auto larger = static_cast<std::uint8_t>(entry.size + 1);
  Pool& pool = pools_[larger];
  Entry* victim = nullptr;
  for (std::size_t i = 0; i < std::min<std::size_t>(8, pool.owner.size()); ++i) {
    pool.hand = (pool.hand + 1) % static_cast<std::uint32_t>(pool.owner.size());
    Entry& e = entries_[pool.owner[pool.hand]];
    if (victim == nullptr || value(e) < value(*victim)) victim = &e;
  }
  if (victim == nullptr || value(*victim) >= value(entry)) return;
  // Three runs are in play and two are full: the scratch holds the victim's while the other moves in.
  const std::uint32_t large = victim->many.run;
  const std::uint32_t small = entry.many.run;
  const auto small_size = entry.size;
  const std::uint32_t capacity = kRuns[larger];
  const std::uint32_t keep = std::min<std::uint32_t>(victim->kept, kRuns[small_size]);
  const std::uint32_t end = victim->kept < capacity ? victim->kept : victim->many.head + capacity;
  for (std::uint32_t i = 0; i < keep; ++i) scratch_[kRuns.back() / 2 + i] = run_of(*victim)[(end - keep + i) % capacity];
  move_run(entry, larger, large);  // uses the lower half of the scratch only: a smaller run than the largest
  victim->size = small_size;
  victim->many.run = small;
  std::copy_n(scratch_.begin() + kRuns.back() / 2, keep, run_of(*victim));
  victim->kept = static_cast<std::uint16_t>(keep);
  victim->many.head = static_cast<std::uint16_t>(keep % kRuns[small_size]);
  pool.owner[large] = static_cast<std::uint32_t>(&entry - entries_.begin());
  pools_[small_size].owner[small] = static_cast<std::uint32_t>(victim - entries_.begin());
}

void IsnStore::add(const IsnHost& host, std::uint64_t hash, const IsnObservation& observation) noexcept {
  add(host, hash, observation, static_cast<std::uint32_t>(place_of(hash).set * kSet));
}

void IsnStore::add(const IsnHost& host, std::uint64_t hash, const IsnObservation& observation, std::uint32_t guess) noexcept {
  const Place place{guess / kSet, tag_of(hash)};
  const bool there = heads_[place.set].tags[guess % kSet] == place.tag && entries_[guess].host == host;
  const std::size_t n = there ? guess % kSet : at(place, host);
  if (n == kSet) return admit(host, place, observation);
  Entry& entry = entries_[place.set * kSet + n];
  if (entry.is_alone()) begin_run(entry);
  Head& head = heads_[place.set];
  const std::uint32_t up = observation.isn - entry.many.last;
  const bool close = !observation.continues && std::min(up, 0U - up) < kClose;
  if (close) ++entry.many.close;
  raise(head.worth[n], close ? 1 + kCloseWorth : 1);
  head.next.note_growth(n);
  entry.many.last = observation.isn;
  ++entry.many.seen;
  if (entry.kept == kRuns[entry.size] && entry.many.head == 0) grow(entry);
  const std::uint32_t size = kRuns[entry.size];
  run_of(entry)[entry.many.head] = observation;
  entry.many.head = static_cast<std::uint16_t>((entry.many.head + 1U) & (size - 1));
  if (entry.kept < size) ++entry.kept;
}

std::vector<IsnObservation> IsnStore::samples(const Entry& entry) const {
  std::vector<IsnObservation> out;
  take_samples(entry, out);
  return out;
}

void IsnStore::take_samples(const Entry& entry, std::vector<IsnObservation>& out) const {
  const auto all = run(entry);
  const std::size_t oldest = entry.is_alone() || entry.kept < kRuns[entry.size] ? 0 : entry.many.head;
  out.assign(all.begin() + static_cast<std::ptrdiff_t>(oldest), all.end());
  out.insert(out.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(oldest));
}

}  // namespace finwait::hosts

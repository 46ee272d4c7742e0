// Chains, lists by worth, and the order of release.
#include "memory.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>

namespace finwait::tcp {
namespace {

constexpr std::size_t kLine = base::kCacheLine;
constexpr auto kGivenUp = static_cast<std::ptrdiff_t>(Worth::kAlive);  // the lists before it give up their oldest

/// What an ordinary segment of end `side` touches of a connection: its head, three lines of the sender, one of the peer.
void prefetch_hot(const std::byte* connection, unsigned side) noexcept {
  const std::byte* sender = connection + offsetof(Connection, ends) + side * sizeof(Endpoint);
  const std::byte* peer = connection + offsetof(Connection, ends) + (1 - side) * sizeof(Endpoint);
  for (const std::byte* line : {connection, connection + kLine, sender, sender + kLine, sender + 2 * kLine, peer}) {
    base::prefetch_line(line);
  }
}

/// The same of a compact record: its head, two lines of the sender, the first of the peer, what is in flight.
void prefetch_compact(const std::byte* compact, unsigned side) noexcept {
  const std::byte* sender = compact + offsetof(Compact, ends) + side * sizeof(CompactEnd);
  const std::byte* peer = compact + offsetof(Compact, ends) + (1 - side) * sizeof(CompactEnd);
  const std::byte* in_flight = compact + offsetof(Compact, in_flight);
  for (const std::byte* line : {compact, compact + kLine, sender, sender + kLine, peer, in_flight}) base::prefetch_line(line);
}

std::uint32_t indices(std::uint32_t capacity, bool compacts) {
  if (compacts && capacity > kNoBlock / 2) throw std::invalid_argument("too many connections to remember");
  return compacts ? 2 * capacity : capacity;
}

}  // namespace

Memory::Memory(std::uint32_t capacity, std::uint64_t seed, bool compacts)
    : hash_(seed),
      pool_(capacity),
      compacts_(compacts ? capacity : 0),
      table_(capacity),
      wheel_(indices(capacity, compacts), kTick),
      links_(indices(capacity, compacts)),
      order_(capacity) {}

void Memory::prefetch_whole(std::uint32_t index) const noexcept {
  if (is_compact(index)) {
    compacts_.prefetch(index - pool_.capacity(), sizeof(Compact) / kLine);
  } else {
    pool_.prefetch(index, sizeof(Connection) / kLine);
  }
}

std::uint32_t Memory::prefetch_record(const wire::Segment& s) const noexcept {
  std::uint32_t likely = kNoBlock;
  table_.candidates(s.hash, [&](std::uint32_t index) {
    if (likely == kNoBlock) likely = index;
    if (is_compact(index)) {
      prefetch_compact(reinterpret_cast<const std::byte*>(&compact(index)), s.direction);
    } else {
      prefetch_hot(reinterpret_cast<const std::byte*>(&pool_[index]), s.direction);
    }
  });
  return likely;
}

void Memory::prefetch_evidence(std::uint32_t likely, bool moving) const noexcept {
  if (likely == kNoBlock) return;
  if (is_compact(likely)) {
    const Compact& c = compact(likely);
    if (!moving && c.states[0] == c.states[1]) return;
    const auto* bytes = reinterpret_cast<const std::byte*>(&c);
    base::prefetch_line(bytes + 3 * kLine);
    base::prefetch_line(bytes + 5 * kLine);
    base::prefetch_line(bytes + offsetof(Compact, opening));
    links_.prefetch(likely);
    wheel_.prefetch(likely);
    return;
  }
  const Connection& c = pool_[likely];
  if (!moving && c.ends[0].state == State::kEstablished && c.ends[1].state == State::kEstablished) return;
  const auto* bytes = reinterpret_cast<const std::byte*>(&c);
  for (std::size_t at = 2 * kLine; at < sizeof(Connection); at += kLine) base::prefetch_line(bytes + at);
}

std::uint32_t Memory::find(const wire::Segment& s, std::uint32_t likely) const noexcept {
  return is_head(likely, s.key) || is_compact_head(likely, s.key) ? likely : find(s.hash, s.key);
}

std::uint32_t Memory::find(std::uint64_t hash, const wire::FlowKey& key) const noexcept {
  return table_.find(hash, [&](std::uint32_t index) { return this->key(index) == key; });
}

std::uint32_t Memory::allocate() noexcept { return remembered() < pool_.capacity() ? pool_.allocate() : kNoBlock; }

std::uint32_t Memory::allocate_compact() noexcept {
  if (compacts_.capacity() == 0 || remembered() >= pool_.capacity()) return kNoBlock;
  return compacts_.allocate() + pool_.capacity();  // there is one: fewer are in use than there are
}

bool Memory::insert_compact(std::uint32_t index) noexcept {
  Compact& c = compact(index);
  if (!table_.insert(c.hash, index)) return false;
  c.traits |= trait::kHead;
  return true;
}

std::uint32_t Memory::replace_compact(std::uint32_t old) noexcept {
  const std::uint32_t index = pool_.allocate();  // there is one: the compact record is remembered too
  Compact& c = compact(old);
  table_.replace(c.hash, old, index);
  wheel_.cancel(old);
  relist(old, index);
  return index;
}

bool Memory::insert_head(std::uint32_t index, std::uint32_t older) noexcept {
  Connection& c = pool_[index];
  if (older == kNoBlock) {
    if (!table_.insert(c.hash, index)) return false;
  } else {
    table_.replace(c.hash, older, index);
    Connection& before = pool_[older];
    before.traits &= ~trait::kHead;
    c.candidates = before.candidates;
    before.candidates = kNoBlock;
  }
  c.older = older;
  c.traits |= trait::kHead;
  return true;
}

void Memory::add_candidate(std::uint32_t head, std::uint32_t candidate) noexcept {
  std::uint32_t* link = &pool_[head].candidates;
  while (*link != kNoBlock) link = &pool_[*link].older;
  *link = candidate;
}

void Memory::remove_candidate(std::uint32_t head, std::uint32_t candidate) noexcept {
  for (std::uint32_t* link = &pool_[head].candidates; *link != kNoBlock; link = &pool_[*link].older) {
    if (*link != candidate) continue;
    *link = pool_[candidate].older;
    pool_[candidate].older = kNoBlock;
    return;
  }
}

std::uint32_t Memory::head_of(std::uint32_t index) const noexcept {
  const Connection& c = pool_[index];
  if (c.is(trait::kHead)) return index;
  return find(c.hash, c.key);
}

void Memory::unlink(std::uint32_t index) noexcept {
  if (is_compact(index)) {
    table_.erase(compact(index).hash, index);
    compact(index).traits &= ~trait::kHead;
    leave_lists(index);
    return;
  }
  Connection& c = pool_[index];
  const std::uint32_t head = head_of(index);
  if (c.is(trait::kCandidate)) {
    remove_candidate(head, index);
  } else if (head != index) {
    for (std::uint32_t* link = &pool_[head].older; *link != kNoBlock; link = &pool_[*link].older) {
      if (*link != index) continue;
      *link = c.older;
      break;
    }
  } else if (c.older != kNoBlock) {
    Connection& next = pool_[c.older];
    table_.replace(c.hash, index, c.older);
    next.traits |= trait::kHead;
    next.candidates = c.candidates;
  } else {
    table_.erase(c.hash, index);
  }
  c.traits &= ~trait::kHead;
  c.older = c.candidates = kNoBlock;
  leave_lists(index);
}

void Memory::leave_lists(std::uint32_t index) noexcept {
  wheel_.cancel(index);
  count_leaving(index);
  unlist(index);
}

void Memory::unlist(std::uint32_t index) noexcept {
  Link& link = links_[index];
  if (link.list == 0) return;
  const std::size_t list = link.list - 1U;
  (link.previous != 0 ? links_[link.previous - 1].next : first_[list]) = link.next;
  (link.next != 0 ? links_[link.next - 1].previous : last_[list]) = link.previous;
  link = {0, 0, 0};
  --count_[list];
}

void Memory::value(std::uint32_t index, Worth worth) noexcept {
  const auto list = static_cast<std::size_t>(worth);
  const std::uint8_t was = links_[index].list;
  if (was == list + 1) return;
  const bool answered =
      worth == Worth::kHalfOpen && was == static_cast<std::uint8_t>(Worth::kUnanswered) + 1;  // as much an attempt as before
  if (worth == Worth::kAlive) {
    ++lives_.opened;
  } else if (!answered) {
    count_leaving(index);
  }
  unlist(index);
  enlist(index, list);
}

/// It is no longer worth what it was, or is released.
void Memory::count_leaving(std::uint32_t index) noexcept {
  const std::uint8_t was = links_[index].list;
  lives_.ended += was == static_cast<std::uint8_t>(Worth::kAlive) + 1;
  lives_.failed += was == static_cast<std::uint8_t>(Worth::kUnanswered) + 1 || was == static_cast<std::uint8_t>(Worth::kHalfOpen) + 1;
}

void Memory::enlist(std::uint32_t index, std::size_t list) noexcept {
  Link& link = links_[index];
  link.list = static_cast<std::uint8_t>(list + 1);
  link.previous = last_[list];
  (last_[list] != 0 ? links_[last_[list] - 1].next : first_[list]) = index + 1;
  last_[list] = index + 1;
  ++count_[list];
}

/// The other one has its place now.
void Memory::relist(std::uint32_t from, std::uint32_t to) noexcept {
  Link& link = links_[from];
  if (link.list == 0) return;
  const std::size_t list = link.list - 1U;
  (link.previous != 0 ? links_[link.previous - 1].next : first_[list]) = to + 1;
  (link.next != 0 ? links_[link.next - 1].previous : last_[list]) = to + 1;
  links_[to] = link;
  link = {0, 0, 0};
}

std::uint32_t Memory::victim() noexcept {
  constexpr auto kAlive = static_cast<std::size_t>(Worth::kAlive);
  const auto longest = static_cast<std::size_t>(std::max_element(count_.begin(), count_.begin() + kGivenUp) - count_.begin());
  if (first_[longest] != 0) return first_[longest] - 1;
  constexpr int kLookedAt = 8;
  if (first_[kAlive] == 0) return kNoBlock;
  std::uint32_t idlest = first_[kAlive] - 1;
  for (int n = 0; n < kLookedAt; ++n) {  // those looked at go to the back, so that each has its turn
    const std::uint32_t index = first_[kAlive] - 1;
    if (last_clock(index) < last_clock(idlest)) idlest = index;
    unlist(index);
    enlist(index, kAlive);
  }
  return idlest;
}

void Memory::prefetch_victims() const noexcept {
  constexpr int kRecord = 6;
  constexpr int kBucket = 3;
  const auto longest = static_cast<std::size_t>(std::max_element(count_.begin(), count_.begin() + kGivenUp) - count_.begin());
  std::uint32_t at = first_[longest];
  for (int n = 0; n != kRecord && at != 0; ++n) {
    if (n == kBucket) table_.prefetch(is_compact(at - 1) ? compact(at - 1).hash : pool_[at - 1].hash);
    at = links_[at - 1].next;
  }
  if (at != 0) prefetch_whole(at - 1);
}

std::uint32_t Memory::victim_in_the_way(std::uint64_t hash) const noexcept {
  std::array<std::uint32_t, flow::Table::kMaxVictims> all;
  const std::size_t n = table_.victims(hash, all);
  std::uint32_t least = kNoBlock;
  for (std::size_t k = 0; k != n; ++k) {
    const auto before = [this](std::uint32_t a, std::uint32_t b) {
      return links_[a].list != links_[b].list ? links_[a].list < links_[b].list : last_clock(a) < last_clock(b);
    };
    if (least == kNoBlock || before(all[k], least)) least = all[k];
  }
  return least;
}

void Memory::arm(std::uint32_t index) noexcept {
  const auto arm_by = [&](auto& c) {
    if (c.deadline >= c.armed) return;
    c.armed = c.deadline;
    wheel_.arm(index, c.deadline);
  };
  if (is_compact(index)) {
    arm_by(compact(index));
  } else {
    arm_by(pool_[index]);
  }
}

void Memory::queue(std::uint32_t index) noexcept {
  const auto turn_of = [index](const auto& c) { return ReleaseOrder::Turn{c.released_at, c.id, index}; };
  order_.push(is_compact(index) ? turn_of(compact(index)) : turn_of(pool_[index]));
}

/// Those that come soon were last touched long ago.
std::uint32_t Memory::next_released(base::Timestamp certain_until) noexcept {
  constexpr std::size_t kAhead = 4;
  const ReleaseOrder::Turn* first = order_.first();
  if (first == nullptr || first->at > certain_until) return kNoBlock;
  const std::uint32_t index = first->index;
  order_.pop();
  order_.ahead(kAhead, [this](std::uint32_t soon) { prefetch_whole(soon); });
  return index;
}

void Memory::free(std::uint32_t index) noexcept {
  if (is_compact(index)) {
    compact(index).traits &= ~trait::kHead;  // hints may still name it
    compacts_.release(index - pool_.capacity());
  } else {
    pool_.release(index);
  }
}

}  // namespace finwait::tcp

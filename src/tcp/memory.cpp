// Chains, lists by worth, and the order of release.
#include "memory.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace finwait::tcp {
namespace {

constexpr std::size_t kLine = base::kCacheLine;

/// What an ordinary segment of end `side` touches of a connection: its head, three lines of the sender, one of the peer.
void prefetch_hot(const std::byte* connection, unsigned side) noexcept {
  const std::byte* sender = connection + offsetof(Connection, ends) + side * sizeof(Endpoint);
  const std::byte* peer = connection + offsetof(Connection, ends) + (1 - side) * sizeof(Endpoint);
  for (const std::byte* line : {connection, connection + kLine, sender, sender + kLine, sender + 2 * kLine, peer}) {
    base::prefetch_line(line);
  }
}

}  // namespace

Memory::Memory(std::uint32_t capacity, std::uint64_t seed)
    : hash_(seed), pool_(capacity), table_(capacity), wheel_(capacity, kTick), links_(capacity), turns_(capacity) {}

std::uint32_t Memory::prefetch_record(const wire::Segment& s) const noexcept {
  std::uint32_t likely = kNoBlock;
  table_.candidates(s.hash, [&](std::uint32_t index) {
    if (likely == kNoBlock) likely = index;
    prefetch_hot(reinterpret_cast<const std::byte*>(&pool_[index]), s.direction);
  });
  return likely;
}

void Memory::prefetch_evidence(std::uint32_t likely, bool moving) const noexcept {
  if (likely == kNoBlock) return;
  const Connection& c = pool_[likely];
  if (!moving && c.ends[0].state == State::kEstablished && c.ends[1].state == State::kEstablished) return;
  const auto* bytes = reinterpret_cast<const std::byte*>(&c);
  for (std::size_t at = 2 * kLine; at < sizeof(Connection); at += kLine) base::prefetch_line(bytes + at);
}

std::uint32_t Memory::find(const wire::Segment& s, std::uint32_t likely) const noexcept {
  return is_head(likely, s.key) ? likely : find(s.hash, s.key);
}

std::uint32_t Memory::find(std::uint64_t hash, const wire::FlowKey& key) const noexcept {
  return table_.find(hash, [&](std::uint32_t index) { return pool_[index].key == key; });
}

std::uint32_t Memory::allocate() noexcept { return pool_.allocate(); }

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
}

void Memory::value(std::uint32_t index, Worth worth) noexcept {
  const auto list = static_cast<std::size_t>(worth);
  if (links_[index].list == list + 1) return;
  if (worth != Worth::kAlive) {
    count_leaving(index);
  } else {
    ++lives_.opened;
  }
  unlist(index);
  enlist(index, list);
}

/// It is no longer worth what it was, or is released.
void Memory::count_leaving(std::uint32_t index) noexcept {
  const std::uint8_t was = links_[index].list;
  lives_.ended += was == static_cast<std::uint8_t>(Worth::kAlive) + 1;
  lives_.failed += was == static_cast<std::uint8_t>(Worth::kHalfOpen) + 1;
}

void Memory::enlist(std::uint32_t index, std::size_t list) noexcept {
  Link& link = links_[index];
  link.list = static_cast<std::uint8_t>(list + 1);
  link.previous = last_[list];
  (last_[list] != 0 ? links_[last_[list] - 1].next : first_[list]) = index + 1;
  last_[list] = index + 1;
}

std::uint32_t Memory::victim() noexcept {
  for (const std::size_t list : {0U, 1U}) {
    if (first_[list] != 0) return first_[list] - 1;
  }
  constexpr std::size_t kAlive = 2;
  constexpr int kLookedAt = 8;
  if (first_[kAlive] == 0) return kNoBlock;
  std::uint32_t idlest = first_[kAlive] - 1;
  for (int n = 0; n < kLookedAt; ++n) {  // those looked at go to the back, so that each has its turn
    const std::uint32_t index = first_[kAlive] - 1;
    if (pool_[index].last_clock < pool_[idlest].last_clock) idlest = index;
    unlist(index);
    enlist(index, kAlive);
  }
  return idlest;
}

std::uint32_t Memory::victim_in_the_way(std::uint64_t hash) const noexcept {
  std::array<std::uint32_t, flow::Table::kMaxVictims> all;
  const std::size_t n = table_.victims(hash, all);
  std::uint32_t least = kNoBlock;
  for (std::size_t k = 0; k != n; ++k) {
    const auto before = [this](std::uint32_t a, std::uint32_t b) {
      return links_[a].list != links_[b].list ? links_[a].list < links_[b].list : pool_[a].last_clock < pool_[b].last_clock;
    };
    if (least == kNoBlock || before(all[k], least)) least = all[k];
  }
  return least;
}

void Memory::arm(std::uint32_t index) noexcept {
  Connection& c = pool_[index];
  if (c.deadline >= c.armed) return;
  c.armed = c.deadline;
  wheel_.arm(index, c.deadline);
}

void Memory::queue(std::uint32_t index) noexcept {
  const Connection& c = pool_[index];
  turns_[turn_count_++] = {c.released_at, c.id, index};
  std::push_heap(turns_.begin(), turns_.begin() + static_cast<std::ptrdiff_t>(turn_count_),
                 [](const Turn& a, const Turn& b) { return a.after(b); });
}

void Memory::settle_order() noexcept {
  std::sort(turns_.begin(), turns_.begin() + static_cast<std::ptrdiff_t>(turn_count_),
            [](const Turn& a, const Turn& b) { return a.after(b); });
  settled_ = true;
}

/// From the end of the sorted turns, the connections after it being fetched meanwhile.
std::uint32_t Memory::next_settled() noexcept {
  constexpr std::size_t kAhead = 4;
  if (turn_count_ == 0) return kNoBlock;
  if (turn_count_ > kAhead) pool_.prefetch(turns_[turn_count_ - 1 - kAhead].index, sizeof(Connection) / 64);
  return turns_[--turn_count_].index;
}

std::uint32_t Memory::next_released(base::Timestamp certain_until) noexcept {
  if (settled_) return next_settled();
  if (turn_count_ == 0 || turns_[0].at > certain_until) return kNoBlock;
  const std::uint32_t index = turns_[0].index;
  std::pop_heap(turns_.begin(), turns_.begin() + static_cast<std::ptrdiff_t>(turn_count_),
                [](const Turn& a, const Turn& b) { return a.after(b); });
  if (--turn_count_ != 0) pool_.prefetch(turns_[0].index, kLines);  // the next one, last touched long ago
  return index;
}

void Memory::free(std::uint32_t index) noexcept { pool_.release(index); }

}  // namespace finwait::tcp

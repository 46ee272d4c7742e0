// Chains, lists by worth, and the order of release.
#include "memory.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>

namespace finwait::tcp {
namespace {

constexpr std::size_t kLine = base::kCacheLine;
constexpr auto kAlive = static_cast<std::size_t>(Worth::kAlive);
constexpr auto kGivenUp = static_cast<std::ptrdiff_t>(Worth::kAlive);  // the lists before it give up their oldest
constexpr std::uint32_t kShare = 16;                                   // what each of them may keep: one part in so many of a quota

/// What an ordinary segment of end `side` touches of a connection: its head, two lines of the sender, one of the peer.
void prefetch_hot(const std::byte* connection, unsigned side) noexcept {
  const std::byte* sender = connection + offsetof(Connection, ends) + side * sizeof(Endpoint);
  const std::byte* peer = connection + offsetof(Connection, ends) + (1 - side) * sizeof(Endpoint);
  for (const std::byte* line : {connection, connection + kLine, connection + 2 * kLine, sender, sender + kLine, peer}) {
    base::prefetch_line(line);
  }
}

/// Of all kinds of records.
std::uint32_t indices(std::uint32_t capacity, bool short_ones) {
  constexpr std::uint32_t kKinds = 3;
  if (short_ones && capacity > kNoBlock / kKinds) throw std::invalid_argument("too many connections to remember");
  return short_ones ? kKinds * capacity : capacity;
}

}  // namespace

Memory::Memory(const Partitions& partitions, std::uint32_t shard, std::uint32_t shards, std::uint64_t seed, bool short_ones,
               base::Duration attempt_wait)
    : hash_(seed),
      partitions_(partitions),
      first_part_(partitions.first_of(shard, shards)),
      pool_(partitions.capacity(shard, shards)),
      attempts_(short_ones ? pool_.capacity() : 0),
      rests_(attempts_.capacity()),
      attempt_wait_(attempt_wait),
      compacts_(short_ones ? pool_.capacity() : 0),
      extras_(compacts_.capacity()),
      first_compact_(pool_.capacity() + attempts_.capacity()),
      table_(pool_.capacity()),
      // Of the kinds of records those kept in full are few, and attempts are not on the wheel.
      wheel_(indices(pool_.capacity(), short_ones), kTick, short_ones ? first_compact_ : 0),
      links_(indices(pool_.capacity(), short_ones), base::PageSize::kHugeIfLarge, short_ones ? pool_.capacity() : 0),
      dues_(pool_.capacity()) {
  for (std::uint32_t p = first_part_; p != partitions.first_of(shard + 1, shards); ++p) {
    parts_.push_back({});
    parts_.back().quota = partitions.quota(p);
  }
}

void Memory::prefetch_whole(std::uint32_t index) const noexcept {
  if (is_compact(index)) {
    compacts_.prefetch(index - first_compact_, sizeof(Compact) / kLine);
  } else if (is_attempt(index)) {
    attempts_.prefetch(index - pool_.capacity());
  } else {
    pool_.prefetch(index, sizeof(Connection) / kLine);
  }
}

/// Its place in a list, which may lie across two lines.
inline void Memory::prefetch_link(std::uint32_t index) const noexcept {
  const Link* link = links_.begin() + index;
  base::prefetch_line(link);
  base::prefetch_line(&link->list);
}

/// What its release needs first.
void Memory::prefetch_head(std::uint32_t index) const noexcept {
  prefetch_link(index);
  if (is_compact(index)) {
    const Compact& c = compact(index);
    base::prefetch_line(&c);
    base::prefetch_line(&c.id);
    base::prefetch_line(&c.armed);
  } else {
    prefetch_whole(index);
  }
}

/// What its release changes beside it: the bucket it is found in, and those before and after it in their list.
void Memory::prefetch_neighbours(std::uint32_t index) const noexcept {
  table_.prefetch(hash_at(index));
  prefetch_beside(index);
}

void Memory::prefetch_beside(std::uint32_t index) const noexcept {
  const Link& link = links_[index];
  links_.prefetch(link.next - 1);
  links_.prefetch(link.previous - 1);
}

/// Of an attempt or a Connection. Apart from what nearly every segment does.
[[gnu::noinline]] void Memory::prefetch_others(std::uint32_t index, unsigned side) const noexcept {
  if (is_attempt(index)) {
    attempts_.prefetch(index - pool_.capacity());
    prefetch_link(index);
  } else {
    prefetch_hot(reinterpret_cast<const std::byte*>(&pool_[index]), side);
  }
}

std::uint32_t Memory::prefetch_record(const wire::Segment& s, bool moving) const noexcept {
  std::uint32_t likely = kNoBlock;
  table_.candidates(s.hash, [&](std::uint32_t index) {
    if (likely == kNoBlock) likely = index;
    if (is_compact(index)) {
      const Compact& c = compact(index);
      base::prefetch_lines(&c, kOrdinaryBytes);
      if (moving) {
        base::prefetch_line(&c.armed);
        prefetch_link(index);
      }
    } else {
      prefetch_others(index, s.direction);
    }
  });
  return likely;
}

/// On the wheel, and beside it in its list. Apart from what every segment does.
[[gnu::noinline]] void Memory::prefetch_places(std::uint32_t index) const noexcept {
  wheel_.prefetch(index);
  prefetch_beside(index);
}

void Memory::prefetch_evidence(std::uint32_t likely, bool moving) const noexcept {
  if (likely == kNoBlock) return;
  if (is_compact(likely)) {
    const Compact& c = compact(likely);
    if (c.has_extra) extras_.prefetch(likely - first_compact_);
    if (!moving && c.states[0] == c.states[1]) return;
    if (moving) {
      prefetch_places(likely);
    } else {  // an acknowledgment: where it stands has not been fetched, so who stands beside it is not known yet
      base::prefetch_line(&c.armed);
      wheel_.prefetch(likely);
      prefetch_link(likely);
    }
    return;
  }
  if (is_attempt(likely)) {
    if (attempt(likely).has_rest()) rests_.prefetch(likely - pool_.capacity());
    prefetch_places(likely);
    return;
  }
  const Connection& c = pool_[likely];
  if (!moving && c.ends[0].state == State::kEstablished && c.ends[1].state == State::kEstablished) return;
  if (!moving && (c.ends[0].state == State::kUnknown || c.ends[1].state == State::kUnknown)) {  // of a peer not captured nothing is needed
    const Endpoint& x = c.ends[c.ends[0].state == State::kUnknown ? 1 : 0];
    return base::prefetch_lines(x.growth.data(), sizeof x.growth);
  }
  base::prefetch_lines(reinterpret_cast<const std::byte*>(&c) + 2 * kLine, sizeof(Connection) - 2 * kLine);
}

std::uint32_t Memory::find(const wire::Segment& s, std::uint32_t likely) const noexcept {
  const bool right = is_head(likely, s.key) || is_compact_head(likely, s.key) || is_attempt_head(likely, s.key);
  return right ? likely : find(s.hash, s.key);
}

std::uint32_t Memory::find(std::uint64_t hash, const wire::FlowKey& key) const noexcept {
  const std::uint32_t index = table_.find(hash, [&](std::uint32_t at) { return is_of(at, key); });
  return index != kNoBlock || beside_count_ == 0 ? index : find_beside(hash, key);
}

std::uint32_t Memory::find_beside(std::uint64_t hash, const wire::FlowKey& key) const noexcept {
  for (std::size_t n = 0; n != beside_count_; ++n) {
    if (hash_at(beside_[n]) == hash && is_of(beside_[n], key)) return beside_[n];
  }
  return kNoBlock;
}

/// False if there is no room in the table, and none beside it.
bool Memory::enter(std::uint64_t hash, std::uint32_t index) noexcept {
  if (table_.insert(hash, index)) return true;
  if (beside_count_ == kMostBeside) return false;
  beside_[beside_count_++] = index;
  return true;
}

void Memory::replace(std::uint64_t hash, std::uint32_t index, std::uint32_t by) noexcept {
  if (table_.replace(hash, index, by)) return;
  std::replace(beside_.begin(), beside_.begin() + static_cast<std::ptrdiff_t>(beside_count_), index, by);
}

void Memory::erase(std::uint64_t hash, std::uint32_t index) noexcept {
  if (table_.erase(hash, index)) return;
  const auto end = beside_.begin() + static_cast<std::ptrdiff_t>(beside_count_);
  beside_count_ = static_cast<std::size_t>(std::remove(beside_.begin(), end, index) - beside_.begin());
}

std::uint32_t Memory::allocate(std::uint64_t hash) noexcept {
  const std::uint32_t part = part_of(hash);
  if (!has_room(part) || remembered() >= pool_.capacity()) return kNoBlock;
  ++parts_[part].occupied;
  return pool_.allocate();
}

/// Apart from what every SYN does.
[[gnu::noinline]] void Memory::keep_rest(std::uint32_t n, const wire::Segment& syn) noexcept { rests_[n] = Attempt::rest_of(syn); }

std::uint32_t Memory::allocate_attempt(const wire::Segment& syn, std::uint32_t part) noexcept {
  if (remembered() >= pool_.capacity()) return kNoBlock;
  ++parts_[part].occupied;
  const std::uint32_t n = attempts_.allocate(syn);  // there is one: fewer are in use than there are
  if (attempts_[n].has_rest()) [[unlikely]]
    keep_rest(n, syn);
  return n + pool_.capacity();
}

bool Memory::insert_attempt(std::uint32_t index, std::uint32_t part) noexcept {
  Attempt& a = attempt(index);
  if (!enter(a.hash, index)) return false;
  a.become_head();
  enlist(index, part, static_cast<std::size_t>(Worth::kUnanswered));
  if (parts_[part].attempt == 0) parts_[part].attempt = index + 1;
  if (first_attempt_until_ == base::kNever) first_attempt_until_ = until(index);  // those that begin later are over later
  return true;
}

std::uint32_t Memory::replace_attempt(std::uint32_t old) noexcept {
  const std::uint32_t index = compacts_.allocate() + first_compact_;  // there is one: the attempt is remembered too
  Attempt& a = attempt(old);
  replace(a.hash, old, index);
  a.be_forgotten();
  pass_attempt(old);
  relist(old, index);
  compact(index).add(trait::kHead);
  prefetch_next();
  return index;
}

/// What the next attempt that is answered becomes.
void Memory::prefetch_next() const noexcept {
  const std::uint32_t n = compacts_.next();
  compacts_.prefetch(n, sizeof(Compact) / kLine);
  prefetch_link(n + first_compact_);
  wheel_.prefetch(n + first_compact_);
}

/// It is no longer the first of its partition.
inline void Memory::pass_attempt(std::uint32_t index) noexcept {
  const Link& link = links_[index];
  Partition& part = part_of_list(link.list);
  if (part.attempt != index + 1) return;
  std::uint32_t next = link.next;
  while (next != 0 && !is_attempt(next - 1)) next = links_[next - 1].next;
  part.attempt = next;
}

std::uint32_t Memory::replace_compact(std::uint32_t old) noexcept {
  const std::uint32_t index = pool_.allocate();  // there is one: the compact record is remembered too
  replace(hash_at(old), old, index);
  wheel_.cancel(old);
  relist(old, index);
  return index;
}

bool Memory::insert_head(std::uint32_t index, std::uint32_t older) noexcept {
  Connection& c = pool_[index];
  if (older == kNoBlock) {
    if (!enter(c.hash, index)) return false;
  } else {
    replace(c.hash, older, index);
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

/// unlink() of an attempt.
inline void Memory::forget_attempt(std::uint32_t index) noexcept {
  Attempt& a = attempt(index);
  erase(a.hash, index);
  a.be_forgotten();
  ++lives_.failed;
  pass_attempt(index);
  detach(links_[index]);
  links_[index] = {0, 0, 0};
}

void Memory::unlink(std::uint32_t index) noexcept {
  if (is_attempt(index)) return forget_attempt(index);
  if (is_compact(index)) {
    erase(hash_at(index), index);
    compact(index).drop(trait::kHead);
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
    replace(c.hash, index, c.older);
    next.traits |= trait::kHead;
    next.candidates = c.candidates;
  } else {
    erase(c.hash, index);
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

/// Out of its list, of which its own link still tells.
inline void Memory::detach(const Link& link) noexcept {
  Partition& part = part_of_list(link.list);
  const std::size_t worth = kind_of(link.list) - 1;
  (link.previous != 0 ? links_[link.previous - 1].next : part.first[worth]) = link.next;
  (link.next != 0 ? links_[link.next - 1].previous : part.last[worth]) = link.previous;
  --part.count[worth];
}

void Memory::unlist(std::uint32_t index) noexcept {
  Link& link = links_[index];
  if (link.list == 0) return;
  detach(link);
  link = {0, 0, 0};
}

inline void Memory::enlist(std::uint32_t index, std::uint32_t part, std::size_t worth) noexcept {
  Partition& p = parts_[part];
  Link& link = links_[index];
  link = {0, p.last[worth], list_of(part, worth + 1)};
  (p.last[worth] != 0 ? links_[p.last[worth] - 1].next : p.first[worth]) = index + 1;
  p.last[worth] = index + 1;
  ++p.count[worth];
}

void Memory::value(std::uint32_t index, Worth worth) noexcept {
  const auto kind = static_cast<std::size_t>(worth) + 1;
  const std::uint16_t list = links_[index].list;
  const std::size_t was = kind_of(list);
  if (was == kind) return;
  const bool answered =
      worth == Worth::kHalfOpen && was == static_cast<std::size_t>(Worth::kUnanswered) + 1;  // as much an attempt as before
  if (worth == Worth::kAlive) {
    ++lives_.opened;
  } else if (!answered) {
    count_leaving(index);
  }
  if (list != 0) detach(links_[index]);
  enlist(index, list != 0 ? static_cast<std::uint32_t>(list >> kKindBits) : part_at(index), static_cast<std::size_t>(worth));
}

/// It is no longer worth what it was, or is released.
void Memory::count_leaving(std::uint32_t index) noexcept {
  const std::size_t was = kind_of(links_[index].list);
  lives_.ended += was == static_cast<std::size_t>(Worth::kAlive) + 1;
  lives_.failed += was == static_cast<std::size_t>(Worth::kUnanswered) + 1 || was == static_cast<std::size_t>(Worth::kHalfOpen) + 1;
}

/// The other one has its place now.
void Memory::relist(std::uint32_t from, std::uint32_t to) noexcept {
  Link& link = links_[from];
  if (link.list == 0) return;
  Partition& part = part_of_list(link.list);
  const std::size_t worth = kind_of(link.list) - 1;
  (link.previous != 0 ? links_[link.previous - 1].next : part.first[worth]) = to + 1;
  (link.next != 0 ? links_[link.next - 1].previous : part.last[worth]) = to + 1;
  links_[to] = link;
  link = {0, 0, 0};
}

/// The list that has to give up one.
inline std::size_t Memory::list_of_victim(const Partition& p) noexcept {
  const auto longest = std::max_element(p.count.begin(), p.count.begin() + kGivenUp);
  return *longest <= p.quota / kShare && p.count[kAlive] != 0 ? kAlive : static_cast<std::size_t>(longest - p.count.begin());
}

std::uint32_t Memory::victim(std::uint32_t part) noexcept {
  const Partition& p = parts_[part];
  const std::size_t list = list_of_victim(p);
  if (list != kAlive) return p.first[list] - 1;  // kNoBlock, if all are empty
  constexpr int kLookedAt = 8;
  std::uint32_t idlest = p.first[kAlive] - 1;
  for (int n = 0; n < kLookedAt; ++n) {  // those looked at go to the back, so that each has its turn
    const std::uint32_t index = p.first[kAlive] - 1;
    if (last_clock(index) < last_clock(idlest)) idlest = index;
    unlist(index);
    enlist(index, part, kAlive);
  }
  return idlest;
}

// Of each partition only the next ones: until it is their turn, many others have theirs.
void Memory::prefetch_victims(std::uint32_t part) const noexcept {
  const Partition& p = parts_[part];
  const std::uint32_t next = p.first[list_of_victim(p)];
  if (next == 0) return;
  const std::uint32_t after = links_[next - 1].next;  // it was fetched with the victim before
  table_.prefetch(hash_at(next - 1));
  if (after != 0) prefetch_head(after - 1);
}

std::uint32_t Memory::victim_in_the_way(std::uint64_t hash) const noexcept {
  std::array<std::uint32_t, flow::Table::kMaxVictims> all;
  const std::size_t n = table_.victims(hash, all);
  std::uint32_t least = kNoBlock;
  for (std::size_t k = 0; k != n; ++k) {
    const auto before = [this](std::uint32_t a, std::uint32_t b) {
      const std::size_t worth_a = kind_of(links_[a].list);
      const std::size_t worth_b = kind_of(links_[b].list);
      return worth_a != worth_b ? worth_a < worth_b : last_clock(a) < last_clock(b);
    };
    if (least == kNoBlock || before(all[k], least)) least = all[k];
  }
  return least;
}

void Memory::arm(std::uint32_t index, base::Timestamp deadline) noexcept {
  if (last_) return;  // nothing is called any more
  base::Timestamp& armed = is_compact(index) ? compact(index).armed : pool_[index].armed;
  if (deadline >= armed) return;
  armed = deadline;
  wheel_.arm(index, deadline);
}

Due Memory::due_at(std::uint32_t index, base::Timestamp given_at) const noexcept {
  if (is_attempt(index)) return {attempt_released_at(index, given_at), attempt(index).frame(), index, false};
  const auto due_of = [index](const auto& c) { return Due{c.released_at, c.id, index, false}; };
  return is_compact(index) ? due_of(compact(index)) : due_of(pool_[index]);
}

void Memory::queue(std::uint32_t index) noexcept {
  const std::uint32_t part = part_at(index);
  const Due due = due_at(index);
  if (begins_ && is_certain(due.at)) {
    --parts_[part].occupied;
    if (due.at == base::kNever) {
      dues_.push_last(due.number, index);
    } else {
      dues_.push(due.at, due.number, index, false);
    }
    return;
  }
  links_[index] = {parts_[part].waiting, 0, list_of(part, kWaiting)};
  parts_[part].waiting = index + 1;
  ++waiting_;
}

void Memory::give(std::uint32_t index, base::Timestamp clock, std::uint64_t frame) noexcept {
  --parts_[part_at(index)].occupied;
  dues_.push(clock, frame, index, true);
}

// Its partition is that of its list.
void Memory::displace(std::uint32_t index, base::Timestamp clock, std::uint64_t frame) noexcept {
  Partition& part = part_of_list(links_[index].list);
  unlink(index);
  if (is_attempt(index)) attempt(index).be_released(Release::kEvicted);
  --part.occupied;
  dues_.push(clock, frame, index, true);
}

bool Memory::displace_oldest_attempt(std::uint32_t part, base::Timestamp clock, std::uint64_t frame) noexcept {
  constexpr auto kUnanswered = static_cast<std::size_t>(Worth::kUnanswered);
  const Partition& p = parts_[part];
  const std::uint32_t oldest = p.first[kUnanswered];
  if (p.waiting != 0 || list_of_victim(p) != kUnanswered || oldest == 0 || !is_attempt(oldest - 1)) return false;
  displace(oldest - 1, clock, frame);
  prefetch_victims(part);
  return true;
}

void Memory::give_waiting(std::uint32_t part, base::Timestamp clock, std::uint64_t frame) noexcept {
  if (parts_[part].waiting == 0) return;
  const std::size_t before = dues_.count();
  take_waiting(parts_[part], true);
  dues_.give_at_once(before, clock, frame);
}

/// Those whose turn has come, or all; in no order.
void Memory::take_waiting(Partition& part, bool all) noexcept {
  std::uint32_t* link = &part.waiting;
  while (*link != 0) {
    const std::uint32_t index = *link - 1;
    const Due due = due_at(index);
    if (!all && !is_certain(due.at)) {
      link = &links_[index].next;
      continue;
    }
    *link = links_[index].next;
    links_[index] = {0, 0, 0};
    --part.occupied;
    --waiting_;
    dues_.push(due.at, due.number, index, false);
  }
}

void Memory::begin_tick(base::Timestamp now) noexcept {
  tick_ = number_of(now);
  begun_ = base::after(now, -(now % kTick + (now % kTick < 0 ? kTick : 0)));
  next_tick_ = base::after(begun_, kTick);
  begins_ = true;
  dues_.begin_tick();
}

void Memory::begin_last(std::uint64_t newest) noexcept {
  last_ = begins_ = true;
  wheel_.clear();
  dues_.begin_last(newest);
}

void Memory::end_last() noexcept {
  for (Partition& part : parts_) take_waiting(part, true);
  links_.give_back();  // before there are more dues in memory
  table_.clear();
  beside_count_ = 0;
  dues_.end_last();
  begins_ = false;
}

void Memory::give_back() noexcept {
  pool_.give_back();
  attempts_.give_back();
  rests_.give_back();
  compacts_.give_back();
  extras_.give_back();
}

void Memory::end_tick() noexcept {
  if (waiting_ != 0) {
    for (Partition& part : parts_) take_waiting(part, false);
  }
  dues_.end_tick();
  begins_ = false;
}

/// The connections after it are fetched meanwhile: they were last touched long ago.
std::uint32_t Memory::next_released() noexcept {
  const std::uint32_t ahead = dues_.ahead(Dues::kAhead);
  if (ahead != base::kNone) prefetch_whole(ahead);
  const Due* due = dues_.next();
  return due != nullptr ? due->index : kNoBlock;
}

Turn Memory::turn() const noexcept {
  const Due& due = dues_.last();
  if (!due.at_once) return {number_of(due.at) + 1, 0, due.at, due.number};
  const Due own = due_at(due.index, due.at);
  return {number_of(due.at), due.number, own.at, own.number};
}

void Memory::free(std::uint32_t index) noexcept {
  if (last_ && !is_full(index)) {  // nobody will find it, or want its place
    is_compact(index) ? compacts_.release_for_good() : attempts_.release_for_good();
  } else if (is_compact(index)) {
    compact(index).drop(trait::kHead);  // hints may still name it
    compacts_.release(index - first_compact_);
  } else if (is_attempt(index)) {
    attempt(index).be_forgotten();
    free_attempt(index);
  } else {
    pool_.release(index);
  }
}

void Memory::discard(std::uint32_t index) noexcept {
  --parts_[part_at(index)].occupied;
  free(index);
}

}  // namespace finwait::tcp

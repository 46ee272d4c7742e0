// Lists in blocks.
#include "blocks.h"

#include <algorithm>

#include "finwait/wire/seq.h"

namespace finwait::tcp {

void Blocks::release_chain(std::uint32_t head) noexcept {
  while (head != kNoBlock) {
    const std::uint32_t next = pool_[head].next;
    pool_.release(head);
    head = next;
  }
}

template <class End>
void Blocks::forget_first(End& end) noexcept {
  ++end.in_flight_first;
  --end.in_flight_count;
  if (end.in_flight_first != Block::kSent && end.in_flight_count != 0) return;
  const std::uint32_t gone = end.in_flight_head;
  end.in_flight_head = pool_[gone].next;
  end.in_flight_first = 0;
  pool_.release(gone);
}

template <class End>
void Blocks::push(End& end, const Sent& sent, std::uint16_t sum) noexcept {
  if (end.in_flight_count == kMaxInFlight) forget_first(end);
  if (end.in_flight_head == kNoBlock || pool_[end.in_flight_tail].used == Block::kSent) {
    const std::uint32_t fresh = allocate();
    if (fresh == kNoBlock) return;
    if (end.in_flight_head == kNoBlock) {
      end.in_flight_head = fresh;
      end.in_flight_first = 0;
    } else {
      pool_[end.in_flight_tail].next = fresh;
    }
    end.in_flight_tail = fresh;
  }
  Block& tail = pool_[end.in_flight_tail];
  tail.in_flight.sums[tail.used] = sum;
  tail.in_flight.sent[tail.used++] = sent;
  ++end.in_flight_count;
}

template <class End>
void Blocks::prune(End& end, std::uint32_t acked) noexcept {
  while (end.in_flight_count != 0) {
    const Block& head = pool_[end.in_flight_head];
    const Sent& oldest = head.in_flight.sent[end.in_flight_first];
    if (wire::seq_gt(oldest.end, acked)) return;
    if (oldest.end - oldest.seq > end.largest_acked) {
      end.largest_acked = static_cast<std::uint16_t>(std::min<std::uint32_t>(oldest.end - oldest.seq, 0xffff));
    }
    forget_first(end);
  }
}

void Blocks::unshift(List& end, const Sent& sent, std::uint16_t sum) noexcept {
  if (end.in_flight_count == 0) return push(end, sent, sum);
  if (end.in_flight_first == 0) {
    const std::uint32_t fresh = allocate();
    if (fresh == kNoBlock) return;
    pool_[fresh].next = end.in_flight_head;
    pool_[fresh].used = Block::kSent;
    end.in_flight_head = fresh;
    end.in_flight_first = Block::kSent;
  }
  Block& head = pool_[end.in_flight_head];
  --end.in_flight_first;
  head.in_flight.sums[end.in_flight_first] = sum;
  head.in_flight.sent[end.in_flight_first] = sent;
  ++end.in_flight_count;
}

Blocks::List Blocks::list_of(const CompactEnd& end) const noexcept {
  List list;
  list.largest_acked = end.largest_acked;
  if (end.in_flight == kNoBlock) return list;
  const Block::InFlight& first = pool_[end.in_flight].in_flight;
  list.in_flight_head = end.in_flight;
  list.in_flight_tail = first.tail;
  list.in_flight_first = first.first;
  list.in_flight_count = first.count;
  return list;
}

void Blocks::keep(const List& list, CompactEnd& end) noexcept {
  end.largest_acked = list.largest_acked;
  end.in_flight = list.in_flight_head;
  if (list.in_flight_head == kNoBlock) return;
  Block::InFlight& first = pool_[list.in_flight_head].in_flight;
  first.tail = list.in_flight_tail;
  first.first = list.in_flight_first;
  first.count = list.in_flight_count;
}

void Blocks::push_sent(CompactEnd& end, const Sent& sent, std::uint16_t sum) noexcept {
  List list = list_of(end);
  push(list, sent, sum);
  keep(list, end);
}

void Blocks::unshift_sent(CompactEnd& end, const Sent& sent, std::uint16_t sum) noexcept {
  List list = list_of(end);
  unshift(list, sent, sum);
  keep(list, end);
}

void Blocks::forget_oldest(CompactEnd& end) noexcept {
  List list = list_of(end);
  forget_first(list);
  keep(list, end);
}

void Blocks::prune_sent(CompactEnd& end, std::uint32_t acked) noexcept {
  List list = list_of(end);
  prune(list, acked);
  keep(list, end);
}

void Blocks::hand_over(CompactEnd& from, Endpoint& to) noexcept {
  const List list = list_of(from);
  to.in_flight_head = list.in_flight_head;
  to.in_flight_tail = list.in_flight_tail;
  to.in_flight_first = list.in_flight_first;
  to.in_flight_count = list.in_flight_count;
  from.in_flight = kNoBlock;
}

template void Blocks::push(Endpoint&, const Sent&, std::uint16_t) noexcept;
template void Blocks::prune(Endpoint&, std::uint32_t) noexcept;

StreamNotes* Blocks::notes(Endpoint& end) noexcept {
  if (end.stream_block == kNoBlock) {
    end.stream_block = allocate();
    if (end.stream_block == kNoBlock) return nullptr;
    pool_[end.stream_block].notes = {};
  }
  return &pool_[end.stream_block].notes;
}

Block::Holes* Blocks::holes(Endpoint& end) noexcept {
  if (notes(end) == nullptr) return nullptr;
  if (pool_[end.stream_block].next == kNoBlock) {
    const std::uint32_t fresh = allocate();
    if (fresh == kNoBlock) return nullptr;
    pool_[end.stream_block].next = fresh;
    pool_[fresh].holes = {};
  }
  return &pool_[pool_[end.stream_block].next].holes;
}

std::uint32_t Blocks::take_holes(Endpoint& end, std::uint32_t acked) noexcept {
  Block::Holes* holes = known_holes(end);
  if (holes == nullptr) return 0;
  std::uint32_t taken = 0;
  for (std::uint32_t n = 0; n < holes->count;) {
    const Hole hole = holes->ranges[n];
    const std::uint32_t to = wire::seq_lt(acked, hole.right) ? acked : hole.right;
    if (!wire::seq_lt(hole.left, to)) {
      ++n;
      continue;
    }
    taken += to - hole.left;
    if (to == hole.right) {
      holes->ranges[n] = holes->ranges[--holes->count];
    } else {
      holes->ranges[n++].left = to;
    }
  }
  return taken;
}

void Blocks::push_sighting(Sightings& list, const Sighting& sighting) noexcept {
  if (list.count++ == 0) {
    list.first = sighting;
    return;
  }
  if (list.block == kNoBlock) {
    list.block = allocate();
    if (list.block == kNoBlock) return;
  }
  Block& block = pool_[list.block];
  block.sightings[block.used++ % Block::kSightings] = sighting;
}

bool Blocks::pop_sighting(Sightings& list, Sighting& out) noexcept {
  if (list.count < 2 || list.block == kNoBlock || pool_[list.block].used == 0) return false;
  Block& block = pool_[list.block];
  Sighting& latest = block.sightings[--block.used % Block::kSightings];
  out = latest;
  latest.frame = 0;  // once the ring has wrapped, this is where the oldest would be
  --list.count;
  return true;
}

void Blocks::release_all(Endpoint& end) noexcept {
  release_chain(end.in_flight_head);
  release_chain(end.syns.block);
  release_chain(end.fins.block);
  release_chain(end.stream_block);
  end.in_flight_head = end.syns.block = end.fins.block = end.stream_block = kNoBlock;
  end.in_flight_count = 0;
}

}  // namespace finwait::tcp

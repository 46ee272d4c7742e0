#include "finwait/wire/reassembly.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "walk.h"

namespace finwait::wire {
namespace {

constexpr std::size_t kLeastMemory = std::size_t{512} << 10;

std::uint32_t buckets_for(std::size_t pending) noexcept {
  std::uint32_t buckets = 1;
  while (buckets < pending) buckets *= 2;
  return buckets;
}

Address address_of(const std::uint8_t* bytes, bool v6) noexcept { return v6 ? Address::v6(bytes) : Address::v4(bytes); }

/// The fragment at which a walk stopped.
Fragment fragment_at(const Walk& walk) noexcept {
  Fragment fragment;
  fragment.source = address_of(walk.ip.source, walk.ip.v6);
  fragment.destination = address_of(walk.ip.destination, walk.ip.v6);
  fragment.network = walk.ip.network | (walk.ip.v6 ? FlowKey::kIpv6 : 0);
  fragment.id = walk.fragment.id;
  fragment.offset = walk.fragment.offset;
  fragment.length = walk.wire;
  fragment.captured = walk.captured;
  fragment.data = walk.at;
  fragment.more = walk.fragment.more;
  fragment.protocol = static_cast<std::uint8_t>(walk.type);
  fragment.ttl = walk.ip.ttl;
  fragment.noted = walk.ip.noted;
  fragment.header_length = walk.fragment.header_length;
  fragment.encapsulation = walk.ip.encapsulation;
  return fragment;
}

/// Puts the walk behind the IP header of a whole datagram, as if it had never been in fragments. `whole` outlives the walk.
void resume(Walk& walk, const Fragment& whole) noexcept {
  const bool v6 = (whole.network & FlowKey::kIpv6) != 0;
  walk.at = whole.data;
  walk.captured = whole.captured;
  walk.wire = walk.claimed = whole.length;
  walk.ip.source = whole.source.bytes.data() + (v6 ? 0 : 12);
  walk.ip.destination = whole.destination.bytes.data() + (v6 ? 0 : 12);
  walk.ip.length = whole.header_length + whole.length;
  walk.ip.encapsulation = whole.encapsulation;
  walk.ip.noted = whole.noted;
  walk.ip.ttl = whole.ttl;
  walk.fragment = {};
  walk.go(Layer::kIpProtocol, whole.protocol);
}

}  // namespace

/// A datagram may hold a fragment of another, inner one. Each further one took an IP header, of which a walk bears but so many.
Fate decode(const FrameView& frame, const DecodeOptions& options, Reassembler& reassembler, base::Timestamp clock, Segment& out) noexcept {
  out.kind = SegmentKind::kTcp;
  if (decode_common(frame, options, out)) return Fate::kTcp;
  Walk walk;
  begin_walk(frame, options, walk);
  Fate fate = walk_on(walk, out);
  Fragment whole;
  while (fate == Fate::kFragment && walk.fragment.placed) {
    if (!reassembler.add(fragment_at(walk), clock, whole)) break;
    resume(walk, whole);
    fate = walk_on(walk, out);
  }
  return fate;
}

Reassembler::Reassembler(const ReassemblyLimits& limits) : hash_(limits.seed), timeout_(limits.timeout) {
  if (limits.memory < kLeastMemory) throw std::invalid_argument("reassembly of fragments needs at least 512 KiB of memory");
  // Each datagram has at least one block; up to two buckets and two places on free lists go with it.
  constexpr std::size_t kEach = sizeof(Block) + sizeof(Pending) + 4 * sizeof(std::uint16_t);
  const std::size_t count = std::min<std::size_t>((limits.memory - kLongest) / kEach, kNobody);
  blocks_ = base::FixedArray<Block>(count);
  pending_.resize(count);
  buckets_.assign(buckets_for(count), kNobody);
  whole_.resize(kLongest);
  unused_blocks_.reserve(count);
  unused_pending_.reserve(count);
  for (std::size_t i = count; i != 0; --i) {
    unused_blocks_.push_back(static_cast<std::uint16_t>(i - 1));
    unused_pending_.push_back(static_cast<std::uint16_t>(i - 1));
  }
}

std::size_t Reassembler::memory() const noexcept {
  return blocks_.size() * sizeof(Block) + pending_.size() * sizeof(Pending) + whole_.size() +
         (buckets_.size() + unused_blocks_.capacity() + unused_pending_.capacity()) * sizeof(std::uint16_t);
}

bool Reassembler::add(const Fragment& fragment, base::Timestamp clock, Fragment& whole) noexcept {
  ++counters_.fragments;
  expire(clock);
  const Key key{fragment.source, fragment.destination, fragment.network, fragment.id};
  const auto bucket = static_cast<std::uint32_t>(hash_.hash40(&key) & (buckets_.size() - 1));
  std::uint16_t index = find(key, bucket);
  if (index == kNobody) {
    index = begin(key, bucket, clock);
  } else if (!admit(index, fragment, clock)) {
    return false;
  }
  store(index, fragment);
  Pending& pending = pending_[index];
  if (pending.total == kUnknown || pending.units * kUnit < pending.total) return false;
  ++counters_.datagrams;
  give(pending, whole);
  forget(index);
  return true;
}

std::uint16_t Reassembler::find(const Key& key, std::uint32_t bucket) const noexcept {
  std::uint16_t index = buckets_[bucket];
  while (index != kNobody && !(pending_[index].key == key)) index = pending_[index].next_in_bucket;
  return index;
}

std::uint16_t Reassembler::begin(const Key& key, std::uint32_t bucket, base::Timestamp clock) noexcept {
  if (unused_pending_.empty()) {
    ++counters_.evicted;
    forget(oldest_);
  }
  const std::uint16_t index = unused_pending_.back();
  unused_pending_.pop_back();
  Pending& pending = pending_[index];
  pending = Pending{};
  pending.blocks.fill(kNoBlock);
  pending.key = key;
  pending.since = clock;
  pending.bucket = bucket;
  pending.next_in_bucket = buckets_[bucket];
  buckets_[bucket] = index;
  pending.older = newest_;
  (newest_ == kNobody ? oldest_ : pending_[newest_].newer) = index;
  newest_ = index;
  ++waiting_;
  return index;
}

void Reassembler::forget(std::uint16_t index) noexcept {
  Pending& pending = pending_[index];
  free_blocks(pending);
  std::uint16_t* link = &buckets_[pending.bucket];
  while (*link != index) link = &pending_[*link].next_in_bucket;
  *link = pending.next_in_bucket;
  (pending.older == kNobody ? oldest_ : pending_[pending.older].newer) = pending.newer;
  (pending.newer == kNobody ? newest_ : pending_[pending.newer].older) = pending.older;
  unused_pending_.push_back(index);
  --waiting_;
}

void Reassembler::free_blocks(Pending& pending) noexcept {
  for (std::uint16_t& block : pending.blocks) {
    if (block != kNoBlock) unused_blocks_.push_back(block);
    block = kNoBlock;
  }
}

void Reassembler::expire(base::Timestamp clock) noexcept {
  while (oldest_ != kNobody && base::elapsed(pending_[oldest_].since, clock) > timeout_) {
    if (!pending_[oldest_].dropped) ++counters_.timed_out;
    forget(oldest_);
  }
}

/// A free block; the oldest other datagram makes way for it. There is one: no datagram can hold all of them.
std::uint16_t Reassembler::take_block(std::uint16_t owner) noexcept {
  while (unused_blocks_.empty()) {
    const std::uint16_t victim = oldest_ != owner ? oldest_ : pending_[oldest_].newer;
    ++counters_.evicted;
    forget(victim);
  }
  const std::uint16_t block = unused_blocks_.back();
  unused_blocks_.pop_back();
  blocks_[block].present.fill(0);
  return block;
}

Reassembler::Meeting Reassembler::meet(const Pending& pending, const Fragment& fragment) const noexcept {
  Meeting meeting;
  for (std::uint32_t at = 0; at < fragment.length; at += kUnit) {
    ++meeting.units;
    const std::uint32_t place = fragment.offset + at;
    const std::uint16_t number = pending.blocks[place / kBlockBytes];
    if (number == kNoBlock) continue;
    const Block& block = blocks_[number];
    const std::uint32_t unit = place % kBlockBytes / kUnit;
    if ((block.present[unit / 64] >> (unit % 64) & 1) == 0) continue;
    ++meeting.known;
    const std::uint32_t size = std::min({kUnit, fragment.length - at, pending.furthest > place ? pending.furthest - place : 0});
    const bool comparable = at + size <= fragment.captured && place + size <= pending.readable;
    if (comparable && std::memcmp(fragment.data + at, block.data.data() + place % kBlockBytes, size) != 0) meeting.differs = true;
  }
  return meeting;
}

/// The datagram cannot end both where this fragment and where others say.
bool Reassembler::contradicts(const Pending& pending, const Fragment& fragment) noexcept {
  const std::uint32_t end = fragment.offset + fragment.length;
  if (pending.total != kUnknown && (end > pending.total || (!fragment.more && end != pending.total))) return true;
  return !fragment.more && end < pending.furthest;
}

/// Decides what a further fragment of a known datagram is: false if there is nothing in it to store. May begin the datagram anew: then
/// `index` is another.
bool Reassembler::admit(std::uint16_t& index, const Fragment& fragment, base::Timestamp clock) noexcept {
  Pending& pending = pending_[index];
  if (pending.dropped) return false;
  const bool v6 = (fragment.network & FlowKey::kIpv6) != 0;
  const bool contradiction = contradicts(pending, fragment);
  const Meeting meeting = meet(pending, fragment);
  if (!contradiction && meeting.known == 0) return true;
  if (!contradiction && meeting.known == meeting.units && !meeting.differs) {
    ++counters_.copies;
    return false;
  }
  ++counters_.overlaps;
  if (v6) {
    ++counters_.dropped;
    free_blocks(pending);
    pending.dropped = true;
    return false;
  }
  if (!contradiction && (fragment.offset != 0 || !meeting.differs)) return true;
  ++counters_.restarted;
  const Key key = pending.key;
  const std::uint32_t bucket = pending.bucket;
  forget(index);
  index = begin(key, bucket, clock);
  return true;
}

/// Writes the units that are not there yet, and what the fragment says of the whole.
void Reassembler::store(std::uint16_t index, const Fragment& fragment) noexcept {
  Pending& pending = pending_[index];
  const std::uint32_t end = fragment.offset + fragment.length;
  for (std::uint32_t at = 0; at < fragment.length; at += kUnit) {
    const std::uint32_t place = fragment.offset + at;
    std::uint16_t& number = pending.blocks[place / kBlockBytes];
    if (number == kNoBlock) number = take_block(index);
    Block& block = blocks_[number];
    const std::uint32_t unit = place % kBlockBytes / kUnit;
    const std::uint64_t bit = std::uint64_t{1} << (unit % 64);
    if ((block.present[unit / 64] & bit) != 0) continue;
    block.present[unit / 64] |= bit;
    ++pending.units;
    const std::uint32_t size = std::min(kUnit, fragment.captured > at ? fragment.captured - at : 0);
    if (size != 0) std::memcpy(block.data.data() + place % kBlockBytes, fragment.data + at, size);
  }
  if (fragment.captured < fragment.length) pending.readable = std::min(pending.readable, fragment.offset + fragment.captured);
  if (fragment.offset == 0 && pending.first.length == 0) pending.first = fragment;
  if (!fragment.more) pending.total = end;
  pending.furthest = std::max(pending.furthest, end);
}

void Reassembler::give(const Pending& pending, Fragment& whole) noexcept {
  for (std::uint32_t at = 0; at < pending.total; at += kBlockBytes) {
    std::memcpy(whole_.data() + at, blocks_[pending.blocks[at / kBlockBytes]].data.data(), std::min(kBlockBytes, pending.total - at));
  }
  whole = pending.first;
  whole.data = whole_.data();
  whole.offset = 0;
  whole.more = false;
  whole.length = pending.total;
  whole.captured = std::min(pending.total, pending.readable);
}

}  // namespace finwait::wire

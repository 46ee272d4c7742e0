#include "finwait/engine/cargo.h"

#include <type_traits>

namespace finwait::engine {

void Parts::add_block(Part& part) {
  static_assert(std::is_trivially_copyable_v<wire::Segment> && std::is_trivially_destructible_v<wire::Segment>);
  const std::size_t lent = lent_.size() / block_;
  if (given_ >= lent && given_ - lent == own_.size()) own_.emplace_back(block_ * sizeof(wire::Segment));
  auto* const block = given_ < lent ? lent_.data() + given_ * block_ : reinterpret_cast<wire::Segment*>(own_[given_ - lent].data());
  part.blocks.push_back(block);
  ++given_;
  part.next = block;
  part.end = block + block_;
}

void Parts::merge_from(std::size_t shard, std::size_t from) {
  const Part& part = parts_[shard];
  std::size_t to = size(shard);
  std::vector<wire::Segment> late;
  for (std::size_t n = from; n != to; ++n) late.push_back(at(part, n));
  while (!late.empty()) {
    if (from != 0 && at(part, from - 1).frame > late.back().frame) {
      at(part, --to) = at(part, --from);
    } else {
      at(part, --to) = late.back();
      late.pop_back();
    }
  }
}

void Parts::clear() noexcept {
  for (Part& part : parts_) {
    part.blocks.clear();
    part.next = part.end = nullptr;
  }
  given_ = 0;
}

void Cargo::clear() noexcept {
  stamps.clear();
  held.clear();
  held_bytes.clear();
  parts.clear();
}

}  // namespace finwait::engine

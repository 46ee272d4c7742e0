#include "finwait/capture/pcapng_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "finwait/capture/bytes.h"
#include "finwait/capture/error.h"

namespace finwait::capture {
namespace {

constexpr std::uint32_t kInterfaceDescriptionBlock = 1;
constexpr std::uint32_t kObsoletePacketBlock = 2;
constexpr std::uint32_t kSimplePacketBlock = 3;
constexpr std::uint32_t kInterfaceStatisticsBlock = 5;
constexpr std::uint32_t kEnhancedPacketBlock = 6;

constexpr std::uint32_t kByteOrderMark = 0x1a2b3c4d;
constexpr std::uint32_t kSmallestBlock = 12;
constexpr std::uint32_t kLargestBlock = kMaxRecord + (std::uint32_t{64} << 10U);  // a packet and its options

constexpr std::uint16_t kIfTsresol = 9;
constexpr std::uint16_t kIfTsoffset = 14;
constexpr std::uint16_t kEpbDropcount = 4;
constexpr std::uint16_t kIsbIfdrop = 5;
constexpr std::uint16_t kIsbOsdrop = 7;

constexpr std::uint16_t kDropsUnknown = 0xffff;  // in an obsolete packet block

constexpr std::size_t kChain = 4;  // so many blocks in a row are taken for the middle of a file

constexpr std::size_t padded(std::size_t length) noexcept { return (length + 3) & ~std::size_t{3}; }

std::uint64_t add_held(std::uint64_t left, std::uint64_t right) noexcept {
  return left > std::numeric_limits<std::uint64_t>::max() - right ? std::numeric_limits<std::uint64_t>::max() : left + right;
}

/// Calls `use(code, value)` for each option that fits.
template <typename Use>
void for_each_option(std::span<const std::uint8_t> options, bool swapped, Use use) {
  while (options.size() >= 4) {
    const std::uint16_t code = load16(options.data(), swapped);
    const std::size_t length = load16(options.data() + 2, swapped);
    options = options.subspan(4);
    if (code == 0 || length > options.size()) return;
    use(code, options.first(length));
    options = options.subspan(std::min(padded(length), options.size()));
  }
}

bool has_use(std::uint32_t type) noexcept {
  switch (type) {
    case kSectionHeaderBlock:
    case kInterfaceDescriptionBlock:
    case kObsoletePacketBlock:
    case kSimplePacketBlock:
    case kInterfaceStatisticsBlock:
    case kEnhancedPacketBlock:
      return true;
    default:
      return false;
  }
}

}  // namespace

PcapngReader::PcapngReader(ByteWindow window, std::string name) : RecordReader(std::move(window), std::move(name)) {
  Frame none;
  Step step = next_block(none);
  while ((step == Step::kNeedBytes || step == Step::kNeedSkip) && bring_or_skip(step)) step = next_block(none);
  if (ended_) throw CaptureError(status().what);
}

PcapngReader::PcapngReader(ByteWindow window, const PcapngReader& like)
    : RecordReader(std::move(window), like.name()),
      swapped_(like.swapped_),
      interfaces_(like.interfaces_),
      interface_base_(like.interface_base_),
      last_time_(base::kNever),
      descriptions_(like.descriptions_) {}

void PcapngReader::learn() {
  Frame none;
  while (!ended_ && window_.fill(4)) {
    const std::uint32_t type = load32(window_.begin(), swapped_);
    if (type == kEnhancedPacketBlock || type == kSimplePacketBlock || type == kObsoletePacketBlock) return;
    const Step step = next_block(none);
    if ((step == Step::kNeedBytes || step == Step::kNeedSkip) && !bring_or_skip(step)) return;
  }
}

std::size_t PcapngReader::read(std::span<Frame> batch) {
  std::size_t count = 0;
  while (count < batch.size() && !ended_ && !stopped()) {
    const Step step = next_block(batch[count]);
    if (step == Step::kFrame) {
      ++count;
      ++frames_;
    } else if (step == Step::kNeedBytes || step == Step::kNeedSkip) {
      if (count != 0 || !bring_or_skip(step)) break;
    }
  }
  return count;
}

/// Does what `step` asks for; false at the end of the input, proper or not.
bool PcapngReader::bring_or_skip(Step step) {
  if (step == Step::kNeedBytes) {
    if (window_.fill(need_)) return true;
    end_short(block_offset_, place(), "block", need_);
    return false;
  }
  const std::uint32_t total = static_cast<std::uint32_t>(need_);
  if (!window_.skip(total - 4) || !window_.fill(4)) {
    end_short(block_offset_, place(), "block", total);
    return false;
  }
  if (const std::uint32_t trailer = load32(window_.begin(), swapped_); trailer != total) {
    damaged(fmt::format("the block ends with length {} but began with {}", trailer, total));
    return false;
  }
  window_.consume(4);
  ++blocks_;
  return true;
}

/// One block, if it lies in the window as a whole; its bytes stay in place.
PcapngReader::Step PcapngReader::next_block(Frame& frame) {
  need_ = kSmallestBlock;
  block_offset_ = window_.offset();
  if (window_.size() < kSmallestBlock) return Step::kNeedBytes;
  const std::uint8_t* at = window_.begin();
  Block block;
  block.type = load32(at, swapped_);
  if (block.type == kSectionHeaderBlock) {
    const std::uint32_t mark = load32(at + 8, false);
    if (mark != kByteOrderMark && mark != __builtin_bswap32(kByteOrderMark)) {
      return damaged(fmt::format("section header with byte-order mark {:08x}", mark));
    }
    swapped_ = mark != kByteOrderMark;
  }
  block.total = load32(at + 4, swapped_);
  if (!check_length(block)) return Step::kEnd;
  need_ = block.total;
  if (window_.size() < block.total) return has_use(block.type) ? Step::kNeedBytes : Step::kNeedSkip;
  if (const std::uint32_t trailer = load32(at + block.total - 4, swapped_); trailer != block.total) {
    return damaged(fmt::format("the block ends with length {} but began with {}", trailer, block.total));
  }
  block.body = {at + 8, block.total - kSmallestBlock};
  const Step step = open_block(block, frame);
  if (step == Step::kEnd) return step;
  window_.consume(block.total);
  ++blocks_;
  return step;
}

bool PcapngReader::check_length(const Block& block) {
  if (block.total < kSmallestBlock) {
    damaged(fmt::format("block length {} is too small (the least is {})", block.total, kSmallestBlock));
  } else if (block.total % 4 != 0) {
    damaged(fmt::format("block length {} is not a multiple of 4", block.total));
  } else if (block.total > kLargestBlock && has_use(block.type)) {
    damaged(fmt::format("block length {} is impossible (the most is {})", block.total, kLargestBlock));
  }
  return !ended_;
}

PcapngReader::Step PcapngReader::open_block(const Block& block, Frame& frame) {
  switch (block.type) {
    case kEnhancedPacketBlock:
      return enhanced_packet(block, frame);
    case kObsoletePacketBlock:
      return obsolete_packet(block, frame);
    case kSimplePacketBlock:
      return simple_packet(block, frame);
    case kSectionHeaderBlock:
      return section_header(block);
    case kInterfaceDescriptionBlock:
      return interface_description(block);
    case kInterfaceStatisticsBlock:
      interface_statistics(block);
      return Step::kNoFrame;
    default:
      return Step::kNoFrame;
  }
}

PcapngReader::Step PcapngReader::section_header(const Block& block) {
  if (block.body.size() < 16) return damaged("section header block is too short");
  const std::uint16_t major = load16(block.body.data() + 4, swapped_);
  if (major != 1) {
    return damaged(
        fmt::format("pcapng version {}.{} is unknown; the version in use is 1.0", major, load16(block.body.data() + 6, swapped_)));
  }
  told_more_ = true;
  ++descriptions_;
  kernel_drops_ = add_held(kernel_drops_, section_kernel_drops());
  interface_drops_ = add_held(interface_drops_, section_interface_drops());
  interface_base_ = interface_count();
  interfaces_.clear();
  return Step::kNoFrame;
}

PcapngReader::Step PcapngReader::interface_description(const Block& block) {
  if (block.body.size() < 8) return damaged("interface description block is too short");
  if (interfaces_.size() == kMaxInterfaces) return damaged(fmt::format("more than {} interfaces in a section", kMaxInterfaces));
  told_more_ = true;
  ++descriptions_;
  std::uint8_t resolution = 6;
  std::int64_t offset = 0;
  for_each_option(block.body.subspan(8), swapped_, [&](std::uint16_t code, std::span<const std::uint8_t> value) {
    if (code == kIfTsresol && value.size() == 1) resolution = value[0];
    if (code == kIfTsoffset && value.size() == 8) offset = static_cast<std::int64_t>(load64(value.data(), swapped_));
  });
  Interface interface;
  interface.link_type = load16(block.body.data(), swapped_);
  interface.snapshot = load32(block.body.data() + 4, swapped_);
  interface.clock = TickClock(resolution, offset);
  interfaces_.push_back(interface);
  link_types_.note(interface.link_type);
  return Step::kNoFrame;
}

PcapngReader::Step PcapngReader::enhanced_packet(const Block& block, Frame& frame) {
  if (block.body.size() < 20) return damaged("enhanced packet block is too short");
  return packet(block, load32(block.body.data(), swapped_), 0, frame);
}

PcapngReader::Step PcapngReader::obsolete_packet(const Block& block, Frame& frame) {
  if (block.body.size() < 20) return damaged("packet block is too short");
  const std::uint16_t drops = load16(block.body.data() + 2, swapped_);
  return packet(block, load16(block.body.data(), swapped_), drops == kDropsUnknown ? 0 : drops, frame);
}

/// What enhanced and obsolete packet blocks share: time, lengths, bytes, options from byte 4 of the body on.
PcapngReader::Step PcapngReader::packet(const Block& block, std::uint32_t interface, std::uint32_t drops, Frame& frame) {
  if (interface >= interfaces_.size()) {
    return damaged(fmt::format("packet of interface {}, but {} are described", interface, interfaces_.size()));
  }
  const std::uint8_t* body = block.body.data();
  const std::uint64_t high = load32(body + 4, swapped_);
  const std::uint32_t low = load32(body + 8, swapped_);
  const std::uint32_t captured = load32(body + 12, swapped_);
  if (captured > block.body.size() - 20) {
    return damaged(fmt::format("captured length {} does not fit its block of {} bytes", captured, block.total));
  }
  Interface& owner = interfaces_[interface];
  frame.data = body + 20;
  frame.captured = captured;
  frame.length = load32(body + 16, swapped_);
  frame.time = owner.clock.time(high << 32U | low);
  frame.link_type = owner.link_type;
  frame.interface = number_of(interface);
  last_time_ = frame.time;
  count_drops(owner, drops);
  const std::size_t data_end = 20 + padded(captured);
  if (block.type == kEnhancedPacketBlock && block.body.size() > data_end) count_drops_before(owner, block.body.subspan(data_end));
  return Step::kFrame;
}

void PcapngReader::count_drops(Interface& interface, std::uint64_t drops) {
  if (drops == 0) return;
  told_more_ = true;
  interface.counted_drops = add_held(interface.counted_drops, drops);
}

void PcapngReader::count_drops_before(Interface& interface, std::span<const std::uint8_t> options) {
  for_each_option(options, swapped_, [&](std::uint16_t code, std::span<const std::uint8_t> value) {
    if (code == kEpbDropcount && value.size() == 8) count_drops(interface, load64(value.data(), swapped_));
  });
}

PcapngReader::Step PcapngReader::simple_packet(const Block& block, Frame& frame) {
  if (block.body.size() < 4) return damaged("simple packet block is too short");
  if (interfaces_.empty()) return damaged("simple packet, but no interface is described");
  if (last_time_ == base::kNever) told_more_ = true;  // its time stands in another piece
  const Interface& owner = interfaces_.front();
  const std::uint32_t length = load32(block.body.data(), swapped_);
  const std::uint32_t captured = owner.snapshot == 0 ? length : std::min(length, owner.snapshot);
  if (captured > block.body.size() - 4) {
    return damaged(fmt::format("captured length {} does not fit its block of {} bytes", captured, block.total));
  }
  frame.data = block.body.data() + 4;
  frame.captured = captured;
  frame.length = length;
  frame.time = last_time_;
  frame.link_type = owner.link_type;
  frame.interface = number_of(0);
  return Step::kFrame;
}

void PcapngReader::interface_statistics(const Block& block) {
  if (block.body.size() < 12) return;
  const std::uint32_t id = load32(block.body.data(), swapped_);
  if (id >= interfaces_.size()) return;
  told_more_ = true;
  Interface& interface = interfaces_[id];
  for_each_option(block.body.subspan(12), swapped_, [&](std::uint16_t code, std::span<const std::uint8_t> value) {
    if (value.size() != 8) return;
    if (code == kIsbIfdrop) interface.interface_drops = load64(value.data(), swapped_);
    if (code == kIsbOsdrop) {
      interface.kernel_drops = load64(value.data(), swapped_);
      interface.has_kernel_drops = true;
    }
  });
}

PcapngReader::Step PcapngReader::damaged(std::string_view reason) {
  end_damaged(block_offset_, place(), reason);
  return Step::kEnd;
}

std::string PcapngReader::place() const { return fmt::format("block {}, after {} frames", blocks_ + 1, frames_); }

std::uint64_t PcapngReader::section_kernel_drops() const {
  std::uint64_t sum = 0;
  for (const Interface& interface : interfaces_) {
    sum = add_held(sum, interface.has_kernel_drops ? interface.kernel_drops : interface.counted_drops);
  }
  return sum;
}

std::uint64_t PcapngReader::section_interface_drops() const {
  std::uint64_t sum = 0;
  for (const Interface& interface : interfaces_) sum = add_held(sum, interface.interface_drops);
  return sum;
}

std::uint32_t PcapngReader::number_of(std::uint32_t interface) const noexcept {
  return std::min(interface_base_ + interface, static_cast<std::uint32_t>(kMaxInterfaces) - 1);
}

std::uint32_t PcapngReader::interface_count() const noexcept {
  return std::min(interface_base_ + static_cast<std::uint32_t>(interfaces_.size()), static_cast<std::uint32_t>(kMaxInterfaces));
}

std::uint64_t PcapngReader::dropped_by_kernel() const { return add_held(kernel_drops_, section_kernel_drops()); }

std::uint64_t PcapngReader::dropped_by_interface() const { return add_held(interface_drops_, section_interface_drops()); }

std::unique_ptr<RecordReader> PcapngReader::copy_over(ByteWindow window) const {
  return std::unique_ptr<RecordReader>(new PcapngReader(std::move(window), *this));
}

/// Several blocks in a row whose lengths agree, or all there are.
bool PcapngReader::is_chain(std::span<const std::uint8_t> bytes) const noexcept {
  for (std::size_t count = 0; count != kChain; ++count) {
    if (bytes.size() < kSmallestBlock) return count > 0 && bytes.empty();
    const std::uint32_t type = load32(bytes.data(), swapped_);
    const std::uint32_t total = load32(bytes.data() + 4, swapped_);
    if (!has_use(type) || total < kSmallestBlock || total % 4 != 0 || total > kLargestBlock) return false;
    if (total > bytes.size()) return count > 1;
    if (load32(bytes.data() + total - 4, swapped_) != total) return false;
    bytes = bytes.subspan(total);
  }
  return true;
}

/// Blocks begin at multiples of four.
std::optional<std::size_t> PcapngReader::find_record(std::span<const std::uint8_t> bytes, std::uint64_t offset) const {
  for (std::size_t at = padded(offset % 4) - offset % 4; at + kSmallestBlock <= bytes.size(); at += 4) {
    if (is_chain(bytes.subspan(at))) return at;
  }
  return std::nullopt;
}

bool PcapngReader::would_agree(const RecordReader& fork) const {
  const auto& other = static_cast<const PcapngReader&>(fork);
  return !other.told_more_ && other.descriptions_ == descriptions_;
}

void PcapngReader::count_as(const RecordReader& fork) {
  const auto& other = static_cast<const PcapngReader&>(fork);
  blocks_ += other.blocks_;
  if (other.last_time_ != base::kNever) last_time_ = other.last_time_;
}

}  // namespace finwait::capture

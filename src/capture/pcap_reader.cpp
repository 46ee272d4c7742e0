#include "finwait/capture/pcap_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "finwait/base/apart.h"
#include "finwait/capture/bytes.h"
#include "finwait/capture/error.h"

namespace finwait::capture {
namespace {

// Offsets in a record header.
constexpr std::size_t kSeconds = 0;
constexpr std::size_t kFraction = 4;
constexpr std::size_t kCaptured = 8;
constexpr std::size_t kLength = 12;

// Of a place in the middle of a file where records seem to begin.
constexpr std::size_t kChain = 6;                 // so many records in a row
constexpr std::uint32_t kNearInTime = 86'400;     // seconds from one to the next
constexpr std::uint32_t kMuchLonger = 0x10'0000;  // no frame was that long on the wire

}  // namespace

PcapReader::PcapReader(ByteWindow window, const PcapReader& like)
    : RecordReader(std::move(window), like.name()),
      variant_(like.variant_),
      limit_(like.limit_),
      link_type_(like.link_type_),
      lengths_(like.lengths_) {}

PcapReader::PcapReader(ByteWindow window, std::string name, const PcapVariant& variant)
    : RecordReader(std::move(window), std::move(name)), variant_(variant) {
  read_file_header();
}

void PcapReader::read_file_header() {
  if (!window_.fill(variant_.file_header)) {
    throw CaptureError(
        fmt::format("{}: {}; there is no packet in it", display_name(name()), shortfall(0, "pcap file header", variant_.file_header)));
  }
  const std::uint8_t* header = window_.begin();
  const std::uint16_t major = load16(header + 4, variant_.swapped);
  const std::uint16_t minor = load16(header + 6, variant_.swapped);
  const bool dg_ux = major == 543 && minor == 0;
  if (major != 2 && !dg_ux) {
    throw CaptureError(
        fmt::format("{}: pcap version {}.{} is unknown; the versions in use are 2.0 to 2.4", display_name(name()), major, minor));
  }
  if (dg_ux || minor < 3) lengths_ = Lengths::kExchanged;
  if (!dg_ux && minor == 3) lengths_ = Lengths::kExchangedIfLarger;
  // A snapshot length of 0, or one that is negative as libpcap reads it, promises nothing.
  const std::uint32_t snapshot = load32(header + 16, variant_.swapped);
  if (snapshot <= std::numeric_limits<std::int32_t>::max()) limit_ = std::clamp(snapshot, kUsualMaxRecord, kMaxRecord);
  // The upper half carries the length of the frame check sequence and other notes.
  link_type_ = static_cast<std::uint16_t>(load32(header + 20, variant_.swapped) & 0xffffU);
  if (major == 2 && minor == 2) recognise_aix();
  link_types_.note(link_type_);
  window_.consume(variant_.file_header);
  // A pipe would keep its first frames until there are enough to look at.
  if (lengths_ != Lengths::kInOrder || window_.may_wait()) return;
  (void)window_.fill(kVariantLook);
  variant_.record_header = likely_record_header({window_.begin(), std::min(window_.size(), kVariantLook)}, variant_, limit_);
}

/// AIX writes version 2.2 with interface types (RFC 1573) in place of link types, and nanoseconds. Others wrote 2.2 too, but not with these
/// link types.
void PcapReader::recognise_aix() noexcept {
  switch (link_type_) {
    case 6:
      link_type_ = 1;  // Ethernet
      break;
    case 9:
      link_type_ = 6;  // token ring
      break;
    case 15:
      link_type_ = 10;  // FDDI
      break;
    case 24:
      link_type_ = 0;  // loopback
      break;
    default:
      return;
  }
  variant_.tick = 1;
  lengths_ = Lengths::kExchangedIfLarger;
}

void PcapReader::put_lengths_in_order(std::uint32_t& captured, std::uint32_t& length) const noexcept {
  if (lengths_ == Lengths::kExchanged || (lengths_ == Lengths::kExchangedIfLarger && captured > length)) std::swap(captured, length);
}

/// All records that lie in the window as a whole. Stops before one that does not, or that cannot be right: bring_record() sees to it.
/// `kPlain`: in the machine's byte order, the lengths in theirs.
template <bool kPlain>
std::size_t PcapReader::take_records(std::span<Frame> batch) noexcept {
  const std::uint8_t* at = window_.begin();
  const std::uint8_t* const end = window_.end();
  const std::size_t header = variant_.record_header;
  if (window_.size() < header) return 0;
  const std::uint8_t* const stop = at + std::min(before_stop(), window_.size() - header + 1);  // no header begins there or later
  const bool swapped = !kPlain && variant_.swapped;
  const std::uint32_t limit = limit_;
  const std::uint16_t link_type = link_type_;
  const base::Timestamp tick = variant_.tick;
  Frame* const first = batch.data();
  Frame* const full = first + batch.size();
  Frame* frame = first;
  for (; frame != full && at < stop; ++frame) {
    std::uint32_t captured = base::apart(load32(at + kCaptured, swapped));  // the next record is waiting for it
    std::uint32_t length = base::apart(load32(at + kLength, swapped));
    if constexpr (!kPlain) put_lengths_in_order(captured, length);
    const std::uint8_t* const data = at + header;
    if (captured > limit || captured > static_cast<std::size_t>(end - data)) break;
    const base::Timestamp seconds{load32(at + kSeconds, swapped)};
    frame->data = data;
    frame->captured = captured;
    frame->length = length;
    frame->time = seconds * base::kSecond + base::Timestamp{load32(at + kFraction, swapped)} * tick;
    frame->link_type = link_type;
    frame->interface = 0;
    at = data + captured;
  }
  window_.consume(static_cast<std::size_t>(at - window_.begin()));
  return static_cast<std::size_t>(frame - first);
}

/// Brings the next record into the window as a whole; false at the end of the input, proper or not.
bool PcapReader::bring_record() {
  const std::string where = fmt::format("frame {}", frames_ + 1);
  if (!window_.fill(variant_.record_header)) {
    end_short(window_.offset(), where, "record header", variant_.record_header);
    return false;
  }
  std::uint32_t captured = load32(window_.begin() + kCaptured, variant_.swapped);
  std::uint32_t length = load32(window_.begin() + kLength, variant_.swapped);
  put_lengths_in_order(captured, length);
  if (captured > limit_) {
    // So early it is rather one of the variants that share a magic number and have longer record headers.
    const std::string_view hint = frames_ < 3 ? "; if it is an unusual variant of pcap, 'editcap -F pcapng IN OUT' may convert it" : "";
    end_damaged(window_.offset(), where, fmt::format("captured length {} is impossible (the most is {}){}", captured, limit_, hint));
    return false;
  }
  if (!window_.fill(variant_.record_header + captured)) {
    end_short(window_.offset(), where, "record", variant_.record_header + captured);
    return false;
  }
  return true;
}

std::size_t PcapReader::read(std::span<Frame> batch) {
  if (ended_ || batch.empty() || stopped()) return 0;
  const bool plain = !variant_.swapped && lengths_ == Lengths::kInOrder;
  std::size_t count = plain ? take_records<true>(batch) : take_records<false>(batch);
  if (count == 0 && bring_record()) count = plain ? take_records<true>(batch) : take_records<false>(batch);
  frames_ += count;
  return count;
}

std::unique_ptr<RecordReader> PcapReader::copy_over(ByteWindow window) const {
  return std::unique_ptr<RecordReader>(new PcapReader(std::move(window), *this));
}

/// Several headers in a row that a capture program would have written, or all there are.
bool PcapReader::is_chain(std::span<const std::uint8_t> bytes) const noexcept {
  const std::size_t header = variant_.record_header;
  const auto fractions = static_cast<std::uint32_t>(base::kSecond / variant_.tick);
  std::uint32_t previous = 0;
  for (std::size_t count = 0; count != kChain; ++count) {
    if (bytes.size() < header) return count > 0 && bytes.empty();
    const std::uint32_t seconds = load32(bytes.data() + kSeconds, variant_.swapped);
    std::uint32_t captured = load32(bytes.data() + kCaptured, variant_.swapped);
    std::uint32_t length = load32(bytes.data() + kLength, variant_.swapped);
    put_lengths_in_order(captured, length);
    const bool near = count == 0 || seconds - previous < kNearInTime || previous - seconds < kNearInTime;
    if (load32(bytes.data() + kFraction, variant_.swapped) >= fractions || captured == 0 || captured > length || !near) return false;
    if (captured > limit_ || length > kMuchLonger) return false;
    if (captured > bytes.size() - header) return count > 1;
    previous = seconds;
    bytes = bytes.subspan(header + captured);
  }
  return true;
}

std::optional<std::size_t> PcapReader::find_record(std::span<const std::uint8_t> bytes, std::uint64_t /*offset*/) const {
  for (std::size_t at = 0; at + variant_.record_header <= bytes.size(); ++at) {
    if (is_chain(bytes.subspan(at))) return at;
  }
  return std::nullopt;
}

/// All that is known of a file stands in its header.
bool PcapReader::would_agree(const RecordReader& /*fork*/) const { return true; }

void PcapReader::count_as(const RecordReader& /*fork*/) {}

}  // namespace finwait::capture

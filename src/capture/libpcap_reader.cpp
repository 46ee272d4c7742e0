#include "finwait/capture/libpcap_reader.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
#include <string_view>
#include <utility>

#include "dlt.h"
#include "finwait/capture/error.h"
#include "finwait/capture/stop.h"

namespace finwait::capture {
namespace {

constexpr std::size_t kCopies = std::size_t{1} << 20U;  // four of the largest usual records
constexpr std::size_t kStreamBuffer = std::size_t{64} << 10U;

/// A C stream's reading function over a window. Signals an error only when the window has one: libpcap tells it from the end.
ssize_t read_window(void* cookie, char* into, std::size_t room) {
  auto& window = *static_cast<ByteWindow*>(cookie);
  if (!window.fill(1)) {
    if (window.error().empty()) return 0;
    errno = EIO;
    return -1;
  }
  const std::size_t count = std::min(room, window.size());
  std::memcpy(into, window.begin(), count);
  window.consume(count);
  return static_cast<ssize_t>(count);
}

/// Answers where the stream is, for ftello(); nothing can be sought.
int tell_window(void* cookie, off64_t* offset, int whence) {
  if (whence != SEEK_CUR || *offset != 0) return -1;
  *offset = static_cast<off64_t>(static_cast<ByteWindow*>(cookie)->offset());
  return 0;
}

using Pcap = std::unique_ptr<pcap_t, void (*)(pcap_t*)>;

/// Null if libpcap refuses; `error` then has its words. Reads through `window`, which must outlive the result. Throws std::bad_alloc.
Pcap open_pcap(ByteWindow& window, std::string& error) {
  cookie_io_functions_t functions{};
  functions.read = &read_window;
  functions.seek = &tell_window;
  std::FILE* const stream = ::fopencookie(&window, "r", functions);
  if (stream == nullptr) throw std::bad_alloc();
  (void)std::setvbuf(stream, nullptr, _IOFBF, kStreamBuffer);
  char words[PCAP_ERRBUF_SIZE] = "";
  errno = 0;
  Pcap pcap(pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, words), &pcap_close);
  if (!pcap) {
    const bool starved = errno == ENOMEM;
    std::fclose(stream);
    if (starved) throw std::bad_alloc();
    error = words;
  }
  return pcap;
}

base::Timestamp timestamp(const timeval& stamp) noexcept {
  base::Timestamp time = 0;
  if (!__builtin_mul_overflow(base::Timestamp{stamp.tv_sec}, base::kSecond, &time) &&
      !__builtin_add_overflow(time, base::Timestamp{stamp.tv_usec}, &time)) {  // nanoseconds, as asked for
    return std::min(time, base::kNever - 1);
  }
  return stamp.tv_sec < 0 ? std::numeric_limits<base::Timestamp>::min() : base::kNever - 1;
}

}  // namespace

struct LibpcapReader::Handle {
  Pcap pcap;
  pcap_pkthdr* header = nullptr;  // of the packet shown; valid until the next one
  const u_char* data = nullptr;
};

LibpcapReader::LibpcapReader(ByteWindow window, std::string name)
    : RecordReader(std::move(window), std::move(name)), copies_(std::make_unique_for_overwrite<std::uint8_t[]>(kCopies)) {
  std::string error;
  Pcap pcap = open_pcap(window_, error);
  if (!pcap) {
    const std::string ours = window_.error();
    throw CaptureError(fmt::format("{}: libpcap cannot read it: {}", display_name(this->name()), ours.empty() ? error : ours));
  }
  link_type_ = link_type_of(pcap_datalink(pcap.get()));
  link_types_.note(link_type_);
  handle_ = std::make_unique<Handle>(Handle{std::move(pcap)});
}

LibpcapReader::~LibpcapReader() = default;

bool LibpcapReader::knows(std::span<const std::uint8_t> start) {
  ByteWindow window(start);
  std::string error;
  return open_pcap(window, error) || error != "unknown file format";
}

/// Has libpcap show the next packet; false at the end of the input, proper or not.
bool LibpcapReader::next() {
  const off_t at = ::ftello(pcap_file(handle_->pcap.get()));
  const std::uint64_t offset = at < 0 ? window_.offset() : static_cast<std::uint64_t>(at);
  errno = 0;
  const int result = pcap_next_ex(handle_->pcap.get(), &handle_->header, &handle_->data);
  held_ = result == 1 && handle_->header->caplen <= kMaxRecord;
  if (held_) return true;
  if (result == PCAP_ERROR && errno == ENOMEM) throw std::bad_alloc();
  ended_ = true;
  if (result == PCAP_ERROR_BREAK || (stop_requested() && window_.error().empty())) return false;
  std::string reason =
      result == 1 ? fmt::format("captured length {} is impossible (the most is {})", handle_->header->caplen, kMaxRecord) : window_.error();
  if (reason.empty()) reason = pcap_geterr(handle_->pcap.get());
  end_damaged(offset, fmt::format("frame {}", frames_ + 1), reason);
  return false;
}

void LibpcapReader::describe(Frame& frame, const std::uint8_t* data) const noexcept {
  const pcap_pkthdr& header = *handle_->header;
  frame = {data, header.caplen, header.len, timestamp(header.ts), link_type_, 0};
}

std::size_t LibpcapReader::read(std::span<Frame> batch) {
  std::size_t count = 0;
  std::size_t used = 0;
  while (count < batch.size()) {
    if (!held_ && (ended_ || !next())) break;
    const std::size_t captured = handle_->header->caplen;
    const bool fits = captured <= kCopies - used;
    // One that is too large to be copied goes alone, where libpcap has it: it stays there until the next is asked for.
    if (!fits && count != 0) break;
    if (fits && captured != 0) std::memcpy(copies_.get() + used, handle_->data, captured);
    describe(batch[count++], fits ? copies_.get() + used : handle_->data);
    held_ = false;
    ++frames_;
    if (!fits) break;
    used += captured;
  }
  return count;
}

}  // namespace finwait::capture

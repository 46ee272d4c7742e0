// TCP options (RFC 9293, 3.2, and the RFCs named at each).
//
// An option of the wrong length, or one that runs beyond the header, ends the reading: what came before it stands. Where an option is there
// twice, the last one counts, as in Linux.
#include "walk.h"

namespace finwait::wire {
namespace {

constexpr std::uint8_t kEnd = 0;
constexpr std::uint8_t kNop = 1;
constexpr std::uint8_t kMss = 2;
constexpr std::uint8_t kWindowScale = 3;    // RFC 7323, 2
constexpr std::uint8_t kSackPermitted = 4;  // RFC 2018
constexpr std::uint8_t kSack = 5;
constexpr std::uint8_t kTimestamps = 8;    // RFC 7323, 3
constexpr std::uint8_t kMd5 = 19;          // RFC 2385
constexpr std::uint8_t kAo = 29;           // RFC 5925
constexpr std::uint8_t kMptcp = 30;        // RFC 8684
constexpr std::uint8_t kFastOpen = 34;     // RFC 7413
constexpr std::uint8_t kExperiment = 254;  // RFC 6994
constexpr std::uint16_t kFastOpenExperiment = 0xf989;

void note_timestamps(const std::uint8_t* value, Segment& out) noexcept {
  out.ts_val = be32(value);
  out.ts_ecr = be32(value + 4);
  out.present |= present::kTimestamps;
}

void note_fast_open(bool cookie, Segment& out) noexcept {
  out.present |= present::kFastOpen;
  if (cookie) out.present |= present::kFastOpenCookie;
}

/// One option of `size` bytes, kind and length included; false if it cannot have that length.
bool note_option(const std::uint8_t* option, std::uint32_t size, Segment& out) noexcept {
  switch (option[0]) {
    case kMss:
      if (size != 4) return false;
      out.mss = be16(option + 2);
      out.present |= present::kMss;
      return true;
    case kWindowScale:
      if (size != 3) return false;
      out.window_scale = option[2];
      out.present |= present::kWindowScale;
      return true;
    case kSackPermitted:
      if (size != 2) return false;
      out.present |= present::kSackPermitted;
      return true;
    case kSack:
      if (size < 10 || (size - 2) % 8 != 0) return false;
      out.sack_left = be32(option + 2);
      out.sack_right = be32(option + 6);
      out.present |= present::kSack;
      return true;
    case kTimestamps:
      if (size != 10) return false;
      note_timestamps(option + 2, out);
      return true;
    case kFastOpen:
      note_fast_open(size > 2, out);
      return true;
    case kExperiment:
      if (size >= 4 && be16(option + 2) == kFastOpenExperiment) note_fast_open(size > 4, out);
      return true;
    case kMd5:
      if (size != 18) return false;
      out.present |= present::kSigned;
      return true;
    case kAo:
      if (size < 4) return false;
      out.present |= present::kSigned;
      return true;
    case kMptcp:
      out.present |= present::kMptcp;
      return true;
    default:
      return true;
  }
}

/// All options of a SYN as Linux lays them out with timestamps, read at once; false: these are others.
bool read_usual_syn(const std::uint8_t* options, std::uint32_t size, Segment& out) noexcept {
  constexpr std::uint32_t kMssWord = kMss << 24 | 4U << 16;
  constexpr std::uint32_t kScaleWord = kNop << 24 | kWindowScale << 16 | 3U << 8;
  constexpr std::uint64_t kMssValue = 0xffff;
  constexpr std::uint64_t kScaleValue = 0xff;
  if (size != 20) return false;
  const std::uint64_t first = be64(options);
  const std::uint32_t last = be32(options + 16);
  constexpr std::uint64_t kFirst = std::uint64_t{kMssWord} << 32 | kSackPermitted << 24 | 2U << 16 | kTimestamps << 8 | 10U;
  if (((first ^ kFirst) & ~(kMssValue << 32)) != 0 || ((last ^ kScaleWord) & ~kScaleValue) != 0) return false;
  out.mss = static_cast<std::uint16_t>(first >> 32);
  out.window_scale = static_cast<std::uint8_t>(last);
  note_timestamps(options + 8, out);
  out.present |= present::kMss | present::kWindowScale | present::kSackPermitted;
  return true;
}

/// Options as most systems lay them out, in words of four bytes; returns how many bytes of the `size` it has read. What follows is for the
/// loop over options one by one, which would have read these alike.
std::uint32_t read_usual_words(const std::uint8_t* options, std::uint32_t size, Segment& out) noexcept {
  constexpr std::uint32_t kNops = kNop << 24 | kNop << 16;
  std::uint32_t at = 0;
  for (; at + 4 <= size; at += 4) {
    const std::uint32_t word = be32(options + at);
    const std::uint32_t upper = word >> 16;
    if (upper == (kMss << 8 | 4U)) {
      out.mss = static_cast<std::uint16_t>(word);
      out.present |= present::kMss;
    } else if (word >> 8 == (kNop << 16 | kWindowScale << 8 | 3U)) {
      out.window_scale = static_cast<std::uint8_t>(word);
      out.present |= present::kWindowScale;
    } else if (word == (kNops | kSackPermitted << 8 | 2U)) {
      out.present |= present::kSackPermitted;
    } else if (word == (kSackPermitted << 24 | 2U << 16 | kTimestamps << 8 | 10U) || word == (kNops | kTimestamps << 8 | 10U)) {
      if (at + 12 > size) break;
      if (upper == (kSackPermitted << 8 | 2U)) out.present |= present::kSackPermitted;
      note_timestamps(options + at + 4, out);
      at += 8;
    } else {
      break;
    }
  }
  return at;
}

}  // namespace

/// `size` bytes are there, of `whole` in the header.
void read_tcp_options(const std::uint8_t* options, std::uint32_t size, std::uint32_t whole, Segment& out) noexcept {
  if (size == whole && read_usual_syn(options, size, out)) return;
  for (std::uint32_t at = read_usual_words(options, size, out); at < size && options[at] != kEnd;) {
    if (options[at] == kNop) {
      ++at;
      continue;
    }
    if (at + 2 > size && size < whole) break;  // the snap length hides the rest
    const std::uint32_t length = at + 2 > size ? 0 : options[at + 1];
    const bool impossible = length < 2 || at + length > whole;
    if (!impossible && at + length > size) break;
    if (impossible || !note_option(options + at, length, out)) {
      out.present |= present::kOptionsMalformed;
      break;
    }
    at += length;
  }
  if (size < whole) out.present |= present::kOptionsCut;
}

}  // namespace finwait::wire

#include "finwait/capture/pcapng_blocks.h"

#include <algorithm>
#include <cstring>

namespace finwait::capture {
namespace {

constexpr std::size_t kLongestComment = 65532;  // a multiple of 4 below what 16 bits count
constexpr std::uint32_t kSection = 0x0a0d0d0a;
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kPacket = 6;
constexpr std::size_t kLeastBlock = 12;

constexpr std::uint32_t padded(std::size_t length) noexcept { return static_cast<std::uint32_t>((length + 3) & ~std::size_t{3}); }

void put16(std::string& bytes, std::uint16_t value) {
  bytes += static_cast<char>(value & 0xffU);
  bytes += static_cast<char>(value >> 8U);
}

void put32(std::string& bytes, std::uint32_t value) {
  put16(bytes, static_cast<std::uint16_t>(value));
  put16(bytes, static_cast<std::uint16_t>(value >> 16U));
}

std::uint32_t get32(std::string_view bytes, std::size_t at) noexcept {
  std::uint32_t value = 0;
  for (std::size_t n = 4; n-- != 0;) value = value << 8U | static_cast<unsigned char>(bytes[at + n]);
  return value;
}

void put_padded(std::string& bytes, std::string_view text) {
  bytes += text;
  bytes.append(padded(text.size()) - text.size(), '\0');
}

void put_option(std::string& bytes, std::uint16_t code, std::string_view value) {
  put16(bytes, code);
  put16(bytes, static_cast<std::uint16_t>(value.size()));
  put_padded(bytes, value);
}

std::string_view cut_between_characters(std::string_view text) {
  if (text.size() <= kLongestComment) return text;
  std::size_t end = kLongestComment;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end);
}

/// Of the block at `at`; 0 if it is none, or not there to its end.
std::size_t block_length(std::string_view bytes, std::size_t at) noexcept {
  if (bytes.size() - at < kLeastBlock) return 0;
  const std::uint32_t length = get32(bytes, at + 4);
  return length >= kLeastBlock && length <= bytes.size() - at ? length : 0;
}

}  // namespace

void append_section(std::string& bytes) {
  put32(bytes, kSection);
  put32(bytes, 28);
  put32(bytes, 0x1a2b3c4d);
  put16(bytes, 1);
  put16(bytes, 0);
  put32(bytes, 0xffffffff);  // section length: not given
  put32(bytes, 0xffffffff);
  put32(bytes, 28);
}

void append_interface(std::string& bytes, std::uint16_t link_type, std::uint32_t snapshot_length, std::string_view name) {
  const std::uint32_t total = 32 + (name.empty() ? 0 : 4 + padded(name.size()));
  put32(bytes, kInterface);
  put32(bytes, total);
  put16(bytes, link_type);
  put16(bytes, 0);
  put32(bytes, snapshot_length);
  if (!name.empty()) put_option(bytes, 2, name);      // if_name
  put_option(bytes, 9, std::string_view("\x09", 1));  // if_tsresol: nanoseconds
  put32(bytes, 0);                                    // end of options
  put32(bytes, total);
}

void append_packet(std::string& bytes, std::uint32_t interface, const Frame& frame, std::uint32_t snapshot_length,
                   std::string_view comment) {
  comment = cut_between_characters(comment);
  const std::uint32_t captured = std::min(frame.captured, snapshot_length);
  const std::uint32_t options = comment.empty() ? 0 : 4 + padded(comment.size()) + 4;
  const std::uint32_t total = 32 + padded(captured) + options;
  const std::uint64_t time = frame.time > 0 ? static_cast<std::uint64_t>(frame.time) : 0;
  put32(bytes, kPacket);
  put32(bytes, total);
  put32(bytes, interface);
  put32(bytes, static_cast<std::uint32_t>(time >> 32U));
  put32(bytes, static_cast<std::uint32_t>(time));
  put32(bytes, captured);
  put32(bytes, frame.length);
  put_padded(bytes, {reinterpret_cast<const char*>(frame.data), captured});
  if (!comment.empty()) {
    put_option(bytes, 1, comment);
    put32(bytes, 0);  // end of options
  }
  put32(bytes, total);
}

std::size_t whole_blocks(std::string_view bytes, std::size_t most) noexcept {
  const std::string_view looked = bytes.substr(0, most);
  std::size_t done = 0;
  while (done != looked.size()) {
    if (bytes.size() - done >= kLeastBlock && get32(bytes, done + 4) < kLeastBlock) return looked.size();
    const std::size_t length = block_length(looked, done);
    if (length == 0) break;
    done += length;
  }
  return done;
}

std::uint64_t count_packets(std::string_view bytes) noexcept {
  std::uint64_t count = 0;
  std::size_t length = 0;
  for (std::size_t at = 0; (length = block_length(bytes, at)) != 0; at += length) count += std::uint64_t{get32(bytes, at) == kPacket};
  return count;
}

}  // namespace finwait::capture

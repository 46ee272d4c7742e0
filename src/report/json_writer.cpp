#include "finwait/report/json_writer.h"

#include <cmath>
#include <cstdint>

namespace finwait::report {
namespace {

/// Length of the well-formed UTF-8 sequence at the front of `bytes` (RFC 3629), or 0 if there is none.
std::size_t utf8_length(std::string_view bytes) noexcept {
  const auto byte = [&](std::size_t n) { return static_cast<std::uint8_t>(bytes[n]); };
  const auto follows = [&](std::size_t n, std::uint8_t low = 0x80, std::uint8_t high = 0xbf) {
    return n < bytes.size() && byte(n) >= low && byte(n) <= high;
  };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const std::uint8_t low = lead == 0xe0 ? 0xa0 : 0x80;   // no overlong forms
    const std::uint8_t high = lead == 0xed ? 0x9f : 0xbf;  // no surrogates
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const std::uint8_t low = lead == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t high = lead == 0xf4 ? 0x8f : 0xbf;  // nothing above U+10FFFF
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

// RFC 8259, section 7. A byte that is no UTF-8 (a file name may hold any) becomes U+FFFD, so that the line stays valid.
void JsonWriter::put_escaped(std::string_view value) {
  constexpr std::string_view kHex = "0123456789abcdef";
  while (!value.empty()) {
    const char c = value.front();
    const auto byte = static_cast<std::uint8_t>(c);
    std::size_t used = 1;
    if (c == '"' || c == '\\') {
      text_.put('\\');
      text_.put(c);
    } else if (byte < 0x20) {
      text_.put("\\u00");
      text_.put(kHex[byte >> 4]);
      text_.put(kHex[byte & 0xf]);
    } else if (const std::size_t length = utf8_length(value); length != 0) {
      used = length;
      text_.put(value.substr(0, length));
    } else {
      text_.put("\\ufffd");
    }
    value.remove_prefix(used);
  }
}

void JsonWriter::put_real(double value, int decimals) {
  constexpr std::size_t kRoom = 400;  // the longest double in fixed notation
  char* to = text_.room(kRoom);
  text_.advance_to(std::to_chars(to, to + kRoom, std::isfinite(value) ? value : 0.0, std::chars_format::fixed, decimals).ptr);
  text_.put(',');
}

void JsonWriter::put_shortest(double value) {
  constexpr std::size_t kRoom = 32;
  char* to = text_.room(kRoom);
  text_.advance_to(std::to_chars(to, to + kRoom, std::isfinite(value) ? value : 0.0).ptr);
  text_.put(',');
}

}  // namespace finwait::report

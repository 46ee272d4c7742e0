#include "finwait/report/uid.h"

#include <cstring>

namespace finwait::report {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kHeadDigits = 6;   // 62^6 > 2^35
constexpr std::size_t kBodyDigits = 11;  // 62^11 > 2^64
constexpr std::uint64_t kHeadLimit = std::uint64_t{1} << 35;
static_assert(1 + kHeadDigits + kBodyDigits == kUidLength);

/// MurmurHash3's 64-bit finalizer.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 33)) * 0xff51'afd7'ed55'8ccd;
  x = (x ^ (x >> 33)) * 0xc4ce'b9fe'1a85'ec53;
  return x ^ (x >> 33);
}

std::uint64_t check_bits(std::uint64_t salt, std::uint64_t id) noexcept { return mix(id + mix(salt + 1)) & 0xff; }

void write(char* to, std::size_t digits, std::uint64_t value) noexcept {
  for (std::size_t n = digits; n-- != 0; value /= 62) to[n] = kDigits[value % 62];
}

std::optional<std::uint64_t> parse(std::string_view text) noexcept {
  std::uint64_t value = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    if (__builtin_mul_overflow(value, 62U, &value) || __builtin_add_overflow(value, digit, &value)) return std::nullopt;
  }
  return value;
}

}  // namespace

Uid uid_of(const wire::FlowKey& key, base::Timestamp start, std::uint64_t id) noexcept {
  std::array<std::uint64_t, sizeof(wire::FlowKey) / 8> words{};
  std::memcpy(words.data(), &key, sizeof key);
  std::uint64_t salt = mix(static_cast<std::uint64_t>(start));
  for (const std::uint64_t word : words) salt = mix(salt ^ word) + 0x9e37'79b9'7f4a'7c15;
  salt >>= 64 - 27;

  Uid uid;
  uid[0] = 'C';
  write(uid.data() + 1, kHeadDigits, salt << 8 | check_bits(salt, id));
  write(uid.data() + 1 + kHeadDigits, kBodyDigits, id ^ mix(salt));
  return uid;
}

std::optional<std::uint64_t> id_of_uid(std::string_view uid) noexcept {
  if (uid.size() != kUidLength || uid.front() != 'C') return std::nullopt;
  const auto head = parse(uid.substr(1, kHeadDigits));
  const auto body = parse(uid.substr(1 + kHeadDigits));
  if (!head || !body || *head >= kHeadLimit) return std::nullopt;
  const std::uint64_t salt = *head >> 8;
  const std::uint64_t id = *body ^ mix(salt);
  if ((*head & 0xff) != check_bits(salt, id)) return std::nullopt;
  return id;
}

}  // namespace finwait::report

#include "finwait/report/format.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace finwait::report {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;

constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t n = 0; n < 100; ++n) {
    pairs[2 * n] = static_cast<char>('0' + n / 10);
    pairs[2 * n + 1] = static_cast<char>('0' + n % 10);
  }
  return pairs;
}();

void two_digits(char* to, std::uint32_t n) noexcept { std::memcpy(to, &kPairs[2 * static_cast<std::size_t>(n)], 2); }

/// n < 10^9, with leading zeros.
void nine_digits(char* to, std::uint32_t n) noexcept {
  two_digits(to + 7, n % 100);
  n /= 100;
  two_digits(to + 5, n % 100);
  n /= 100;
  two_digits(to + 3, n % 100);
  n /= 100;
  two_digits(to + 1, n % 100);
  to[0] = static_cast<char>('0' + n / 100);
}

/// "YYYY-MM-DD" of a day counted from 1970-01-01 (the algorithm "civil from days" for the proleptic Gregorian calendar, in which years
/// begin in March, so that the leap day is the last).
void date(char* to, std::int64_t day) noexcept {
  const std::int64_t shifted = day + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const auto day_of_era = static_cast<std::uint32_t>(shifted - era * 146'097);
  const std::uint32_t year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint32_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::uint32_t day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const std::uint32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const auto year = static_cast<std::uint32_t>(year_of_era + era * 400 + (month <= 2 ? 1 : 0));
  two_digits(to, year / 100);
  two_digits(to + 2, year % 100);
  to[4] = '-';
  two_digits(to + 5, month);
  to[7] = '-';
  two_digits(to + 8, day_of_month);
}

struct Split {
  std::int64_t day;
  std::uint32_t second;
  std::uint32_t nanosecond;
};

/// Rounds towards the past, so that the parts are never negative.
Split split(base::Timestamp time) noexcept {
  std::int64_t seconds = time / base::kSecond;
  std::int64_t rest = time % base::kSecond;
  if (rest < 0) {
    rest += base::kSecond;
    --seconds;
  }
  std::int64_t day = seconds / kSecondsPerDay;
  std::int64_t second = seconds % kSecondsPerDay;
  if (second < 0) {
    second += kSecondsPerDay;
    --day;
  }
  return {day, static_cast<std::uint32_t>(second), static_cast<std::uint32_t>(rest)};
}

void put_v4(Text& text, const std::uint8_t* four) {
  char* to = text.room(16);
  for (int n = 0; n < 4; ++n) {
    if (n != 0) *to++ = '.';
    const std::uint32_t byte = four[n];
    if (byte >= 100) *to++ = static_cast<char>('0' + byte / 100);
    if (byte >= 10) *to++ = static_cast<char>('0' + byte / 10 % 10);
    *to++ = static_cast<char>('0' + byte % 10);
  }
  text.advance_to(to);
}

char* put_group(char* to, std::uint32_t group) noexcept {
  constexpr std::string_view kHex = "0123456789abcdef";
  int shift = group > 0xfff ? 12 : group > 0xff ? 8 : group > 0xf ? 4 : 0;
  for (; shift >= 0; shift -= 4) *to++ = kHex[group >> shift & 0xf];
  return to;
}

/// RFC 5952: the first of the longest runs of two or more zero groups becomes "::"; lower case; no leading zeros.
void put_v6(Text& text, const wire::Address& address) {
  std::array<std::uint32_t, 8> groups{};
  for (std::size_t n = 0; n < 8; ++n) groups[n] = static_cast<std::uint32_t>(address.bytes[2 * n] << 8 | address.bytes[2 * n + 1]);
  std::size_t gap = 8;
  std::size_t gap_length = 1;
  for (std::size_t n = 0; n < 8;) {
    std::size_t run = 0;
    while (n + run < 8 && groups[n + run] == 0) ++run;
    if (run > gap_length) {
      gap = n;
      gap_length = run;
    }
    n += run + 1;
  }
  const bool mapped = gap == 0 && gap_length == 5 && groups[5] == 0xffff;  // RFC 5952, 5
  char* to = text.room(48);
  for (std::size_t n = 0; n < (mapped ? 6U : 8U);) {
    if (n == gap) {
      if (n == 0) *to++ = ':';
      *to++ = ':';
      n += gap_length;
    } else {
      to = put_group(to, groups[n]);
      if (n != 7) *to++ = ':';
      ++n;
    }
  }
  text.advance_to(to);
  if (mapped) put_v4(text, address.bytes.data() + 12);
}

}  // namespace

void put_time(Text& text, base::Timestamp time) {
  const Split at = split(time);
  char* to = text.room(32);
  date(to, at.day);
  to[10] = 'T';
  two_digits(to + 11, at.second / 3'600);
  to[13] = ':';
  two_digits(to + 14, at.second / 60 % 60);
  to[16] = ':';
  two_digits(to + 17, at.second % 60);
  to[19] = '.';
  nine_digits(to + 20, at.nanosecond);
  to[29] = 'Z';
  text.advance_to(to + 30);
}

void put_seconds(Text& text, base::Duration duration) {
  if (duration < 0) text.put('-');
  const std::uint64_t size = duration < 0 ? 0 - static_cast<std::uint64_t>(duration) : static_cast<std::uint64_t>(duration);
  text.number(size / base::kSecond);
  char* to = text.room(10);
  to[0] = '.';
  nine_digits(to + 1, static_cast<std::uint32_t>(size % base::kSecond));
  text.advance_to(to + 10);
}

void put_address(Text& text, const wire::Address& address, int ip_version) {
  if (ip_version == 4) {
    put_v4(text, address.bytes.data() + 12);
  } else {
    put_v6(text, address);
  }
}

std::string human_duration(base::Duration duration) {
  const double seconds = static_cast<double>(duration) / 1e9;
  const double size = seconds < 0 ? -seconds : seconds;
  if (size < 0.9995e-3) return fmt::format("{:.0f} us", seconds * 1e6);
  if (size < 0.9995) return fmt::format("{:.{}f} ms", seconds * 1e3, size < 9.995e-3 ? 2 : size < 99.95e-3 ? 1 : 0);
  if (size < 99.95) return fmt::format("{:.{}f} s", seconds, size < 9.995 ? 2 : 1);
  const auto whole = static_cast<std::int64_t>(seconds);
  if (size < 7'200) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (size < 172'800) return fmt::format("{} h {} min", whole / 3'600, whole / 60 % 60);
  return fmt::format("{} days {} h", whole / kSecondsPerDay, whole / 3'600 % 24);
}

std::string human_count(std::uint64_t count) {
  std::string text = fmt::format("{}", count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string human_bytes(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> kUnits{"kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1'000) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes) / 1e3;
  std::size_t unit = 0;
  while (size >= 999.5 && unit + 1 < kUnits.size()) {
    size /= 1e3;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", size, size < 9.95 ? 1 : 0, kUnits[unit]);
}

std::string address_text(const wire::Address& address, int ip_version) {
  Text text;
  put_address(text, address, ip_version);
  return std::string(text.view());
}

std::string endpoint_text(const wire::Address& address, int ip_version, std::uint16_t port) {
  const std::string host = address_text(address, ip_version);
  return ip_version == 4 ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

std::string human_time(base::Timestamp time) {
  Text text;
  put_time(text, time);
  const std::string_view whole = text.view();
  return fmt::format("{} {} UTC", whole.substr(0, 10), whole.substr(11, 15));
}

std::string flags_text(const wire::Segment& s) {
  std::string text = "[";
  if (s.fin()) text += 'F';
  if (s.syn()) text += 'S';
  if (s.rst()) text += 'R';
  if (s.flag(wire::tcp_flag::kPsh)) text += 'P';
  if (s.flag(wire::tcp_flag::kUrg)) text += 'U';
  if (s.flag(wire::tcp_flag::kEce)) text += 'E';
  if (s.flag(wire::tcp_flag::kCwr)) text += 'W';
  if (s.flag(wire::tcp_flag::kAe)) text += 'e';
  if (s.acks()) text += '.';
  return text.size() == 1 ? "[none]" : text + "]";
}

}  // namespace finwait::report

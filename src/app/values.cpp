#include "values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace finwait::app {
namespace {

/// A decimal number at the front of `text` in units of 10^-9, exactly; what it used is removed. False if there is none or it is too large.
bool take_nanos(std::string_view& text, std::int64_t& value) {
  std::int64_t whole = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (end.ec != std::errc() || text.front() == '-') return false;
  text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()));
  std::int64_t fraction = 0;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    std::int64_t place = base::kSecond / 10;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      fraction += (text.front() - '0') * place;
      place /= 10;
      text.remove_prefix(1);
    }
  }
  return !__builtin_mul_overflow(whole, base::kSecond, &value) && !__builtin_add_overflow(value, fraction, &value);
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar.
std::int64_t days_from_civil(std::int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

[[noreturn]] void bad_time() { throw std::invalid_argument("a time looks like 2024-02-29T12:00:00.5Z, 2024-02-29 or 1709208000.5"); }

/// Exactly `digits` digits, then `mark` (0: none).
int take_digits(std::string_view& text, std::size_t digits, char mark) {
  int value = 0;
  if (text.size() < digits + (mark != 0 ? 1 : 0)) bad_time();
  const auto end = std::from_chars(text.data(), text.data() + digits, value);
  if (end.ec != std::errc() || end.ptr != text.data() + digits || value < 0 || (mark != 0 && text[digits] != mark)) bad_time();
  text.remove_prefix(digits + (mark != 0 ? 1 : 0));
  return value;
}

/// "Z", "+02:00", or nothing: seconds to take off to come to UTC.
int take_zone(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  const char sign = text.front();
  if (sign != '+' && sign != '-') bad_time();
  text.remove_prefix(1);
  const int hours = take_digits(text, 2, ':');
  const int minutes = take_digits(text, 2, 0);
  if (!text.empty() || hours > 23 || minutes > 59) bad_time();
  return (sign == '+' ? 1 : -1) * (hours * 3'600 + minutes * 60);
}

base::Timestamp parse_calendar(std::string_view text) {
  const int year = take_digits(text, 4, '-');
  const int month = take_digits(text, 2, '-');
  const int day = take_digits(text, 2, 0);
  if (month < 1 || month > 12 || day < 1 || day > 31) bad_time();
  std::int64_t nanos = 0;
  int zone = 0;
  std::int64_t seconds = days_from_civil(year, month, day) * 86'400;
  if (!text.empty()) {
    if (text.front() != 'T' && text.front() != 't' && text.front() != ' ') bad_time();
    text.remove_prefix(1);
    const int hour = take_digits(text, 2, ':');
    const int minute = take_digits(text, 2, ':');
    if (hour > 23 || minute > 59 || !take_nanos(text, nanos) || nanos > 60 * base::kSecond) bad_time();
    zone = take_zone(text);
    seconds += hour * 3'600 + minute * 60;
  }
  base::Timestamp time = 0;
  if (__builtin_mul_overflow(seconds - zone, base::kSecond, &time) || __builtin_add_overflow(time, nanos, &time)) bad_time();
  return time;
}

}  // namespace

base::Duration parse_duration(const std::string& word) {
  static constexpr std::array<std::pair<std::string_view, double>, 8> kUnits{
      {{"", 1.0}, {"s", 1.0}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}, {"m", 60.0}, {"h", 3'600.0}, {"d", 86'400.0}}};
  std::string_view rest = word;
  std::int64_t nanos = 0;
  if (!rest.empty() && take_nanos(rest, nanos)) {
    for (const auto& [unit, factor] : kUnits) {
      const double scaled = static_cast<double>(nanos) * factor;
      if (rest == unit && scaled < 9e18) return factor == 1.0 ? nanos : static_cast<base::Duration>(scaled + 0.5);
    }
  }
  throw std::invalid_argument("a duration looks like 30, 30s, 500ms, 2m or 1h");
}

std::uint64_t parse_size(const std::string& word) {
  std::uint64_t value = 0;
  const auto end = std::from_chars(word.data(), word.data() + word.size(), value);
  std::string_view unit(end.ptr, static_cast<std::size_t>(word.data() + word.size() - end.ptr));
  constexpr std::string_view kUnits = "KMGT";
  unsigned shift = 0;
  if (unit.size() == 1 && kUnits.find(static_cast<char>(unit.front() & ~0x20)) != std::string_view::npos) {
    shift = 10 * (1 + static_cast<unsigned>(kUnits.find(static_cast<char>(unit.front() & ~0x20))));
    unit = {};
  }
  if (end.ec != std::errc() || !unit.empty() || value << shift >> shift != value)
    throw std::invalid_argument("a size looks like 512M or 2G");
  return value << shift;
}

base::Timestamp parse_time(const std::string& word) {
  std::string_view rest = word;
  std::int64_t nanos = 0;
  if (!rest.empty() && take_nanos(rest, nanos) && rest.empty()) return nanos;
  return parse_calendar(word);
}

double parse_share(const std::string& word) {
  double share = 0;
  const auto end = std::from_chars(word.data(), word.data() + word.size(), share, std::chars_format::fixed);
  const std::string_view unit(end.ptr, static_cast<std::size_t>(word.data() + word.size() - end.ptr));
  if (unit == "%") share /= 100;
  const bool within = share >= 0 && share <= 1;  // not a number is not
  if (end.ec != std::errc() || !(unit.empty() || unit == "%") || !within)
    throw std::invalid_argument("a share looks like 0.02 or 2%, at most 1 or 100%");
  return share;
}

std::uint64_t parse_count(const std::string& word, std::uint64_t least) {
  std::uint64_t value = 0;
  const auto end = std::from_chars(word.data(), word.data() + word.size(), value);
  if (end.ec != std::errc() || end.ptr != word.data() + word.size() || value < least) {
    throw std::invalid_argument("a whole number, at least " + std::to_string(least));
  }
  return value;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    if (end != at) pieces.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return pieces;
}

}  // namespace finwait::app

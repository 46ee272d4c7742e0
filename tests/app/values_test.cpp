#include "../../src/app/values.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace finwait::app {
namespace {

TEST(Split, gives_what_stands_between_and_nothing_empty) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(split("a,bc,d", ','), (Words{"a", "bc", "d"}));
  EXPECT_EQ(split(",a,,b,", ','), (Words{"a", "b"}));
  EXPECT_EQ(split("one line\n", '\n'), (Words{"one line"}));
  EXPECT_EQ(split("", ','), Words{});
}

TEST(ParseDuration, takes_seconds_and_the_usual_units) {
  EXPECT_EQ(parse_duration("30"), 30 * base::kSecond);
  EXPECT_EQ(parse_duration("30s"), 30 * base::kSecond);
  EXPECT_EQ(parse_duration("500ms"), 500 * base::kMillisecond);
  EXPECT_EQ(parse_duration("10us"), 10 * base::kMicrosecond);
  EXPECT_EQ(parse_duration("7ns"), 7);
  EXPECT_EQ(parse_duration("2m"), 120 * base::kSecond);
  EXPECT_EQ(parse_duration("1.5h"), 5'400 * base::kSecond);
  EXPECT_EQ(parse_duration("0"), 0);
}

TEST(ParseDuration, refuses_the_rest) {
  for (const char* word : {"", "s", "-1", "1x", "1 s", "ms", "1e3", "99999999999999999999", "300000d"}) {
    EXPECT_THROW(static_cast<void>(parse_duration(word)), std::invalid_argument) << word;
  }
}

TEST(ParseSize, takes_powers_of_1024) {
  EXPECT_EQ(parse_size("17"), 17U);
  EXPECT_EQ(parse_size("1k"), 1024U);
  EXPECT_EQ(parse_size("512M"), 512U << 20);
  EXPECT_EQ(parse_size("2G"), std::uint64_t{2} << 30);
  for (const char* word : {"", "M", "1X", "1MB", "-1", "99999999999T"})
    EXPECT_THROW(static_cast<void>(parse_size(word)), std::invalid_argument) << word;
}

TEST(ParseTime, takes_rfc_3339_dates_and_epochs) {
  const base::Timestamp noon = 1'709'208'000 * base::kSecond;
  EXPECT_EQ(parse_time("2024-02-29T12:00:00Z"), noon);
  EXPECT_EQ(parse_time("2024-02-29 12:00:00"), noon);
  EXPECT_EQ(parse_time("2024-02-29T14:00:00+02:00"), noon);
  EXPECT_EQ(parse_time("2024-02-29T12:00:00.5Z"), noon + base::kSecond / 2);
  EXPECT_EQ(parse_time("2024-02-29"), noon - 12 * 3'600 * base::kSecond);
  EXPECT_EQ(parse_time("1709208000.000000001"), noon + 1);
  EXPECT_EQ(parse_time("1969-12-31T23:59:59Z"), -base::kSecond);
}

TEST(ParseTime, refuses_the_rest) {
  for (const char* word : {"", "now", "2024-13-01", "2024-00-01", "2024-01-32", "2024-01-01T25:00:00Z", "2024-01-01T12:00",
                           "2024-01-01T12:00:00+2", "9999-01-01", "2024-01-01x"}) {
    EXPECT_THROW(static_cast<void>(parse_time(word)), std::invalid_argument) << word;
  }
}

TEST(ParseShare, takes_fractions_of_one_and_percent) {
  EXPECT_EQ(parse_share("0.02"), 0.02);
  EXPECT_EQ(parse_share("2%"), 0.02);
  EXPECT_EQ(parse_share("0"), 0.0);
  EXPECT_EQ(parse_share("1"), 1.0);
  EXPECT_EQ(parse_share("100%"), 1.0);
  for (const char* word : {"", "%", "2", "101%", "-0.1", "nan", "inf", "0.1x", "2 %", "2%%"})
    EXPECT_THROW(static_cast<void>(parse_share(word)), std::invalid_argument) << word;
}

TEST(ParseCount, takes_whole_numbers_from_its_least) {
  EXPECT_EQ(parse_count("1", 1), 1U);
  EXPECT_THROW(static_cast<void>(parse_count("0", 1)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(parse_count("1.5", 1)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(parse_count("x", 1)), std::invalid_argument);
}

}  // namespace
}  // namespace finwait::app

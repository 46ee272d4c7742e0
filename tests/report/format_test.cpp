#include "finwait/report/format.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <string>

namespace finwait::report {
namespace {

std::string time_of(base::Timestamp time) {
  Text text;
  put_time(text, time);
  return std::string(text.view());
}

std::string seconds_of(base::Duration duration) {
  Text text;
  put_seconds(text, duration);
  return std::string(text.view());
}

std::string v6(const char* written) {
  std::array<std::uint8_t, 16> bytes{};
  EXPECT_EQ(inet_pton(AF_INET6, written, bytes.data()), 1) << written;
  return address_text(wire::Address::v6(bytes.data()), 6);
}

TEST(PutTime, writes_rfc_3339_with_nine_decimals) {
  EXPECT_EQ(time_of(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(time_of(1'709'251'199'123'456'789), "2024-02-29T23:59:59.123456789Z");
  EXPECT_EQ(time_of(951'782'400 * base::kSecond), "2000-02-29T00:00:00.000000000Z");
  EXPECT_EQ(time_of(4'107'542'400 * base::kSecond), "2100-03-01T00:00:00.000000000Z") << "2100 is no leap year";
}

TEST(PutTime, is_right_before_1970) {
  EXPECT_EQ(time_of(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(time_of(-86'400 * base::kSecond), "1969-12-31T00:00:00.000000000Z");
  EXPECT_EQ(time_of(-86'400 * base::kSecond - 1), "1969-12-30T23:59:59.999999999Z");
}

TEST(PutTime, is_right_at_the_ends_of_the_range) {
  EXPECT_EQ(time_of(std::numeric_limits<base::Timestamp>::min()), "1677-09-21T00:12:43.145224192Z");
  EXPECT_EQ(time_of(std::numeric_limits<base::Timestamp>::max()), "2262-04-11T23:47:16.854775807Z");
}

TEST(PutTime, agrees_with_the_c_library) {
  std::mt19937_64 random(1);
  for (int n = 0; n < 10'000; ++n) {
    const auto time = static_cast<base::Timestamp>(random());
    const std::int64_t rest = (time % base::kSecond + base::kSecond) % base::kSecond;
    const time_t seconds = (time - rest) / base::kSecond;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    ASSERT_EQ(time_of(time).substr(0, 19), text.data()) << time;
  }
}

TEST(PutSeconds, writes_nine_decimals_and_the_sign) {
  EXPECT_EQ(seconds_of(0), "0.000000000");
  EXPECT_EQ(seconds_of(1), "0.000000001");
  EXPECT_EQ(seconds_of(12 * base::kSecond + 5), "12.000000005");
  EXPECT_EQ(seconds_of(-base::kSecond / 2), "-0.500000000");
  EXPECT_EQ(seconds_of(std::numeric_limits<base::Duration>::min()), "-9223372036.854775808");
}

TEST(PutAddress, writes_ipv4_dotted) {
  const std::array<std::uint8_t, 4> bytes{0, 10, 100, 255};
  EXPECT_EQ(address_text(wire::Address::v4(bytes.data()), 4), "0.10.100.255");
}

TEST(PutAddress, shortens_ipv6_as_rfc_5952_wants_it) {
  EXPECT_EQ(v6("2001:0db8:0:0:0:0:2:1"), "2001:db8::2:1");
  EXPECT_EQ(v6("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1") << "4.2.2: one group alone is not shortened";
  EXPECT_EQ(v6("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1") << "4.2.3: the longest run";
  EXPECT_EQ(v6("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1") << "4.2.3: the first of equals";
  EXPECT_EQ(v6("2001:DB8::ABCD"), "2001:db8::abcd") << "4.3: lower case";
  EXPECT_EQ(v6("::"), "::");
  EXPECT_EQ(v6("::1"), "::1");
  EXPECT_EQ(v6("fe80::"), "fe80::");
  EXPECT_EQ(v6("::ffff:192.0.2.1"), "::ffff:192.0.2.1") << "5: mixed notation for a well-known prefix";
}

TEST(PutAddress, can_be_read_back) {
  std::mt19937 random(2);
  for (int n = 0; n < 20'000; ++n) {
    std::array<std::uint8_t, 16> bytes{};
    for (auto& byte : bytes) byte = (random() & 3) == 0 ? static_cast<std::uint8_t>(random()) : std::uint8_t{0};
    const std::string text = address_text(wire::Address::v6(bytes.data()), 6);
    std::array<std::uint8_t, 16> back{};
    ASSERT_EQ(inet_pton(AF_INET6, text.c_str(), back.data()), 1) << text;
    ASSERT_EQ(back, bytes) << text;
  }
}

TEST(Human, durations_counts_and_sizes_have_three_digits_or_so) {
  EXPECT_EQ(human_duration(35'000), "35 us");
  EXPECT_EQ(human_duration(1'250'000), "1.25 ms");
  EXPECT_EQ(human_duration(999'999'999), "1.00 s");
  EXPECT_EQ(human_duration(12'300 * base::kMillisecond), "12.3 s");
  EXPECT_EQ(human_duration(125 * base::kSecond), "2 min 5 s");
  EXPECT_EQ(human_duration(2 * 86'400 * base::kSecond), "2 days 0 h");
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(1'234'567), "1,234,567");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1'400'000), "1.4 MB");
}

}  // namespace
}  // namespace finwait::report

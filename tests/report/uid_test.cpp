#include "finwait/report/uid.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace finwait::report {
namespace {

wire::FlowKey key_of(std::uint8_t host, std::uint16_t port) {
  const std::array<std::uint8_t, 4> low{10, 0, 0, 1};
  const std::array<std::uint8_t, 4> high{10, 0, 0, host};
  wire::FlowKey key;
  key.low = wire::Address::v4(low.data());
  key.high = wire::Address::v4(high.data());
  key.low_port = port;
  key.high_port = 80;
  return key;
}

TEST(Uid, gives_the_id_back) {
  std::mt19937_64 random(3);
  for (int n = 0; n < 20'000; ++n) {
    const std::uint64_t id = random() >> (random() % 64);
    const Uid uid = uid_of(key_of(2, static_cast<std::uint16_t>(random())), static_cast<base::Timestamp>(random()), id);
    ASSERT_EQ(id_of_uid(view(uid)), id) << view(uid);
  }
}

TEST(Uid, is_eighteen_letters_and_digits_beginning_with_c) {
  const Uid uid = uid_of(key_of(2, 1234), 0, 1);
  EXPECT_EQ(view(uid).size(), 18U);
  EXPECT_EQ(uid[0], 'C');
  for (const char c : uid) EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)) != 0) << c;
}

TEST(Uid, is_the_same_for_the_same_connection_and_differs_between_captures) {
  EXPECT_EQ(uid_of(key_of(2, 1234), 5, 1), uid_of(key_of(2, 1234), 5, 1));
  EXPECT_NE(uid_of(key_of(2, 1234), 5, 1), uid_of(key_of(3, 1234), 5, 1));
  EXPECT_NE(uid_of(key_of(2, 1234), 5, 1), uid_of(key_of(2, 1234), 6, 1));
}

TEST(Uid, differs_for_each_connection_of_a_capture) {
  std::set<std::string> seen;
  for (std::uint64_t id = 1; id <= 10'000; ++id) seen.emplace(view(uid_of(key_of(2, 1234), 5, id)));
  EXPECT_EQ(seen.size(), 10'000U);
}

TEST(Uid, refuses_what_is_none) {
  EXPECT_FALSE(id_of_uid(""));
  EXPECT_FALSE(id_of_uid("C"));
  EXPECT_FALSE(id_of_uid("12345"));
  EXPECT_FALSE(id_of_uid("Czzzzzzzzzzzzzzzzz")) << "beyond 64 bits";
  std::string uid(view(uid_of(key_of(2, 1234), 5, 77)));
  uid[0] = 'D';
  EXPECT_FALSE(id_of_uid(uid));
}

TEST(Uid, finds_most_mistyped_characters) {
  const std::string right(view(uid_of(key_of(2, 1234), 5, 77)));
  int missed = 0;
  int tried = 0;
  for (std::size_t at = 1; at < right.size(); ++at) {
    for (const char c : std::string("0aZ9mK")) {
      if (right[at] == c) continue;
      std::string wrong = right;
      wrong[at] = c;
      ++tried;
      if (id_of_uid(wrong)) ++missed;
    }
  }
  EXPECT_LT(missed, tried / 20);
}

}  // namespace
}  // namespace finwait::report

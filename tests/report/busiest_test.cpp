#include "finwait/report/busiest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>

namespace finwait::report {
namespace {

/// From 10.0.0.1 to a numbered host, the originator at the low end.
tcp::Brief connection(std::uint32_t host, std::uint64_t bytes) {
  tcp::Brief c{};
  const std::array<std::uint8_t, 4> low{10, 0, 0, 1};
  const std::array<std::uint8_t, 4> high{11, static_cast<std::uint8_t>(host >> 16), static_cast<std::uint8_t>(host >> 8),
                                         static_cast<std::uint8_t>(host)};
  c.key.low = wire::Address::v4(low.data());
  c.key.high = wire::Address::v4(high.data());
  c.key.low_port = 40'000;
  c.key.high_port = 443;
  c.ends[0].ip_bytes = bytes;
  c.ends[0].packets = 1;
  c.ends[1].packets = 2;
  return c;
}

/// At once, as if it had not waited for others.
void enter(Busiest& busiest, const tcp::Brief& one) {
  busiest.add(one);
  busiest.enter_waiting();
}

TEST(Busiest, adds_up_by_originating_host_and_responding_service) {
  Busiest busiest;
  for (int n = 0; n < 3; ++n) enter(busiest, connection(5, 100));
  tcp::Brief turned = connection(5, 50);
  turned.originator = 1;
  enter(busiest, turned);
  const auto top = busiest.top(10);
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0].load.connections, 3U);
  EXPECT_EQ(top[0].load.packets, 9U);
  EXPECT_EQ(top[0].load.bytes, 300U);
  EXPECT_EQ(top[0].pair.port, 443) << "the responder's";
  EXPECT_EQ(top[1].pair.port, 40'000) << "with the roles exchanged it is the other end's";
}

TEST(Busiest, puts_the_most_bytes_first_and_ties_in_a_fixed_order) {
  Busiest busiest;
  for (const std::uint32_t host : {3U, 1U, 2U}) enter(busiest, connection(host, host == 2 ? 900 : 100));
  const auto top = busiest.top(2);
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0].load.bytes, 900U);
  EXPECT_EQ(top[1].pair.to.bytes[15], 3);
}

TEST(Busiest, takes_those_that_never_opened_as_what_they_are) {
  Busiest one_by_one;
  Busiest together;
  constexpr std::uint32_t kMost = 40;
  std::array<tcp::Unopened, kMost> room;
  for (std::uint32_t n = 0, count = 0; n < 3 * Busiest::kRoom; n += count) {
    count = 1 + n % kMost;
    const auto some = std::span(room).first(count);
    for (std::uint32_t k = 0; k != count; ++k) {
      some[k] = {};
      const wire::FlowKey key = connection((n + k) * 7 % (2 * Busiest::kRoom), 0).key;
      const bool low = n % 3 != 0;
      some[k].ends[0].address = low ? key.low : key.high;
      some[k].ends[0].port = low ? key.low_port : key.high_port;
      some[k].ends[1].address = low ? key.high : key.low;
      some[k].ends[1].port = low ? key.high_port : key.low_port;
      some[k].ends[0].ip_bytes = 40 + n % 5;
      some[k].ends[1].ip_bytes = 60;
      some[k].syn_ack_frame = (n + k) % 3 == 0 ? n : 0;
      some[k].originator = static_cast<std::uint8_t>(n % 3 == 0);
      tcp::Brief brief;
      write_brief(some[k], brief);
      enter(one_by_one, brief);
    }
    together.add(some);
  }
  together.enter_waiting();
  EXPECT_EQ(together.exact(), one_by_one.exact());
  const auto expected = one_by_one.top(Busiest::kRoom);
  const auto top = together.top(Busiest::kRoom);
  ASSERT_EQ(top.size(), expected.size());
  for (std::size_t n = 0; n != top.size(); ++n) {
    ASSERT_EQ(top[n].pair, expected[n].pair);
    ASSERT_EQ(top[n].load.connections, expected[n].load.connections);
    ASSERT_EQ(top[n].load.packets, expected[n].load.packets);
    ASSERT_EQ(top[n].load.bytes, expected[n].load.bytes);
  }
}

TEST(Busiest, stays_within_its_room_and_keeps_the_large_ones) {
  Busiest busiest;
  for (std::uint32_t n = 0; n < 3 * Busiest::kRoom; ++n) {
    enter(busiest, connection(n, 40));
    if (n % 1000 == 0) enter(busiest, connection(0xff'ffff, 100'000));
  }
  EXPECT_LE(busiest.size(), Busiest::kRoom);
  EXPECT_FALSE(busiest.exact());
  EXPECT_EQ(busiest.top(1)[0].load.connections, (3 * Busiest::kRoom + 999) / 1000) << "never forgotten, so counted in full";
}

TEST(Busiest, once_full_has_small_newcomers_wait_for_their_second_connection) {
  Busiest busiest;
  for (std::uint32_t n = 0; n <= Busiest::kRoom; ++n) enter(busiest, connection(n, 40));
  ASSERT_FALSE(busiest.exact());
  const std::size_t before = busiest.size();
  enter(busiest, connection(0xff'fff0, 30));
  EXPECT_EQ(busiest.size(), before) << "it waits";
  enter(busiest, connection(0xff'fff0, 1'000'000));
  EXPECT_EQ(busiest.size(), before + 1);
  EXPECT_EQ(busiest.top(1)[0].load.bytes, 1'000'030U) << "with what it came with first";
  enter(busiest, connection(0xff'fff2, 2'000'000));
  EXPECT_EQ(busiest.top(1)[0].load.bytes, 2'000'000U) << "large: it need not wait";
  enter(busiest, connection(0xff'fff1, 10));
  enter(busiest, connection(0xff'fff1, 20));
  EXPECT_EQ(busiest.size(), before + 3);
  const auto all = busiest.top(busiest.size());
  const auto waited = std::find_if(all.begin(), all.end(), [](const Busiest::Entry& e) { return e.load.bytes == 30; });
  ASSERT_NE(waited, all.end());
  EXPECT_EQ(waited->load.connections, 2U);
}

}  // namespace
}  // namespace finwait::report

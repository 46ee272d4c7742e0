#include "finwait/report/local_nets.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace finwait::report {
namespace {

bool holds(const LocalNets& nets, const std::string& text) {
  wire::Address address = wire::Address::v4(std::array<std::uint8_t, 4>{}.data());
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data() + 12) != 1) {
    EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), address.bytes.data()), 1) << text;
  }
  return nets.contains(address);
}

TEST(LocalNets, private_and_special_addresses_by_default) {
  const LocalNets nets;
  for (const char* local : {"10.1.2.3", "172.31.255.255", "192.168.0.1", "100.64.0.1", "127.0.0.1", "169.254.1.1", "198.51.100.5",
                            "255.255.255.255", "::1", "fe80::1", "fd00::1", "2001:db8::5", "2002:a00:1::1"}) {
    EXPECT_TRUE(holds(nets, local)) << local;
  }
  for (const char* foreign : {"8.8.8.8", "172.32.0.1", "172.15.255.255", "100.128.0.1", "198.20.0.1", "223.255.255.255", "2001:4860::8888",
                              "2002:808:808::1", "::2"}) {
    EXPECT_FALSE(holds(nets, foreign)) << foreign;
  }
}

TEST(LocalNets, a_list_decides_alone) {
  const LocalNets nets("192.0.2.128/25,2001:db8:1::/48,203.0.113.7");
  EXPECT_TRUE(holds(nets, "192.0.2.128"));
  EXPECT_TRUE(holds(nets, "192.0.2.255"));
  EXPECT_FALSE(holds(nets, "192.0.2.127"));
  EXPECT_TRUE(holds(nets, "203.0.113.7"));
  EXPECT_FALSE(holds(nets, "203.0.113.8"));
  EXPECT_TRUE(holds(nets, "2001:db8:1:ffff::"));
  EXPECT_FALSE(holds(nets, "2001:db8:2::"));
  EXPECT_FALSE(holds(nets, "10.0.0.1"));
}

TEST(LocalNets, prefixes_of_any_length) {
  for (int bits = 0; bits <= 32; ++bits) {
    const LocalNets nets("255.255.255.255/" + std::to_string(bits));
    EXPECT_TRUE(holds(nets, "255.255.255.255"));
    EXPECT_EQ(holds(nets, "0.0.0.0"), bits == 0) << bits;
    EXPECT_EQ(holds(nets, "255.255.255.254"), bits != 32) << bits;
  }
  EXPECT_TRUE(holds(LocalNets("0.0.0.0/0"), "8.8.8.8"));
  EXPECT_FALSE(holds(LocalNets("0.0.0.0/0"), "2001:4860::1"));
  EXPECT_TRUE(holds(LocalNets("::/0"), "2001:4860::1"));
}

TEST(LocalNets, what_is_no_network_is_refused) {
  for (const char* wrong :
       {"", ",", "10.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "2001:db8::/129", "here", "10.0.0.0/8,here"}) {
    EXPECT_THROW(LocalNets{std::string_view(wrong)}, std::invalid_argument) << wrong;
  }
}

}  // namespace
}  // namespace finwait::report

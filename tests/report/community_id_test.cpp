// The first vector is from the reference data of the Community ID specification; the others were computed apart from this program.
#include "finwait/report/community_id.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

namespace finwait::report {
namespace {

wire::Address address(const std::string& text) {
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return wire::Address::v4(bytes.data());
  EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), bytes.data()), 1);
  return wire::Address::v6(bytes.data());
}

std::string id(const std::string& a, std::uint16_t a_port, const std::string& b, std::uint16_t b_port) {
  std::pair one(address(a), a_port);
  std::pair other(address(b), b_port);
  if (other < one) std::swap(one, other);
  wire::FlowKey key{one.first, other.first, one.second, other.second, a.find(':') == std::string::npos ? 0 : wire::FlowKey::kIpv6};
  return std::string(view(community_id(key)));
}

TEST(CommunityId, has_the_values_of_the_specification) {
  EXPECT_EQ(id("128.232.110.120", 34855, "66.35.250.204", 80), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
  EXPECT_EQ(id("66.35.250.204", 80, "128.232.110.120", 34855), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=") << "the same in both directions";
  EXPECT_EQ(id("2001:db8::1", 40000, "2001:db8::2", 443), "1:RYG3Msb11GthNt1OYXJouPzmrvA=");
  EXPECT_EQ(id("10.0.0.1", 5, "10.0.0.1", 4), "1:gLmjZuaRsMk4vbmk5HxV9Jb1iQg=") << "the ports decide between equal addresses";
}

TEST(CommunityId, does_not_depend_on_the_virtual_network) {
  wire::FlowKey key{address("10.0.0.1"), address("10.0.0.2"), 1, 2, 0};
  const CommunityId plain = community_id(key);
  key.network = static_cast<std::uint32_t>(wire::VirtualNetwork::kVxlan) << 24 | 7;
  EXPECT_EQ(community_id(key), plain);
}

}  // namespace
}  // namespace finwait::report

#include "finwait/engine/explain_watch.h"

#include <gtest/gtest.h>

#include "finwait/report/uid.h"

namespace finwait::engine {
namespace {

TEST(ParseExplainId, takes_an_id) {
  const auto id = parse_explain_id("12345");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->frame, 12345U);
}

TEST(ParseExplainId, takes_a_uid) {
  const auto id = parse_explain_id(report::view(report::uid_of(wire::FlowKey{}, 7, 4711)));
  ASSERT_TRUE(id);
  EXPECT_EQ(id->frame, 4711U);
}

TEST(ParseExplainId, takes_two_endpoints_in_any_order) {
  const auto one = parse_explain_id("192.0.2.9:40000-192.0.2.1:80");
  const auto other = parse_explain_id("192.0.2.1:80-192.0.2.9:40000");
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->frame, 0U);
  EXPECT_EQ(one->addresses, other->addresses);
  EXPECT_EQ(one->ports, other->ports);
  EXPECT_EQ(one->ports[0], 80) << "the lower address first, as in a flow's key";
}

TEST(ParseExplainId, takes_ipv6_in_brackets) {
  const auto id = parse_explain_id("[2001:db8::2]:443-[2001:db8::1]:40000");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->ports[0], 40000);
}

TEST(ParseExplainId, refuses_anything_else) {
  for (const char* text :
       {"", "0", "-1", "x", "192.0.2.1:80", "192.0.2.1:80-192.0.2.2", "192.0.2.1:99999-192.0.2.2:1", "1.2.3:4-5.6.7.8:9", "12 "}) {
    EXPECT_FALSE(parse_explain_id(text)) << text;
  }
}

}  // namespace
}  // namespace finwait::engine

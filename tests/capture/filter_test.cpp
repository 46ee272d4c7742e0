#include "finwait/capture/filter.h"

#include <gtest/gtest.h>

#include "capture/capture_bytes.h"

namespace finwait::capture {
namespace {

using testing::Builder;
using testing::Bytes;
using testing::error_of;
using testing::Order;

/// IPv4 and the start of TCP, from 10.0.0.1:40000 to 10.0.0.2:`port`.
Bytes tcp_packet(unsigned port) {
  Builder packet(Order::kBig);
  packet.u8(0x45).u8(0).u16(40).u16(1).u16(0).u8(64).u8(6).u16(0).u32(0x0a000001).u32(0x0a000002);
  packet.u16(40000).u16(port).u32(1).u32(0).u8(0x50).u8(2).u16(65535).u16(0).u16(0);
  return packet.bytes;
}

Bytes ethernet(const Bytes& packet) { return Builder(Order::kBig).u32(0).u32(0).u32(0).u16(0x0800).raw(packet).bytes; }
Bytes cooked(const Bytes& packet) { return Builder(Order::kBig).u16(0).u16(1).u16(6).u64(0).u16(0x0800).raw(packet).bytes; }
Bytes null_header(const Bytes& packet) { return Builder(Order::kLittle).u32(2).raw(packet).bytes; }

bool match(Filter& filter, std::uint16_t link_type, const Bytes& bytes) {
  Frame frame;
  frame.data = bytes.data();
  frame.captured = static_cast<std::uint32_t>(bytes.size());
  frame.length = frame.captured;
  frame.link_type = link_type;
  return filter.matches(frame);
}

TEST(Filter, MatchesOnEachLinkTypeOfOneInput) {
  Filter filter("tcp dst port 443 and host 10.0.0.2");
  for (const unsigned port : {443U, 80U}) {
    const bool expected = port == 443;
    const Bytes packet = tcp_packet(port);
    EXPECT_EQ(match(filter, 1, ethernet(packet)), expected);
    EXPECT_EQ(match(filter, 101, packet), expected) << "LINKTYPE_RAW is not the number of DLT_RAW";
    EXPECT_EQ(match(filter, 113, cooked(packet)), expected);
    EXPECT_EQ(match(filter, 0, null_header(packet)), expected);
    EXPECT_EQ(match(filter, 228, packet), expected) << "LINKTYPE_IPV4";
  }
  EXPECT_TRUE(filter.problems().empty());
}

TEST(Filter, AnEmptyExpressionMatchesEverything) {
  for (const char* expression : {"", " \n"}) {
    Filter filter(expression);
    EXPECT_TRUE(match(filter, 1, {}));
    EXPECT_TRUE(match(filter, 65535, {1, 2, 3}));
  }
}

TEST(Filter, ASyntaxErrorIsToldAtOnceInLibpcapsWords) {
  EXPECT_EQ(error_of([] { Filter("tcp port"); }).rfind("filter 'tcp port': ", 0), 0U);
  EXPECT_NE(error_of([] { Filter("tcp port"); }).find("syntax error"), std::string::npos);
  EXPECT_NE(error_of([] { Filter("nonsense 7"); }), "");
  EXPECT_NE(error_of([] { Filter(std::string("tcp\0port", 8)); }), "");
}

TEST(Filter, WhatIsMeantForAnotherLinkLayerIsNoSyntaxError) {
  Filter filter("type mgt subtype beacon");
  EXPECT_TRUE(match(filter, 105, Bytes(24, 0x80)));
  EXPECT_FALSE(match(filter, 1, ethernet(tcp_packet(80))));
  ASSERT_EQ(filter.problems().size(), 1U);
  EXPECT_EQ(
      filter.problems()[0].rfind("filter 'type mgt subtype beacon' is not valid for link type EN10MB (1), none of its frames match: ", 0),
      0U)
      << filter.problems()[0];
}

TEST(Filter, AProblemIsToldOncePerLinkTypeAndNotWithoutEnd) {
  Filter filter("tcp");
  for (int round = 0; round < 2; ++round) {
    for (unsigned link_type = 60000; link_type < 60020; ++link_type)
      EXPECT_FALSE(match(filter, static_cast<std::uint16_t>(link_type), tcp_packet(80)));
  }
  EXPECT_EQ(filter.problems().size(), 8U);
}

TEST(Filter, IsSafeForEveryLength) {
  // Heap blocks of the exact length: a sanitizer sees a byte read beyond.
  for (const char* expression :
       {"tcp port 80", "ip6 protochain 6", "tcp[tcpflags] & tcp-syn != 0", "len > 10 and ether[1000000] = 1", "vlan and tcp"}) {
    Filter filter(expression);
    const Bytes whole = ethernet(tcp_packet(80));
    for (std::size_t length = 0; length <= whole.size(); ++length) {
      const Bytes bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      Frame frame;
      frame.data = bytes.data();
      frame.captured = static_cast<std::uint32_t>(length);
      frame.link_type = 1;
      for (const std::uint32_t wire : {0U, 10U, static_cast<std::uint32_t>(length), 0xffffffffU}) {
        frame.length = wire;  // also less than captured
        const bool matched = filter.matches(frame);
        if (length < 14) {
          EXPECT_FALSE(matched) << expression;
        }
      }
    }
  }
}

TEST(Filter, CanBeMoved) {
  Filter first("tcp");
  Filter second = std::move(first);
  EXPECT_TRUE(match(second, 101, tcp_packet(80)));
}

}  // namespace
}  // namespace finwait::capture

// ICMP errors: what they quote is a flow, a direction, a sequence number.
#include <gtest/gtest.h>

#include "wire/frames.h"

namespace finwait::wire {
namespace {

using namespace frames;

const Bytes kRouter = {10, 0, 0, 254};

Decoded icmp4(const Bytes& message) { return decode_frame(101, ip4({.protocol = 1, .source = kRouter, .destination = kClient4}, message)); }
Decoded icmp6(const Bytes& message) { return decode_frame(101, ip6(58, message)); }
Bytes head(int type, int code, std::uint32_t rest = 0) {
  return be(static_cast<std::uint64_t>(type * 256 + code), 2) + be(0, 2) + be(rest, 4);
}

TEST(Icmp, AnErrorIsAboutTheQuotedSegment) {
  const Decoded decoded = icmp4(head(3, 4, 1400) + ip4());
  EXPECT_EQ(decoded.fate, Fate::kOtherIp);
  const Segment& s = decoded.segment;
  ASSERT_EQ(s.kind, SegmentKind::kIcmpError);
  EXPECT_EQ(s.key, decode_frame(101, ip4()).segment.key);
  EXPECT_EQ(s.direction, 1) << "the client sent what is quoted";
  EXPECT_EQ(s.seq, 0x01020304U);
  EXPECT_EQ(s.icmp_type(), 3);
  EXPECT_EQ(s.icmp_code(), 4);
  EXPECT_EQ(s.ip_length, 1400U) << "what the next hop can carry";
  EXPECT_EQ(s.flags, tcp_flag::kAck | tcp_flag::kPsh);
  EXPECT_EQ(s.payload_length, 0U);
}

TEST(Icmp, EightBytesAboveIpAreEnough) {
  const Bytes quoted = ip4();
  for (std::size_t kept = 0; kept <= quoted.size(); ++kept) {
    const Decoded decoded = icmp4(head(11, 0) + Bytes(quoted.begin(), quoted.begin() + static_cast<std::ptrdiff_t>(kept)));
    EXPECT_EQ(decoded.fate, Fate::kOtherIp);
    EXPECT_EQ(decoded.segment.kind, kept >= 28 ? SegmentKind::kIcmpError : SegmentKind::kTcp) << kept;
    if (kept >= 28) {
      EXPECT_EQ(decoded.segment.flags, kept >= 34 ? 0x18 : 0) << kept;
    }
  }
}

TEST(Icmp, Version6) {
  const Decoded big = icmp6(head(2, 0, 1280) + ip6());
  ASSERT_EQ(big.segment.kind, SegmentKind::kIcmpError);
  EXPECT_EQ(big.segment.ip_length, 1280U);
  EXPECT_EQ(big.segment.key.ip_version(), 6);
  const Decoded extended = icmp6(head(1, 4) + ip6(60, Bytes{6, 0, 1, 4, 0, 0, 0, 0} + tcp6()));
  ASSERT_EQ(extended.segment.kind, SegmentKind::kIcmpError);
  EXPECT_EQ(extended.segment.seq, 0x01020304U);
}

TEST(Icmp, OnlyErrorsThatQuoteTcp) {
  EXPECT_EQ(icmp4(head(8, 0) + ip4()).segment.kind, SegmentKind::kTcp) << "echo";
  EXPECT_EQ(icmp4(head(5, 0) + ip4()).segment.kind, SegmentKind::kTcp) << "redirect";
  EXPECT_EQ(icmp4(head(3, 3) + ip4(17, udp(53, zeros(9)))).segment.kind, SegmentKind::kTcp) << "UDP";
  EXPECT_EQ(icmp4(head(3, 3) + ip4({.fragment = 0x0001}, zeros(24))).segment.kind, SegmentKind::kTcp) << "not the first fragment";
  EXPECT_EQ(icmp4(head(3, 3) + ip4({.fragment = 0x2000}, tcp({.payload = zeros(4)}))).segment.kind, SegmentKind::kIcmpError)
      << "the first fragment";
  EXPECT_EQ(icmp4(head(3, 3) + ip4(4, ip4())).segment.kind, SegmentKind::kTcp) << "a tunnel";
  EXPECT_EQ(icmp6(head(128, 0) + ip6()).segment.kind, SegmentKind::kTcp) << "echo";
  EXPECT_EQ(decode_frame(101, ip4(58, head(1, 0) + ip4())).segment.kind, SegmentKind::kTcp) << "ICMPv6 above IPv4";
}

TEST(Icmp, TheQuotationMayClaimAnyLength) {
  Bytes quoted = ip4();
  put16(quoted, 2, 60000);
  EXPECT_EQ(icmp4(head(3, 1) + quoted).segment.kind, SegmentKind::kIcmpError);
}

}  // namespace
}  // namespace finwait::wire

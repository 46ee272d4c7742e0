// What a frame becomes: the fields of a segment, lengths on the wire, and the fate of what is no segment.
#include "finwait/wire/decode.h"

#include <gtest/gtest.h>

#include "wire/frames.h"

namespace finwait::wire {
namespace {

using namespace frames;

void expect_client_segment(const Decoded& decoded, int version, std::uint32_t network = 0) {
  ASSERT_EQ(decoded.fate, Fate::kTcp);
  const Segment& s = decoded.segment;
  EXPECT_EQ(s.kind, SegmentKind::kTcp);
  EXPECT_EQ(s.key.ip_version(), version);
  EXPECT_EQ(s.key.network, network | (version == 6 ? FlowKey::kIpv6 : 0));
  EXPECT_EQ(s.key.low, version == 4 ? Address::v4(kServer4.data()) : Address::v6(kServer6.data()));
  EXPECT_EQ(s.key.high, version == 4 ? Address::v4(kClient4.data()) : Address::v6(kClient6.data()));
  EXPECT_EQ(s.key.low_port, kServerPort);
  EXPECT_EQ(s.key.high_port, kClientPort);
  EXPECT_EQ(s.direction, 1);
  EXPECT_EQ(s.seq, 0x01020304U);
  EXPECT_EQ(s.ack, 0xa1a2a3a4U);
  EXPECT_EQ(s.payload_length, 5U);
  EXPECT_EQ(s.window, 0x1234);
  EXPECT_EQ(s.flags, tcp_flag::kAck | tcp_flag::kPsh);
}

TEST(Decode, AnIpv4SegmentWithAllItsFields) {
  const Decoded decoded = decode_ethernet(ethernet4());
  expect_client_segment(decoded, 4);
  EXPECT_EQ(decoded.segment.ip_id, 0x4242);
  EXPECT_EQ(decoded.segment.ttl, 64);
  EXPECT_EQ(decoded.segment.ip_length, 45U);
  EXPECT_EQ(decoded.segment.present, present::kPayloadSum);
  EXPECT_EQ(decoded.segment.payload_sum, 0x6865 + 0x6c6c + 0x6f00 - 0xffff);
}

TEST(Decode, AnIpv6SegmentHasNoIdentifier) {
  const Decoded decoded = decode_ethernet(ethernet6());
  expect_client_segment(decoded, 6);
  EXPECT_EQ(decoded.segment.ip_id, 0);
  EXPECT_EQ(decoded.segment.ttl, 57);
  EXPECT_EQ(decoded.segment.ip_length, 65U);
}

TEST(Decode, BothDirectionsHaveOneKey) {
  const Decoded there = decode_ethernet(ethernet4());
  const Bytes reply = tcp({.source_port = kServerPort, .destination_port = kClientPort}, kServer4, kClient4);
  const Decoded back = decode_ethernet(ethernet(0x0800, ip4({.source = kServer4, .destination = kClient4}, reply)));
  EXPECT_EQ(there.segment.key, back.segment.key);
  EXPECT_EQ(back.segment.direction, 0);
}

TEST(Decode, PortsDecideBetweenEqualAddresses) {
  for (const bool client_low : {false, true}) {
    const Bytes segment = tcp({.source_port = static_cast<std::uint16_t>(client_low ? 79 : 81)}, kServer4, kServer4);
    const Decoded decoded = decode_ethernet(ethernet(0x0800, ip4({.source = kServer4}, segment)));
    EXPECT_EQ(decoded.segment.direction, client_low ? 0 : 1);
    EXPECT_LT(decoded.segment.key.low_port, decoded.segment.key.high_port);
  }
}

TEST(Decode, TheFieldsOfTheEngineAreLeftAlone) {
  const Bytes bytes = ethernet4();
  Segment segment;
  segment.time = 1;
  segment.clock = 2;
  segment.frame = 3;
  segment.hash = 4;
  ASSERT_EQ(decode(FrameView{bytes.data(), 59, 59, 1}, {}, segment), Fate::kTcp);
  EXPECT_EQ(segment.time + segment.clock + static_cast<std::int64_t>(segment.frame + segment.hash), 10);
}

TEST(Decode, AnotherFramesFieldsDoNotLast) {
  Segment used;
  const Bytes first = ethernet(0x0800, ip4(6, tcp({.options = {8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 3, 3, 7, 0, 2, 4, 5, 6}})));
  ASSERT_EQ(
      decode(FrameView{first.data(), static_cast<std::uint32_t>(first.size()), static_cast<std::uint32_t>(first.size()), 1}, {}, used),
      Fate::kTcp);
  EXPECT_NE(used.ts_val, 0U);
  const Bytes second = ethernet4();
  ASSERT_EQ(decode(FrameView{second.data(), 59, 59, 1}, {}, used), Fate::kTcp);
  EXPECT_EQ(used.ts_val, 0U);
  EXPECT_EQ(used.window_scale, 0);
  EXPECT_EQ(used.mss, 0);
}

TEST(Decode, PaddingAndTrailersDoNotCount) {
  const Decoded decoded = decode_ethernet(ethernet4() + zeros(30));
  expect_client_segment(decoded, 4);
  EXPECT_EQ(decode_ethernet(ethernet6() + zeros(3)).segment.payload_length, 5U);
}

TEST(Decode, ASnapLengthDoesNotChangeLengths) {
  const Bytes whole = ethernet(0x0800, ip4(6, tcp({.payload = zeros(1000)})));
  const Decoded decoded = decode_frame(1, whole, 54, whole.size());
  ASSERT_EQ(decoded.fate, Fate::kTcp);
  EXPECT_EQ(decoded.segment.payload_length, 1000U);
  EXPECT_TRUE(decoded.segment.has(present::kPayloadSum));
}

TEST(Decode, TheWholeFixedHeaderIsRequired) {
  const Bytes whole = ethernet4();
  EXPECT_EQ(decode_frame(1, whole, 53, whole.size()).fate, Fate::kTruncated);
  EXPECT_EQ(decode_frame(1, whole, 54, whole.size()).fate, Fate::kTcp);
  EXPECT_EQ(decode_frame(1, whole, 53, 53).fate, Fate::kMalformed) << "it ended on the wire";
}

TEST(Decode, AnIpv4LengthBeyondTheFrameIsNotPayload) {
  Bytes lying = ethernet4();
  put16(lying, 16, 45 + 100);
  const Decoded decoded = decode_ethernet(lying);
  ASSERT_EQ(decoded.fate, Fate::kTcp);
  EXPECT_EQ(decoded.segment.payload_length, 5U);
  EXPECT_EQ(decoded.segment.ip_length, 145U);
}

TEST(Decode, ALengthOfZeroIsASuperSegment) {
  Bytes v4 = ethernet(0x0800, ip4(6, tcp({.payload = zeros(70000)})));
  put16(v4, 16, 0);
  const Decoded decoded4 = decode_ethernet(v4);
  ASSERT_EQ(decoded4.fate, Fate::kTcp);
  EXPECT_EQ(decoded4.segment.payload_length, 70000U);
  EXPECT_EQ(decoded4.segment.ip_length, 70040U);
  EXPECT_TRUE(decoded4.segment.has(present::kOffloaded));
  EXPECT_FALSE(decoded4.segment.has(present::kBadChecksum));
  Bytes v6 = ethernet(0x86dd, ip6(6, tcp({.payload = zeros(70000)}, kClient6, kServer6)));
  put16(v6, 18, 0);
  EXPECT_EQ(decode_ethernet(v6).segment.payload_length, 70000U);
}

TEST(Decode, AJumbogramSaysItsLengthInAnOption) {
  const Bytes segment = tcp({.payload = zeros(70000)}, kClient6, kServer6);
  const Bytes hop_by_hop = Bytes{6, 0, 0xc2, 4} + be(8 + segment.size(), 4);
  Bytes frame = ethernet(0x86dd, ip6(0, hop_by_hop + segment));
  put16(frame, 18, 0);
  const Decoded decoded = decode_ethernet(frame + zeros(9));
  ASSERT_EQ(decoded.fate, Fate::kTcp);
  EXPECT_EQ(decoded.segment.payload_length, 70000U);
}

TEST(Decode, AFrameLengthIsBelievedAsFarAsSequenceNumbersTellBeforeFromAfter) {
  Bytes frame = ethernet4();
  put16(frame, 16, 0);
  EXPECT_EQ(decode_frame(1, frame, frame.size(), 200'000).segment.payload_length, 200'000U - 14 - 40);
  EXPECT_EQ(decode_frame(1, frame, frame.size(), 0xffff'fff0U).segment.payload_length, 0x7fff'ffffU - 40);
}

TEST(Decode, ADataOffsetBelowTheHeaderIsMalformed) {
  for (const unsigned words : {0U, 1U, 4U}) {
    Bytes frame = ethernet4();
    frame[14 + 20 + 12] = static_cast<std::uint8_t>(words << 4);
    EXPECT_EQ(decode_ethernet(frame).fate, Fate::kMalformed) << words;
  }
}

TEST(Decode, OptionsThatThePacketDoesNotHaveAreMalformedAndTheRestStands) {
  for (const unsigned words : {7U, 15U}) {
    Bytes frame = ethernet4();
    frame[14 + 20 + 12] = static_cast<std::uint8_t>(words << 4);
    const Decoded decoded = decode_ethernet(frame);
    ASSERT_EQ(decoded.fate, Fate::kTcp) << words;
    EXPECT_EQ(decoded.segment.payload_length, 0U);
    EXPECT_TRUE(decoded.segment.has(present::kOptionsMalformed));
  }
}

TEST(Decode, AnIpHeaderThatCannotBeIsMalformed) {
  Bytes frame = ethernet4();
  frame[14] = 0x44;
  EXPECT_EQ(decode_ethernet(frame).fate, Fate::kMalformed) << "a header of 16 bytes";
  frame = ethernet4();
  frame[14] = 0x55;
  EXPECT_EQ(decode_ethernet(frame).fate, Fate::kMalformed) << "version 5";
  frame = ethernet4();
  put16(frame, 16, 19);
  EXPECT_EQ(decode_ethernet(frame).fate, Fate::kMalformed) << "a total length below the header's";
  frame = ethernet6();
  frame[14] = 0x40;
  EXPECT_EQ(decode_ethernet(frame).fate, Fate::kMalformed) << "version 4 where version 6 should be";
}

TEST(Decode, Ipv4OptionsAreSteppedOver) {
  expect_client_segment(decode_ethernet(ethernet(0x0800, ip4({.options = {1, 1, 1, 0}}, tcp4()))), 4);
}

TEST(Decode, ASourceRouteEndsAtTheLastAddress) {
  const Bytes route = Bytes{131, 7, 4} + kServer4 + Bytes{0};
  expect_client_segment(decode_ethernet(ethernet(0x0800, ip4({.options = route, .destination = {10, 9, 9, 9}}, tcp4()))), 4);
}

TEST(Decode, ExtensionHeadersAreSteppedOver) {
  const Bytes padded = {1, 4, 0, 0, 0, 0};
  const Bytes destination = Bytes{6, 0} + padded + tcp6();
  const Bytes mobility = Bytes{60, 0} + padded + destination;
  const Bytes routing = Bytes{135, 0, 0, 0, 0, 0, 0, 0} + mobility;
  const Bytes hop_by_hop = Bytes{43, 0} + padded + routing;
  expect_client_segment(decode_ethernet(ethernet(0x86dd, ip6(0, hop_by_hop))), 6);
}

TEST(Decode, ARoutingHeaderNamesTheTrueDestination) {
  const Bytes elsewhere = be(0xfe80, 2) + zeros(13) + Bytes{9};
  for (const int type : {0, 2, 4}) {
    const Bytes list = type == 4 ? kServer6 + elsewhere : elsewhere + kServer6;
    Bytes packet = ip6(43, Bytes{6, 4, static_cast<std::uint8_t>(type), 1, 0, 0, 0, 0} + list + tcp6());
    std::copy(elsewhere.begin(), elsewhere.end(), packet.begin() + 24);
    expect_client_segment(decode_frame(101, packet), 6);
    EXPECT_FALSE(decode_frame(101, packet).segment.has(present::kBadChecksum)) << "RFC 8200, 8.1";
  }
}

TEST(Decode, TheNumberOfExtensionHeadersIsBounded) {
  Bytes packet = tcp6();
  std::uint8_t next = 6;
  for (int i = 0; i < 255; ++i) {
    packet = Bytes{next, 0, 1, 4, 0, 0, 0, 0} + packet;
    next = 60;
    const Fate fate = decode_frame(101, ip6(next, packet)).fate;
    EXPECT_EQ(fate, i < 32 ? Fate::kTcp : Fate::kMalformed) << i;
  }
}

TEST(Decode, AFragmentThatIsAllThereIsIsNone) {
  expect_client_segment(decode_frame(101, ip6(44, Bytes{6, 0, 0, 0, 1, 2, 3, 4} + tcp6())), 6);
}

TEST(Decode, EveryFragmentIsAFragment) {
  const Bytes payload = tcp({.payload = zeros(20)});
  ASSERT_EQ(payload.size() % 8, 0U);
  for (const std::uint16_t where : std::initializer_list<std::uint16_t>{0x2000, 0x2001, 0x0001, 0x1000}) {
    EXPECT_EQ(decode_ethernet(ethernet(0x0800, ip4({.fragment = where}, payload))).fate, Fate::kFragment) << where;
    const Bytes header = Bytes{6, 0} + be((where & 0x1fff) * 8U + (where >> 13), 2) + zeros(4);
    EXPECT_EQ(decode_frame(101, ip6(44, header + payload)).fate, Fate::kFragment) << where;
  }
  EXPECT_EQ(decode_ethernet(ethernet(0x0800, ip4({.fragment = 0x2000}, tcp4()))).fate, Fate::kMalformed) << "25 bytes and more to come";
  EXPECT_EQ(decode_ethernet(ethernet(0x0800, ip4({.fragment = 0x1fff}, payload))).fate, Fate::kMalformed) << "beyond 64 KiB";
}

TEST(Decode, AFirstFragmentLongerThanItsFrameIsAPacketWithoutPayload) {
  const Bytes whole = ip4({.fragment = 0x2000}, tcp({.payload = zeros(20)}));
  const auto cut = [](const Bytes& packet, std::size_t by) {
    return Bytes(packet.begin(), packet.end() - static_cast<std::ptrdiff_t>(by));
  };
  const Decoded first = decode_frame(101, cut(whole, 12));
  EXPECT_EQ(first.fate, Fate::kTcp);
  EXPECT_EQ(first.segment.payload_length, 0U) << "how much there was nobody knows";
  EXPECT_EQ(decode_frame(101, cut(ip4({.fragment = 0x2001}, tcp({.payload = zeros(20)})), 12)).fate, Fate::kFragment) << "not the first";
  EXPECT_EQ(decode_frame(101, cut(whole, 12), whole.size() - 12, whole.size()).fate, Fate::kFragment) << "cut by the snap length";
  const Bytes v6 = ip6(44, Bytes{6, 0, 0, 1} + zeros(4) + tcp({.payload = zeros(20)}));
  const Decoded first6 = decode_frame(101, cut(v6, 12));
  EXPECT_EQ(first6.fate, Fate::kTcp);
  EXPECT_EQ(first6.segment.payload_length, 0U);
}

TEST(Decode, WhatIsNoTcpHasItsFate) {
  EXPECT_EQ(decode_ethernet(ethernet(0x0800, ip4(17, udp(53, zeros(20))))).fate, Fate::kOtherIp);
  EXPECT_EQ(decode_ethernet(ethernet(0x0800, ip4(50, zeros(20)))).fate, Fate::kOtherIp) << "encrypted";
  EXPECT_EQ(decode_ethernet(ethernet(0x86dd, ip6(59, zeros(20)))).fate, Fate::kOtherIp) << "no next header";
  EXPECT_EQ(decode_ethernet(ethernet(0x0806, zeros(28))).fate, Fate::kNotIp) << "ARP";
  EXPECT_EQ(decode_ethernet(ethernet(38, Bytes{0x42, 0x42, 3} + zeros(35))).fate, Fate::kNotIp) << "spanning tree";
  EXPECT_EQ(decode_ethernet({}).fate, Fate::kMalformed);
  EXPECT_EQ(decode_frame(1, ethernet4(), 0, 59).fate, Fate::kTruncated);
}

TEST(Decode, EveryFateHasItsName) {
  std::string names;
  for (int i = 0; i < kFates; ++i) names += std::string(fate_name(static_cast<Fate>(i))) + " ";
  EXPECT_EQ(names, "tcp other_ip not_ip fragment truncated malformed filtered table_full ");
}

TEST(Checksums, ABadOneIsNotedCountedOrRefused) {
  Bytes frame = ethernet4();
  frame.back() ^= 1;
  const Decoded counted = decode_ethernet(frame);
  ASSERT_EQ(counted.fate, Fate::kTcp);
  EXPECT_TRUE(counted.segment.has(present::kBadChecksum));
  EXPECT_EQ(decode_ethernet(frame, Checksums::kVerify).fate, Fate::kMalformed);
  EXPECT_FALSE(decode_ethernet(frame, Checksums::kIgnore).segment.has(present::kBadChecksum));
  EXPECT_EQ(decode_ethernet(ethernet4(), Checksums::kVerify).fate, Fate::kTcp);
  EXPECT_EQ(decode_ethernet(ethernet6(), Checksums::kVerify).fate, Fate::kTcp);
}

TEST(Checksums, OneThatCannotBeCheckedIsNotBad) {
  Bytes frame = ethernet4();
  frame.back() ^= 1;
  const Decoded cut = decode_frame(1, frame, frame.size() - 1, frame.size(), Checksums::kVerify);
  EXPECT_EQ(cut.fate, Fate::kTcp);
  EXPECT_FALSE(cut.segment.has(present::kBadChecksum));
}

TEST(Checksums, TheIpHeadersCountsToo) {
  Bytes frame = ethernet4();
  frame[14 + 8] ^= 1;
  EXPECT_TRUE(decode_ethernet(frame).segment.has(present::kBadChecksum));
  EXPECT_FALSE(decode_ethernet(frame, Checksums::kIgnore).segment.has(present::kBadChecksum));
  frame = ethernet4();
  put16(frame, 14 + 10, 0);
  EXPECT_FALSE(decode_ethernet(frame).segment.has(present::kBadChecksum)) << "left to the device";
  EXPECT_TRUE(decode_ethernet(frame).segment.has(present::kOffloaded));
}

TEST(Checksums, OneLeftToTheDeviceIsNotBad) {
  for (const bool with_length : {true, false}) {
    Bytes segment = tcp4();
    OnesSum pseudo;
    pseudo.add(kClient4.data(), 4);
    pseudo.add(kServer4.data(), 4);
    pseudo.add(std::uint16_t{6});
    if (with_length) pseudo.add_long(static_cast<std::uint32_t>(segment.size()));
    put16(segment, 16, pseudo.folded());
    const Bytes frame = ethernet(0x0800, ip4(6, segment));
    const Decoded decoded = decode_ethernet(frame, Checksums::kVerify);
    ASSERT_EQ(decoded.fate, Fate::kTcp);
    EXPECT_TRUE(decoded.segment.has(present::kOffloaded));
    EXPECT_FALSE(decoded.segment.has(present::kBadChecksum));
    EXPECT_EQ(decoded.segment.payload_sum, decode_ethernet(ethernet4()).segment.payload_sum) << "summed, as the payload is there";
    EXPECT_FALSE(decode_ethernet(frame, Checksums::kIgnore).segment.has(present::kPayloadSum))
        << "the checksum says nothing of the payload";
  }
}

TEST(Checksums, ThePayloadsSumIsTheSameSeenOrImplied) {
  for (std::size_t size = 0; size < 70; ++size) {
    Bytes payload(size);
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<std::uint8_t>(i * 37 + size);
    const Bytes frame = ethernet(0x86dd, ip6(6, tcp({.options = {2, 4, 5, 0xb4}, .payload = payload}, kClient6, kServer6)));
    OnesSum sum;
    sum.add(payload.data(), size);
    const std::uint16_t expected = normal_sum(sum.folded());
    EXPECT_EQ(decode_ethernet(frame).segment.payload_sum, expected) << size;
    EXPECT_EQ(decode_ethernet(frame, Checksums::kIgnore).segment.payload_sum, expected) << size;
    EXPECT_EQ(decode_frame(1, frame, 14 + 40 + 24, frame.size()).segment.payload_sum, expected) << size;
    const Decoded cut = decode_frame(1, frame, 14 + 40 + 23, frame.size());
    EXPECT_FALSE(cut.segment.has(present::kPayloadSum)) << "the header is not all there";
  }
}

TEST(Checksums, BothSpellingsOfZeroAreRight) {
  // Choose the sequence number so that the checksum comes out as 0xffff's complement, then write the other zero.
  Tcp t{.seq = 0, .payload = {}};
  Bytes segment = tcp(t);
  t.seq = static_cast<std::uint32_t>(segment[16] << 8 | segment[17]);
  segment = tcp(t);
  ASSERT_EQ(segment[16] | segment[17], 0);
  EXPECT_FALSE(decode_frame(101, ip4(6, segment)).segment.has(present::kBadChecksum));
  put16(segment, 16, 0xffff);
  EXPECT_FALSE(decode_frame(101, ip4(6, segment)).segment.has(present::kBadChecksum));
  EXPECT_EQ(decode_frame(101, ip4(6, segment)).segment.payload_sum, 0);
}

}  // namespace
}  // namespace finwait::wire

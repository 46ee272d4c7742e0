#include "finwait/wire/reassembly.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>

#include "wire/frames.h"

namespace finwait::wire {
namespace {

using namespace frames;
using base::kSecond;

/// A datagram's payload cut in fragments of so many bytes (a multiple of 8).
std::vector<Bytes> cut4(const Bytes& payload, std::size_t size, Ip4 ip = {}) {
  std::vector<Bytes> out;
  for (std::size_t at = 0; at < payload.size(); at += size) {
    const std::size_t end = std::min(payload.size(), at + size);
    ip.fragment = static_cast<std::uint16_t>(at / 8 | (end < payload.size() ? 0x2000 : 0));
    out.push_back(ip4(ip, Bytes(payload.begin() + static_cast<std::ptrdiff_t>(at), payload.begin() + static_cast<std::ptrdiff_t>(end))));
  }
  return out;
}
std::vector<Bytes> cut6(const Bytes& payload, std::size_t size, std::uint32_t id = 7) {
  std::vector<Bytes> out;
  for (std::size_t at = 0; at < payload.size(); at += size) {
    const std::size_t end = std::min(payload.size(), at + size);
    const Bytes header = Bytes{6, 0} + be(at | (end < payload.size() ? 1U : 0U), 2) + be(id, 4);
    out.push_back(
        ip6(44, header + Bytes(payload.begin() + static_cast<std::ptrdiff_t>(at), payload.begin() + static_cast<std::ptrdiff_t>(end))));
  }
  return out;
}
Bytes numbered(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 31 + i / 256);
  return out;
}

struct Bench {
  explicit Bench(ReassemblyLimits limits = {}) : reassembler(limits) {}
  Fate feed(const Bytes& packet, base::Timestamp clock = 0, std::size_t cut = 0, std::uint16_t link = 101) {
    const FrameView view{packet.data(), static_cast<std::uint32_t>(packet.size() - cut), static_cast<std::uint32_t>(packet.size()), link};
    return decode(view, {}, reassembler, clock, segment);
  }
  Reassembler reassembler;
  Segment segment;
};

TEST(Reassembly, TheFrameThatCompletesADatagramIsTheSegment) {
  const Bytes whole = tcp({.payload = numbered(3000)});
  Segment expected = decode_frame(101, ip4({.fragment = 0}, whole)).segment;
  Bench bench;
  const auto fragments = cut4(whole, 1480);
  ASSERT_EQ(fragments.size(), 3U);
  EXPECT_EQ(bench.feed(fragments[0]), Fate::kFragment);
  EXPECT_EQ(bench.feed(fragments[1]), Fate::kFragment);
  EXPECT_EQ(bench.reassembler.waiting(), 1U);
  ASSERT_EQ(bench.feed(fragments[2]), Fate::kTcp);
  const Segment& s = bench.segment;
  EXPECT_EQ(s.key, expected.key);
  EXPECT_EQ(s.direction, expected.direction);
  EXPECT_EQ(s.seq, expected.seq);
  EXPECT_EQ(s.payload_length, 3000U);
  EXPECT_EQ(s.ip_length, 3040U);
  EXPECT_EQ(s.ip_id, expected.ip_id);
  EXPECT_EQ(s.ttl, expected.ttl);
  EXPECT_EQ(s.present, present::kPayloadSum) << "the checksum of the whole is right";
  EXPECT_EQ(s.payload_sum, expected.payload_sum);
  EXPECT_EQ(bench.reassembler.waiting(), 0U);
}

TEST(Reassembly, AnyOrderAnySizeBothVersions) {
  std::mt19937 random(3);
  Bench bench;
  for (int round = 0; round < 300; ++round) {
    const std::size_t size = 8 + random() % 6000;
    const bool v6 = round % 2 == 0;
    const Bytes whole = tcp({.payload = numbered(size)}, v6 ? kClient6 : kClient4, v6 ? kServer6 : kServer4);
    const std::size_t piece = 8 * (1 + random() % 200);
    auto fragments = v6 ? cut6(whole, piece) : cut4(whole, piece);
    if (fragments.size() < 2) continue;
    std::shuffle(fragments.begin(), fragments.end(), random);
    for (std::size_t i = 0; i + 1 < fragments.size(); ++i) ASSERT_EQ(bench.feed(fragments[i]), Fate::kFragment);
    ASSERT_EQ(bench.feed(fragments.back()), Fate::kTcp);
    EXPECT_EQ(bench.segment.payload_length, size);
    EXPECT_FALSE(bench.segment.has(present::kBadChecksum)) << "every byte is in its place";
  }
  EXPECT_EQ(bench.reassembler.waiting(), 0U);
}

TEST(Reassembly, ATcpHeaderInPieces) {
  Bench bench;
  const auto fragments = cut4(tcp4(), 8);
  ASSERT_EQ(fragments.size(), 4U);
  for (std::size_t i = 3; i != 0; --i) EXPECT_EQ(bench.feed(fragments[i]), Fate::kFragment);
  EXPECT_EQ(bench.feed(fragments[0]), Fate::kTcp);
  EXPECT_EQ(bench.segment.payload_length, 5U);
}

TEST(Reassembly, TheLargestDatagram) {
  Bench bench;
  const auto fragments = cut4(tcp({.payload = numbered(65515 - 20)}), 1480);
  for (std::size_t i = 0; i + 1 < fragments.size(); ++i) ASSERT_EQ(bench.feed(fragments[i]), Fate::kFragment);
  ASSERT_EQ(bench.feed(fragments.back()), Fate::kTcp);
  EXPECT_EQ(bench.segment.payload_length, 65495U);
}

TEST(Reassembly, DatagramsAreToldApart) {
  const Bytes whole = tcp({.payload = numbered(20)});
  const Ip4 others[] = {{.id = 9}, {.source = kServer4}, {.destination = kClient4}, {.protocol = 17}};
  for (const Ip4& other : others) {
    Bench bench;
    EXPECT_EQ(bench.feed(cut4(whole, 24, {})[0]), Fate::kFragment);
    EXPECT_EQ(bench.feed(cut4(whole, 24, other)[1]), Fate::kFragment);
    EXPECT_EQ(bench.reassembler.waiting(), 2U);
  }
  Bench bench;
  EXPECT_EQ(bench.feed(cut6(whole, 24, 1)[0]), Fate::kFragment);
  EXPECT_EQ(bench.feed(cut6(whole, 24, 2)[1]), Fate::kFragment);
}

TEST(Reassembly, ACopyChangesNothing) {
  Bench bench;
  for (const bool v6 : {false, true}) {
    const Bytes whole = tcp({.payload = numbered(60)}, v6 ? kClient6 : kClient4, v6 ? kServer6 : kServer4);
    const auto fragments = v6 ? cut6(whole, 40) : cut4(whole, 40);
    EXPECT_EQ(bench.feed(fragments[0]), Fate::kFragment);
    EXPECT_EQ(bench.feed(fragments[0]), Fate::kFragment);
    EXPECT_EQ(bench.feed(fragments[1]), Fate::kTcp);
    EXPECT_FALSE(bench.segment.has(present::kBadChecksum));
  }
  EXPECT_EQ(bench.reassembler.counters().copies, 2U);
  EXPECT_EQ(bench.reassembler.counters().overlaps, 0U);
}

TEST(Reassembly, Ipv4KeepsWhatCameFirst) {
  const Bytes whole = tcp({.payload = numbered(60)});
  Bench bench;
  const auto fragments = cut4(whole, 32);
  ASSERT_EQ(fragments.size(), 3U);
  EXPECT_EQ(bench.feed(fragments[0]), Fate::kFragment);
  EXPECT_EQ(bench.feed(fragments[1]), Fate::kFragment);
  const Bytes other = ip4({.fragment = 0x2003}, Bytes(16, 0xee));
  EXPECT_EQ(bench.feed(other), Fate::kFragment) << "overlaps both";
  EXPECT_EQ(bench.feed(fragments[2]), Fate::kTcp);
  EXPECT_FALSE(bench.segment.has(present::kBadChecksum));
  EXPECT_EQ(bench.reassembler.counters().overlaps, 1U);
}

TEST(Reassembly, Ipv6DropsADatagramThatOverlaps) {
  const Bytes whole = tcp({.payload = numbered(60)}, kClient6, kServer6);
  Bench bench;
  const auto fragments = cut6(whole, 32);
  EXPECT_EQ(bench.feed(fragments[0]), Fate::kFragment);
  EXPECT_EQ(bench.feed(ip6(44, Bytes{6, 0} + be(24 | 1, 2) + be(7, 4) + Bytes(16, 0xee))), Fate::kFragment);
  EXPECT_EQ(bench.feed(fragments[1]), Fate::kFragment);
  EXPECT_EQ(bench.feed(fragments[2]), Fate::kFragment) << "RFC 5722: also what comes later";
  EXPECT_EQ(bench.reassembler.counters().dropped, 1U);
  EXPECT_EQ(bench.feed(fragments[0], 31 * kSecond), Fate::kFragment);
  EXPECT_EQ(bench.feed(fragments[1], 31 * kSecond), Fate::kFragment);
  EXPECT_EQ(bench.feed(fragments[2], 31 * kSecond), Fate::kTcp) << "its time has passed";
}

TEST(Reassembly, AnIdentifierUsedAgainBeginsAnew) {
  const auto old = cut4(tcp({.seq = 1, .payload = numbered(60)}), 40);
  const auto fresh = cut4(tcp({.seq = 2, .payload = numbered(60)}), 40);
  Bench bench;
  EXPECT_EQ(bench.feed(old[0]), Fate::kFragment);
  EXPECT_EQ(bench.feed(fresh[0]), Fate::kFragment) << "its last fragment was lost";
  EXPECT_EQ(bench.feed(fresh[1]), Fate::kTcp);
  EXPECT_EQ(bench.segment.seq, 2U);
  EXPECT_EQ(bench.reassembler.counters().restarted, 1U);

  const auto longer = cut4(tcp({.seq = 3, .payload = numbered(100)}), 40);
  EXPECT_EQ(bench.feed(old[1]), Fate::kFragment);
  EXPECT_EQ(bench.feed(longer[2]), Fate::kFragment) << "another end";
  EXPECT_EQ(bench.feed(longer[0]), Fate::kFragment);
  EXPECT_EQ(bench.feed(longer[1]), Fate::kTcp);
  EXPECT_EQ(bench.segment.seq, 3U);
}

TEST(Reassembly, WhatStaysIncompleteIsGivenUpInTime) {
  const auto fragments = cut4(tcp({.payload = numbered(60)}), 40);
  Bench bench{{.timeout = 10 * kSecond}};
  EXPECT_EQ(bench.feed(fragments[0], 100 * kSecond), Fate::kFragment);
  EXPECT_EQ(bench.feed(fragments[1], 110 * kSecond), Fate::kTcp) << "just in time";
  EXPECT_EQ(bench.feed(fragments[0], 120 * kSecond), Fate::kFragment);
  EXPECT_EQ(bench.feed(fragments[1], 130 * kSecond + 1), Fate::kFragment);
  EXPECT_EQ(bench.reassembler.counters().timed_out, 1U);
  EXPECT_EQ(bench.reassembler.waiting(), 1U);
}

TEST(Reassembly, AFloodPushesOutTheOldest) {
  const auto wanted = cut4(tcp({.payload = numbered(60)}), 40, {.id = 1});
  Bench bench{{.memory = std::size_t{512} << 10}};
  const std::uint32_t capacity = bench.reassembler.capacity();
  ASSERT_LE(bench.reassembler.memory(), std::size_t{512} << 10);
  ASSERT_GT(capacity, 100U);
  const auto flood = [&](std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto id = static_cast<std::uint16_t>(2 + i);
      ASSERT_EQ(bench.feed(ip4({.id = id, .fragment = 0x2000}, zeros(8))), Fate::kFragment);
    }
  };
  EXPECT_EQ(bench.feed(wanted[0]), Fate::kFragment);
  flood(capacity - 1);
  EXPECT_EQ(bench.reassembler.waiting(), capacity);
  EXPECT_EQ(bench.reassembler.counters().evicted, 0U);
  EXPECT_EQ(bench.feed(wanted[1]), Fate::kTcp) << "all of them had room";
  flood(60000);
  EXPECT_EQ(bench.reassembler.waiting(), capacity);
  EXPECT_EQ(bench.feed(wanted[0]), Fate::kFragment);
  EXPECT_EQ(bench.feed(wanted[1]), Fate::kTcp) << "in the middle of a flood";
}

TEST(Reassembly, LargeDatagramsNeverTakeMoreThanThereIs) {
  Bench bench{{.memory = std::size_t{512} << 10}};
  for (int round = 0; round < 3; ++round) {
    for (std::uint16_t id = 1; id < 200; ++id) {
      for (std::uint16_t block = 0; block < 31; ++block) {
        const auto where = static_cast<std::uint16_t>(0x2000 | block * 256);
        ASSERT_EQ(bench.feed(ip4({.id = id, .fragment = where}, zeros(8))), Fate::kFragment);
      }
    }
  }
  EXPECT_LE(bench.reassembler.waiting(), bench.reassembler.capacity() / 31 + 1);
  const auto fragments = cut4(tcp({.payload = numbered(3000)}), 1480, {.id = 999});
  for (std::size_t i = 0; i < 2; ++i) ASSERT_EQ(bench.feed(fragments[i]), Fate::kFragment);
  EXPECT_EQ(bench.feed(fragments[2]), Fate::kTcp);
}

TEST(Reassembly, TheOldestDatagramDoesNotMakeWayForItself) {
  Bench bench{{.memory = std::size_t{512} << 10}};
  const auto fragments = cut4(tcp({.payload = numbered(60000)}), 1480, {.id = 1});
  ASSERT_EQ(bench.feed(fragments[0]), Fate::kFragment);
  for (std::uint16_t i = 1; i < bench.reassembler.capacity(); ++i) {
    ASSERT_EQ(bench.feed(ip4({.id = static_cast<std::uint16_t>(i + 1), .fragment = 0x2000}, zeros(8))), Fate::kFragment);
  }
  for (std::size_t i = 1; i + 1 < fragments.size(); ++i) ASSERT_EQ(bench.feed(fragments[i]), Fate::kFragment);
  ASSERT_EQ(bench.feed(fragments.back()), Fate::kTcp) << "all blocks were in use, and this is the oldest";
  EXPECT_FALSE(bench.segment.has(present::kBadChecksum));
  EXPECT_GT(bench.reassembler.counters().evicted, 20U);
}

TEST(Reassembly, FragmentsCutByTheSnapLengthCountForTheirLength) {
  const auto fragments = cut4(tcp({.payload = numbered(3000)}), 1480);
  Bench bench;
  EXPECT_EQ(bench.feed(fragments[0], 0, 1400), Fate::kFragment);
  EXPECT_EQ(bench.feed(fragments[1], 0, 1000), Fate::kFragment);
  ASSERT_EQ(bench.feed(fragments[2], 0, 10), Fate::kTcp);
  EXPECT_EQ(bench.segment.payload_length, 3000U);
  EXPECT_FALSE(bench.segment.has(present::kBadChecksum)) << "cannot be checked";
  EXPECT_EQ(bench.feed(fragments[0], 0, 1470), Fate::kFragment) << "the TCP header is cut";
  EXPECT_EQ(bench.feed(fragments[1]), Fate::kFragment);
  EXPECT_EQ(bench.feed(fragments[2]), Fate::kTruncated);
}

TEST(Reassembly, TunnelsInFragmentsAndFragmentsInTunnels) {
  const Bytes inner = tcp({.payload = numbered(500)});
  Bench bench;
  std::vector<Bytes> packets;
  for (const Bytes& fragment : cut4(inner, 256)) {
    for (const Bytes& outer :
         cut4(be(0x0000'0800, 4) + fragment, 104, {.protocol = 47, .id = static_cast<std::uint16_t>(packets.size())})) {
      packets.push_back(ethernet(0x8100, vlan(7, 0x0800, outer)));
    }
  }
  for (std::size_t i = 0; i + 1 < packets.size(); ++i) ASSERT_EQ(bench.feed(packets[i], 0, 0, 1), Fate::kFragment) << i;
  ASSERT_EQ(bench.feed(packets.back(), 0, 0, 1), Fate::kTcp);
  EXPECT_EQ(bench.segment.payload_length, 500U);
  EXPECT_EQ(notes(bench.segment.encapsulation), "7 gre");
  EXPECT_FALSE(bench.segment.has(present::kBadChecksum));
  EXPECT_EQ(bench.reassembler.waiting(), 0U);
}

TEST(Reassembly, VirtualNetworksAreKeptApart) {
  const auto fragments = cut4(tcp({.payload = numbered(60)}), 40);
  const auto below = [](std::uint32_t vni, const Bytes& packet) {
    return ip4(17, udp(4789, be(0x08000000, 4) + be(vni << 8, 4) + ethernet(0x0800, packet)));
  };
  Bench bench;
  EXPECT_EQ(bench.feed(below(1, fragments[0])), Fate::kFragment);
  EXPECT_EQ(bench.feed(below(2, fragments[1])), Fate::kFragment);
  EXPECT_EQ(bench.feed(below(1, fragments[1])), Fate::kTcp);
  EXPECT_EQ(bench.segment.key.network, 0x0100'0001U);
}

TEST(Reassembly, FragmentsOfOtherProtocolsAreOtherIpWhenWhole) {
  const auto fragments = cut4(udp(53, zeros(60)), 40, {.protocol = 17});
  Bench bench;
  EXPECT_EQ(bench.feed(fragments[0]), Fate::kFragment);
  EXPECT_EQ(bench.feed(fragments[1]), Fate::kOtherIp);
}

TEST(Reassembly, TooLittleMemoryIsRefused) { EXPECT_THROW(Reassembler({.memory = 100000}), std::invalid_argument); }

}  // namespace
}  // namespace finwait::wire

// Link layers and tunnels: each wraps the same segment, and the segment comes out the same, with a note of the way.
#include "finwait/wire/encapsulation.h"

#include <gtest/gtest.h>

#include "wire/frames.h"

namespace finwait::wire {
namespace {

using namespace frames;

constexpr std::uint16_t kEther = 1;
constexpr std::uint16_t kRaw = 101;

struct Row {
  const char* what;
  std::uint16_t link_type;
  Bytes frame;
  const char* notes;
  std::uint32_t network = 0;
};

/// Both the fields and the payload's sum are the wrapped segment's: offsets and lengths are right.
void expect_segment(const Row& row) {
  const Decoded decoded = decode_frame(row.link_type, row.frame);
  ASSERT_EQ(decoded.fate, Fate::kTcp) << row.what << ": " << fate_name(decoded.fate);
  const Segment& s = decoded.segment;
  EXPECT_EQ(s.seq, 0x01020304U) << row.what;
  EXPECT_EQ(s.payload_length, 5U) << row.what;
  EXPECT_EQ(s.key.low_port, kServerPort) << row.what;
  EXPECT_EQ(s.present, present::kPayloadSum) << row.what;
  EXPECT_EQ(notes(s.encapsulation), row.notes) << row.what;
  EXPECT_EQ(s.key.network & ~FlowKey::kIpv6, row.network) << row.what;
}

TEST(Encapsulation, EthernetAndItsTags) {
  const Bytes llc = snap(0x0800, ip4());
  const Row rows[] = {
      {"plain", kEther, ethernet4(), ""},
      {"IPv6", kEther, ethernet6(), ""},
      {"802.1Q", kEther, ethernet(0x8100, vlan(0xe007, 0x0800, ip4())), "7"},
      {"802.1ad", kEther, ethernet(0x88a8, vlan(7, 0x8100, vlan(9, 0x86dd, ip6()))), "7,9"},
      {"three old tags", kEther, ethernet(0x9100, vlan(1, 0x9200, vlan(2, 0x8100, vlan(3, 0x0800, ip4())))), "1,2,3"},
      {"SNAP", kEther, ethernet(static_cast<std::uint16_t>(llc.size()), llc), ""},
      {"SNAP, 802.1H", kEther, ethernet(static_cast<std::uint16_t>(llc.size()), Bytes{0xaa, 0xaa, 3, 0, 0, 0xf8, 8, 0} + ip4()), ""},
      {"SNAP below a tag", kEther, ethernet(0x8100, vlan(7, static_cast<std::uint16_t>(llc.size()), llc)), "7"},
      {"LLC with IP", kEther, ethernet(static_cast<std::uint16_t>(3 + ip4().size()), Bytes{6, 6, 3} + ip4()), ""},
      {"Cisco MetaData", kEther, ethernet(0x8909, Bytes{1, 1, 0, 1, 0, 9} + be(0x0800, 2) + ip4()), "cmd"},
      {"FabricPath", kEther, ethernet(0x8903, Bytes{0x40, 0x20} + ethernet4()), "fabricpath"},
      {"802.1ah", kEther, ethernet(0x88e7, Bytes{0, 1, 2, 3} + ethernet4()), "pbb"},
      {"VN-Tag", kEther, ethernet(0x8926, zeros(4) + be(0x0800, 2) + ip4()), ""},
      {"E-Tag", kEther, ethernet(0x893f, zeros(6) + be(0x0800, 2) + ip4()), ""},
      {"EtherType DSA", kEther, ethernet(0xdada, Bytes{0, 0, 0xc0, 0, 0, 0} + be(0x0800, 2) + ip4()), ""},
      {"DSA, tagged", 284, macs() + Bytes{0xe0, 0, 0, 7} + be(0x0800, 2) + ip4(), "7"},
      {"EDSA, untagged", 285, macs() + Bytes{0xda, 0xda, 0, 0, 0xc0, 0, 0, 0} + be(0x0800, 2) + ip4(), ""},
      {"Broadcom tag", 281, macs() + zeros(4) + be(0x0800, 2) + ip4(), ""},
      {"Broadcom tag before", 282, zeros(4) + ethernet4(), ""},
  };
  for (const Row& row : rows) expect_segment(row);
}

TEST(Encapsulation, TheLengthOfAnLlcFrameLeavesPaddingOut) {
  Bytes super = ip4();
  put16(super, 2, 0);
  const Bytes llc = snap(0x0800, super);
  const auto length = static_cast<std::uint16_t>(llc.size());
  EXPECT_EQ(decode_ethernet(ethernet(length, llc) + zeros(6)).segment.payload_length, 5U);
  EXPECT_EQ(decode_ethernet(ethernet(0x8100, vlan(7, length, llc)) + zeros(6)).segment.payload_length, 5U);
}

TEST(Encapsulation, VlanTagsOfAnyDepth) {
  Bytes inner = ip4();
  std::uint16_t type = 0x0800;
  for (std::uint16_t depth = 1; depth <= 40; ++depth) {
    inner = vlan(depth, type, inner);
    type = 0x8100;
    const Decoded decoded = decode_ethernet(ethernet(type, inner));
    ASSERT_EQ(decoded.fate, Fate::kTcp);
    EXPECT_EQ(decoded.segment.encapsulation.vlans(), std::min<int>(depth, 3)) << "the outermost three are noted";
    EXPECT_EQ(decoded.segment.encapsulation.vlan(0), depth);
  }
}

TEST(Encapsulation, CapturingSystemsHeaders) {
  const Bytes cooked = zeros(14);
  const Bytes nflog_prefix = Bytes{2, 0, 0, 0} + le(9, 2) + le(10, 2) + Bytes{'h', 'i', 'h', 'i', 0, 0, 0, 0};
  const Row rows[] = {
      {"cooked", 113, cooked + be(0x0800, 2) + ip4(), ""},
      {"cooked, IPv6 below a tag", 113, cooked + be(0x8100, 2) + vlan(7, 0x86dd, ip6()), "7"},
      {"cooked, LLC", 113, cooked + be(4, 2) + snap(0x0800, ip4()), ""},
      {"cooked 2", 276, be(0x0800, 2) + zeros(18) + ip4(), ""},
      {"cooked 2, IPv6", 276, be(0x86dd, 2) + zeros(18) + ip6(), ""},
      {"null, little endian", 0, le(2, 4) + ip4(), ""},
      {"null, big endian", 0, be(2, 4) + ip4(), ""},
      {"null, IPv6 of FreeBSD", 0, le(28, 4) + ip6(), ""},
      {"null, IPv6 of macOS", 0, le(30, 4) + ip6(), ""},
      {"null, IPv6 of OpenBSD", 0, be(24, 4) + ip6(), ""},
      {"loop", 108, be(2, 4) + ip4(), ""},
      {"raw", kRaw, ip4(), ""},
      {"raw, IPv6", 12, ip6(), ""},
      {"raw, as OpenBSD numbers it", 14, ip4(), ""},
      {"IPv4", 228, ip4(), ""},
      {"IPv6", 229, ip6(), ""},
      {"NFLOG", 239, nflog_prefix + le(4 + ip4().size(), 2) + le(9, 2) + ip4(), ""},
      {"NFLOG, big endian", 239, Bytes{10, 0, 0, 0} + be(4 + ip6().size(), 2) + be(9, 2) + ip6(), ""},
      {"packet filter log", 117, Bytes{61, 2, 0, 0} + zeros(60) + ip4(), ""},
      {"ARCNET, RFC 1051", 129, Bytes{1, 2, 0, 0, 240} + ip4(), ""},
      {"ARCNET, RFC 1201", 129, Bytes{1, 2, 0, 0, 212, 0, 0, 1} + ip4(), ""},
      {"FDDI", 10, Bytes{0x50} + macs() + snap(0x0800, ip4()), ""},
      {"MPLS", 219, be(0x00010140, 4) + ip4(), "mpls"},
  };
  for (const Row& row : rows) expect_segment(row);
}

TEST(Encapsulation, SerialLines) {
  const Row rows[] = {
      {"PPP", 9, be(0x0021, 2) + ip4(), ""},
      {"PPP, IPv6", 9, be(0x0057, 2) + ip6(), ""},
      {"PPP with address and control", 9, be(0xff03, 2) + be(0x0021, 2) + ip4(), ""},
      {"PPP with a short protocol", 9, Bytes{0x21} + ip4(), ""},
      {"PPP with MPLS", 9, be(0x0281, 2) + be(0x00010140, 4) + ip4(), "mpls"},
      {"PPP in HDLC", 50, be(0xff03, 2) + be(0x0021, 2) + ip4(), ""},
      {"Cisco in HDLC", 50, be(0x0f00, 2) + be(0x0800, 2) + ip4(), ""},
      {"Cisco HDLC", 104, be(0x0f00, 2) + be(0x86dd, 2) + ip6(), ""},
      {"frame relay", 107, Bytes{0x18, 0x41, 3, 0xcc} + ip4(), ""},
      {"frame relay, SNAP", 107, Bytes{0x18, 0x41, 3, 0, 0x80, 0, 0, 0} + be(0x0800, 2) + ip4(), ""},
      {"frame relay, Cisco", 107, Bytes{0x18, 0x41} + be(0x0800, 2) + ip4(), ""},
      {"PPPoE", kEther, ethernet(0x8864, Bytes{0x11, 0, 0, 1} + be(2 + ip4().size(), 2) + be(0x0021, 2) + ip4() + zeros(7)), "pppoe"},
  };
  for (const Row& row : rows) expect_segment(row);
}

TEST(Encapsulation, Wireless) {
  const Bytes body = snap(0x0800, ip4());
  const Bytes plain = Bytes{0x08, 0x01} + zeros(22) + body;
  const Bytes quality = Bytes{0x88, 0x01} + zeros(24) + body;
  const Bytes padded = Bytes{0x88, 0x01} + zeros(26) + body;
  const Bytes aggregate = Bytes{0x88, 0x01} + zeros(22) + Bytes{0x80, 0} + macs() + be(body.size(), 2) + body + zeros(3);
  const Row rows[] = {
      {"data", 105, plain, ""},
      {"four addresses", 105, Bytes{0x08, 0x03} + zeros(28) + body, ""},
      {"quality of service", 105, quality, ""},
      {"high throughput control", 105, Bytes{0x88, 0x81} + zeros(28) + body, ""},
      {"aggregate", 105, aggregate, ""},
      {"radiotap", 127, Bytes{0, 0, 8, 0, 0, 0, 0, 0} + plain, ""},
      {"radiotap, padded", 127, Bytes{0, 0, 17, 0, 3, 0, 0, 0} + zeros(8) + Bytes{0x20} + padded, ""},
      {"radiotap with more fields, padded", 127, Bytes{0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0} + zeros(4) + zeros(8) + Bytes{0x20} + padded,
       ""},
      {"Prism", 119, le(0x44, 4) + le(144, 4) + zeros(136) + plain, ""},
      {"AVS", 163, be(0x80211001, 4) + be(64, 4) + zeros(56) + plain, ""},
      {"AVS that says Prism", 119, be(0x80211001, 4) + be(64, 4) + zeros(56) + plain, ""},
      {"PPI", 192, Bytes{0, 0, 8, 0} + le(105, 4) + plain, ""},
      {"PPI, Ethernet", 192, Bytes{0, 0, 12, 0} + le(1, 4) + zeros(4) + ethernet4(), ""},
  };
  for (const Row& row : rows) expect_segment(row);
  EXPECT_EQ(decode_frame(105, Bytes{0x08, 0x41} + zeros(22) + body).fate, Fate::kNotIp) << "encrypted";
  EXPECT_EQ(decode_frame(105, Bytes{0x80, 0x00} + zeros(22) + body).fate, Fate::kNotIp) << "a beacon";
  EXPECT_EQ(decode_frame(105, Bytes{0x48, 0x01} + zeros(22)).fate, Fate::kNotIp) << "no body";
}

TEST(Encapsulation, Mpls) {
  const Bytes bottom = be(0x00010140, 4);
  const Row rows[] = {
      {"one label", kEther, ethernet(0x8847, bottom + ip4()), "mpls"},
      {"three labels", kEther, ethernet(0x8848, be(0x00020040, 4) + be(0x00030040, 4) + bottom + ip6()), "mpls"},
      {"Ethernet", kEther, ethernet(0x8847, bottom + ethernet4()), "mpls"},
      {"Ethernet below a control word", kEther, ethernet(0x8847, bottom + zeros(4) + ethernet4()), "mpls"},
      {"above IP", kRaw, ip4(137, bottom + ip4()), "mpls"},
  };
  for (const Row& row : rows) expect_segment(row);
  EXPECT_EQ(decode_ethernet(ethernet(0x8847, bottom + be(0x10000021, 4) + ip4())).fate, Fate::kNotIp) << "an associated channel";
}

TEST(Encapsulation, Tunnels) {
  const Bytes ether = ethernet4();
  const Row rows[] = {
      {"IP in IP", kRaw, ip4(4, ip4()), "ipip"},
      {"IPv6 in IPv4", kRaw, ip4(41, ip6()), "6in4"},
      {"IPv4 in IPv6", kRaw, ip6(4, ip4()), "ipip"},
      {"GRE", kRaw, ip4(47, be(0x0000'0800, 4) + ip4()), "gre"},
      {"GRE with everything", kRaw, ip4(47, be(0xb000'86dd, 4) + zeros(12) + ip6()), "gre"},
      {"GRE with Ethernet (NVGRE)", kRaw, ip4(47, be(0x2000'6558, 4) + be(0x00012300, 4) + ether), "gre"},
      {"GRE, redirected", kRaw, ip4(47, be(0x0000'883e, 4) + zeros(4) + ip4()), "gre"},
      {"GRE of PPTP", kRaw, ip4(47, be(0x3081'880b, 4) + zeros(12) + be(0xff03'0021, 4) + ip4()), "gre"},
      {"ERSPAN I", kRaw, ip4(47, be(0x0000'88be, 4) + ether), "gre,erspan"},
      {"ERSPAN II", kRaw, ip4(47, be(0x1000'88be, 4) + zeros(4) + zeros(8) + ether), "gre,erspan"},
      {"ERSPAN III", kRaw, ip4(47, be(0x1000'22eb, 4) + zeros(4) + zeros(12) + ether), "gre,erspan"},
      {"ERSPAN III, longer", kRaw, ip4(47, be(0x1000'22eb, 4) + zeros(4) + zeros(11) + Bytes{1} + zeros(8) + ether), "gre,erspan"},
      {"EtherIP", kRaw, ip4(97, Bytes{0x30, 0} + ether), "etherip"},
      {"AH", kRaw, ip4(51, Bytes{6, 4, 0, 0} + zeros(20) + tcp4()), "ah"},
      {"AH in IPv6", kRaw, ip6(51, Bytes{6, 4, 0, 0} + zeros(20) + tcp6()), "ah"},
      {"VXLAN", kRaw, ip4(17, udp(4789, be(0x08000000, 4) + be(0x00123400, 4) + ether)), "vxlan", 0x0100'1234},
      {"VXLAN-GPE with IPv6", kRaw, ip4(17, udp(4790, be(0x0c000002, 4) + be(0x00123400, 4) + ip6())), "vxlan", 0x0100'1234},
      {"Geneve", kRaw, ip4(17, udp(6081, be(0x00006558, 4) + be(0xabcdef00, 4) + ether)), "geneve", 0x02ab'cdef},
      {"Geneve with options and IP", kRaw, ip4(17, udp(6081, be(0x02000800, 4) + be(0xabcdef00, 4) + zeros(8) + ip4())), "geneve",
       0x02ab'cdef},
      {"GTP-U", kRaw, ip4(17, udp(2152, be(0x30ff, 2) + be(ip4().size(), 2) + zeros(4) + ip4())), "gtp-u"},
      {"GTP-U with an extension", kRaw,
       ip4(17, udp(2152, be(0x34ff, 2) + be(ip4().size() + 8, 2) + zeros(4) + Bytes{0, 0, 0, 0x85, 1, 0, 0, 0} + ip4())), "gtp-u"},
      {"Teredo", kRaw, ip4(17, udp(3544, ip6())), "teredo"},
      {"Teredo with everything", kRaw, ip4(17, udp(3544, Bytes{0, 1, 0, 0} + zeros(9) + zeros(8) + ip6())), "teredo"},
      {"L2TP", kRaw, ip4(17, udp(1701, be(0x0002, 2) + zeros(4) + be(0xff030021, 4) + ip4())), "l2tp"},
      {"L2TP with everything", kRaw, ip4(17, udp(1701, be(0x4a02, 2) + zeros(10) + be(2, 2) + zeros(2) + be(0x0021, 2) + ip4())), "l2tp"},
      {"MPLS above UDP", kRaw, ip4(17, udp(6635, be(0x00010140, 4) + ip4())), "mpls"},
      {"a mirror of a tagged overlay", kEther,
       ethernet(0x8100, vlan(7, 0x0800,
                             ip4(47, be(0x0000'88be, 4) + ethernet(0x0800, ip4(17, udp(4789, be(0x08000000, 4) + be(0x100, 4) + ether)))))),
       "7 gre,erspan,vxlan", 0x0100'0001},
  };
  for (const Row& row : rows) expect_segment(row);
}

TEST(Encapsulation, APortNumberIsOnlyAGuess) {
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{4789, 4790, 6081, 2152, 3544, 1701, 6635}) {
    for (std::size_t size = 0; size < 40; ++size) {
      const Fate fate = decode_frame(kRaw, ip4(17, udp(port, Bytes(size, 0xf5)))).fate;
      EXPECT_TRUE(fate == Fate::kOtherIp || (port == 6635 && fate == Fate::kMalformed)) << port << " " << size << " " << fate_name(fate);
    }
  }
}

TEST(Encapsulation, NestingIsBounded) {
  Bytes packet = ip4();
  for (int levels = 2; levels <= 64; ++levels) {
    packet = ip4(4, packet);
    const Decoded decoded = decode_frame(kRaw, packet);
    EXPECT_EQ(decoded.fate, levels <= 16 ? Fate::kTcp : Fate::kMalformed) << levels;
    if (levels <= 16) {
      EXPECT_EQ(decoded.segment.encapsulation.tunnels(), std::min(levels - 1, 5));
    }
  }
  Bytes frame = ethernet4();
  for (int levels = 0; levels < 64; ++levels) frame = ethernet(0x8847, be(0x00010140, 4) + frame);
  EXPECT_EQ(decode_ethernet(frame).fate, Fate::kMalformed);
}

TEST(Encapsulation, NamesOfTunnels) {
  for (int i = 1; i < kTunnels; ++i) EXPECT_NE(tunnel_name(static_cast<Tunnel>(i)), nullptr) << i;
  EXPECT_EQ(tunnel_name(Tunnel::kNone), nullptr);
  EXPECT_STREQ(tunnel_name(Tunnel::kSixInFour), "6in4");
}

TEST(LinkTypes, WhatIsUnderstoodAndWhatIsNot) {
  for (const std::uint16_t known : std::initializer_list<std::uint16_t>{0,   1,   9,   10,  12,  14,  50,  101, 104, 105, 107, 108, 113,
                                                                        119, 127, 129, 163, 192, 228, 229, 239, 276, 281, 284, 285}) {
    EXPECT_TRUE(link_type_known(known)) << known;
    EXPECT_NE(link_type_name(known), nullptr) << known;
  }
  for (const std::uint16_t foreign : std::initializer_list<std::uint16_t>{189, 220, 199, 209, 249, 253}) {
    EXPECT_FALSE(link_type_known(foreign)) << foreign;
    EXPECT_NE(link_type_name(foreign), nullptr) << foreign;
    EXPECT_EQ(decode_frame(foreign, ethernet4()).fate, Fate::kNotIp);
  }
  EXPECT_STREQ(link_type_name(1), "EN10MB");
  EXPECT_STREQ(link_type_name(276), "LINUX_SLL2");
  EXPECT_EQ(link_type_name(147), nullptr);
  EXPECT_EQ(link_type_name(65535), nullptr);
}

}  // namespace
}  // namespace finwait::wire

// Link types: their names, which of them are understood, and where the walk begins in each.
//
// Numbers are LINKTYPE_ values, those of capture files; names are libpcap's DLT names.
#include <algorithm>
#include <array>

#include "walk.h"

namespace finwait::wire {
namespace {

struct LinkType {
  std::uint16_t value;
  const char* name;
  void (*read)(Walk&) noexcept;  // nullptr: not understood
};

/// Steps over a header of fixed size.
template <std::uint32_t Size, Layer Next>
void after(Walk& walk) noexcept {
  if (!walk.need(Size)) return;
  walk.skip(Size);
  walk.go(Next);
}

/// Steps over a header of `Size` bytes whose last two are an EtherType.
template <std::uint32_t Size>
void after_ether_type(Walk& walk) noexcept {
  if (!walk.need(Size)) return;
  const std::uint16_t type = be16(walk.at + Size - 2);
  walk.skip(Size);
  walk.go(Layer::kEtherType, type);
}

/// A switch's tag behind the addresses: Broadcom's of four bytes.
void read_broadcom(Walk& walk) noexcept {
  if (!walk.need(16)) return;
  walk.skip(16);
  if (!walk.need(2)) return;
  const std::uint16_t type = be16(walk.at);
  walk.skip(2);
  if (type >= 1536) return walk.go(Layer::kEtherType, type);
  walk.limit(type);
  walk.go(Layer::kLlc);
}

void read_dsa(Walk& walk) noexcept {
  if (!walk.need(12)) return;
  walk.skip(12);
  read_dsa_tag(walk, 0);
}

void read_edsa(Walk& walk) noexcept {
  if (!walk.need(12)) return;
  walk.skip(12);
  read_dsa_tag(walk, 4);  // its EtherType and two bytes reserved
}

/// FDDI: frame control and two addresses; only LLC frames carry IP.
void read_fddi(Walk& walk) noexcept {
  if (!walk.need(13)) return;
  const bool llc = (walk.at[0] & 0xf8) == 0x50;
  walk.skip(13);
  if (!llc) return walk.stop_foreign();
  walk.go(Layer::kLlc);
}

/// OpenBSD's packet filter log: its own length, rounded up to four, and the address family.
void read_pflog(Walk& walk) noexcept {
  if (!walk.need(4)) return;
  const std::uint32_t size = (walk.at[0] + 3U) & ~3U;
  if (size < 4) return walk.stop(Fate::kMalformed);
  if (!walk.need(size)) return;
  walk.skip(size);
  walk.go(Layer::kIp);
}

void go_ethernet(Walk& walk) noexcept { walk.go(Layer::kEthernet); }
void go_ppp(Walk& walk) noexcept { walk.go(Layer::kPpp); }
void go_hdlc(Walk& walk) noexcept { walk.go(Layer::kHdlc); }
void go_frame_relay(Walk& walk) noexcept { walk.go(Layer::kFrameRelay); }
void go_llc(Walk& walk) noexcept { walk.go(Layer::kLlc); }
void go_mpls(Walk& walk) noexcept { walk.go(Layer::kMpls); }
void go_ip(Walk& walk) noexcept { walk.go(Layer::kIp); }
void go_ipv4(Walk& walk) noexcept { walk.go(Layer::kIpv4); }
void go_ipv6(Walk& walk) noexcept { walk.go(Layer::kIpv6); }

// Sorted by value.
constexpr std::array kLinkTypes = std::to_array<LinkType>({
    {0, "NULL", read_null},
    {1, "EN10MB", go_ethernet},
    {3, "AX25", nullptr},
    {6, "IEEE802", nullptr},
    {7, "ARCNET", nullptr},
    {8, "SLIP", after<16, Layer::kIp>},
    {9, "PPP", go_ppp},
    {10, "FDDI", read_fddi},
    {12, "RAW", go_ip},
    {14, "RAW", go_ip},
    {50, "PPP_SERIAL", go_hdlc},
    {51, "PPP_ETHER", read_pppoe},
    {100, "ATM_RFC1483", go_llc},
    {101, "RAW", go_ip},
    {104, "C_HDLC", go_hdlc},
    {105, "IEEE802_11", read_wlan},
    {107, "FRELAY", go_frame_relay},
    {108, "LOOP", read_null},
    {109, "ENC", after<12, Layer::kIp>},
    {113, "LINUX_SLL", read_linux_cooked},
    {114, "LTALK", nullptr},
    {117, "PFLOG", read_pflog},
    {119, "PRISM_HEADER", read_prism},
    {122, "IP_OVER_FC", after<16, Layer::kLlc>},
    {123, "SUNATM", nullptr},
    {127, "IEEE802_11_RADIO", read_radiotap},
    {129, "ARCNET_LINUX", read_arcnet_linux},
    {138, "APPLE_IP_OVER_IEEE1394", after_ether_type<18>},
    {139, "MTP2_WITH_PHDR", nullptr},
    {140, "MTP2", nullptr},
    {141, "MTP3", nullptr},
    {142, "SCCP", nullptr},
    {143, "DOCSIS", nullptr},
    {144, "LINUX_IRDA", nullptr},
    {163, "IEEE802_11_RADIO_AVS", read_avs},
    {165, "BACNET_MS_TP", nullptr},
    {166, "PPP_PPPD", after<1, Layer::kPpp>},
    {169, "GPRS_LLC", nullptr},
    {177, "LINUX_LAPD", nullptr},
    {187, "BLUETOOTH_HCI_H4", nullptr},
    {189, "USB_LINUX", nullptr},
    {190, "CAN20B", nullptr},
    {192, "PPI", read_ppi},
    {195, "IEEE802_15_4", nullptr},
    {196, "SITA", nullptr},
    {197, "ERF", nullptr},
    {199, "IPMB", nullptr},
    {201, "BLUETOOTH_HCI_H4_WITH_PHDR", nullptr},
    {203, "LAPD", nullptr},
    {204, "PPP_WITH_DIR", after<1, Layer::kPpp>},
    {205, "C_HDLC_WITH_DIR", after<1, Layer::kHdlc>},
    {206, "FRELAY_WITH_DIR", after<1, Layer::kFrameRelay>},
    {209, "IPMB_LINUX", nullptr},
    {215, "IEEE802_15_4_NONASK_PHY", nullptr},
    {219, "MPLS", go_mpls},
    {220, "USB_LINUX_MMAPPED", nullptr},
    {224, "FC_2", nullptr},
    {226, "IPNET", nullptr},
    {227, "CAN_SOCKETCAN", nullptr},
    {228, "IPV4", go_ipv4},
    {229, "IPV6", go_ipv6},
    {230, "IEEE802_15_4_NOFCS", nullptr},
    {231, "DBUS", nullptr},
    {239, "NFLOG", read_nflog},
    {240, "NETANALYZER", after<4, Layer::kEthernet>},
    {241, "NETANALYZER_TRANSPARENT", after<12, Layer::kEthernet>},
    {242, "IPOIB", after<44, Layer::kIp>},
    {243, "MPEG_2_TS", nullptr},
    {245, "NFC_LLCP", nullptr},
    {247, "INFINIBAND", nullptr},
    {248, "SCTP", nullptr},
    {249, "USBPCAP", nullptr},
    {251, "BLUETOOTH_LE_LL", nullptr},
    {252, "WIRESHARK_UPPER_PDU", nullptr},
    {253, "NETLINK", nullptr},
    {254, "BLUETOOTH_LINUX_MONITOR", nullptr},
    {256, "BLUETOOTH_LE_LL_WITH_PHDR", nullptr},
    {258, "PKTAP", nullptr},
    {265, "NORDIC_BLE", nullptr},
    {266, "USB_DARWIN", nullptr},
    {271, "VSOCK", nullptr},
    {274, "ETHERNET_MPACKET", after<8, Layer::kEthernet>},
    {276, "LINUX_SLL2", read_linux_cooked_2},
    {281, "DSA_TAG_BRCM", read_broadcom},
    {282, "DSA_TAG_BRCM_PREPEND", after<4, Layer::kEthernet>},
    {283, "IEEE802_15_4_TAP", nullptr},
    {284, "DSA_TAG_DSA", read_dsa},
    {285, "DSA_TAG_EDSA", read_edsa},
});
static_assert(std::is_sorted(kLinkTypes.begin(), kLinkTypes.end(), [](const LinkType& a, const LinkType& b) { return a.value < b.value; }));

const LinkType* find_link_type(std::uint16_t value) noexcept {
  const auto* found =
      std::lower_bound(kLinkTypes.begin(), kLinkTypes.end(), value, [](const LinkType& a, std::uint16_t v) { return a.value < v; });
  return found != kLinkTypes.end() && found->value == value ? found : nullptr;
}

}  // namespace

bool link_type_known(std::uint16_t link_type) noexcept {
  const LinkType* found = find_link_type(link_type);
  return found != nullptr && found->read != nullptr;
}

const char* link_type_name(std::uint16_t link_type) noexcept {
  const LinkType* found = find_link_type(link_type);
  return found != nullptr ? found->name : nullptr;
}

void read_link_type(Walk& walk) noexcept {
  const LinkType* found = find_link_type(walk.type);
  if (found == nullptr || found->read == nullptr) return walk.stop(Fate::kNotIp);
  found->read(walk);
}

}  // namespace finwait::wire

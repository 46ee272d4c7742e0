// Frames written from the inside out: each function puts a header before the bytes it is given.
//
// Everything is right unless asked otherwise: lengths and checksums are computed. Addresses and ports are the same in all of them, so a
// test names only what it is about.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "finwait/wire/checksum.h"
#include "finwait/wire/decode.h"

namespace finwait::wire::frames {

using Bytes = std::vector<std::uint8_t>;

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline Bytes zeros(std::size_t n) { return Bytes(n); }
inline Bytes be(std::uint64_t value, int size) {
  Bytes out;
  for (int i = size - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  return out;
}
inline Bytes le(std::uint64_t value, int size) {
  Bytes out;
  for (int i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  return out;
}
inline void put16(Bytes& bytes, std::size_t at, std::size_t value) {
  bytes.at(at) = static_cast<std::uint8_t>(value >> 8);
  bytes.at(at + 1) = static_cast<std::uint8_t>(value);
}

inline const Bytes kClient4 = {10, 0, 0, 2};
inline const Bytes kServer4 = {10, 0, 0, 1};
inline const Bytes kClient6 = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
inline const Bytes kServer6 = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
inline const Bytes kHello = {'h', 'e', 'l', 'l', 'o'};
inline constexpr std::uint16_t kClientPort = 40000;
inline constexpr std::uint16_t kServerPort = 80;

struct Tcp {
  std::uint16_t source_port = kClientPort;
  std::uint16_t destination_port = kServerPort;
  std::uint32_t seq = 0x01020304;
  std::uint32_t ack = 0xa1a2a3a4;
  std::uint16_t flags = tcp_flag::kAck | tcp_flag::kPsh;
  std::uint16_t window = 0x1234;
  Bytes options = {};
  Bytes payload = kHello;
};

/// A TCP segment whose checksum is right below these addresses.
inline Bytes tcp(const Tcp& t, const Bytes& source = kClient4, const Bytes& destination = kServer4) {
  Bytes options = t.options;
  while (options.size() % 4 != 0) options.push_back(0);
  const std::size_t words = 5 + options.size() / 4;
  Bytes out = be(t.source_port, 2) + be(t.destination_port, 2) + be(t.seq, 4) + be(t.ack, 4) + be((words << 12) | t.flags, 2) +
              be(t.window, 2) + be(0, 4) + options + t.payload;
  OnesSum sum;
  sum.add(source.data(), source.size());
  sum.add(destination.data(), destination.size());
  sum.add(std::uint16_t{6});
  sum.add_long(static_cast<std::uint32_t>(out.size()));
  sum.add(out.data(), out.size());
  put16(out, 16, static_cast<std::uint16_t>(~sum.folded()));
  return out;
}
inline Bytes tcp4() { return tcp({}); }
inline Bytes tcp6() { return tcp({}, kClient6, kServer6); }

struct Ip4 {
  std::uint8_t protocol = 6;
  std::uint16_t id = 0x4242;
  std::uint16_t fragment = 0x4000;  ///< flags and offset: do not fragment
  Bytes options = {};
  Bytes source = kClient4;
  Bytes destination = kServer4;
};
inline Bytes ip4(const Ip4& ip, const Bytes& payload) {
  Bytes header = be(0x40 + 5 + ip.options.size() / 4, 1) + be(0, 1) + be(20 + ip.options.size() + payload.size(), 2) + be(ip.id, 2) +
                 be(ip.fragment, 2) + be(64, 1) + be(ip.protocol, 1) + be(0, 2) + ip.source + ip.destination + ip.options;
  OnesSum sum;
  sum.add(header.data(), header.size());
  put16(header, 10, static_cast<std::uint16_t>(~sum.folded()));
  return header + payload;
}
inline Bytes ip4(std::uint8_t protocol, const Bytes& payload) { return ip4(Ip4{.protocol = protocol}, payload); }
inline Bytes ip4() { return ip4(6, tcp4()); }

inline Bytes ip6(std::uint8_t next, const Bytes& payload) {
  return be(0x60000000, 4) + be(payload.size(), 2) + be(next, 1) + be(57, 1) + kClient6 + kServer6 + payload;
}
inline Bytes ip6() { return ip6(6, tcp6()); }

inline Bytes macs() { return {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}; }
inline Bytes ethernet(std::uint16_t type, const Bytes& payload) { return macs() + be(type, 2) + payload; }
inline Bytes ethernet4() { return ethernet(0x0800, ip4()); }
inline Bytes ethernet6() { return ethernet(0x86dd, ip6()); }
inline Bytes vlan(std::uint16_t id, std::uint16_t type, const Bytes& payload) { return be(id, 2) + be(type, 2) + payload; }
inline Bytes snap(std::uint16_t type, const Bytes& payload) { return Bytes{0xaa, 0xaa, 3, 0, 0, 0} + be(type, 2) + payload; }
inline Bytes udp(std::uint16_t port, const Bytes& payload) {
  return be(50000, 2) + be(port, 2) + be(8 + payload.size(), 2) + be(0, 2) + payload;
}

/// What decoding gave: of a copy of exactly the captured size, so that a sanitizer sees each byte read beyond it.
struct Decoded {
  Fate fate = Fate::kNotIp;
  Segment segment;
};
inline Decoded decode_frame(std::uint16_t link_type, const Bytes& bytes, std::size_t captured, std::size_t length,
                            Checksums checksums = Checksums::kCount) {
  const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[captured]);
  std::copy_n(bytes.begin(), captured, exact.get());
  Decoded decoded;
  const FrameView view{exact.get(), static_cast<std::uint32_t>(captured), static_cast<std::uint32_t>(length), link_type};
  decoded.fate = decode(view, DecodeOptions{checksums}, decoded.segment);
  return decoded;
}
inline Decoded decode_frame(std::uint16_t link_type, const Bytes& bytes, Checksums checksums = Checksums::kCount) {
  return decode_frame(link_type, bytes, bytes.size(), bytes.size(), checksums);
}
inline Decoded decode_ethernet(const Bytes& bytes, Checksums checksums = Checksums::kCount) { return decode_frame(1, bytes, checksums); }

/// The tunnels and VLANs noted, as text: "7,9 gre,vxlan".
inline std::string notes(const Encapsulation& encapsulation) {
  std::string out;
  for (int i = 0; i < encapsulation.vlans(); ++i) out += (i != 0 ? "," : "") + std::to_string(encapsulation.vlan(i));
  for (int i = 0; i < encapsulation.tunnels(); ++i) {
    if (!out.empty()) out += i != 0 ? "," : " ";
    out += tunnel_name(encapsulation.tunnel(i));
  }
  return out;
}

}  // namespace finwait::wire::frames

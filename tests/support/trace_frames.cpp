#include "support/trace_frames.h"

#include <algorithm>
#include <cstddef>

namespace finwait::testing {
namespace {

using Bytes = std::vector<std::uint8_t>;

void put16(Bytes& out, std::uint32_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

void put32(Bytes& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value);
}

void append(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }

void set16(Bytes& out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}

/// RFC 1071.
std::uint16_t checksum(const Bytes& bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += static_cast<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

struct Endpoints {
  wire::Address source;
  wire::Address destination;
  std::uint16_t source_port;
  std::uint16_t destination_port;
};

Endpoints endpoints(const Addressing& a, int sender) {
  return {address_of(a, sender), address_of(a, 1 - sender), sender == 0 ? a.originator_port : a.responder_port,
          sender == 0 ? a.responder_port : a.originator_port};
}

Bytes address_bytes(const wire::Address& address, bool ipv6) { return {address.bytes.begin() + (ipv6 ? 0 : 12), address.bytes.end()}; }

/// The sum of the pseudo-header (RFC 9293, 3.1; RFC 8200, 8.1).
std::uint32_t pseudo_sum(const Endpoints& ends, bool ipv6, std::uint8_t protocol, std::size_t length) {
  Bytes pseudo = address_bytes(ends.source, ipv6);
  append(pseudo, address_bytes(ends.destination, ipv6));
  put32(pseudo, static_cast<std::uint32_t>(length));
  put32(pseudo, protocol);
  return static_cast<std::uint16_t>(~checksum(pseudo));
}

Bytes ip_header(const Endpoints& ends, bool ipv6, std::uint8_t protocol, std::uint8_t ttl, std::uint16_t id, std::size_t payload) {
  Bytes ip;
  if (ipv6) {
    put32(ip, 0x6000'0000);
    put16(ip, static_cast<std::uint32_t>(payload));
    ip.insert(ip.end(), {protocol, ttl});
  } else {
    put16(ip, 0x4500);
    put16(ip, static_cast<std::uint32_t>(payload + 20));
    put16(ip, id);
    put16(ip, 0x4000);
    ip.insert(ip.end(), {ttl, protocol, 0, 0});
  }
  append(ip, address_bytes(ends.source, ipv6));
  append(ip, address_bytes(ends.destination, ipv6));
  if (!ipv6) set16(ip, 10, checksum(ip));
  return ip;
}

/// TCP header and payload, checksum included.
Bytes tcp_bytes(const TraceStep& step, const wire::Segment& s, const Endpoints& ends, const Addressing& a) {
  const Bytes options = option_bytes(step, a);
  Bytes tcp;
  put16(tcp, ends.source_port);
  put16(tcp, ends.destination_port);
  put32(tcp, s.seq);
  put32(tcp, s.ack);
  put16(tcp, static_cast<std::uint32_t>((5 + options.size() / 4) << 12) | s.flags);
  put16(tcp, s.window);
  put32(tcp, 0);
  append(tcp, options);
  for (std::uint32_t n = 0; n < step.payload; ++n) tcp.push_back(static_cast<std::uint8_t>('a' + (step.seq + n) % 26));
  set16(tcp, 16, checksum(tcp, pseudo_sum(ends, a.ipv6, 6, tcp.size())));
  return tcp;
}

/// The error's eight bytes and what it quotes: the IP header and eight bytes of TCP (RFC 792), as much of it as there is of a SYN (RFC
/// 4443).
Bytes icmp_bytes(const TraceStep& step, const wire::Segment& s, const Addressing& a, const Endpoints& quoted, const Endpoints& outer) {
  const auto [type, code] = icmp_of(step, a.ipv6);
  Bytes tcp;
  put16(tcp, quoted.source_port);
  put16(tcp, quoted.destination_port);
  put32(tcp, s.seq);
  put32(tcp, 0);
  put16(tcp, 0x5002);
  put16(tcp, 65535);
  put32(tcp, 0);
  set16(tcp, 16, checksum(tcp, pseudo_sum(quoted, a.ipv6, 6, tcp.size())));
  Bytes icmp{type, code, 0, 0, 0, 0, 0, 0};
  append(icmp, ip_header(quoted, a.ipv6, 6, 60, step.ip_id, tcp.size()));
  append(icmp, tcp);
  set16(icmp, 2, checksum(icmp, a.ipv6 ? pseudo_sum(outer, true, 58, icmp.size()) : 0));
  return icmp;
}

}  // namespace

Bytes frame_bytes(const TraceStep& step, const Addressing& a) {
  const wire::Segment s = materialise(step, a);
  const Endpoints ends = endpoints(a, step.side);
  const auto station = [](int side) { return static_cast<std::uint8_t>(side + 1); };
  Bytes frame{0x02, 0, 0, 0, 0, station(1 - step.side), 0x02, 0, 0, 0, 0, station(step.side)};
  put16(frame, a.ipv6 ? 0x86dd : 0x0800);
  const bool icmp = step.kind == TraceStep::Kind::kIcmp;
  const Bytes payload = icmp ? icmp_bytes(step, s, a, endpoints(a, 1 - step.side), ends) : tcp_bytes(step, s, ends, a);
  const std::uint8_t protocol = !icmp ? 6 : a.ipv6 ? 58 : 1;
  append(frame, ip_header(ends, a.ipv6, protocol, step.ttl, step.ip_id, payload.size()));
  append(frame, payload);
  return frame;
}

Bytes filler_bytes() {
  Bytes frame{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0,  0,   0, 0, 9, 0x08, 0x06, 0, 1, 8, 0,  6,   4, 0,
              1,    0x02, 0,    0,    0,    0,    9,    10, 255, 0, 1, 0, 0,    0,    0, 0, 0, 10, 255, 0, 2};
  frame.resize(60);
  return frame;
}

}  // namespace finwait::testing

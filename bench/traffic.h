// Segments of made-up connections, for benchmarks that begin behind the decoder.
//
// Connection n is between 10.x.y.z and one server, every fourth one over IPv6; its numbers are always in order. Segments gather until
// clear(); each is a microsecond after the one before unless the clock is set.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "finwait/tcp/tracker.h"
#include "finwait/wire/segment.h"

namespace finwait::bench {

class Traffic {
 public:
  Traffic(const tcp::Tracker& tracker, std::uint32_t connections) : tracker_(tracker), next_(connections) {
    for (std::uint32_t n = 0; n != connections; ++n) next_[n] = {n * 7919U, n * 104'729U};
  }

  void syn(std::uint32_t n) { send(n, 0, wire::tcp_flag::kSyn); }
  /// The rest of the handshake.
  void accept(std::uint32_t n) {
    send(n, 1, wire::tcp_flag::kSyn | wire::tcp_flag::kAck);
    send(n, 0, wire::tcp_flag::kAck);
  }
  void data(std::uint32_t n, unsigned end, std::uint32_t bytes) { send(n, end, wire::tcp_flag::kPsh | wire::tcp_flag::kAck, bytes); }
  void ack(std::uint32_t n, unsigned end) { send(n, end, wire::tcp_flag::kAck); }
  /// A request, its answer, and the acknowledgment of that.
  void exchange(std::uint32_t n) {
    data(n, 0, 100);
    data(n, 1, 1000);
    ack(n, 0);
  }
  void close(std::uint32_t n) {
    send(n, 0, wire::tcp_flag::kFin | wire::tcp_flag::kAck);
    send(n, 1, wire::tcp_flag::kFin | wire::tcp_flag::kAck);
    ack(n, 0);
  }
  void reset(std::uint32_t n) { send(n, 1, wire::tcp_flag::kRst | wire::tcp_flag::kAck); }

  [[nodiscard]] std::span<const wire::Segment> segments() const noexcept { return segments_; }
  void clear() noexcept { segments_.clear(); }
  [[nodiscard]] base::Timestamp now() const noexcept { return now_; }
  void set_now(base::Timestamp now) noexcept { now_ = now; }
  void set_step(base::Duration step) noexcept { step_ = step; }

  [[nodiscard]] static wire::FlowKey key_of(std::uint32_t n) noexcept {
    wire::FlowKey key;
    const std::array<std::uint8_t, 4> client{10, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
                                             static_cast<std::uint8_t>(n)};
    const std::array<std::uint8_t, 4> server{192, 0, 2, 1};
    key.low = wire::Address::v4(client.data());
    key.high = wire::Address::v4(server.data());
    if (n % 4 == 3) {
      key.network = wire::FlowKey::kIpv6;
      for (wire::Address* address : {&key.low, &key.high}) {
        address->bytes[0] = 0x20;
        address->bytes[1] = 0x01;
      }
    }
    key.low_port = static_cast<std::uint16_t>(1024 + (n >> 24));
    key.high_port = 443;
    return key;
  }

 private:
  void send(std::uint32_t n, unsigned end, unsigned flags, std::uint32_t bytes = 0) {
    std::array<std::uint32_t, 2>& next = next_[n];
    wire::Segment s;
    s.key = key_of(n);
    s.hash = tracker_.hash(s.key);
    s.time = s.clock = now_ += step_;
    s.frame = ++frame_;
    s.seq = next[end];
    s.ack = (flags & wire::tcp_flag::kAck) != 0 ? next[1 - end] : 0;
    s.payload_length = bytes;
    s.ip_length = 40 + bytes;
    s.window = 65'535;
    s.flags = static_cast<std::uint16_t>(flags);
    if (s.syn()) {
      s.present = wire::present::kMss | wire::present::kWindowScale | wire::present::kSackPermitted;
      s.mss = 1460;
      s.window_scale = 7;
    }
    s.ttl = end == 0 ? 64 : 57;
    s.direction = static_cast<std::uint8_t>(end);
    next[end] += s.length();
    segments_.push_back(s);
  }

  const tcp::Tracker& tracker_;
  std::vector<std::array<std::uint32_t, 2>> next_;
  std::vector<wire::Segment> segments_;
  base::Timestamp now_ = 1'700'000'000 * base::kSecond;
  base::Duration step_ = base::kMicrosecond;
  std::uint64_t frame_ = 0;
};

}  // namespace finwait::bench

// An attempt: a SYN like any other that nothing has come after, of a flow of which nothing else is known.
//
// In a flood nearly all that is remembered is of this kind, and nothing ever comes after it. So it is the segment itself, in one cache
// line; with the next segment of its flow it becomes a Compact. What nearly no SYN has is apart (AttemptRest), in memory that only those
// touch which have it. Always true: segment() is the SYN, field by field; attempts begin in the order of the trace clock and all wait
// equally long, so the one that began first is over first, and how long it waits need not stand here.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "finwait/base/time.h"
#include "finwait/tcp/connection.h"
#include "finwait/wire/segment.h"

namespace finwait::tcp {

/// What is nothing in nearly every SYN: addresses of IPv6, tags and tunnels, a stamp long before the clock, fields without a meaning.
struct alignas(64) AttemptRest {
  using Bytes = std::array<std::uint8_t, 16>;

  Bytes low;
  Bytes high;
  std::uint64_t wrapping;
  base::Timestamp clock;
  std::uint32_t ack;
  std::uint32_t ts_ecr;
  std::uint16_t payload_sum;

  [[nodiscard]] wire::Encapsulation encapsulation() const noexcept { return std::bit_cast<wire::Encapsulation>(wrapping); }
};
static_assert(sizeof(AttemptRest) == 64);

struct alignas(64) Attempt {
  static constexpr unsigned kFrameBits = 48;
  static constexpr unsigned kLengthBits = 16;

  std::uint64_t hash = 0;
  base::Timestamp time = 0;
  std::uint64_t frame_and_length = 0;  ///< that of its IP packet, above the frame's bits
  std::uint32_t low = 0;               ///< the last four bytes of an address, as they stand there: all there is to one of IPv4
  std::uint32_t high = 0;
  std::uint16_t low_port = 0;
  std::uint16_t high_port = 0;
  std::uint32_t network = 0;
  std::uint32_t seq = 0;
  std::uint32_t ts_val = 0;
  std::uint32_t behind_clock = 0;  ///< unless it has a rest
  std::uint16_t window = 0;
  std::uint16_t mss = 0;
  std::uint16_t ip_id = 0;
  std::uint16_t present = 0;
  std::uint8_t window_scale = 0;
  std::uint8_t ttl = 0;
  std::uint8_t traits = 0;    ///< kHigh, kRest, and from kEcn on the flags that a SYN may have: ECE, CWR
  std::uint8_t standing = 0;  ///< kForgotten, kHead, or kReleased and why

  Attempt() = default;
  /// A SYN for which CompactMachine::may_begin() is true.
  explicit Attempt(const wire::Segment& s) noexcept
      : hash(s.hash),
        time(s.time),
        frame_and_length(s.frame | std::uint64_t{s.ip_length} << kFrameBits),
        low(word_at<std::uint32_t>(s.key.low, kLast)),
        high(word_at<std::uint32_t>(s.key.high, kLast)),
        low_port(s.key.low_port),
        high_port(s.key.high_port),
        network(s.key.network),
        seq(s.seq),
        ts_val(s.ts_val),
        behind_clock(static_cast<std::uint32_t>(behind(s))),
        window(s.window),
        mss(s.mss),
        ip_id(s.ip_id),
        present(s.present),
        window_scale(s.window_scale),
        ttl(s.ttl),
        traits(static_cast<std::uint8_t>(s.direction | (needs_rest(s) ? kRest : 0) | s.flags / wire::tcp_flag::kEce * kEcn)) {}

  /// If it has one: what is left of it.
  [[nodiscard]] static AttemptRest rest_of(const wire::Segment& s) noexcept {
    const auto wrapping = std::bit_cast<std::uint64_t>(s.encapsulation);
    return {s.key.low.bytes, s.key.high.bytes, wrapping, s.clock, s.ack, s.ts_ecr, s.payload_sum};
  }
  [[nodiscard]] bool has_rest() const noexcept { return (traits & kRest) != 0; }

  [[nodiscard]] unsigned direction() const noexcept { return traits & kHigh; }
  [[nodiscard]] std::uint64_t frame() const noexcept { return frame_and_length & ((std::uint64_t{1} << kFrameBits) - 1); }
  [[nodiscard]] std::uint32_t ip_length() const noexcept { return static_cast<std::uint32_t>(frame_and_length >> kFrameBits); }
  [[nodiscard]] std::uint16_t flags() const noexcept {
    return static_cast<std::uint16_t>(wire::tcp_flag::kSyn | traits / kEcn * wire::tcp_flag::kEce);
  }
  [[nodiscard]] bool has(std::uint16_t what) const noexcept { return (present & what) != 0; }

  // `rest` is not touched if it has none.
  [[nodiscard]] wire::FlowKey key(const AttemptRest& rest) const noexcept {
    wire::FlowKey k;
    write_key(rest, k);
    return k;
  }
  /// To where it is to stand: what is put together in one place and copied to another is read while it is being written.
  void write_key(const AttemptRest& rest, wire::FlowKey& k) const noexcept {
    k.low_port = low_port;
    k.high_port = high_port;
    k.network = network;
    write_addresses(rest, k.low, k.high);
  }
  void write_addresses(const AttemptRest& rest, wire::Address& to_low, wire::Address& to_high) const noexcept {
    if (has_rest()) {
      to_low.bytes = rest.low;
      to_high.bytes = rest.high;
    } else {
      write_address(low, to_low);
      write_address(high, to_high);
    }
  }
  [[nodiscard]] bool is_of(const wire::FlowKey& k, const AttemptRest& rest) const noexcept {
    if (low_port != k.low_port || high_port != k.high_port || network != k.network) return false;
    if (has_rest()) return rest.low == k.low.bytes && rest.high == k.high.bytes;
    return ((low ^ word_at<std::uint32_t>(k.low, kLast)) | (high ^ word_at<std::uint32_t>(k.high, kLast)) | beside_v4(k)) == 0;
  }
  [[nodiscard]] base::Timestamp clock(const AttemptRest& rest) const noexcept { return has_rest() ? rest.clock : time + behind_clock; }
  [[nodiscard]] wire::Segment segment(const AttemptRest& rest) const noexcept {
    wire::Segment s;
    s.key = key(rest);
    s.hash = hash;
    s.time = time;
    s.clock = clock(rest);
    s.frame = frame();
    s.seq = seq;
    s.ts_val = ts_val;
    s.ip_length = ip_length();
    s.window = window;
    s.flags = flags();
    s.mss = mss;
    s.window_scale = window_scale;
    s.present = present;
    s.ip_id = ip_id;
    s.ttl = ttl;
    s.direction = static_cast<std::uint8_t>(direction());
    if (!has_rest()) return s;
    s.encapsulation = rest.encapsulation();
    s.ack = rest.ack;
    s.ts_ecr = rest.ts_ecr;
    s.payload_sum = rest.payload_sum;
    return s;
  }

  // What is known of it: nothing any more, or that it is the head of its flow, or why it is over before the end of input.
  [[nodiscard]] bool is_head() const noexcept { return standing == kHead; }
  [[nodiscard]] bool is_released() const noexcept { return standing >= kReleased; }
  /// Of one that is over. Who is still a head then was left so by the end of input.
  [[nodiscard]] Release release() const noexcept {
    return is_released() ? static_cast<Release>(standing - kReleased) : Release::kEndOfInput;
  }
  void become_head() noexcept { standing = kHead; }
  void be_forgotten() noexcept { standing = kForgotten; }
  void be_released(Release why) noexcept { standing = static_cast<std::uint8_t>(kReleased + static_cast<unsigned>(why)); }

 private:
  static constexpr std::uint8_t kForgotten = 0;
  static constexpr std::uint8_t kHead = 1;
  static constexpr std::uint8_t kReleased = 2;
  static constexpr std::uint8_t kHigh = 1;  // the direction
  static constexpr std::uint8_t kRest = 2;
  static constexpr std::uint8_t kEcn = 4;

  static constexpr std::size_t kLast = 12;
  static constexpr std::uint32_t kPrefix = std::bit_cast<std::uint32_t>(std::array<std::uint8_t, 4>{0, 0, 0xff, 0xff});
  template <class Word>
  [[nodiscard]] static Word word_at(const wire::Address& a, std::size_t from) noexcept {
    Word word = 0;
    std::memcpy(&word, a.bytes.data() + from, sizeof word);
    return word;
  }
  /// The IPv4-mapped one that ends so (wire::Address::v4).
  static void write_address(std::uint32_t last, wire::Address& a) noexcept {
    const std::uint64_t none = 0;
    std::memcpy(a.bytes.data(), &none, sizeof none);
    std::memcpy(a.bytes.data() + sizeof none, &kPrefix, sizeof kPrefix);
    std::memcpy(a.bytes.data() + kLast, &last, sizeof last);
  }
  /// What both addresses have that IPv4-mapped ones have not; 0: nothing.
  [[nodiscard]] static std::uint64_t beside_v4(const wire::FlowKey& k) noexcept {
    const auto beside = [](const wire::Address& a) { return word_at<std::uint64_t>(a, 0) | (word_at<std::uint32_t>(a, 8) ^ kPrefix); };
    return beside(k.low) | beside(k.high);
  }
  /// How long before the clock it is stamped: not later. The whole of time may lie between.
  [[nodiscard]] static std::uint64_t behind(const wire::Segment& s) noexcept {
    return static_cast<std::uint64_t>(s.clock) - static_cast<std::uint64_t>(s.time);
  }
  [[nodiscard]] static bool needs_rest(const wire::Segment& s) noexcept {
    const std::uint64_t far = behind(s) >> 32;
    const auto wrapping = std::bit_cast<std::uint64_t>(s.encapsulation);
    return (beside_v4(s.key) | far | wrapping | s.ack | s.ts_ecr | s.payload_sum) != 0;
  }
};
static_assert(sizeof(Attempt) == 64);
static_assert(std::is_trivially_copyable_v<Attempt>);

}  // namespace finwait::tcp

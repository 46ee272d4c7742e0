// An attempt: a SYN like any other that nothing has come after, of a flow of which nothing else is known.
//
// In a flood nearly all that is remembered is of this kind, and nothing ever comes after it. So it is the segment itself, in two cache
// lines, and how long to wait for an answer; with the next segment of its flow it becomes a Compact. Always true: segment() is the SYN,
// field by field; attempts begin in the order of the trace clock and all wait equally long, so the one that began first is over first.
#pragma once

#include <cstdint>
#include <type_traits>

#include "finwait/base/time.h"
#include "finwait/tcp/connection.h"
#include "finwait/wire/segment.h"

namespace finwait::tcp {

struct alignas(64) Attempt {
  enum class Standing : std::uint8_t { kForgotten, kHead, kReleased };

  // As in wire::Segment, and in its order.
  wire::FlowKey key;
  std::uint64_t hash = 0;
  base::Timestamp time = 0;
  base::Timestamp clock = 0;

  std::uint64_t frame = 0;
  std::uint32_t ack = 0;
  std::uint32_t seq = 0;
  std::uint32_t ts_ecr = 0;
  std::uint32_t ts_val = 0;
  base::Timestamp until = base::kNever;  ///< its deadline; once released, when that was
  wire::Encapsulation encapsulation;
  std::uint32_t ip_length = 0;
  std::uint16_t window = 0;
  std::uint16_t flags = 0;
  std::uint16_t mss = 0;
  std::uint8_t window_scale = 0;
  Standing standing = Standing::kForgotten;
  std::uint16_t present = 0;
  std::uint16_t payload_sum = 0;
  std::uint16_t ip_id = 0;
  std::uint8_t ttl = 0;
  std::uint8_t direction = 0;
  Release release = Release::kEndOfInput;

  Attempt() = default;
  /// A SYN for which CompactMachine::may_begin() is true.
  Attempt(const wire::Segment& s, base::Timestamp deadline) noexcept
      : key(s.key),
        hash(s.hash),
        time(s.time),
        clock(s.clock),
        frame(s.frame),
        ack(s.ack),
        seq(s.seq),
        ts_ecr(s.ts_ecr),
        ts_val(s.ts_val),
        until(deadline),
        encapsulation(s.encapsulation),
        ip_length(s.ip_length),
        window(s.window),
        flags(s.flags),
        mss(s.mss),
        window_scale(s.window_scale),
        present(s.present),
        payload_sum(s.payload_sum),
        ip_id(s.ip_id),
        ttl(s.ttl),
        direction(s.direction) {}

  [[nodiscard]] wire::Segment segment() const noexcept {
    wire::Segment s;
    s.key = key;
    s.hash = hash;
    s.time = time;
    s.clock = clock;
    s.frame = frame;
    s.ack = ack;
    s.seq = seq;
    s.ts_ecr = ts_ecr;
    s.ts_val = ts_val;
    s.encapsulation = encapsulation;
    s.ip_length = ip_length;
    s.window = window;
    s.flags = flags;
    s.mss = mss;
    s.window_scale = window_scale;
    s.present = present;
    s.payload_sum = payload_sum;
    s.ip_id = ip_id;
    s.ttl = ttl;
    s.direction = direction;
    return s;
  }

  [[nodiscard]] bool is_head() const noexcept { return standing == Standing::kHead; }
  [[nodiscard]] bool is_released() const noexcept { return standing == Standing::kReleased; }
  [[nodiscard]] bool has(std::uint16_t what) const noexcept { return (present & what) != 0; }
};
static_assert(sizeof(Attempt) == 128);
static_assert(std::is_trivially_copyable_v<Attempt>);

}  // namespace finwait::tcp

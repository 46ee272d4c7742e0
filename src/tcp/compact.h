// An ordinary life, kept short: what is needed to go on with it, and to write the full record (Connection) should anything else happen.
//
// One opening by SYN, SYN-ACK and a bare ACK, or a SYN that a RST refuses; data in order, one close by two FINs, each acknowledged, or by
// one RST in order; nothing lost, repeated, late or odd. Most connections of most captures are never anything else: for these no evidence
// is written down one by one, since all of it follows from the frames and times of seven segments. Always true: expanding the record
// (compact_expand.cpp) gives the Connection, and the journal, that the machine would have made of the same segments, field by field
// (tests/tcp/compact_test.cpp). A field means what the field of the same name of Connection or Endpoint means, and `known` holds the same
// bits.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "finwait/base/time.h"
#include "finwait/tcp/connection.h"

namespace finwait::tcp {

/// Of a time that is counted from another one: 18 minutes.
inline constexpr unsigned kTimeBits = 40;

/// A segment that occupies sequence space, kept until it is acknowledged (blocks.h: Sent), with the sum of its payload.
struct CompactSent {
  std::uint64_t frame : 48 = 0;  ///< 0: none
  std::uint64_t sum : 16 = 0;
  base::Timestamp time = 0;
  std::uint32_t seq = 0;
  std::uint32_t end = 0;
  std::uint32_t ack = 0;
};

struct CompactEnd {
  struct Counters {
    std::uint32_t packets = 0;
    std::uint32_t ip_bytes = 0;
  };

  // The first cache line is what a segment touches of its receiver, both what it touches of its sender.
  std::uint32_t known = 0;
  std::uint32_t snd_nxt = 0;
  std::uint32_t rcv_nxt = 0;
  std::uint32_t max_window = 65535;
  std::uint32_t right_edge = 0;
  std::uint32_t timed_end = 0;
  base::Timestamp timed_at = 0;
  std::uint32_t in_flight_head = kNoBlock;  ///< behind Compact::in_flight
  std::uint32_t in_flight_tail = kNoBlock;
  std::uint16_t largest_acked = 0;
  std::uint16_t newest_ip_id = 0;
  std::uint8_t window_scale = 0;
  std::uint8_t in_flight_first = 0;
  std::uint8_t in_flight_count = 0;
  std::uint32_t iss = 0;

  base::Timestamp spoke_at = 0;
  std::uint64_t least_rtt : kTimeBits = 0;  ///< none is longer than ten minutes (notes.h: measure_rtt)
  std::uint64_t mss : 16 = 0;               ///< of its SYN or SYN-ACK
  std::uint64_t ttl : 8 = 0;
  Counters counters;

  [[nodiscard]] bool knows(std::uint32_t bit) const noexcept { return (known & bit) != 0; }
  void learn(std::uint32_t bit) noexcept { known |= bit; }
  void forget(std::uint32_t bit) noexcept { known &= ~bit; }
  /// Nothing is missing, so it is what lies between its SYN and its FIN.
  [[nodiscard]] std::uint32_t payload_bytes() const noexcept {
    return knows(known::kIss) ? snd_nxt - iss - 1 - (knows(known::kFin) ? 1U : 0U) : 0;
  }
};

/// What only the opening shows. The SYN is frame `id` at `start`; frames and times are counted from there.
struct CompactOpening {
  /// In five bytes, wherever they stand.
  struct Moment {
    std::array<std::uint8_t, kTimeBits / 8> bytes{};

    void set(base::Duration since_start) noexcept {
      const auto low = static_cast<std::uint32_t>(since_start);
      std::memcpy(bytes.data(), &low, sizeof low);
      bytes[sizeof low] = static_cast<std::uint8_t>(since_start >> 32);
    }
    [[nodiscard]] base::Duration get() const noexcept {
      std::uint32_t low = 0;
      std::memcpy(&low, bytes.data(), sizeof low);
      return base::Duration{bytes[sizeof low]} << 32 | low;
    }
  };

  std::uint32_t syn_ack_frame = 0;  ///< 0: not seen
  std::uint32_t ack_frame = 0;      ///< 0: not seen
  std::uint16_t syn_ip_id = 0;
  Moment syn_ack_time;
  Moment ack_time;
};

/// The close, from the first FIN, or the RST, on: its steps, each a frame and a time.
struct CompactClose {
  enum Step : std::uint8_t { kFirstFin, kFirstAck, kSecondFin, kLastAck };
  static constexpr std::size_t kSteps = 4;

  std::array<base::Timestamp, kSteps> times;
  std::array<std::uint32_t, kSteps> frames;  ///< counted from the SYN's; 0: not yet
  std::array<std::uint16_t, 2> payloads;     ///< of the FINs, in bytes
  std::uint8_t stamped;                      ///< bit n: step n had a timestamp
  std::uint8_t closer;                       ///< the end that sent the first FIN, or the RST
  std::uint8_t reset_ttl;                    ///< of the RST
  bool by_reset;  ///< the first step is a RST, by the responder to the SYN or between established ends; it is the only one

  [[nodiscard]] bool has(Step step) const noexcept { return frames[step] != 0; }
};

/// What only some lives have, of those that have any of it: timestamps (RFC 7323), or something wrapped around their packets. It stands
/// apart, in a place of its own for each record, which is not even looked at for any other life.
struct alignas(64) CompactExtra {
  struct Clock {
    base::Timestamp clock_base_time;
    std::uint32_t clock_base_val;
    std::uint32_t newest_ts_val;
  };

  std::array<Clock, 2> clocks;
  std::array<std::uint32_t, 2> syn_ts_vals;   ///< of each end's SYN or SYN-ACK
  std::array<std::uint32_t, 2> sent_ts_vals;  ///< of each end's oldest in flight; once `closing`, of the first two steps, the others'
                                              ///< are their senders' newest
  std::uint32_t ack_ts_val;                   ///< of the ACK that completed the handshake
  std::uint64_t wrapped_in;                   ///< the Encapsulation

  void wrap(const wire::Encapsulation& what) noexcept { wrapped_in = std::bit_cast<std::uint64_t>(what); }
  [[nodiscard]] wire::Encapsulation encapsulation() const noexcept { return std::bit_cast<wire::Encapsulation>(wrapped_in); }
};
static_assert(sizeof(CompactExtra) == 64);

struct alignas(64) Compact {
  // Of this line, both ends and what is in flight an ordinary segment has need, of the last one it has not.
  wire::FlowKey key;
  base::Timestamp last_clock = 0;  ///< nothing in it is stamped later than the trace clock
  std::uint64_t last_frame = 0;
  std::uint8_t traits = 0;  ///< the second lowest eight of trait::
  std::uint8_t completeness = 0;
  std::uint8_t completeness_pending = 0;
  std::array<State, 2> states{};
  std::array<std::uint8_t, 2> counted{};
  std::uint8_t originator : 1 = 0;
  bool closing : 1 = false;       ///< `close` is there, instead of `in_flight`
  bool has_extra : 1 = false;     ///< CompactExtra means something
  bool ends_at_clock : 1 = true;  ///< the greatest stamp is `last_clock`, and `latest` means nothing
  Release release : 3 = Release::kEndOfInput;

  std::array<CompactEnd, 2> ends;
  std::array<std::uint32_t, 8> prints{};
  union {
    std::array<CompactSent, 2> in_flight{};  ///< the oldest of each end; the others are in blocks, an unanswered SYN is in neither
    CompactClose close;                      ///< what was in flight is in blocks then, but for the FINs, which are in neither
  };

  std::uint8_t next_print = 0;
  std::uint64_t id = 0;
  base::Timestamp start = 0;
  base::Timestamp latest = 0;
  union {
    base::Timestamp armed = base::kNever;
    base::Timestamp released_at;  ///< once it is
  };
  CompactOpening opening;

  static constexpr unsigned kTraits = 8;
  [[nodiscard]] bool is(std::uint32_t t) const noexcept { return (traits & t >> kTraits) != 0; }
  void add(std::uint32_t t) noexcept { traits |= static_cast<std::uint8_t>(t >> kTraits); }
  void drop(std::uint32_t t) noexcept { traits &= static_cast<std::uint8_t>(~(t >> kTraits)); }
  [[nodiscard]] bool in(State state) const noexcept { return states[0] == state || states[1] == state; }
  /// Connection::end.
  [[nodiscard]] base::Timestamp end() const noexcept { return ends_at_clock ? last_clock : latest; }

  [[nodiscard]] bool was_answered() const noexcept { return opening.syn_ack_frame != 0; }
  [[nodiscard]] bool was_completed() const noexcept { return opening.ack_frame != 0; }
  // Of the SYN-ACK, if it was answered, and of the ACK, if it was completed.
  [[nodiscard]] std::uint64_t syn_ack_frame() const noexcept { return id + opening.syn_ack_frame; }
  [[nodiscard]] base::Timestamp syn_ack_time() const noexcept { return start + opening.syn_ack_time.get(); }
  [[nodiscard]] std::uint64_t ack_frame() const noexcept { return id + opening.ack_frame; }
  [[nodiscard]] base::Timestamp ack_time() const noexcept { return start + opening.ack_time.get(); }
};
static_assert(offsetof(Compact, ends) == 64 && sizeof(Compact) == 384);
static_assert(((trait::kHead | trait::kReleased | trait::kHalfClose | trait::kHalfCloseHigh | trait::kNoBareAck) >> Compact::kTraits &
               ~0xffU) == 0);
static_assert(std::is_trivially_copyable_v<Compact>);

}  // namespace finwait::tcp

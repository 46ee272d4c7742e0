// An ordinary life, kept short: what is needed to go on with it, and to write the full record (Connection) should anything else happen.
//
// One opening by SYN, SYN-ACK and a bare ACK, or a SYN or SYN-ACK that a RST refuses; data in order; one close by two FINs, one after the
// other or crossing, each acknowledged, or by one RST in order; nothing lost, repeated, late or odd. Most connections of most captures are
// never anything else: for these no evidence is written down one by one, since all of it follows from the frames and times of seven
// segments. Always true: expanding the record (compact_expand.cpp) gives the Connection, and the journal, that the machine would have made
// of the same segments, field by field (tests/tcp/compact_test.cpp). Frames and times are short, counted from the SYN's: a life whose
// frames lie further apart than 2^32, or that lasts longer than a day and a half, outgrows the record, as one does to which anything
// happens that is not ordinary. A field means what the field of the same name of Connection or Endpoint means, and `known` holds the same
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

/// Of a time counted from the start of a life, where it must be within 18 minutes ...
inline constexpr unsigned kTimeBits = 40;
/// ... or within 39 hours, before as well as after.
inline constexpr unsigned kLifeBits = 48;

/// A time counted from the start of a life, wherever its bytes stand.
template <unsigned kBits>
struct Moment {
  using High = std::conditional_t<kBits == kTimeBits, std::uint8_t, std::uint16_t>;
  static_assert(kBits == 8 * (sizeof(std::uint32_t) + sizeof(High)));
  std::array<std::uint8_t, kBits / 8> bytes;

  /// Not before the start.
  void set(base::Duration since_start) noexcept {
    const auto low = static_cast<std::uint32_t>(since_start);
    const auto high = static_cast<High>(since_start >> 32);
    std::memcpy(bytes.data(), &low, sizeof low);
    std::memcpy(bytes.data() + sizeof low, &high, sizeof high);
  }
  [[nodiscard]] base::Duration get() const noexcept {
    std::uint32_t low = 0;
    High high = 0;
    std::memcpy(&low, bytes.data(), sizeof low);
    std::memcpy(&high, bytes.data() + sizeof low, sizeof high);
    return base::Duration{high} << 32 | low;
  }
};

/// The oldest segment in flight of each end: one that occupies sequence space, kept until it is acknowledged (blocks.h: Sent), with the sum
/// of its payload.
struct CompactSent {
  std::array<std::uint32_t, 2> frames;  ///< counted from the SYN's; 0: none
  std::array<std::uint32_t, 2> ends;
  std::array<std::uint32_t, 2> acks;
  std::array<std::uint16_t, 2> lengths;
  std::array<std::uint16_t, 2> sums;
  std::array<Moment<kLifeBits>, 2> times;
};

struct alignas(64) CompactEnd {
  struct Counters {
    std::uint32_t packets = 0;
    std::uint32_t ip_bytes = 0;
  };

  std::uint32_t known = 0;
  std::uint32_t snd_nxt = 0;
  std::uint32_t rcv_nxt = 0;
  std::uint32_t iss = 0;
  std::uint32_t max_window = 65535;
  std::uint32_t right_edge = 0;
  std::uint32_t timed_end = 0;
  std::uint32_t in_flight = kNoBlock;  ///< what is behind Compact::in_flight: the first block (blocks.h)
  Counters counters;
  // Times are counted from the start of the life. Each is the upper part of its word: a shift makes it or reads it, without a mask.
  std::uint64_t largest_acked : 16 = 0;
  std::uint64_t timed_at : kLifeBits = 0;
  std::uint64_t newest_ip_id : 16 = 0;
  std::uint64_t spoke_at_bits : kLifeBits = 0;  ///< spoke_at(): of a segment that was held up it may be before the start
  std::uint64_t mss : 16 = 0;                   ///< of its SYN or SYN-ACK
  std::uint64_t ttl : 8 = 0;
  std::uint64_t least_rtt : kTimeBits = 0;  ///< none is longer than ten minutes (notes.h: measure_rtt)

  [[nodiscard]] bool knows(std::uint32_t bit) const noexcept { return (known & bit) != 0; }
  void learn(std::uint32_t bit) noexcept { known |= bit; }
  void forget(std::uint32_t bit) noexcept { known &= ~bit; }
  void set_spoke_at(base::Duration since_start) noexcept {
    spoke_at_bits = static_cast<std::uint64_t>(since_start) & ((std::uint64_t{1} << kLifeBits) - 1);
  }
  [[nodiscard]] base::Duration spoke_at() const noexcept {
    constexpr unsigned kRest = 64 - kLifeBits;
    return static_cast<base::Duration>(std::uint64_t{spoke_at_bits} << kRest) >> kRest;
  }
  /// Nothing is missing, so it is what lies between its SYN and its FIN.
  [[nodiscard]] std::uint32_t payload_bytes() const noexcept {
    return knows(known::kIss) ? snd_nxt - iss - 1 - (knows(known::kFin) ? 1U : 0U) : 0;
  }
};
static_assert(sizeof(CompactEnd) == 64);

/// What only the opening shows. The SYN is frame `id` at `start`; frames and times are counted from there.
struct CompactOpening {
  std::uint32_t syn_ack_frame = 0;  ///< 0: not seen
  std::uint32_t ack_frame = 0;      ///< 0: not seen
  std::uint16_t syn_ip_id = 0;
  Moment<kTimeBits> syn_ack_time{};
  Moment<kTimeBits> ack_time{};
};

/// The close, from the first FIN, or the RST, on: its steps, each a frame and a time. Named in the order in which they come, unless the
/// FINs cross: then the second one comes before either is acknowledged, and the two acknowledgments in any order.
struct CompactClose {
  enum Step : std::uint8_t {
    kFirstFin,
    kFirstAck,   ///< of the first FIN
    kSecondFin,  ///< by the other end
    kLastAck,    ///< of the second FIN
  };
  static constexpr std::size_t kSteps = 4;

  std::array<std::uint32_t, kSteps> frames;     ///< counted from the SYN's; 0: not yet
  std::array<std::uint16_t, 2> payloads;        ///< of the FINs, in bytes
  std::array<Moment<kLifeBits>, kSteps> times;  ///< counted from the SYN's

  [[nodiscard]] bool has(Step step) const noexcept { return frames[step] != 0; }
  /// Each FIN was sent before the other one had come.
  [[nodiscard]] bool crossed() const noexcept { return has(kSecondFin) && (!has(kFirstAck) || frames[kSecondFin] < frames[kFirstAck]); }
  /// The end that closes second takes two steps; this is the first of them.
  [[nodiscard]] Step middle() const noexcept { return crossed() ? kSecondFin : kFirstAck; }
};
static_assert(sizeof(CompactClose) == sizeof(CompactSent));

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
  std::array<std::uint32_t, 2> sent_ts_vals;  ///< of each end's oldest in flight; once `closing`, of the first FIN and of
                                              ///< CompactClose::middle(), the others' are their senders' newest
  std::uint32_t ack_ts_val;                   ///< of the ACK that completed the handshake
  std::uint64_t wrapped_in;                   ///< the Encapsulation

  void wrap(const wire::Encapsulation& what) noexcept { wrapped_in = std::bit_cast<std::uint64_t>(what); }
  [[nodiscard]] wire::Encapsulation encapsulation() const noexcept { return std::bit_cast<wire::Encapsulation>(wrapped_in); }
};
static_assert(sizeof(CompactExtra) == 64);

struct alignas(64) Compact {
  wire::FlowKey key;
  base::Timestamp last_clock = 0;      ///< nothing in it is stamped later than the trace clock
  std::uint32_t last_frame_since = 0;  ///< counted from the SYN's
  std::uint8_t traits = 0;             ///< the second lowest eight of trait::
  std::uint8_t completeness = 0;
  std::uint8_t completeness_pending = 0;
  std::uint8_t next_print = 0;
  std::array<State, 2> states{};
  std::array<std::uint8_t, 2> counted{};
  std::array<std::uint8_t, 2> window_scales{};
  std::uint8_t originator : 1 = 0;
  bool closing : 1 = false;       ///< `close` is there, instead of `in_flight`
  bool has_extra : 1 = false;     ///< CompactExtra means something
  bool ends_at_clock : 1 = true;  ///< the greatest stamp is `last_clock`, and `latest` means nothing
  std::uint8_t stamped : 4 = 0;   ///< bit n: step n of the close had a timestamp
  Release release : 3 = Release::kEndOfInput;
  std::uint8_t closer : 1 = 0;  ///< the end that sent the first FIN, or the RST
  bool by_reset : 1 = false;    ///< the first step is a RST, to the SYN, to the SYN-ACK or between established ends; it is the only one

  // A line for each: all that a segment touches of its sender, and of its receiver.
  std::array<CompactEnd, 2> ends;

  std::array<std::uint32_t, kPrints> prints{};

  std::uint64_t id = 0;
  base::Timestamp start = 0;
  union {
    CompactSent in_flight{};  ///< the oldest of each end; the others are in blocks, an unanswered SYN is in neither
    CompactClose close;       ///< what was in flight is in blocks then, but for the FINs, which are in neither
  };

  // What no ordinary segment has need of.
  CompactOpening opening;
  std::uint8_t reset_ttl = 0;  ///< of the RST, if it ends by one
  base::Timestamp latest = 0;
  std::uint64_t hash = 0;  ///< of the key
  union {
    base::Timestamp armed = base::kNever;
    base::Timestamp released_at;  ///< once it is
  };

  static constexpr unsigned kTraits = 8;
  [[nodiscard]] bool is(std::uint32_t t) const noexcept { return (traits & t >> kTraits) != 0; }
  void add(std::uint32_t t) noexcept { traits |= static_cast<std::uint8_t>(t >> kTraits); }
  void drop(std::uint32_t t) noexcept { traits &= static_cast<std::uint8_t>(~(t >> kTraits)); }
  [[nodiscard]] bool in(State state) const noexcept { return states[0] == state || states[1] == state; }
  /// Connection::end.
  [[nodiscard]] base::Timestamp end() const noexcept { return ends_at_clock ? last_clock : latest; }

  // What is counted from the SYN, and the other way round. Both ways without a sign: whatever is near enough comes out as it went in, also
  // at either end of all times.
  [[nodiscard]] std::uint64_t frame(std::uint32_t since_syn) const noexcept { return id + since_syn; }
  [[nodiscard]] base::Timestamp time(base::Duration since_start) const noexcept {
    return static_cast<base::Timestamp>(static_cast<std::uint64_t>(start) + static_cast<std::uint64_t>(since_start));
  }
  [[nodiscard]] std::uint32_t since_syn(std::uint64_t frame) const noexcept { return static_cast<std::uint32_t>(frame - id); }
  [[nodiscard]] base::Duration since_start(base::Timestamp time) const noexcept {
    return static_cast<base::Duration>(static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(start));
  }

  [[nodiscard]] bool was_answered() const noexcept { return opening.syn_ack_frame != 0; }
  [[nodiscard]] bool was_completed() const noexcept { return opening.ack_frame != 0; }
  // Of the SYN-ACK, if it was answered, and of the ACK, if it was completed.
  [[nodiscard]] std::uint64_t syn_ack_frame() const noexcept { return frame(opening.syn_ack_frame); }
  [[nodiscard]] base::Timestamp syn_ack_time() const noexcept { return time(opening.syn_ack_time.get()); }
  [[nodiscard]] std::uint64_t ack_frame() const noexcept { return frame(opening.ack_frame); }
  [[nodiscard]] base::Timestamp ack_time() const noexcept { return time(opening.ack_time.get()); }
  // Of a step of the close that was taken.
  [[nodiscard]] std::uint64_t frame_of(CompactClose::Step step) const noexcept { return frame(close.frames[step]); }
  [[nodiscard]] base::Timestamp time_of(CompactClose::Step step) const noexcept { return time(close.times[step].get()); }
};
static_assert(sizeof(Compact) == 384 && offsetof(Compact, ends) == 64 && offsetof(Compact, prints) == 192 && offsetof(Compact, id) == 256 &&
              offsetof(Compact, armed) >= 320);
static_assert(((trait::kHead | trait::kReleased | trait::kHalfClose | trait::kHalfCloseHigh | trait::kNoBareAck) >> Compact::kTraits &
               ~0xffU) == 0);
static_assert(std::is_trivially_copyable_v<Compact>);

/// What an ordinary segment has need of: all but the last line.
inline constexpr std::size_t kOrdinaryBytes = 320;

}  // namespace finwait::tcp

// One end of a connection: what it has said, and nothing else.
//
// Always true: each fact stands once, at the end that said it: what an end has received is read from its own acknowledgments, so SND.UNA of
// one end is rcv_nxt of the other. A field guarded by a bit of `known` means nothing while the bit is not set. Bounded in size: lists are
// short rings or blocks of the tracker's pool, addressed by index. First the fields every segment touches, then those of the handshake and
// the close.
#pragma once

#include <array>
#include <cstdint>

#include "finwait/base/time.h"
#include "finwait/tcp/fact.h"
#include "finwait/tcp/state.h"

namespace finwait::tcp {

inline constexpr std::uint32_t kNoBlock = 0xffff'ffff;

/// Everything on the wire that this end sent, counted (records.md).
struct Counters {
  std::uint64_t packets = 0;
  std::uint64_t ip_bytes = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t retransmitted_bytes = 0;
  std::uint64_t missing_bytes = 0;  ///< acknowledged by the peer, never seen
  std::uint32_t retransmitted_segments = 0;
  std::uint32_t out_of_order = 0;
  std::uint32_t duplicates = 0;
  std::uint32_t zero_windows = 0;
  std::uint32_t keepalives = 0;
  std::uint32_t syn = 0;  ///< segments with SYN and no ACK
  std::uint32_t syn_ack = 0;
  std::uint32_t fin = 0;
  std::uint32_t rst = 0;
  std::uint32_t bad_checksums = 0;
};

/// A SYN or FIN as it passed the tap.
struct Sighting {
  std::uint64_t frame = 0;
  base::Timestamp time = 0;
  std::uint32_t ts_val = 0;
  bool has_ts = false;
  bool copy = false;
  bool dead = false;      ///< answered by a challenge ACK: not the one that was received
  bool with_ack = false;  ///< a SYN-ACK
};

/// The sightings of one number's SYN or FIN: the first, and up to five of the latest in a block.
struct Sightings {
  Sighting first;
  std::uint32_t block = kNoBlock;
  std::uint32_t count = 0;
};

/// An acknowledgment number when it grew.
struct AckGrowth {
  std::uint64_t frame = 0;
  base::Timestamp time = 0;
  std::uint32_t ack = 0;
  std::uint32_t ts_val = 0;
};

/// A segment noted for its number and time.
struct Noted {
  std::uint64_t frame = 0;
  base::Timestamp time = 0;
  std::uint32_t seq = 0;
  std::uint8_t ttl = 0;
};

/// Numbers far beyond all that was captured, said in a segment whose other number fits: behind a gap in the capture, or blindly. Which of
/// the two, its peer tells by saying the same or not.
struct Beyond {
  std::uint32_t seq = 0;  ///< its own, of the first of those in a row
  std::uint32_t end = 0;  ///< ... and behind the last
  std::uint32_t ack = 0;  ///< its peer's
  bool has_seq = false;
  bool has_ack = false;
  bool fin = false;  ///< the last in the row is a FIN, and this is where it stands:
  std::uint64_t frame = 0;
  base::Timestamp time = 0;
};

namespace known {
inline constexpr std::uint32_t kIss = 1U << 0;            ///< iss
inline constexpr std::uint32_t kNext = 1U << 1;           ///< snd_nxt
inline constexpr std::uint32_t kAcked = 1U << 2;          ///< rcv_nxt
inline constexpr std::uint32_t kFin = 1U << 3;            ///< fin_seq
inline constexpr std::uint32_t kSaid = 1U << 4;           ///< sent anything but a RST
inline constexpr std::uint32_t kTimestamp = 1U << 5;      ///< newest_ts_val
inline constexpr std::uint32_t kIpId = 1U << 6;           ///< newest_ip_id
inline constexpr std::uint32_t kFinCovers = 1U << 7;      ///< its FIN was sent after it had the peer's
inline constexpr std::uint32_t kSackPermitted = 1U << 8;  ///< in its SYN
inline constexpr std::uint32_t kRtt = 1U << 9;            ///< least_rtt
inline constexpr std::uint32_t kTimed = 1U << 10;         ///< timed_end, timed_at
inline constexpr std::uint32_t kSpoke = 1U << 11;         ///< spoke_at
inline constexpr std::uint32_t kHole = 1U << 12;          ///< hole
inline constexpr std::uint32_t kGap = 1U << 13;           ///< gap
inline constexpr std::uint32_t kIssFar = 1U << 14;        ///< more than 2^30 past iss: no longer comparable with it
inline constexpr std::uint32_t kPlainSyn = 1U << 15;      ///< sent a SYN without ACK
inline constexpr std::uint32_t kSynAck = 1U << 16;        ///< sent a SYN-ACK
inline constexpr std::uint32_t kNotCovering = 1U << 17;   ///< not_covering_at
inline constexpr std::uint32_t kOwnReset = 1U << 18;      ///< own_reset: its own RST closed it
inline constexpr std::uint32_t kWindowScale = 1U << 19;
inline constexpr std::uint32_t kMss = 1U << 20;
inline constexpr std::uint32_t kTimestampsOffered = 1U << 21;
inline constexpr std::uint32_t kFastOpenEarly = 1U << 22;  ///< its FIN left before its SYN was acknowledged (fast open)
inline constexpr std::uint32_t kOptionsSeen = 1U << 23;    ///< its SYN or SYN-ACK was seen with all its options
inline constexpr std::uint32_t kTtl = 1U << 24;
inline constexpr std::uint32_t kClockFirst = 1U << 25;     ///< clock_first_*
inline constexpr std::uint32_t kFinAckedFirst = 1U << 26;  ///< its FIN was acknowledged before the peer's came, whatever was captured
inline constexpr std::uint32_t kSynAckedTs = 1U << 27;     ///< syn_acked_ts_val
inline constexpr std::uint32_t kData = 1U << 28;           ///< sent payload
inline constexpr std::uint32_t kChallenged = 1U << 30;     ///< an unacceptable RST within its window was the last it got
inline constexpr std::uint32_t kRightEdge = 1U << 31;      ///< right_edge
inline constexpr std::uint32_t kIpIdErratic = 1U << 29;    ///< its IP IDs do not count upwards: they date nothing
}  // namespace known

struct alignas(64) Endpoint {
  // The first two cache lines are all that an ordinary segment touches of its sender, the first one all it touches of its peer.
  std::uint32_t known = 0;
  std::uint32_t snd_nxt = 0;         ///< highest sequence number sent, plus one
  std::uint32_t rcv_nxt = 0;         ///< highest acknowledgment number it sent
  std::uint32_t max_window = 65535;  ///< largest window it advertised, scaled
  std::uint32_t iss = 0;
  std::uint32_t right_edge = 0;             ///< up to here it lets its peer send: acknowledgment number + scaled window
  std::uint32_t timed_end = 0;              ///< a segment sent to it that is being timed: its end
  std::uint32_t in_flight_head = kNoBlock;  ///< blocks of what it sent and the peer has not acknowledged
  base::Timestamp timed_at = 0;
  std::uint32_t stream_block = kNoBlock;  ///< what is odd in its stream: ranges never seen, a closed window, ...
  std::uint16_t largest_acked = 0;        ///< its largest segment that was acknowledged; 65535 may be more
  State state = State::kUnknown;
  std::uint8_t window_scale = 0;
  std::uint8_t ttl = 0;              ///< of its first segment
  std::uint8_t in_flight_first = 0;  ///< index of the oldest within the head block
  std::uint8_t in_flight_count = 0;
  std::uint32_t clock_base_val = 0;  ///< its timestamp clock at the segment least held up ...
  base::Timestamp clock_base_time = 0;

  base::Timestamp spoke_at = 0;  ///< when it last acknowledged all it had
  base::Duration least_rtt = 0;  ///< least time from a segment at the tap to this end's first answer covering it
  std::uint32_t newest_ts_val = 0;
  std::uint16_t newest_ip_id = 0;
  Counters counters;

  std::uint32_t clock_first_val = 0;  ///< ... and when first seen
  std::uint32_t in_flight_tail = kNoBlock;
  base::Timestamp clock_first_time = 0;
  std::uint32_t fin_seq = 0;
  std::uint32_t hole = 0;  ///< with SACK: the first byte it lacked when it last spoke
  std::uint32_t syn_acked_ts_val = 0;
  std::uint16_t mss = 0;
  std::uint16_t syn_ip_id = 0;  ///< of its latest SYN without ACK
  std::uint8_t growth_count = 0;
  std::uint8_t options_signature = 0;   ///< which options its SYN or SYN-ACK carried: the low bits of present::
  base::Timestamp not_covering_at = 0;  ///< when it last spoke without covering the peer's FIN

  Facts facts;
  Sightings syns;
  Sightings fins;
  std::array<AckGrowth, 4> growth{};  ///< ring: its acknowledgments of what had not been seen, and those of the handshake
  Noted gap;                          ///< its first segment just beyond a byte never seen: perhaps its FIN
  Noted own_reset;
  Beyond beyond;

  [[nodiscard]] bool knows(std::uint32_t bit) const noexcept { return (known & bit) != 0; }
  void learn(std::uint32_t bit) noexcept { known |= bit; }
  void forget(std::uint32_t bit) noexcept { known &= ~bit; }
};

}  // namespace finwait::tcp

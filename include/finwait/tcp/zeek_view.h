// A connection as Zeek sees it: conn_state, history and missed_bytes of its conn.log.
//
// Zeek (8.x, without its list of likely server ports) has seven states for each end, moves an end only on its own segments and takes a
// SYN-ACK for an establishment; none of that is finwait's own state machine, and neither reads the other. What is kept here is what Zeek's
// rules look at: the first number, the highest one and the highest acknowledgment of each end, what its reassembly would have delivered,
// and the letters so far. Zeek's timers, which split a connection that finwait keeps in one piece, are not imitated.
//
// Always true: trivially copyable and bounded. Two islands of data beyond a hole are remembered for each end (a third joins its
// neighbour: then fewer bytes are missed than Zeek says), and 24 letters of history (the rest is left out).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "finwait/base/time.h"
#include "finwait/wire/segment.h"
#include "finwait/wire/seq.h"

namespace finwait::tcp {

enum class ZeekState : std::uint8_t { kInactive, kSynSent, kSynAckSent, kPartial, kEstablished, kClosed, kReset };

/// The letters of `history`; capital: the originator.
class ZeekHistory {
 public:
  static constexpr unsigned kMost = 24;

  [[nodiscard]] std::string_view view() const noexcept { return {letters_.data(), size_}; }
  void put(char letter) noexcept {
    if (size_ < kMost) letters_[size_++] = letter;
  }

 private:
  std::array<char, kMost> letters_{};
  std::size_t size_ = 0;
};

class ZeekView {
 public:
  /// The connection's next segment, in the order of the capture.
  void see(const wire::Segment& s) noexcept {
    End& x = ends_[s.direction];
    End& y = ends_[1 - s.direction];
    if (!is_plain(x, y, s)) {
      weigh(s);
      return;
    }
    const std::uint32_t last = x.last + s.payload_length;
    x.laps = (x.laps + (last - x.start < x.last - x.start ? 1U : 0U)) & kMostLaps;
    x.last = last;
    x.delivered = last;
    x.flags = static_cast<std::uint8_t>(x.flags | s.flags);
    x.far = x.far || last - x.start >= kFar;
    if (wire::seq_gt(s.ack, y.acked)) y.acked = s.ack;
    last_time_ = s.time;
  }

  /// "S0", "SF" ...: Zeek's word for how it opened and ended.
  [[nodiscard]] std::string_view conn_state() const noexcept;
  [[nodiscard]] ZeekHistory history() const noexcept;
  /// Bytes in the gaps that Zeek reports, both directions.
  [[nodiscard]] std::uint64_t missed_bytes() const noexcept { return missed_; }
  /// Whom Zeek takes for the originator: 0 or 1, as wire::Segment::direction.
  [[nodiscard]] unsigned originator() const noexcept { return originator_; }
  /// orig_bytes or resp_bytes: payload as the sequence numbers of end 0 or 1 show it.
  [[nodiscard]] std::uint64_t bytes(unsigned end) const noexcept;
  /// All flags that end 0 or 1 sent, the ninth aside: Zeek has no use for them, others' flow records have.
  [[nodiscard]] std::uint8_t flags(unsigned end) const noexcept { return ends_[end].flags; }
  /// The stamp of the last segment that Zeek's duration counts: none after both ends have closed.
  [[nodiscard]] base::Timestamp last_time() const noexcept { return last_time_; }

 private:
  friend struct ZeekViewWithoutShortCut;  // tests hold the short cut against the long way

  static constexpr unsigned kMostLaps = 31;        ///< 128 GiB in one direction
  static constexpr std::uint32_t kFar = 1U << 30;  ///< beyond it a number is no longer compared with the first one

  /// Data beyond a hole; from == to: none.
  struct Island {
    std::uint32_t from;
    std::uint32_t to;
    [[nodiscard]] bool empty() const noexcept { return from == to; }
  };

  /// What every segment touches: both ends, the stamp and the first letters fit in one cache line.
  struct End {
    std::uint32_t start;      ///< its SYN's number; without SYN, one below its first
    std::uint32_t last;       ///< one past the highest number it sent
    std::uint32_t acked;      ///< highest acknowledgment of it
    std::uint32_t delivered;  ///< reassembled up to here
    ZeekState state : 3;
    ZeekState before : 3;      ///< the state before
    bool far : 1;              ///< more than kFar past start
    bool fin : 1;              ///< sent a FIN
    std::uint8_t letters : 7;  ///< kinds of segment seen: bit set of Seen
    bool islands : 1;          ///< some of its data lies beyond a hole
    std::uint8_t laps : 5;     ///< times `last` went past start + 2^32
    bool closing : 1;          ///< Zeek wants to report its close ...
    bool closed : 1;           ///< ... and has
    bool gave_up : 1;          ///< reassembly ended: too much data beyond a hole
    std::uint8_t flags;        ///< all flags it sent

    [[nodiscard]] bool spoke() const noexcept { return letters != 0 || state != ZeekState::kInactive; }
  };

  /// What only few segments touch. Numbers are relative to start.
  struct Notes {
    std::array<Island, 2> islands;  ///< in order; absolute numbers
    std::uint32_t last_syn;
    std::uint32_t last_fin;
    std::uint32_t last_rst;
    std::uint32_t repeats;  ///< segments with payload already sent
    std::uint16_t zero_windows;
    std::uint16_t gaps;
  };

  enum Seen : std::uint8_t { kSyn = 1, kFin = 2, kRst = 4, kFinRst = 8, kData = 16, kAck = 32, kMulti = 64 };

  /// The middle of a stream: payload in order or a bare ACK of what was seen, both ends up, nothing to note.
  [[nodiscard]] bool is_plain(const End& x, const End& y, const wire::Segment& s) const noexcept {
    using wire::tcp_flag::kAck;
    using wire::tcp_flag::kFin;
    using wire::tcp_flag::kRst;
    using wire::tcp_flag::kSyn;
    const std::uint8_t letter = s.payload_length != 0 ? Seen::kData : Seen::kAck;
    return steady_ && (s.flags & (kSyn | kFin | kRst | kAck)) == kAck && s.seq == x.last && (x.letters & letter) != 0 && s.window != 0 &&
           wire::seq_diff(s.ack, y.delivered) <= 0 && (y.far || wire::seq_diff(s.ack, y.start) >= 0);
  }

  // What a segment says; the rest of the members serve it, in its order.
  void weigh(const wire::Segment& s) noexcept;
  void flip() noexcept;
  [[nodiscard]] bool is_flipped_by(const wire::Segment& s) const noexcept;
  void start_end(End& x, const wire::Segment& s) noexcept;
  void restart(End& x, std::uint32_t start, std::uint32_t last) noexcept;
  void note_letters(End& x, std::uint32_t relative, const wire::Segment& s) noexcept;
  void move(End& x, End& y, const wire::Segment& s) noexcept;
  void move_inactive(End& x, End& y, const wire::Segment& s) noexcept;
  void note_last(End& x, const wire::Segment& s) noexcept;
  [[nodiscard]] std::uint32_t note_acked(End& y, const wire::Segment& s) noexcept;
  void acknowledge(End& x, End& y, std::uint32_t relative) noexcept;
  void deliver(End& x, std::uint32_t from, std::uint32_t to) noexcept;
  void join_islands(End& x) noexcept;
  void add_island(Notes& n, std::uint32_t from, std::uint32_t to) noexcept;
  void gap(End& y, const End& x, std::uint32_t length) noexcept;
  void settle_close(End& x, const End& y) noexcept;
  void letter(const End& x, char code) noexcept;
  [[nodiscard]] char letter_at(unsigned n) const noexcept;
  template <class Counter>
  void tally(const End& x, Counter& counter, char code) noexcept;
  [[nodiscard]] Notes& notes(const End& x) noexcept { return notes_[&x == &ends_[1]]; }
  [[nodiscard]] bool is_originator(const End& x) const noexcept { return &x == &ends_[originator_]; }
  static void enter(End& x, ZeekState state) noexcept;

  std::array<End, 2> ends_{};
  base::Timestamp last_time_ = 0;
  std::uint8_t originator_ = 0;
  bool steady_ = false;  ///< both ends are established or partial, and nothing waits in an island
  bool partial_ = false;
  std::uint8_t size_ = 0;      ///< of history
  std::uint64_t letters_ = 0;  ///< of history: the first twelve, five bits each

  std::uint64_t more_letters_ = 0;
  std::array<Notes, 2> notes_{};
  std::uint64_t missed_ = 0;
};
static_assert(std::is_trivially_copyable_v<ZeekView> && sizeof(ZeekView) <= 160);

}  // namespace finwait::tcp

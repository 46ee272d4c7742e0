// Zeek's rules for one segment, in the order Zeek applies them: letters, window, numbers, states, gaps, data, close.
#include "finwait/tcp/zeek_view.h"

#include <algorithm>
#include <limits>

namespace finwait::tcp {
namespace {

using wire::seq_diff;

using wire::seq_gt;
using wire::seq_lt;

constexpr std::string_view kAlphabet = "^SHADFRIQTWG";
constexpr std::uint64_t kResponder = 16;
constexpr unsigned kLetterBits = 5;
constexpr unsigned kLettersPerWord = 12;

constexpr std::int32_t kTooFar = 1 << 20;               ///< a SYN's or RST's number is not trusted beyond this
constexpr std::int32_t kMostBeyondUnacked = 16384;      ///< data beyond a hole, before the first acknowledgment
constexpr std::int32_t kMostBeyond = 10 * 1024 * 1024;  ///< data without further acknowledgment

/// Length in sequence space; the payload of a RST is none of the stream's.
std::uint32_t segment_length(const wire::Segment& s) noexcept { return s.rst() ? s.length() - s.payload_length : s.length(); }

bool is_up(ZeekState state) noexcept { return state == ZeekState::kEstablished || state == ZeekState::kPartial; }

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------- a segment

void ZeekView::weigh(const wire::Segment& s) noexcept {
  if (size_ == 0 && !ends_[0].spoke() && !ends_[1].spoke()) originator_ = s.direction;
  if (is_flipped_by(s)) {
    flip();
    letters_ = kAlphabet.find('^') | (kAlphabet.find('H') | kResponder) << kLetterBits;
    size_ = 2;
  }
  End& x = ends_[s.direction];
  End& y = ends_[1 - s.direction];
  if (!x.spoke() && (is_originator(x) || !partial_)) partial_ = !s.syn() || (is_originator(x) && s.acks());
  start_end(x, s);
  const std::uint32_t relative = s.seq - x.start;
  const bool below = !x.far && seq_diff(s.seq, x.start) < 0;
  note_letters(x, relative, s);
  if (s.window == 0 && !s.rst() && y.state != ZeekState::kClosed && x.state != ZeekState::kReset) tally(x, notes(x).zero_windows, 'W');
  if (!x.closed || !y.closed) last_time_ = s.time;
  if (s.fin()) {
    x.fin = true;
    notes(x).last_fin = relative + s.payload_length + (s.syn() ? 1 : 0);
  }
  const std::uint32_t acked = s.acks() ? note_acked(y, s) : 0;
  note_last(x, s);
  move(x, y, s);
  if (s.acks()) acknowledge(x, y, acked);
  x.flags = static_cast<std::uint8_t>(x.flags | s.flags);
  if (s.payload_length != 0 && !s.rst() && !below) {
    const std::uint32_t from = s.seq + (s.syn() ? 1 : 0);
    deliver(x, from, from + s.payload_length);
  }
  settle_close(x, y);
  settle_close(y, x);
  const auto whole = [](const End& e) { return is_up(e.state) && !e.islands && e.delivered == e.last && !e.gave_up; };
  steady_ = whole(x) && whole(y);
}

// A connection that begins with a SYN-ACK may be a scan by SYN-ACKs; an ACK or data after it show that it is none.
bool ZeekView::is_flipped_by(const wire::Segment& s) const noexcept {
  if (size_ != 1 || letters_ != kAlphabet.find('H') || s.syn() || s.fin() || s.rst()) return false;
  return s.acks() || s.payload_length != 0;
}

void ZeekView::flip() noexcept {
  originator_ = static_cast<std::uint8_t>(1 - originator_);
  const std::uint8_t letters = ends_[0].letters;  // kept by role
  ends_[0].letters = ends_[1].letters;
  ends_[1].letters = letters & 0x7f;
  partial_ = false;
}

// The numbers an end counts from. Without its SYN, as though there had been one.
void ZeekView::start_end(End& x, const wire::Segment& s) noexcept {
  const std::uint32_t past = s.seq + segment_length(s);
  switch (x.state) {
    case ZeekState::kInactive:
      x.start = s.syn() ? s.seq : s.seq - 1;
      x.acked = x.start;
      x.last = s.syn() ? past : s.seq;
      x.delivered = x.start + 1;
      break;
    case ZeekState::kSynSent:
    case ZeekState::kSynAckSent:
      if (s.syn() && s.seq != x.start) restart(x, s.seq, past);
      break;
    case ZeekState::kEstablished:
    case ZeekState::kPartial:
      if (s.syn()) restart(x, s.seq, past);
      break;
    case ZeekState::kReset:
      if (s.syn() && x.before == ZeekState::kInactive) restart(x, s.seq, past);
      break;
    case ZeekState::kClosed:
      break;
  }
}

void ZeekView::restart(End& x, std::uint32_t start, std::uint32_t last) noexcept {
  const std::uint32_t shift = start - x.start;
  x.delivered += shift;
  for (Island& island : notes(x).islands) island = {island.from + shift, island.to + shift};
  x.start = start;
  x.acked = start;
  x.last = last;
}

void ZeekView::note_letters(End& x, std::uint32_t relative, const wire::Segment& s) noexcept {
  const auto first = [&](Seen kind, char code) {
    if ((x.letters & kind) != 0) return false;
    x.letters = (x.letters | kind) & 0x7f;
    letter(x, code);
    return true;
  };
  Notes& n = notes(x);
  const int flags = (s.syn() ? 1 : 0) + (s.fin() ? 1 : 0) + (s.rst() ? 1 : 0);
  if (flags > 1) {
    first(s.fin() && s.rst() ? Seen::kFinRst : Seen::kMulti, s.fin() && s.rst() ? 'I' : 'Q');
  } else if (s.syn()) {
    // Before its close an end takes each SYN's number for its start: there, another number is no news.
    const bool again = !first(Seen::kSyn, s.acks() ? 'H' : 'S');
    if (again && relative != n.last_syn) letter(x, s.acks() ? 'H' : 'S');
    if (again || relative != 0) n.last_syn = relative;
  } else if (s.fin()) {
    if (!first(Seen::kFin, 'F') && relative + s.payload_length != n.last_fin) letter(x, 'F');
  } else if (s.rst()) {
    if (!first(Seen::kRst, 'R') && relative != n.last_rst) letter(x, 'R');
    n.last_rst = relative;
  } else if (s.payload_length != 0) {
    first(Seen::kData, 'D');
  } else if (s.acks()) {
    first(Seen::kAck, 'A');
  }
}

/// What is acknowledged, relative to the start of the other end; 0: nothing.
std::uint32_t ZeekView::note_acked(End& y, const wire::Segment& s) noexcept {
  if (y.state == ZeekState::kInactive) {
    y.start = y.acked = y.last = s.ack - 1;
    return 1;
  }
  if (!y.far && seq_diff(s.ack, y.start) < 0) return 0;
  const std::int32_t further = seq_diff(s.ack, y.acked);
  const bool broken = s.ack == 0 && further > kTooFar;
  if (!s.rst() && !broken && further > 0) y.acked = s.ack;
  return s.ack - y.start;
}

void ZeekView::note_last(End& x, const wire::Segment& s) noexcept {
  const std::uint32_t past = s.seq + segment_length(s);
  const std::int32_t further = seq_diff(past, x.last);
  const auto advance = [&] {
    x.laps = (x.laps + (further > 0 && past - x.start < x.last - x.start ? 1U : 0U)) & kMostLaps;
    x.last = past;
    x.far = x.far || (further > 0 && past - x.start >= kFar && seq_diff(past, x.start) > 0);
  };
  if ((s.syn() || s.rst()) && (further > kTooFar || further < -kTooFar)) return;
  if (s.fin() && x.last == x.start + 1) {  // of a long connection only SYN and FIN may have been seen
    advance();
  } else if (x.state == ZeekState::kReset) {
    return;
  } else if (further > 0) {
    advance();
  } else if (s.payload_length != 0) {
    tally(x, notes(x).repeats, 'T');
  }
}

// ------------------------------------------------------------------------------------------------------------------------- states

void ZeekView::enter(End& x, ZeekState state) noexcept {
  if (x.state == state) return;
  x.before = x.state;
  x.state = state;
}

void ZeekView::move(End& x, End& y, const wire::Segment& s) noexcept {
  switch (x.state) {
    case ZeekState::kInactive:
      move_inactive(x, y, s);
      break;
    case ZeekState::kSynSent:
    case ZeekState::kSynAckSent:
      if (s.fin()) enter(x, ZeekState::kClosed);
      if (s.rst()) enter(x, ZeekState::kReset);
      break;
    case ZeekState::kEstablished:
    case ZeekState::kPartial:
      if (s.syn() && !s.acks() && x.state == ZeekState::kPartial && y.state == ZeekState::kInactive) enter(x, ZeekState::kSynSent);
      if (s.fin() && !s.rst()) {
        enter(x, ZeekState::kClosed);
        if (y.state == ZeekState::kReset && y.before == ZeekState::kClosed) enter(y, ZeekState::kClosed);  // FIN, RST: a common close
      }
      if (s.rst()) enter(x, ZeekState::kReset);
      break;
    case ZeekState::kClosed:
      if (s.rst() && y.state != ZeekState::kClosed) enter(x, ZeekState::kReset);
      break;
    case ZeekState::kReset:
      break;
  }
  if (x.state == ZeekState::kClosed || x.state == ZeekState::kReset) x.closing = true;
}

void ZeekView::move_inactive(End& x, End& y, const wire::Segment& s) noexcept {
  if (s.syn() && is_originator(x)) {
    enter(x, s.acks() ? ZeekState::kSynAckSent : ZeekState::kSynSent);
  } else if (s.syn()) {
    if (!s.acks() && y.state == ZeekState::kSynAckSent) {  // SYN and SYN-ACK were captured in the wrong order
      flip();
      letter(x, '^');
      enter(y, ZeekState::kEstablished);
    } else if (y.state == ZeekState::kSynSent) {
      enter(y, ZeekState::kEstablished);
    }
    enter(x, ZeekState::kEstablished);
  }
  if (s.fin()) enter(x, ZeekState::kClosed);
  if (s.rst()) enter(x, ZeekState::kReset);
  if (x.state != ZeekState::kInactive) return;
  // Some stacks acknowledge a SYN before they answer it with their own.
  if (!is_originator(x) && s.payload_length == 0 && y.state == ZeekState::kSynSent) return;
  if (s.acks() && y.state == ZeekState::kEstablished) {
    enter(x, ZeekState::kEstablished);
    partial_ = false;
  } else {
    enter(x, ZeekState::kPartial);
  }
}

// --------------------------------------------------------------------------------------------------------------------------- data

// What is acknowledged and was never seen is missing.
void ZeekView::acknowledge(End& x, End& y, std::uint32_t relative) noexcept {
  if (relative == 0 || y.state == ZeekState::kInactive) return;
  if (y.fin && seq_diff(relative, notes(y).last_fin) > 0) relative = notes(y).last_fin;
  const std::uint32_t to = y.start + relative;
  if (!seq_gt(to, y.delivered)) return;
  if (relative <= 2 && partial_) return;  // the number before its first is only supposed
  if (!y.gave_up) {
    const Island& island = notes(y).islands[0];
    while (y.islands && seq_lt(island.from, to)) {
      gap(y, x, island.from - y.delivered);
      y.delivered = island.from;
      join_islands(y);
    }
    if (seq_gt(to, y.delivered)) gap(y, x, to - y.delivered);
  }
  if (seq_gt(to, y.delivered)) y.delivered = to;
  join_islands(y);
}

/// Zeek believes in gaps only where both ends were seen to open.
void ZeekView::gap(End& y, const End& x, std::uint32_t length) noexcept {
  const auto clean = [](const End& e) {
    return e.state == ZeekState::kEstablished || (e.state == ZeekState::kClosed && e.before == ZeekState::kEstablished);
  };
  if (!clean(x) || !clean(y)) return;
  tally(y, notes(y).gaps, 'G');
  missed_ += length;
}

void ZeekView::join_islands(End& x) noexcept {
  if (!x.islands) return;
  auto& [low, high] = notes(x).islands;
  while (!low.empty() && !seq_gt(low.from, x.delivered)) {
    if (seq_gt(low.to, x.delivered)) x.delivered = low.to;
    low = high;
    high = {};
  }
  x.islands = !low.empty();
}

void ZeekView::deliver(End& x, std::uint32_t from, std::uint32_t to) noexcept {
  if (x.gave_up) return;
  if (seq_lt(from, x.acked)) from = x.acked;
  if (seq_lt(from, x.delivered)) from = x.delivered;
  if (!seq_gt(to, from)) return;
  Notes& n = notes(x);
  if (from == x.delivered) {
    x.delivered = to;
    join_islands(x);
  } else {
    add_island(n, from, to);
    x.islands = true;
  }
  if (!x.islands) return;
  const Island& top = n.islands[n.islands[1].empty() ? 0 : 1];
  const bool unacked = x.acked == x.start || x.acked == x.start + 1;
  if (seq_diff(top.to, x.delivered) > (unacked ? kMostBeyondUnacked : kMostBeyond)) x.gave_up = true;
}

void ZeekView::add_island(Notes& n, std::uint32_t from, std::uint32_t to) noexcept {
  auto& [low, high] = n.islands;
  const auto touches = [&](const Island& i) { return !i.empty() && !seq_gt(from, i.to) && !seq_lt(to, i.from); };
  const auto widen = [&](Island& i) { i = {seq_lt(from, i.from) ? from : i.from, seq_gt(to, i.to) ? to : i.to}; };
  if (low.empty()) {
    low = {from, to};
  } else if (touches(low)) {
    widen(low);
  } else if (touches(high)) {
    widen(high);
  } else if (seq_lt(from, low.from)) {  // a third before both makes one of them
    high = {low.from, high.empty() ? low.to : high.to};
    low = {from, to};
  } else {
    if (!high.empty()) low.to = high.to;
    high = {from, to};
  }
  if (!high.empty() && !seq_gt(high.from, low.to)) {
    if (seq_gt(high.to, low.to)) low.to = high.to;
    high = {};
  }
}

// An end's close is reported once all its data has been delivered and the other end's has been acknowledged.
void ZeekView::settle_close(End& x, const End& y) noexcept {
  if (!x.closing || x.closed) return;
  const bool lacks = !x.gave_up && seq_diff(x.last, x.delivered) > 1;
  const bool unacknowledged =
      x.state != ZeekState::kReset && y.spoke() && !y.gave_up && seq_gt(y.delivered, y.acked) && y.delivered != y.start + 1;
  x.closed = !lacks && !unacknowledged;
}

// ------------------------------------------------------------------------------------------------------------------------- results

void ZeekView::letter(const End& x, char code) noexcept {
  if (size_ >= ZeekHistory::kMost) return;
  const std::uint64_t coded = kAlphabet.find(code) | (is_originator(x) || code == '^' ? 0 : kResponder);
  (size_ < kLettersPerWord ? letters_ : more_letters_) |= coded << (size_ % kLettersPerWord * kLetterBits);
  ++size_;
}

/// Frequent events: a letter for the first, the tenth, the hundredth ...
template <class Counter>
void ZeekView::tally(const End& x, Counter& counter, char code) noexcept {
  if (counter == std::numeric_limits<Counter>::max()) return;
  std::uint32_t rest = ++counter;
  while (rest % 10 == 0) rest /= 10;
  if (rest == 1) letter(x, code);
}

char ZeekView::letter_at(unsigned n) const noexcept {
  const std::uint64_t coded = (n < kLettersPerWord ? letters_ : more_letters_) >> (n % kLettersPerWord * kLetterBits) & 31;
  const char code = kAlphabet[coded & 15];
  return (coded & kResponder) != 0 ? static_cast<char>(code - 'A' + 'a') : code;
}

ZeekHistory ZeekView::history() const noexcept {
  ZeekHistory text;
  for (unsigned n = 0; n != size_; ++n) text.put(letter_at(n));
  return text;
}

std::uint64_t ZeekView::bytes(unsigned end) const noexcept {
  const End& x = ends_[end];
  const bool nothing_acked = x.acked == x.start || x.acked == x.start + 1;
  if (x.before == ZeekState::kSynSent && x.state == ZeekState::kReset && ends_[1 - end].state == ZeekState::kInactive && !nothing_acked)
    return 0;
  const std::uint64_t sent = (std::uint64_t{x.laps} << 32) + (x.last - x.start);
  const std::int32_t unseen = seq_diff(x.acked, x.last);
  std::uint64_t size = unseen > 0 ? sent + static_cast<std::uint32_t>(unseen) : sent;
  if (size != 0) --size;           // the SYN
  if (size != 0 && x.fin) --size;  // the FIN
  return size;
}

std::string_view ZeekView::conn_state() const noexcept {
  const ZeekState o = ends_[originator_].state;
  const ZeekState r = ends_[1 - originator_].state;
  const auto absent = [](ZeekState state) { return state == ZeekState::kInactive || state == ZeekState::kPartial; };
  if (r == ZeekState::kReset) {
    const bool empty = o == ZeekState::kReset && bytes(0) == 0 && bytes(1) == 0;
    if (o == ZeekState::kSynSent || o == ZeekState::kSynAckSent || empty) return "REJ";
    return absent(o) ? "RSTRH" : "RSTR";
  }
  if (o == ZeekState::kReset) {
    if (!absent(r)) return "RSTO";
    const ZeekHistory text = history();
    std::string_view letters = text.view();
    if (letters.starts_with('^')) letters.remove_prefix(1);
    const bool opened = letters.starts_with('S') && letters.find('R') < letters.find_first_of("HAFGIQ");
    return opened ? "RSTOS0" : "OTH";
  }
  if (r == ZeekState::kClosed && o == ZeekState::kClosed) return "SF";
  if (o == ZeekState::kClosed) return absent(r) ? "SH" : "S2";
  if (r == ZeekState::kClosed) return absent(o) ? "SHR" : "S3";
  if (o == ZeekState::kSynSent && r == ZeekState::kInactive) return "S0";
  if (o == ZeekState::kEstablished && r == ZeekState::kEstablished) return "S1";
  return "OTH";
}

}  // namespace finwait::tcp

// Each case is a connection as its segments, and what Zeek's conn.log says of it.
#include "finwait/tcp/zeek_view.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace finwait::tcp {

struct ZeekViewWithoutShortCut {
  static void see(ZeekView& view, const wire::Segment& s) noexcept { view.weigh(s); }
};

namespace {

/// "> S 0" or "< SA 0 1 10": who sends (the first sender is '>'), flags, number and acknowledgment relative to the initial numbers,
/// payload.
struct Line {
  char from = '>';
  std::string flags;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint32_t payload = 0;
  std::uint16_t window = 1000;
};

constexpr std::uint32_t kIss[2] = {1000, 4'294'967'000};  // the second wraps after 296 bytes

class Conversation {
 public:
  Conversation& line(const Line& l) {
    wire::Segment s;
    const unsigned side = l.from == '>' ? 0 : 1;
    s.direction = static_cast<std::uint8_t>(side);
    for (const char f : l.flags) s.flags = static_cast<std::uint16_t>(s.flags | flag(f));
    s.seq = kIss[side] + l.seq;
    if (s.acks()) s.ack = kIss[1 - side] + l.ack;
    s.payload_length = l.payload;
    s.window = l.window;
    s.time = ++clock_ * base::kSecond;
    view_.see(s);
    return *this;
  }
  Conversation& lines(const std::vector<Line>& all) {
    for (const Line& l : all) line(l);
    return *this;
  }
  [[nodiscard]] const ZeekView& view() const { return view_; }

 private:
  static std::uint16_t flag(char f) {
    switch (f) {
      case 'S':
        return wire::tcp_flag::kSyn;
      case 'A':
        return wire::tcp_flag::kAck;
      case 'F':
        return wire::tcp_flag::kFin;
      case 'R':
        return wire::tcp_flag::kRst;
      default:
        return wire::tcp_flag::kPsh;
    }
  }
  ZeekView view_;
  int clock_ = 0;
};

struct Case {
  std::string_view name;
  std::vector<Line> lines;
  std::string_view conn_state;
  std::string_view history;
  std::uint64_t missed = 0;
};

const std::vector<Line> kHandshake{{'>', "S"}, {'<', "SA", 0, 1}, {'>', "A", 1, 1}};

std::vector<Line> after_handshake(const std::vector<Line>& more) {
  std::vector<Line> all = kHandshake;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

void expect(const Case& c) {
  SCOPED_TRACE(c.name);
  Conversation talk;
  talk.lines(c.lines);
  EXPECT_EQ(talk.view().conn_state(), c.conn_state);
  EXPECT_EQ(talk.view().history().view(), c.history);
  EXPECT_EQ(talk.view().missed_bytes(), c.missed);
}

TEST(ZeekView, attempts) {
  const std::vector<Case> cases{
      {"no answer", {{'>', "S"}, {'>', "S"}}, "S0", "S"},
      {"refused", {{'>', "S"}, {'<', "RA", 0, 1}}, "REJ", "Sr"},
      {"refused thrice", {{'>', "S"}, {'<', "RA", 0, 1}, {'>', "S"}, {'<', "RA", 0, 1}}, "REJ", "Sr"},
      {"given up by its sender", {{'>', "S"}, {'>', "R", 1}}, "RSTOS0", "SR"},
      {"given up after an ACK", {{'>', "S"}, {'>', "A", 1, 1}, {'>', "R", 1}}, "OTH", "SAR"},
      {"half-open scan", {{'>', "S"}, {'<', "SA", 0, 1}, {'>', "R", 1}}, "RSTO", "ShR"},
      {"SYN-ACK counts as established", {{'>', "S"}, {'<', "SA", 0, 1}}, "S1", "Sh"},
      {"an ACK before the SYN-ACK is no answer", {{'>', "S"}, {'<', "A", 0, 1}, {'<', "SA", 0, 1}}, "S1", "Sah"},
      {"simultaneous open", {{'>', "S"}, {'<', "S"}, {'>', "SA", 0, 1}, {'<', "SA", 0, 1}}, "S1", "Ss"},
      {"SYN with data", {{'>', "S", 0, 0, 10}, {'<', "SA", 0, 11}, {'>', "A", 11, 1}}, "S1", "SThA"},
      {"SYN and FIN", {{'>', "SF"}}, "SH", "Q"},
      {"FIN and RST", {{'>', "FR"}}, "OTH", "I"},
      {"an RST alone", {{'>', "R"}}, "OTH", "R"},
      {"a FIN alone", {{'>', "FA", 1, 1}}, "SH", "F"},
  };
  for (const Case& c : cases) expect(c);
}

TEST(ZeekView, streams) {
  expect({"data both ways", after_handshake({{'>', "PA", 1, 1, 10}, {'<', "A", 1, 11}, {'<', "PA", 1, 11, 400}, {'>', "A", 11, 401}}), "S1",
          "ShADad"});
  expect({"repeated data", after_handshake({{'>', "PA", 1, 1, 10}, {'>', "PA", 1, 1, 10}}), "S1", "ShADT"});
  expect({"a keepalive of one byte is repeated data", after_handshake({{'>', "PA", 1, 1, 10}, {'<', "A", 1, 11}, {'>', "A", 10, 1, 1}}),
          "S1", "ShADaT"});
  expect({"closed window", after_handshake({{'<', "A", 1, 1, 0, 0}, {'<', "A", 1, 1, 0, 0}}), "S1", "ShAaw"});
  expect({"closed window in the SYN-ACK", {{'>', "S"}, {'<', "SA", 0, 1, 0, 0}, {'>', "A", 1, 1}}, "S1", "ShwA"});
  expect({"a closed window after the peer's FIN is no news", after_handshake({{'>', "FA", 1, 1}, {'<', "A", 1, 2, 0, 0}}), "S2", "ShAFa"});
}

TEST(ZeekView, counts_frequent_letters_by_powers_of_ten) {
  Conversation talk;
  talk.lines(kHandshake).line({'>', "PA", 1, 1, 10});
  for (int n = 0; n != 99; ++n) talk.line({'>', "PA", 1, 1, 10});
  EXPECT_EQ(talk.view().history().view(), "ShADTT");
  talk.line({'>', "PA", 1, 1, 10});
  EXPECT_EQ(talk.view().history().view(), "ShADTTT");
}

TEST(ZeekView, gaps) {
  expect({"acknowledged, never seen", after_handshake({{'>', "PA", 101, 1, 10}, {'<', "A", 1, 111}}), "S1", "ShADaG", 100});
  expect({"two holes, two gaps, one letter", after_handshake({{'>', "PA", 101, 1, 10}, {'>', "PA", 121, 1, 10}, {'<', "A", 1, 131}}), "S1",
          "ShADaG", 110});
  expect({"filled in time", after_handshake({{'>', "PA", 11, 1, 10}, {'>', "PA", 1, 1, 10}, {'<', "A", 1, 21}}), "S1", "ShADTa"});
  expect({"the last bytes missing", after_handshake({{'>', "PA", 1, 1, 10}, {'<', "A", 1, 31}}), "S1", "ShADaG", 20});
  expect({"a FIN is no missing byte", after_handshake({{'>', "FA", 1, 1}, {'<', "A", 1, 2}}), "S2", "ShAFa"});
  expect({"gaps are not believed where the opening was not seen",
          {{'>', "PA", 1, 1, 10}, {'<', "A", 1, 11}, {'>', "PA", 111, 1, 10}, {'<', "A", 1, 121}},
          "OTH",
          "Da"});
  expect({"the RST's acknowledgment counts too, but after the state", after_handshake({{'<', "RA", 1, 51}}), "RSTR", "ShAr"});
}

TEST(ZeekView, three_islands_miss_fewer_bytes_than_there_are) {
  Conversation talk;
  talk.lines(kHandshake);
  for (const std::uint32_t seq : {101U, 201U, 301U}) talk.line({'>', "PA", seq, 1, 10});
  talk.line({'<', "A", 1, 311});
  EXPECT_EQ(talk.view().history().view(), "ShADaG");
  EXPECT_GE(talk.view().missed_bytes(), 100U);
  EXPECT_LE(talk.view().missed_bytes(), 280U);
}

TEST(ZeekView, gives_up_reassembly_when_much_lies_beyond_a_hole_and_nothing_is_acknowledged) {
  Conversation talk;
  talk.lines(kHandshake);
  for (std::uint32_t seq = 101; seq < 20'000; seq += 1000) talk.line({'>', "PA", seq, 1, 1000});
  talk.line({'<', "A", 1, 20'101});
  EXPECT_EQ(talk.view().missed_bytes(), 0U);
  EXPECT_EQ(talk.view().history().view(), "ShADa");
}

TEST(ZeekView, closes) {
  const std::vector<Case> cases{
      {"both FINs", {{'>', "FA", 1, 1}, {'<', "FA", 1, 2}, {'>', "A", 2, 2}}, "SF", "ShAFf"},
      {"one FIN, originator", {{'>', "FA", 1, 1}, {'<', "A", 1, 2}}, "S2", "ShAFa"},
      {"one FIN, responder", {{'<', "FA", 1, 1}, {'>', "A", 1, 2}}, "S3", "ShAf"},
      {"reset by the originator", {{'>', "R", 1}}, "RSTO", "ShAR"},
      {"reset by the responder", {{'<', "RA", 1, 1}}, "RSTR", "ShAr"},
      {"RST after both FINs changes nothing", {{'>', "FA", 1, 1}, {'<', "FA", 1, 2}, {'<', "R", 2}}, "SF", "ShAFfr"},
      {"FIN, then RST", {{'>', "FA", 1, 1}, {'>', "R", 2}}, "RSTO", "ShAFR"},
      {"FIN, RST, and a FIN in answer", {{'>', "FA", 1, 1}, {'>', "R", 2}, {'<', "FA", 1, 2}}, "SF", "ShAFRf"},
      {"the same FIN again", {{'>', "FA", 1, 1}, {'>', "FA", 1, 1}}, "S2", "ShAF"},
      {"a FIN with another number", {{'>', "FA", 1, 1}, {'>', "FA", 5, 1}}, "S2", "ShAFF"},
      {"the same RST again", {{'<', "R", 1}, {'<', "R", 1}}, "RSTR", "ShAr"},
      {"RSTs with other numbers", {{'<', "R", 1}, {'<', "R", 2}, {'<', "R", 3}}, "RSTR", "ShArrr"},
      {"late SYNs with another number", {{'>', "FA", 1, 1}, {'>', "S", 50'000}, {'>', "S", 50'000}}, "S2", "ShAFS"},
  };
  for (Case c : cases) {
    c.lines = after_handshake(c.lines);
    expect(c);
  }
}

TEST(ZeekView, begun_in_the_middle) {
  expect({"ACKs", {{'>', "A", 1, 1}, {'<', "A", 1, 1}}, "OTH", "Aa"});
  expect({"data", {{'>', "PA", 1, 1, 10}, {'<', "A", 1, 11}}, "OTH", "Da"});
  expect({"both FINs", {{'>', "FA", 1, 1}, {'<', "FA", 1, 2}}, "SF", "Ff"});
  expect({"RST of an end never heard", {{'>', "A", 1, 1}, {'<', "R", 1}}, "RSTRH", "Ar"});
  expect({"FIN of the responder alone", {{'>', "A", 1, 1}, {'<', "FA", 1, 1}}, "SHR", "Af"});
}

TEST(ZeekView, a_syn_ack_first) {
  expect({"alone: perhaps a scan", {{'>', "SA", 0, 1}}, "OTH", "H"});
  expect({"refused: a scan", {{'>', "SA", 0, 1}, {'<', "R", 1}}, "REJ", "Hr"});
  expect({"answered by an ACK: its sender is the responder", {{'>', "SA", 0, 1}, {'<', "A", 1, 1}}, "OTH", "^hA"});
  expect({"going on by itself", {{'>', "SA", 0, 1}, {'>', "PA", 1, 1, 10}, {'>', "FA", 11, 1}}, "SHR", "^hdf"});
  expect({"before its SYN", {{'>', "SA", 0, 1}, {'<', "S"}, {'<', "A", 1, 1}}, "S1", "Hs^A"});

  Conversation flipped;
  flipped.lines({{'>', "SA", 0, 1}, {'<', "A", 1, 1}});
  EXPECT_EQ(flipped.view().originator(), 1U);
  Conversation kept;
  kept.lines({{'>', "SA", 0, 1}, {'<', "R", 1}});
  EXPECT_EQ(kept.view().originator(), 0U);
}

TEST(ZeekView, bytes_are_those_of_the_sequence_numbers) {
  Conversation talk;
  talk.lines(after_handshake({{'>', "PA", 1, 1, 10}, {'<', "PA", 1, 11, 400}, {'>', "A", 11, 501}, {'>', "FA", 11, 501}}));
  EXPECT_EQ(talk.view().bytes(0), 10U);
  EXPECT_EQ(talk.view().bytes(1), 500U) << "acknowledged, though never seen; across 2^32";
}

TEST(ZeekView, bytes_count_beyond_four_gigabytes) {
  Conversation talk;
  talk.lines(kHandshake);
  constexpr std::uint32_t kStep = 1'000'000'000;
  std::uint32_t seq = 1;
  for (int n = 0; n != 9; ++n) {
    talk.line({'>', "PA", seq, 1, kStep}).line({'<', "A", 1, seq + kStep});
    seq += kStep;
  }
  EXPECT_EQ(talk.view().bytes(0), 9ULL * kStep);
  EXPECT_EQ(talk.view().history().view(), "ShADa");
  EXPECT_EQ(talk.view().missed_bytes(), 0U);
}

TEST(ZeekView, time_stands_still_once_both_ends_are_closed) {
  Conversation talk;
  talk.lines(after_handshake({{'>', "FA", 1, 1}, {'<', "FA", 1, 2}}));
  const base::Timestamp closed = talk.view().last_time();
  talk.line({'>', "A", 2, 2});
  EXPECT_EQ(talk.view().last_time(), closed);
  EXPECT_EQ(closed, 5 * base::kSecond);
}

TEST(ZeekView, history_ends_after_24_letters) {
  Conversation talk;
  talk.lines(kHandshake);
  for (std::uint32_t n = 0; n != 100; ++n) talk.line({'<', "R", n});
  EXPECT_EQ(talk.view().history().view(), "ShA" + std::string(21, 'r'));
}

TEST(ZeekView, flags_are_remembered) {
  Conversation talk;
  talk.lines(after_handshake({{'>', "PA", 1, 1, 10}, {'>', "PA", 11, 1, 10}}));
  EXPECT_EQ(talk.view().flags(0), wire::tcp_flag::kSyn | wire::tcp_flag::kAck | wire::tcp_flag::kPsh);
  EXPECT_EQ(talk.view().flags(1), wire::tcp_flag::kSyn | wire::tcp_flag::kAck);
}

/// Mostly a conversation, now and then repeated, early, lost, with odd flags or numbers.
class RandomTalk {
 public:
  explicit RandomTalk(unsigned seed)
      : random_(seed), next_{number(), 0xffff'ffffU - number() % 3000}, opens_(one_of(4) != 0), odd_(one_of(4)) {}

  wire::Segment next() {
    wire::Segment s;
    const bool opening = opens_ && sent_ < 3;
    const unsigned side = opening ? (sent_ == 1 ? 1U : 0U) : one_of(2);
    s.direction = static_cast<std::uint8_t>(side);
    s.flags = static_cast<std::uint16_t>(!opening || sent_ == 2 ? wire::tcp_flag::kAck : sent_ == 0 ? 0x02 : 0x12);
    s.seq = next_[side];
    s.window = one_of(40) == 0 ? 0 : 1000;
    if (!opening) disturb(s);
    if (s.acks() && s.ack == 0) s.ack = next_[1 - side] + (odd_ != 0 && one_of(10) == 0 ? one_of(400) - 200U : 0U);
    s.time = ++sent_ * base::kMillisecond;
    if (const std::uint32_t end = s.end(); wire::seq_gt(end, next_[side]) && end - next_[side] < 2000) next_[side] = end;
    return s;
  }

 private:
  void disturb(wire::Segment& s) {
    if (one_of(2) == 0) s.payload_length = 1 + one_of(100);
    if (odd_ == 0) return;
    if (one_of(20) == 0) s.flags = static_cast<std::uint16_t>(s.flags | 1U << one_of(3));
    if (one_of(8) == 0) s.seq += one_of(400) - 200U;
    if (odd_ != 3) return;
    if (one_of(10) == 0) s.flags = static_cast<std::uint16_t>(one_of(32));
    if (one_of(30) == 0) s.seq = number();
    if (one_of(40) == 0) s.ack = number();
  }
  std::uint32_t number() { return static_cast<std::uint32_t>(random_()); }
  unsigned one_of(unsigned n) { return static_cast<unsigned>(random_() % n); }

  std::mt19937 random_;
  std::array<std::uint32_t, 2> next_;
  bool opens_;
  unsigned odd_;
  int sent_ = 0;
};

TEST(ZeekView, the_short_cut_for_plain_segments_changes_nothing) {
  for (unsigned seed = 0; seed != 5'000; ++seed) {
    RandomTalk talk(seed);
    ZeekView quick;
    ZeekView slow;
    for (int n = 0; n != 60; ++n) {
      const wire::Segment s = talk.next();
      quick.see(s);
      ZeekViewWithoutShortCut::see(slow, s);
      ASSERT_EQ(quick.history().view(), slow.history().view()) << "seed " << seed << " segment " << n;
      ASSERT_EQ(quick.conn_state(), slow.conn_state()) << "seed " << seed << " segment " << n;
      ASSERT_EQ(quick.missed_bytes(), slow.missed_bytes()) << "seed " << seed << " segment " << n;
      ASSERT_EQ(quick.last_time(), slow.last_time()) << "seed " << seed << " segment " << n;
      for (const unsigned end : {0U, 1U}) {
        ASSERT_EQ(quick.bytes(end), slow.bytes(end)) << "seed " << seed << " segment " << n;
        ASSERT_EQ(quick.flags(end), slow.flags(end)) << "seed " << seed << " segment " << n;
      }
    }
  }
}

TEST(ZeekView, conn_state_is_always_one_of_thirteen) {
  const std::set<std::string_view> known{"S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"};
  std::set<std::string_view> met;
  for (unsigned seed = 0; seed != 20'000; ++seed) {
    RandomTalk talk(seed);
    ZeekView view;
    for (unsigned n = 0; n != seed % 60 + 1; ++n) view.see(talk.next());
    met.insert(view.conn_state());
  }
  for (const std::string_view state : met) EXPECT_TRUE(known.contains(state)) << state;
  EXPECT_GE(met.size(), 8U);
}

}  // namespace
}  // namespace finwait::tcp

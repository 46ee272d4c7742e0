// The short record of an ordinary life, expanded after any of its segments, is the record that the machine makes of the same segments; and
// goes on from there as that one does.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "../../src/tcp/attempt.h"
#include "../../src/tcp/compact_expand.h"
#include "../../src/tcp/compact_machine.h"
#include "odd_segment.h"
#include "record_fields.h"

namespace finwait::tcp {
namespace {

using wire::Segment;
namespace flag = wire::tcp_flag;
namespace present = wire::present;

/// A life from SYN to last ACK, nearly always an ordinary one: what is odd comes once in a while.
class Life {
 public:
  explicit Life(unsigned seed)
      : engine_(seed),
        originator_(random_() % 2),
        stamped_(random_() % 2 == 0),
        counted_(random_() % 3 != 0),
        oddity_(random_() % 3 == 0 ? 0 : 12 + random_() % 30),
        at_once_(random_() % 2 == 0) {
    for (std::uint32_t& number : next_) number = random_();
  }

  std::vector<Segment> segments() {
    const unsigned a = originator_;
    const unsigned b = 1 - a;
    say(a, flag::kSyn, 0);
    if (random_() % 8 == 0) return refused(b);
    say(b, flag::kSyn | flag::kAck, 0);
    if (random_() % 8 == 0) return aborted(a);
    say(a, flag::kAck, 0);
    for (unsigned n = random_() % 12; n != 0; --n) {
      say(random_() % 2, random_() % 3 == 0 ? flag::kAck | flag::kPsh : flag::kAck, random_() % 3 == 0 ? 0 : random_() % 1460);
    }
    if (random_() % 5 == 0) return end_by_reset();
    const unsigned first = random_() % 2;
    if (random_() % 4 == 0) return cross(first);
    if (random_() % 40 == 0) {  // more under way than anybody remembers
      for (unsigned n = 60 + random_() % 10; n != 0; --n) say(random_() % 8 == 0 ? 1 - first : first, flag::kAck, 1 + random_() % 100);
    }
    say(first, flag::kFin | flag::kAck, random_() % 3 == 0 ? random_() % 900 : 0);
    if (!at_once_) say(1 - first, flag::kAck, 0);
    if (random_() % 9 != 0) say(1 - first, flag::kFin | flag::kAck, random_() % 4 == 0 ? random_() % 900 : 0);
    if (random_() % 9 != 0) say(first, flag::kAck, 0);
    if (random_() % 9 == 0) say(random_() % 2, flag::kAck, 0);
    return said_;
  }

 private:
  /// ... and what may come after all.
  std::vector<Segment> refused(unsigned by) {
    say(by, flag::kRst | (random_() % 6 == 0 ? 0 : flag::kAck), 0);
    if (random_() % 3 == 0) say(random_() % 2, random_() % 2 == 0 ? flag::kSyn : flag::kRst | flag::kAck, 0);
    if (random_() % 3 == 0) say(by, random_() % 2 == 0 ? flag::kSyn | flag::kAck : flag::kAck, 0);
    return said_;
  }

  /// The SYN-ACK is, by its peer.
  std::vector<Segment> aborted(unsigned by) {
    say(by, random_() % 6 == 0 ? flag::kRst | flag::kAck : flag::kRst, 0);
    if (random_() % 2 == 0) said_.back().window = 0;
    for (unsigned n = random_() % 3; n != 0; --n) {
      constexpr std::array<std::uint16_t, 4> kMore{flag::kRst, flag::kAck, flag::kSyn | flag::kAck, flag::kSyn};
      say(random_() % 2, kMore[random_() % kMore.size()], 0);
    }
    return said_;
  }

  /// Both FINs are under way at once; mostly everything before them was acknowledged.
  std::vector<Segment> cross(unsigned first) {
    if (random_() % 8 != 0) say(first, flag::kAck, 0);
    if (random_() % 8 != 0) say(1 - first, flag::kAck, 0);
    crossing_ = true;
    for (const unsigned end : {first, 1 - first}) say(end, flag::kFin | flag::kAck, random_() % 3 == 0 ? random_() % 900 : 0);
    crossing_ = false;
    const unsigned acks_first = random_() % 2;
    if (random_() % 9 != 0) say(acks_first, flag::kAck, 0);
    if (random_() % 9 != 0) say(1 - acks_first, flag::kAck, 0);
    if (random_() % 9 == 0) say(random_() % 2, random_() % 3 == 0 ? flag::kFin | flag::kAck : flag::kAck, 0);
    return said_;
  }

  unsigned random_() { return static_cast<unsigned>(engine_()); }

  /// Mostly by an end that has everything acknowledged.
  std::vector<Segment> end_by_reset() {
    const unsigned from = random_() % 2;
    if (random_() % 4 != 0) say(1 - from, flag::kAck, random_() % 3 == 0 ? 100 : 0);
    say(from, random_() % 6 == 0 ? flag::kRst : flag::kRst | flag::kAck, 0);
    if (random_() % 2 == 0) {
      Segment& rst = said_.back();
      rst.window = 0;
      if (random_() % 3 == 0) rst.ip_id = 0;
      if (random_() % 8 == 0) rst.ttl = static_cast<std::uint8_t>(rst.ttl - random_() % 4);
    }
    for (unsigned n = random_() % 3; n != 0; --n) say(random_() % 2, flag::kAck, random_() % 2 == 0 ? 100 : 0);
    if (random_() % 6 == 0) say(random_() % 2, flag::kRst | flag::kAck, 0);
    return said_;
  }

  void say(unsigned from, std::uint16_t flags, std::uint32_t payload) {
    time_ += static_cast<base::Duration>(random_() % 30'000'000);
    Segment s;
    s.direction = static_cast<std::uint8_t>(from);
    s.key.low_port = 40000;
    s.key.high_port = 80;
    s.time = s.clock = time_;
    s.frame = ++frame_;
    s.flags = flags;
    s.seq = next_[from];
    const bool syn = (flags & flag::kSyn) != 0;
    const bool fin = (flags & flag::kFin) != 0;
    const bool heard = random_() % 4 != 0 || syn || fin || said_.size() < 4 || payload == 0;
    if (heard && !crossing_) acked_[from] = next_[1 - from];
    if ((flags & flag::kAck) != 0) s.ack = acked_[from];
    s.payload_length = payload;
    next_[from] = s.end();
    s.ip_length = 40 + payload;
    s.window = 60000;
    s.ttl = static_cast<std::uint8_t>(60 + from);
    s.payload_sum = payload == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(random_());
    s.present = present::kPayloadSum;
    if (syn) {
      s.present |= present::kWindowScale | present::kMss | present::kSackPermitted;
      s.window_scale = 7;
      s.mss = 1460;
    }
    if (stamped_) {
      s.present |= present::kTimestamps;
      s.ts_val = static_cast<std::uint32_t>(time_ / base::kMillisecond) + from;
      s.ts_ecr = static_cast<std::uint32_t>(time_ / base::kMillisecond) - 3;
    }
    if (counted_ && random_() % 8 != 0) s.ip_id = ++ip_id_[from];  // Linux has none in an ACK from TIME-WAIT
    if (oddity_ != 0 && random_() % oddity_ == 0) s = odd(s);
    said_.push_back(s);
  }

  Segment odd(Segment s) {
    switch (random_() % 14) {
      case 0:
        if (said_.empty()) return s;
        next_[s.direction] = s.seq;  // a copy in its stead
        s = said_.back();
        s.frame = frame_;
        s.time = s.clock = time_;
        break;
      case 1:
        ++s.payload_length;
        break;
      case 2:
        time_ += base::kSecond * 700;
        s.time = s.clock = time_;
        break;
      default:
        make_odd(s, engine_);
        break;
    }
    return s;
  }

  std::mt19937 engine_;
  unsigned originator_;
  bool stamped_;
  bool counted_;
  unsigned oddity_;
  bool at_once_;
  bool crossing_ = false;
  std::array<std::uint32_t, 2> next_{};
  std::array<std::uint32_t, 2> acked_{};
  std::array<std::uint16_t, 2> ip_id_{};
  base::Timestamp time_ = 1'700'000'000 * base::kSecond;
  std::uint64_t frame_ = 0;
  std::vector<Segment> said_;
};

CompactExtra anything() {
  CompactExtra extra;
  std::memset(&extra, 0xa5, sizeof extra);
  return extra;
}

/// The short way: a compact record as long as it takes what comes, its expansion afterwards.
struct ShortWay : Way {
  CompactMachine compacts{blocks, journal, zeek};
  std::optional<Compact> compact;
  CompactExtra extra = anything();
  unsigned took = 0;

  void apply(const Segment& s) {
    journal.set_frame(s.frame);
    if (compact && compacts.apply(*compact, extra, 0, s) != CompactMachine::Taken::kRefused) {
      ++took;
      return;
    }
    if (compact) live_on();
    machine.apply(c, 0, s);
  }

  void live_on() {
    const std::vector<Transition> history = said();
    compacts.unfold(*compact, extra, c);
    for (const Transition& t : history) journal.write_down(c, t);
    compact.reset();
  }

  /// A copy, as it would live on.
  [[nodiscard]] Connection whole() const {
    if (!compact) return c;
    Connection whole;
    expand(*compact, extra, whole);
    return whole;
  }
  [[nodiscard]] std::vector<Transition> said() const {
    std::vector<Transition> out;
    if (compact) {
      read_history(*compact, out);
    } else {
      journal.read(c, out);
    }
    return out;
  }
};

void begin(ShortWay& quick, Way& slow, const Segment& s) {
  quick.journal.set_frame(s.frame);
  slow.journal.set_frame(s.frame);
  for (Way* way : {static_cast<Way*>(&quick), &slow}) {
    way->c.key = s.key;
    way->c.hash = s.hash;
    way->c.id = s.frame;
    way->c.start = way->c.end = s.time;
    way->c.last_clock = clock_of(s);
    way->c.encapsulation = s.encapsulation;
    way->c.originator = s.direction;
  }
  if (CompactMachine::may_begin(s)) {
    quick.compact.emplace();
    quick.compacts.begin(*quick.compact, quick.extra, 0, Attempt(s), Attempt::rest_of(s));
    quick.journal.note_entered(State::kSynSent);
  } else {
    quick.machine.apply(quick.c, 0, s);
  }
  slow.machine.apply(slow.c, 0, s);
}

/// But for the log, which a copy of a compact record has none of.
bool same_record(Connection a, Connection b) {
  for (Connection* c : {&a, &b}) {
    c->log_entries = 0;
    c->log_frame = 0;
    c->log_time = 0;
    for (Endpoint& end : c->ends) end.in_flight_count = 0;  // compared by themselves
  }
  return same(a, b);
}

std::vector<Transition> said_by(const Way& way) {
  std::vector<Transition> out;
  way.journal.read(way.c, out);
  return out;
}

std::vector<Anomaly> found_by(const Way& way) {
  std::vector<Anomaly> out;
  way.journal.read(way.c, out);
  return out;
}

/// What the lives turned out to be that stayed short to the end.
struct Seen {
  std::array<unsigned, 2> aborted{};                 ///< by whether it had timestamps
  std::array<std::array<unsigned, 2>, 2> crossed{};  ///< ... and by which of the FINs was acknowledged first
  unsigned half_crossed = 0;                         ///< one of the FINs is acknowledged
  unsigned crossed_with_data = 0;
  unsigned crossed_without_ip_id = 0;  ///< as over IPv6

  void count(const Compact& c) {
    const bool stamped = c.ends[0].knows(known::kTimestamp);
    if (!c.closing) return;
    const CompactClose& close = c.close;
    if (c.by_reset) {
      aborted[stamped] += c.was_answered() && !c.was_completed();
      return;
    }
    if (!close.crossed()) return;
    half_crossed += close.has(CompactClose::kFirstAck) != close.has(CompactClose::kLastAck);
    if (!close.has(CompactClose::kFirstAck) || !close.has(CompactClose::kLastAck)) return;
    ++crossed[stamped][close.frames[CompactClose::kFirstAck] < close.frames[CompactClose::kLastAck]];
    crossed_with_data += close.payloads[0] != 0 && close.payloads[1] != 0;
    crossed_without_ip_id += !c.ends[0].knows(known::kIpId) && !c.ends[1].knows(known::kIpId);
  }
};

/// How many segments the compact record took.
unsigned compare(const std::vector<Segment>& segments, const std::string& of, Seen* seen = nullptr) {
  ShortWay quick;
  Way slow;
  bool first = true;
  for (const Segment& s : segments) {
    if (first) {
      begin(quick, slow, s);
    } else {
      quick.apply(s);
      slow.journal.set_frame(s.frame);
      slow.machine.apply(slow.c, 0, s);
    }
    first = false;
    const bool compact = quick.compact.has_value();
    EXPECT_TRUE(same_record(quick.whole(), slow.c)) << of << ", frame " << s.frame;
    EXPECT_EQ(quick.whole().encapsulation, slow.c.encapsulation) << of;
    EXPECT_EQ(quick.said(), said_by(slow)) << of << ", frame " << s.frame;
    EXPECT_EQ(found_by(quick), found_by(slow)) << of << ", frame " << s.frame;
    EXPECT_EQ(quick.journal.entered(), slow.journal.entered()) << of << ", frame " << s.frame;
    EXPECT_EQ(quick.zeek.of(0)->history().view(), slow.zeek.of(0)->history().view());
    EXPECT_TRUE(compact || (same_in_flight(quick, slow, 0) && same_in_flight(quick, slow, 1))) << of << ", frame " << s.frame;
    if (testing::Test::HasFailure()) break;
  }
  if (quick.compact && seen != nullptr) seen->count(*quick.compact);
  if (quick.compact) quick.live_on();
  EXPECT_TRUE(same_in_flight(quick, slow, 0) && same_in_flight(quick, slow, 1)) << of;
  return quick.took;
}

TEST(Compact, IsWhatTheMachineMakesOfTheSameSegments) {
  unsigned took = 0;
  Seen seen;
  for (unsigned seed = 1; seed <= 20000 && !HasFailure(); ++seed) {
    took += compare(Life(seed).segments(), "seed " + std::to_string(seed), &seen);
  }
  EXPECT_GT(took, 100'000U);
  for (const bool stamped : {false, true}) {
    EXPECT_GT(seen.aborted[stamped], 200U);
    for (const unsigned n : seen.crossed[stamped]) EXPECT_GT(n, 200U);
  }
  EXPECT_GT(seen.half_crossed, 150U);
  EXPECT_GT(seen.crossed_with_data, 80U);
  EXPECT_GT(seen.crossed_without_ip_id, 150U);
}

// ---- what is too large for the record

/// As ordinary as they come: data both ways, two segments in flight at once, a FIN with payload.
std::vector<Segment> plain_life(bool stamped) {
  constexpr base::Timestamp kStart = 1'700'000'000 * base::kSecond;
  std::vector<Segment> said;
  std::array<std::uint32_t, 2> next{1'000, 4'000'000'000};
  const auto say = [&](unsigned from, std::uint16_t flags, std::uint32_t payload) {
    Segment s;
    s.direction = static_cast<std::uint8_t>(from);
    s.frame = said.size() + 1;
    s.time = s.clock = kStart + static_cast<base::Duration>(said.size()) * 10 * base::kMillisecond;
    s.flags = flags;
    s.seq = next[from];
    if ((flags & flag::kAck) != 0) s.ack = next[1 - from];
    s.payload_length = payload;
    s.ip_length = 40 + payload;
    s.window = 60000;
    s.ttl = 64;
    s.ip_id = static_cast<std::uint16_t>(s.frame);
    if ((flags & flag::kSyn) != 0) s.present = present::kWindowScale | present::kMss;
    if ((flags & flag::kSyn) != 0) s.window_scale = 7;
    if (stamped) s.present |= present::kTimestamps;
    if (stamped) s.ts_val = static_cast<std::uint32_t>(s.time / base::kMillisecond);
    next[from] = s.end();
    said.push_back(s);
  };
  say(0, flag::kSyn, 0);
  say(1, flag::kSyn | flag::kAck, 0);
  say(0, flag::kAck, 0);
  say(0, flag::kAck, 300);
  say(1, flag::kAck, 0);
  say(1, flag::kAck, 1400);
  say(1, flag::kAck, 1000);
  say(0, flag::kFin | flag::kAck, 20);
  say(1, flag::kAck, 0);
  say(1, flag::kFin | flag::kAck, 0);
  say(0, flag::kAck, 0);
  return said;
}

/// The record takes each segment whose number is `most`, none whose number is one more. change(segments, n, number): segment n has it.
template <class Change>
void expect_limit(std::size_t first, std::size_t last, std::uint64_t most, Change&& change) {
  for (const bool stamped : {false, true}) {
    for (std::size_t n = first; n <= last; ++n) {
      const std::string of = "segment " + std::to_string(n) + (stamped ? ", stamped" : "");
      std::vector<Segment> within = plain_life(stamped);
      change(within, n, most);
      EXPECT_GE(compare(within, of + ", within"), n) << of;
      std::vector<Segment> beyond = plain_life(stamped);
      change(beyond, n, most + 1);
      EXPECT_EQ(compare(beyond, of + ", beyond"), n - 1) << of;
    }
  }
}

TEST(Compact, TakesAllOfAnOrdinaryLife) {
  for (const bool stamped : {false, true}) EXPECT_EQ(compare(plain_life(stamped), "plain"), plain_life(stamped).size() - 1);
}

TEST(Compact, EndsWhereItsFramesAreTooFarApart) {
  expect_limit(1, 10, 0xffff'ffff, [](std::vector<Segment>& life, std::size_t n, std::uint64_t far) {
    for (std::size_t m = n; m != life.size(); ++m) life[m].frame = life[0].frame + far + (m - n);
  });
}

/// The segment and what follows it comes so much later than the SYN.
void delay(std::vector<Segment>& life, std::size_t n, std::uint64_t after) {
  const base::Duration shift = life[0].time + static_cast<base::Duration>(after) - life[n].time;
  for (std::size_t m = n; m != life.size(); ++m) {
    life[m].time = life[m].clock = life[m].time + shift;
    if (life[m].has(present::kTimestamps)) life[m].ts_val = static_cast<std::uint32_t>(life[m].time / base::kMillisecond);
  }
}

TEST(Compact, EndsWhereItLastsTooLong) {
  expect_limit(1, 2, (1ULL << 40) - 1, delay);
  expect_limit(3, 10, (1ULL << 47) - 1, delay);
}

TEST(Compact, EndsWhereTimeGoesBackBehindItsBeginning) {
  for (std::size_t n = 1; n <= 10; ++n) {
    for (const base::Duration before : {0, 1}) {
      std::vector<Segment> life = plain_life(false);
      life[n].time = life[0].time - before;
      const unsigned took = compare(life, "segment " + std::to_string(n));
      if (before == 0) {
        EXPECT_GE(took, n);
      } else {
        EXPECT_EQ(took, n - 1);
      }
    }
  }
}

TEST(Compact, EndsWhereASegmentIsTooLong) {
  const auto lengthen = [](std::vector<Segment>& life, std::size_t n, std::uint64_t payload) {
    life[n].payload_length = static_cast<std::uint32_t>(payload);
    life[n].ip_length = 100'000;
    life.resize(n + 1);
  };
  expect_limit(3, 3, 65535, lengthen);
  expect_limit(5, 5, 65535, lengthen);
  expect_limit(7, 7, 65535, lengthen);  // the FIN
}

/// Its timestamps have gone round once, and now look like those of a segment held up since before its SYN.
TEST(Compact, RemembersThatASegmentWasHeldUpSinceBeforeTheSyn) {
  std::vector<Segment> life = plain_life(true);
  life.resize(4);
  life.push_back(life[3]);
  const base::Timestamp start = life[0].time;
  const std::uint32_t first = life[0].ts_val;
  const auto at = [&](std::size_t n, base::Duration milliseconds, std::uint32_t ts_val) {
    life[n].time = life[n].clock = start + milliseconds * base::kMillisecond;
    life[n].ts_val = ts_val;
  };
  at(1, 5, life[1].ts_val);
  at(2, 10, first + 10);
  at(3, 11, first + 0x8000'0005);
  at(4, 12, first - 30);
  life[4].seq = life[3].end();
  life[4].frame = 5;
  life[4].ip_id = 5;
  EXPECT_EQ(compare(life, "held up"), 4U);

  ShortWay quick;
  Way slow;
  begin(quick, slow, life[0]);
  for (std::size_t n = 1; n != life.size(); ++n) quick.apply(life[n]);
  EXPECT_EQ(quick.whole().ends[0].spoke_at, start - 29 * base::kMillisecond);
}

// ---- what only some lives have

TEST(Compact, LooksAtNoExtraWithoutTimestampsAndTunnels) {
  ShortWay quick;
  Way slow;
  const std::vector<Segment> life = plain_life(false);
  begin(quick, slow, life[0]);
  for (std::size_t n = 1; n != life.size(); ++n) quick.apply(life[n]);
  EXPECT_EQ(quick.took, life.size() - 1);
  const CompactExtra before = anything();
  EXPECT_EQ(std::memcmp(&quick.extra, &before, sizeof before), 0);
}

TEST(Compact, RemembersWhatItsFirstFrameWasWrappedIn) {
  for (const bool stamped : {false, true}) {
    std::vector<Segment> life = plain_life(stamped);
    for (Segment& s : life) s.encapsulation.add_vlan(77);
    EXPECT_EQ(compare(life, "tagged"), life.size() - 1);
  }
}

TEST(Compact, HasTimestampsOfOneEndAlone) {
  for (const unsigned end : {0U, 1U}) {
    std::vector<Segment> life = plain_life(true);
    for (Segment& s : life) {
      if (s.direction == end) continue;
      s.present &= static_cast<std::uint16_t>(~present::kTimestamps);
      s.ts_val = 0;
    }
    EXPECT_EQ(compare(life, "end " + std::to_string(end)), life.size() - 1);
  }
}

}  // namespace
}  // namespace finwait::tcp

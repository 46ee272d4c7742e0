// What is told briefly of an ordinary life is what the full record of it says, whatever its shape at the end and whatever ended it.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "finwait/tcp/brief.h"
#include "finwait/tcp/tracker.h"

namespace finwait::tcp {
namespace {

using wire::Segment;
namespace flag = wire::tcp_flag;
namespace present = wire::present;

constexpr base::Timestamp kBegin = 1'700'000'000 * base::kSecond;

/// Many lives at once, each from its SYN up to a step where it stops; hardly anything in them is odd.
class Lives {
 public:
  explicit Lives(unsigned seed) : engine_(seed) {}

  std::vector<Segment> segments() {
    std::vector<Life> lives(40);
    for (std::size_t n = 0; n != lives.size(); ++n) lives[n] = begin(n);
    for (std::size_t n = 0; n != 400; ++n) {
      Life& life = lives[pick(lives.size())];
      if (life.steps != 0) step(life);
    }
    return std::move(said_);
  }

 private:
  struct Life {
    wire::FlowKey key;
    unsigned originator = 0;
    unsigned closer = 0;
    unsigned steps = 0;  ///< still to come
    unsigned at = 0;
    unsigned data = 0;
    bool stamped = false;
    bool at_once = false;
    bool crossing = false;
    std::array<std::uint32_t, 2> next{};
    std::array<std::uint32_t, 2> acked{};
  };

  unsigned pick(std::size_t n) { return static_cast<unsigned>(engine_() % n); }

  Life begin(std::size_t n) {
    Life life;
    life.key.low.bytes[15] = static_cast<std::uint8_t>(1 + n % 5);
    life.key.high.bytes[15] = 99;
    life.key.low_port = static_cast<std::uint16_t>(40000 + n);
    life.key.high_port = 80;
    life.originator = pick(2);
    life.closer = pick(2);
    life.steps = pick(4) == 0 ? 100 : 1 + pick(9);
    life.data = pick(4);
    life.stamped = pick(2) == 0;
    life.at_once = pick(2) == 0;
    life.crossing = pick(4) == 0;
    for (std::uint32_t& number : life.next) number = static_cast<std::uint32_t>(engine_());
    return life;
  }

  void step(Life& life) {
    --life.steps;
    const unsigned a = life.originator;
    const unsigned x = life.closer;
    switch (life.at++) {
      case 0:
        return say(life, a, flag::kSyn, 0);
      case 1:
        if (pick(6) == 0) {
          life.at = 8;
          return say(life, 1 - a, flag::kRst | flag::kAck, 0);
        }
        return say(life, 1 - a, flag::kSyn | flag::kAck, 0);
      case 2:
        if (pick(8) == 0) {
          life.at = 8;
          return say(life, a, flag::kRst, 0);
        }
        return say(life, a, flag::kAck, 0);
      case 3:
        if (life.data == 0) break;
        --life.data;
        --life.at;
        return say(life, pick(2), flag::kAck | flag::kPsh, pick(1400));
      case 4:
        if (pick(4) == 0) {
          life.at = 8;
          return say(life, x, flag::kRst | flag::kAck, 0);
        }
        if (life.crossing) return cross(life);
        return say(life, x, flag::kFin | flag::kAck, pick(3) == 0 ? 100 : 0);
      case 5:
        if (life.at_once) break;
        return say(life, 1 - x, flag::kAck, 0);
      case 6:
        if (life.crossing) break;
        return say(life, 1 - x, flag::kFin | flag::kAck, pick(4) == 0 ? 100 : 0);
      case 7:
        return say(life, x, flag::kAck, 0);
      default:
        if (pick(10) == 0) say(life, pick(2), pick(2) == 0 ? flag::kRst : flag::kAck, 0);
        break;
    }
  }

  /// Everything is acknowledged, then both FINs are under way at once.
  void cross(Life& life) {
    const unsigned x = life.closer;
    say(life, x, flag::kAck, 0);
    say(life, 1 - x, flag::kAck, 0);
    const std::uint32_t before = life.next[x];
    say(life, x, flag::kFin | flag::kAck, 0);
    const std::uint32_t behind = std::exchange(life.next[x], before);
    say(life, 1 - x, flag::kFin | flag::kAck, 0);
    life.next[x] = behind;
    if (pick(2) == 0) life.closer = 1 - x;  // whose FIN is acknowledged first
    life.at_once = false;
  }

  void say(Life& life, unsigned from, std::uint16_t flags, std::uint32_t payload) {
    const base::Duration pause = pick(12) == 0 ? 4 * base::kSecond : 50 * base::kMillisecond;
    time_ += static_cast<base::Duration>(engine_() % static_cast<std::uint64_t>(pause));
    Segment s;
    s.key = life.key;
    s.direction = static_cast<std::uint8_t>(from);
    s.time = s.clock = time_;
    s.frame = said_.size() + 1;
    s.flags = flags;
    s.seq = life.next[from];
    const bool late = (flags & (flag::kSyn | flag::kFin)) == 0 && life.at > 4 && pick(3) == 0;  // it has not seen all there is
    if (!late) life.acked[from] = life.next[1 - from];
    if ((flags & flag::kAck) != 0) s.ack = life.acked[from];
    s.payload_length = payload;
    s.ip_length = 40 + payload;
    s.window = 60000;
    s.ttl = static_cast<std::uint8_t>(60 + from);
    s.ip_id = static_cast<std::uint16_t>(s.frame);
    if ((flags & flag::kSyn) != 0) s.present |= present::kWindowScale | present::kMss | present::kSackPermitted;
    if ((flags & flag::kSyn) != 0) s.mss = 1460;
    if (life.stamped) {
      s.present |= present::kTimestamps;
      s.ts_val = static_cast<std::uint32_t>(time_ / base::kMillisecond) + from;
    }
    life.next[from] = s.end();
    said_.push_back(s);
  }

  std::mt19937 engine_;
  base::Timestamp time_ = kBegin;
  std::vector<Segment> said_;
};

std::string text_of(const BriefOutcome& outcome) {
  const Brief& b = outcome.brief;
  std::ostringstream out;
  const auto put = [&out](const auto&... values) { ((out << +values << ' '), ...); };
  put(b.key.low.bytes[15], b.key.low_port, b.key.high_port, b.id, b.start, b.end, b.last_clock, b.released_at, b.originator);
  out << name(b.opening) << ' ' << name(b.ending) << ' ' << name(b.replaced) << ' ';
  put(b.syn_seen, b.syn_ack_seen, b.syn_ack_repeated, b.time_wait_reused, b.syn_time);
  if (b.syn_ack_seen) put(b.syn_ack_time);
  for (unsigned end = 0; end != 2; ++end) {
    const Brief::End& x = b.ends[end];
    out << "\n ";
    put(x.packets, x.ip_bytes, x.payload_bytes, x.missing_bytes, x.syn_time, x.known, x.iss, x.snd_nxt);
    put(x.retransmitted_segments, x.duplicates, x.ttl, x.options_signature, x.lone_fin);
    const StateSteps::End& steps = b.steps.ends[end];
    for (unsigned n = 0; n != steps.count; ++n) out << name(StateSteps::state_of(steps.states, n)) << '@' << steps.times[n] << ' ';
  }
  for (const Anomaly& a : outcome.anomalies) {
    out << "\n  " << info(a.kind).name << ' ';
    put(static_cast<int>(a.severity), a.origins, a.end, a.count, a.time, a.frames[0], a.frames[1], a.frames[2], a.values[0], a.values[1]);
  }
  return out.str();
}

/// How much is wanted of each connection; kTogether: those that never opened some at a time, of others a Brief.
enum class Wanted { kAll, kBriefs, kTogether };

/// What a tracker says of the lives, and how many of each ending it told briefly.
struct Told {
  std::vector<std::string> all;
  std::array<unsigned, kEndings> briefly{};
  std::array<unsigned, kAnomalyKinds> found{};  ///< by the kind of their one finding
  unsigned together = 0;
  unsigned left_half_open = 0;  ///< of these
};

Told told(const TrackerOptions& options, std::vector<Segment> segments, Wanted wanted, bool lossy, base::Duration after) {
  Told said;
  Tracker tracker(options);
  const auto take = [&said](const auto& outcome) {
    if constexpr (std::is_same_v<decltype(outcome), const Outcome&>) {
      Brief brief;
      write_brief(outcome, brief);
      said.all.push_back(text_of({brief, outcome.anomalies}));
    } else {
      ++said.briefly[static_cast<std::size_t>(outcome.brief.ending)];
      if (!outcome.anomalies.empty()) ++said.found[static_cast<std::size_t>(outcome.anomalies.front().kind)];
      said.all.push_back(text_of(outcome));
    }
  };
  const auto take_together = [&](std::span<const Unopened> unopened) {
    EXPECT_FALSE(unopened.empty());
    said.together += unopened.size() > 1;
    Brief brief;
    for (const Unopened& c : unopened) {
      EXPECT_LE(c.ends[0].time, c.clock);
      EXPECT_EQ(c.ending == Ending::kEvicted,
                c.opening() == Opening::kHalfOpen ? c.ending != Ending::kHalfOpen : c.ending != Ending::kUnanswered);
      said.left_half_open += c.left_half_open;
      write_brief(c, brief);
      EXPECT_EQ(c.packets(), brief.ends[0].packets + brief.ends[1].packets);
      EXPECT_EQ(c.ip_bytes(), brief.ends[0].ip_bytes + brief.ends[1].ip_bytes);
      const std::optional<Anomaly> found = finding_of(c);
      take(BriefOutcome{brief, {found ? &*found : nullptr, found ? 1U : 0U}});
    }
  };
  const auto drain = [&] {
    const std::size_t before = said.all.size();
    const std::size_t n = wanted == Wanted::kTogether ? tracker.drain(take, take_together) : tracker.drain(wanted == Wanted::kBriefs, take);
    EXPECT_EQ(said.all.size() - before, n);
  };
  for (std::size_t n = 0; n != segments.size(); ++n) {
    segments[n].hash = tracker.hash(segments[n].key);
    if (lossy && n == segments.size() / 2) tracker.note_loss(segments[n].time - base::kSecond, segments[n].time);
    tracker.track({&segments[n], 1});
    tracker.advance(segments[n].clock);
    drain();
  }
  tracker.finish(segments.back().clock + after);
  drain();
  return said;
}

TEST(CompactBrief, SaysWhatTheFullRecordSays) {
  std::array<unsigned, kEndings> briefly{};
  std::array<unsigned, kAnomalyKinds> found{};
  unsigned together = 0;
  unsigned left_half_open = 0;
  for (unsigned seed = 1; seed <= 400 && !HasFailure(); ++seed) {
    std::mt19937 engine(seed);
    TrackerOptions options;
    options.max_connections = engine() % 3 == 0 ? 12 : 64;
    options.zeek = false;
    if (engine() % 4 == 0) options.timers.idle = 20 * base::kSecond;
    if (engine() % 8 == 0) options.timers.thresholds.tries = 0;
    if (engine() % 8 == 0) options.timers.thresholds.storm = engine() % 2;
    const bool lossy = engine() % 3 == 0;
    const base::Duration after = engine() % 3 == 0 ? 0 : static_cast<base::Duration>(engine() % 200) * base::kSecond;
    const std::vector<Segment> segments = Lives(seed).segments();
    const Told quick = told(options, segments, Wanted::kBriefs, lossy, after);
    const Told quickest = told(options, segments, Wanted::kTogether, lossy, after);
    const Told slow = told(options, segments, Wanted::kAll, lossy, after);
    options.readers = true;  // nothing is kept short
    const Told slowest = told(options, segments, Wanted::kAll, lossy, after);
    EXPECT_EQ(slowest.all, slow.all) << "seed " << seed;
    EXPECT_EQ(quick.all, slow.all) << "seed " << seed;
    EXPECT_EQ(quickest.all, slow.all) << "seed " << seed;
    EXPECT_EQ(quickest.briefly, quick.briefly) << "seed " << seed;
    together += quickest.together;
    left_half_open += quickest.left_half_open;
    for (std::size_t n = 0; n != briefly.size(); ++n) briefly[n] += quick.briefly[n];
    for (std::size_t n = 0; n != found.size(); ++n) found[n] += quick.found[n];
  }
  for (const Ending ending : {Ending::kUnanswered, Ending::kHalfOpen, Ending::kOpen, Ending::kGraceful, Ending::kReset, Ending::kRefused,
                              Ending::kTimeout, Ending::kEvicted, Ending::kAborted}) {
    EXPECT_GT(briefly[static_cast<std::size_t>(ending)], 50U) << name(ending);
  }
  for (const AnomalyKind kind : {AnomalyKind::kHalfOpen, AnomalyKind::kResetEstablished, AnomalyKind::kConnectionRefused,
                                 AnomalyKind::kResetInHandshake, AnomalyKind::kSimultaneousClose}) {
    EXPECT_GT(found[static_cast<std::size_t>(kind)], 50U) << info(kind).name;
  }
  EXPECT_GT(together, 50U);
  EXPECT_GT(left_half_open, 50U);
}

/// Where a full record is wanted, nobody is given less.
TEST(CompactBrief, IsGivenOnlyToWhomItWillDo) {
  const Told full = told({}, Lives(1).segments(), Wanted::kAll, false, 0);
  EXPECT_FALSE(full.all.empty());
  for (const unsigned n : full.briefly) EXPECT_EQ(n, 0U);
}

}  // namespace
}  // namespace finwait::tcp

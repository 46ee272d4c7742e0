// What the detectors of streams say that a trace cannot write down (bytes), and what hostile streams cost: time per segment and memory must
// not grow with what goes wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <vector>

#include "finwait/tcp/anomaly_text.h"
#include "finwait/tcp/tracker.h"

namespace finwait::tcp {
namespace {

namespace flag = wire::tcp_flag;
using wire::Segment;

/// Segments of one flow, in order of time, as the decoder would give them.
class Stream {
 public:
  Segment& add(unsigned from, std::uint16_t flags, std::uint32_t seq, std::uint32_t ack, std::uint32_t length = 0) {
    Segment s;
    constexpr std::array<std::uint8_t, 4> kLow{10, 0, 0, 1};
    constexpr std::array<std::uint8_t, 4> kHigh{10, 0, 0, 2};
    s.key.low = wire::Address::v4(kLow.data());
    s.key.high = wire::Address::v4(kHigh.data());
    s.key.low_port = 40'000;
    s.key.high_port = 80;
    s.direction = static_cast<std::uint8_t>(from);
    s.flags = flags;
    s.seq = seq;
    s.ack = ack;
    s.payload_length = length;
    s.ip_length = 40 + length;
    s.window = 60'000;
    s.ttl = 64;
    s.ip_id = ++ip_id_[from];
    s.frame = segments_.size() + 1;
    s.time = s.clock = kStart + static_cast<base::Timestamp>(s.frame) * base::kMillisecond;
    segments_.push_back(s);
    return segments_.back();
  }

  Stream& open() {
    add(0, flag::kSyn, 0, 0);
    add(1, flag::kSyn | flag::kAck, 0, 1);
    add(0, flag::kAck, 1, 1);
    return *this;
  }

  [[nodiscard]] std::vector<Segment>& segments() noexcept { return segments_; }

 private:
  static constexpr base::Timestamp kStart = 1'000'000 * base::kSecond;
  std::vector<Segment> segments_;
  std::array<std::uint16_t, 2> ip_id_{};
};

struct Told {
  std::vector<Anomaly> anomalies;
  double nanoseconds = 0;  ///< a segment, the fastest of some runs
  std::uint64_t blocks_exhausted = 0;
};

/// Of this thread, in nanoseconds: what others do on the machine does not count.
double processor_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// `on`: how long the capture goes on after the last segment.
Told track(Stream& stream, int runs = 1, base::Duration on = 0) {
  Told told;
  told.nanoseconds = 1e18;
  for (int run = 0; run != runs; ++run) {
    TrackerOptions options;
    options.max_connections = 16;
    Tracker tracker(options);
    for (Segment& s : stream.segments()) s.hash = tracker.hash(s.key);
    const double begin = processor_time();
    tracker.track(stream.segments());
    told.nanoseconds = std::min(told.nanoseconds, (processor_time() - begin) / static_cast<double>(stream.segments().size()));
    tracker.finish(stream.segments().back().clock + on);
    told.anomalies.clear();
    tracker.drain(
        [&](const Outcome& outcome) { told.anomalies.insert(told.anomalies.end(), outcome.anomalies.begin(), outcome.anomalies.end()); });
    told.blocks_exhausted = tracker.counts().blocks_exhausted;
  }
  return told;
}

std::optional<Anomaly> find(const Told& told, AnomalyKind kind) {
  for (const Anomaly& a : told.anomalies) {
    if (a.kind == kind) return a;
  }
  return std::nullopt;
}

Segment& with_sum(Segment& s, std::uint16_t sum) {
  s.present |= wire::present::kPayloadSum;
  s.payload_sum = sum;
  return s;
}

TEST(Overlap, IsInconsistentWithOtherBytesAtTheSameNumbers) {
  Stream stream;
  stream.open();
  with_sum(stream.add(1, flag::kAck, 1, 1, 500), 0x1234);
  with_sum(stream.add(1, flag::kAck, 1, 1, 500), 0x4321);
  const auto found = find(track(stream), AnomalyKind::kOverlapInconsistent);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->severity, Severity::kAlert);
  EXPECT_EQ(found->end, 1);
  EXPECT_EQ(found->frames[0], 4U);
  EXPECT_EQ(found->frames[1], 5U);
  EXPECT_EQ(found->values[0], 500);
}

TEST(Overlap, IsNotSuspectedOfTheSameBytes) {
  Stream stream;
  stream.open();
  with_sum(stream.add(1, flag::kAck, 1, 1, 500), 0x1234);
  with_sum(stream.add(1, flag::kAck, 1, 1, 500), 0x1234);
  EXPECT_FALSE(find(track(stream), AnomalyKind::kOverlapInconsistent));
}

/// Another range, a sum that says nothing, a probe: none of them can be compared.
TEST(Overlap, IsNotSuspectedWhereNothingCanBeCompared) {
  for (int which = 0; which != 5; ++which) {
    Stream stream;
    stream.open();
    const std::uint32_t length = which == 4 ? 1 : 500;
    with_sum(stream.add(1, flag::kAck, 1, 1, length), 0x1234);
    Segment& again = with_sum(stream.add(1, flag::kAck, 1, 1, which == 0 ? 400 : length), 0x4321);
    if (which == 1) again.present = 0;
    if (which == 2) again.present |= wire::present::kBadChecksum;
    if (which == 3) again.present |= wire::present::kOffloaded;
    EXPECT_FALSE(find(track(stream), AnomalyKind::kOverlapInconsistent)) << which;
  }
}

TEST(ResetLooks, AreAnAlertOnlyTogetherWithASenderThatGoesOn) {
  Stream stream;
  stream.open();
  stream.add(1, flag::kAck, 1, 1, 100);
  stream.add(0, flag::kAck, 1, 101);
  stream.add(1, flag::kRst | flag::kAck, 101, 1).ttl = 200;
  Told told = track(stream);
  ASSERT_TRUE(find(told, AnomalyKind::kResetSuspectedForged));
  EXPECT_LE(find(told, AnomalyKind::kResetSuspectedForged)->severity, Severity::kNotice);

  stream.add(1, flag::kAck, 101, 1, 100);
  told = track(stream);
  const auto found = find(told, AnomalyKind::kResetSuspectedForged);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->severity, Severity::kAlert);
  EXPECT_EQ(found->values[0] & (forged::kWentOn | forged::kTtl), forged::kWentOn | forged::kTtl);
  EXPECT_EQ(found->values[1], 200 - 64);
}

std::int64_t side_of(Stream& stream, AnomalyKind kind) {
  const auto found = find(track(stream), kind);
  return found ? found->values[1] : -1;
}

/// A SYN that passed the tap and is repeated without an answer was lost beyond it; with one, the answer was lost on its way back.
TEST(LostSide, OfASynIsToldByWhetherItsAnswerHadPassedTheTap) {
  Stream unanswered;
  unanswered.add(0, flag::kSyn, 0, 0);
  unanswered.add(0, flag::kSyn, 0, 0).time += base::kSecond;
  EXPECT_EQ(side_of(unanswered, AnomalyKind::kSynRetransmitted), lost::kBeyond);

  Stream answered;
  answered.add(0, flag::kSyn, 0, 0);
  answered.add(1, flag::kSyn | flag::kAck, 0, 1);
  answered.add(0, flag::kSyn, 0, 0).time += base::kSecond;
  answered.add(1, flag::kSyn | flag::kAck, 0, 1).time += base::kSecond;
  EXPECT_EQ(side_of(answered, AnomalyKind::kSynRetransmitted), lost::kHere);
  EXPECT_EQ(find(track(answered), AnomalyKind::kSynRetransmitted)->frames, (std::array<std::uint64_t, 3>{1, 3, 2}))
      << "both SYNs, and the answer that did not get through";
  EXPECT_EQ(side_of(answered, AnomalyKind::kSynAckRetransmitted), lost::kBeyond) << "the loss is the originator's, as seen from here";
}

TEST(LostSide, OfARefusalThatWasNotHeededIsItsTargets) {
  Stream refused;
  refused.add(0, flag::kSyn, 0, 0);
  refused.add(1, flag::kRst | flag::kAck, 0, 1);
  refused.add(0, flag::kSyn, 0, 0).time += base::kSecond;
  EXPECT_EQ(side_of(refused, AnomalyKind::kSynRetransmitted), lost::kHere);
  EXPECT_EQ(find(track(refused), AnomalyKind::kSynRetransmitted)->frames, (std::array<std::uint64_t, 3>{1, 3, 2}))
      << "both SYNs, and the RST that did not get through or was not heeded";
}

TEST(LostSide, IsNotToldWhenAnswerAndRepetitionCross) {
  Stream stream;
  stream.add(0, flag::kSyn, 0, 0);
  stream.add(1, flag::kSyn | flag::kAck, 0, 1).time += base::kSecond;
  stream.add(0, flag::kSyn, 0, 0).time += base::kSecond;  // a millisecond after the answer passed: before it arrived
  EXPECT_EQ(side_of(stream, AnomalyKind::kSynRetransmitted), 0);
}

TEST(LostSide, OfTheHandshakesAckIsTheResponders) {
  Stream stream;
  stream.open();
  stream.add(1, flag::kSyn | flag::kAck, 0, 1).time += base::kSecond;
  EXPECT_EQ(side_of(stream, AnomalyKind::kHandshakeAckLost), lost::kBeyond);
  EXPECT_EQ(side_of(stream, AnomalyKind::kSynAckRetransmitted), lost::kHere);
}

TEST(LostSide, OfAFinIsToldByWhetherItsAcknowledgmentHadPassedTheTap) {
  for (const bool seen : {false, true}) {
    Stream stream;
    stream.open();
    stream.add(0, flag::kFin | flag::kAck, 1, 1);
    stream.add(1, flag::kFin | flag::kAck, 1, 2);
    if (seen) stream.add(0, flag::kAck, 2, 2);
    stream.add(1, flag::kFin | flag::kAck, 1, 2).time += base::kSecond;
    EXPECT_EQ(side_of(stream, AnomalyKind::kFinRetransmitted), seen ? lost::kHere : lost::kBeyond);
    EXPECT_EQ(side_of(stream, AnomalyKind::kFinalAckLost), seen ? lost::kBeyond : -1) << "nothing was seen, so nothing is known to be lost";
  }
}

/// The FIN of the originator, repeated after 30 ms and then each time after twice as long.
Stream unanswered_fin(int repetitions) {
  Stream stream;
  stream.open();
  stream.add(0, flag::kFin | flag::kAck, 1, 1);
  base::Duration after = 30 * base::kMillisecond;
  for (int n = 0; n != repetitions; ++n, after *= 2) {
    const base::Timestamp last = stream.segments().back().time;
    Segment& fin = stream.add(0, flag::kFin | flag::kAck, 1, 1);
    fin.time = fin.clock = last + after;
  }
  return stream;
}

TEST(UnansweredFin, IsTheCapturesLossIfItWasNotRepeatedAgainAlthoughThatWasDue) {
  for (const int repetitions : {0, 1, 2}) {
    Stream stream = unanswered_fin(repetitions);
    const auto found = find(track(stream, 1, 60 * base::kSecond), AnomalyKind::kFinUnanswered);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->origins, origin::kCapture) << repetitions;
    EXPECT_EQ(found->severity, Severity::kInfo) << repetitions;
  }
}

TEST(UnansweredFin, IsMissingIfItsSenderGaveUpOrTheNextRepetitionWasStillToCome) {
  Stream given_up = unanswered_fin(3);
  const auto found = find(track(given_up, 1, 60 * base::kSecond), AnomalyKind::kFinUnanswered);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->severity, Severity::kWarning);
  EXPECT_EQ(found->origins & origin::kCapture, 0);

  Stream soon = unanswered_fin(2);
  EXPECT_EQ(find(track(soon, 1, 2 * base::kSecond), AnomalyKind::kFinUnanswered)->severity, Severity::kWarning);
}

TEST(LostSide, OfSeveralLossesMayBeBoth) {
  Stream stream;
  stream.add(0, flag::kSyn, 0, 0);
  stream.add(0, flag::kSyn, 0, 0).time += base::kSecond;
  stream.add(1, flag::kSyn | flag::kAck, 0, 1).time += base::kSecond;
  stream.add(0, flag::kSyn, 0, 0).time += 3 * base::kSecond;
  EXPECT_EQ(side_of(stream, AnomalyKind::kSynRetransmitted), lost::kHere | lost::kBeyond);
}

TEST(IcmpError, SaysWhatTheEndMadeOfIt) {
  for (const bool goes_on : {true, false}) {
    Stream stream;
    stream.open();
    stream.add(0, flag::kAck, 1, 1, 100);
    Segment& error = stream.add(0, flag::kAck, 1, 3 << 8 | 4);
    error.kind = wire::SegmentKind::kIcmpError;
    error.ip_length = 1400;
    if (goes_on) {
      stream.add(0, flag::kAck, 101, 1, 100);
    } else {
      Segment& other = stream.add(1, flag::kAck, 1, 101);
      other.time = other.clock = other.time + 10 * base::kSecond;
    }
    const auto found = find(track(stream), AnomalyKind::kIcmpError);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->values[0], 3 << 8 | 4);
    EXPECT_EQ(found->values[1], (goes_on ? icmp::kWentOn : icmp::kGaveUp) | 1400);
  }
}

// ---- what hostile streams cost

constexpr std::uint32_t kMany = 100'000;
constexpr int kRuns = 3;
/// A segment late in a long stream costs what one early in it costs: lists are bounded. The factor is for a busy machine and colder caches;
/// a cost that grew with the stream would be some sixteen times as high.
constexpr std::uint32_t kFew = kMany / 16;
constexpr double kGrowth = 5.0;

Stream overlapping(std::uint32_t many) {
  Stream stream;
  stream.open();
  for (std::uint32_t n = 0; n != many; ++n) with_sum(stream.add(1, flag::kAck, 1 + n % 7 * 100, 1, 1000), static_cast<std::uint16_t>(n));
  return stream;
}

Stream window_updates(std::uint32_t many) {
  Stream stream;
  stream.open();
  stream.add(0, flag::kAck, 1, 1, 100);
  for (std::uint32_t n = 0; n != 10 * many; ++n) stream.add(1, flag::kAck, 1, 101).window = static_cast<std::uint16_t>(n * 7919);
  return stream;
}

Stream resets(std::uint32_t many) {
  Stream stream;
  stream.open();
  for (std::uint32_t n = 0; n != many; ++n) stream.add(n % 2, n % 3 == 0 ? flag::kRst | flag::kAck : flag::kRst, n % 5 * 1000, 1);
  return stream;
}

Stream holes(std::uint32_t many) {
  Stream stream;
  stream.open();
  for (std::uint32_t n = 0; n != many; ++n) stream.add(1, flag::kAck, 1 + n * 2, 1, 1);
  return stream;
}

Stream reset_and_go_on(std::uint32_t many) {
  Stream stream;
  stream.open();
  for (std::uint32_t n = 0; n != many / 2; ++n) {
    stream.add(1, flag::kRst | flag::kAck, 1 + n * 10, 1);
    stream.add(1, flag::kAck, 1 + n * 10, 1, 10);
  }
  return stream;
}

Stream syns_and_fins(std::uint32_t many) {
  Stream stream;
  stream.open();
  for (std::uint32_t n = 0; n != many; ++n) {
    const std::uint16_t flags = n % 3 == 0 ? flag::kSyn : n % 3 == 1 ? flag::kFin | flag::kAck : flag::kSyn | flag::kAck;
    stream.add(n % 2, flags, n * 12'345, n * 777);
  }
  return stream;
}

/// Numbers of no connection, each of them a new one that might have begun unseen.
Stream invented(std::uint32_t many) {
  Stream stream;
  stream.open();
  for (std::uint32_t n = 0; n != many; ++n) {
    const std::uint16_t flags = n % 3 == 0 ? flag::kSyn | flag::kAck : flag::kAck;
    stream.add(n % 2, flags, 1'000'000 + n * 500'000, 3'000'000 + n * 700'000, n % 5);
  }
  return stream;
}

TEST(HostileStreams, CostTheSameASegmentHoweverLongTheyAre) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "times mean nothing under a sanitizer";
#endif
  const auto check = [&](const char* name, auto made_of) {
    Stream few = made_of(kFew);
    Stream many = made_of(kMany);
    const double early = track(few, 3 * kRuns).nanoseconds;
    const Told told = track(many, kRuns);
    EXPECT_LT(told.nanoseconds, kGrowth * early) << name << ": " << told.nanoseconds << " ns against " << early;
    EXPECT_EQ(told.blocks_exhausted, 0U) << name << ": one connection took all the memory of its neighbours";
    RecordProperty(name, std::to_string(told.nanoseconds / early));
  };
  check("overlapping", overlapping);
  check("window_updates", window_updates);
  check("resets", resets);
  check("holes", holes);
  check("reset_and_go_on", reset_and_go_on);
  check("syns_and_fins", syns_and_fins);
  check("invented", invented);
}

TEST(HostileStreams, AreOneFindingAKind) {
  Stream stream = overlapping(kMany);
  const auto found = find(track(stream), AnomalyKind::kOverlapInconsistent);
  ASSERT_TRUE(found);
  EXPECT_GT(found->count, kMany / 2);
}

}  // namespace
}  // namespace finwait::tcp

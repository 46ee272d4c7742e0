#include "../../src/tcp/machine.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace finwait::tcp {
namespace {

using base::kMillisecond;
using base::kSecond;
using wire::Segment;
namespace flag = wire::tcp_flag;
namespace present = wire::present;

constexpr std::uint16_t kS = flag::kSyn;
constexpr std::uint16_t kA = flag::kAck;
constexpr std::uint16_t kF = flag::kFin | flag::kAck;
constexpr std::uint16_t kR = flag::kRst;
constexpr std::uint16_t kSA = flag::kSyn | flag::kAck;

constexpr unsigned kX = 0;  ///< opens, where somebody does
constexpr unsigned kY = 1;

/// One connection and the segments it is made of, 10 ms apart. Numbers are relative to each end's own initial number, chosen so that they
/// wrap; every segment has the next IP ID of its sender.
class Life {
 public:
  /// Sends a segment and returns its frame. Without the ACK flag `ack` means nothing.
  std::uint64_t send(unsigned from, std::uint16_t flags, std::uint32_t seq, std::uint32_t ack = 0, std::uint32_t payload = 0) {
    return apply(made(from, flags, seq, ack, payload));
  }
  Segment made(unsigned from, std::uint16_t flags, std::uint32_t seq, std::uint32_t ack = 0, std::uint32_t payload = 0) {
    Segment s;
    s.direction = static_cast<std::uint8_t>(from);
    s.key.low_port = 40000;
    s.key.high_port = 80;
    s.flags = flags;
    s.seq = kIsn[from] + seq;
    s.ack = (flags & kA) != 0 ? kIsn[1 - from] + ack : 0;
    s.payload_length = payload;
    s.ip_length = 40 + payload;
    s.window = 1000;
    s.ttl = 64;
    s.ip_id = ++ip_id_[from];
    return s;
  }
  std::uint64_t apply(const Segment& given) {
    Segment s = given;
    time += step;
    s.time = s.clock = time;
    s.frame = ++frame;
    journal.set_frame(s.frame);
    machine.apply(c, 0, s);
    return s.frame;
  }
  Life& open() {
    send(kX, kS, 0);
    send(kY, kSA, 0, 1);
    send(kX, kA, 1, 1);
    return *this;
  }
  /// Closed by X first, in four segments.
  Life& close() {
    send(kX, kF, 1, 1);
    send(kY, kA, 1, 2);
    send(kY, kF, 1, 2);
    send(kX, kA, 2, 2);
    return *this;
  }
  Life& after(base::Duration pause) {
    time += pause;
    return *this;
  }
  [[nodiscard]] std::string state(unsigned end) const { return std::string(name(c.ends[end].state)); }
  /// "ESTABLISHED ESTABLISHED": X, then Y.
  [[nodiscard]] std::string states() const { return state(kX) + " " + state(kY); }
  [[nodiscard]] std::string path(unsigned end) const {
    const Path p = derive(c.ends[end]);
    std::string text = p.size != 0 ? std::string(name(p.steps[0].from)) : "";
    for (int n = 0; n != p.size; ++n) text += " " + std::string(name(p.steps[static_cast<std::size_t>(n)].to));
    return text;
  }
  /// The last entry of an end in the log.
  [[nodiscard]] Transition last(unsigned end) const {
    std::vector<Transition> log;
    journal.read(c, log);
    Transition found;
    for (const Transition& t : log) {
      if (t.end == end) found = t;
    }
    return found;
  }
  [[nodiscard]] bool found(AnomalyKind kind) { return journal.get(c, kind) != nullptr; }

  static constexpr std::array<std::uint32_t, 2> kIsn{0xffff'fff0, 0x7fff'fffe};
  Timers timers;
  Blocks blocks{500};
  Journal journal{blocks, false};
  ZeekViews zeek{1};
  Machine machine{blocks, journal, zeek, timers};
  Connection c;
  base::Timestamp time = 1000 * kSecond;
  base::Duration step = 10 * kMillisecond;
  std::uint64_t frame = 0;

 private:
  std::array<std::uint16_t, 2> ip_id_{100, 200};
};

void expect_step(const Transition& t, State from, State to, Proof evidence, std::uint64_t cause, std::uint64_t proof) {
  EXPECT_EQ(name(t.from), name(from));
  EXPECT_EQ(name(t.to), name(to));
  EXPECT_EQ(t.evidence, evidence);
  EXPECT_EQ(t.cause_frame, cause);
  EXPECT_EQ(t.proof_frame, proof);
}

// ---- every row of the table (lifecycle, section 2), by segments

TEST(Machine, OpensInThreeSteps) {
  Life life;
  const auto syn = life.send(kX, kS, 0);
  expect_step(life.last(kX), State::kClosed, State::kSynSent, Proof::kProven, syn, syn);
  EXPECT_EQ(life.states(), "SYN-SENT UNKNOWN") << "nothing is known of the peer until it speaks";
  const auto syn_ack = life.send(kY, kSA, 0, 1);
  expect_step(life.last(kY), State::kListen, State::kSynReceived, Proof::kProven, syn, syn_ack);
  EXPECT_EQ(life.states(), "SYN-SENT SYN-RECEIVED");
  const auto ack = life.send(kX, kA, 1, 1);
  expect_step(life.last(kX), State::kSynSent, State::kEstablished, Proof::kProven, syn_ack, ack);
  expect_step(life.last(kY), State::kSynReceived, State::kEstablished, Proof::kPresumed, ack, ack);
}

TEST(Machine, OpensSimultaneously) {
  Life life;
  const auto x = life.send(kX, kS, 0);
  const auto y = life.send(kY, kS, 0);
  EXPECT_EQ(life.states(), "SYN-SENT SYN-SENT");
  const auto x_answers = life.send(kX, kSA, 0, 1);
  expect_step(life.last(kX), State::kSynSent, State::kSynReceived, Proof::kProven, y, x_answers);
  const auto y_answers = life.send(kY, kSA, 0, 1);
  EXPECT_EQ(life.path(kX), "CLOSED SYN-SENT SYN-RECEIVED ESTABLISHED");
  EXPECT_EQ(life.path(kY), "CLOSED SYN-SENT SYN-RECEIVED ESTABLISHED") << "rule 8: they crossed";
  const Path path = derive(life.c.ends[kY]);
  EXPECT_EQ(path.steps[1].why.cause, x);
  EXPECT_EQ(path.steps[1].why.proof, y_answers);
  EXPECT_EQ(path.steps[2].why.cause, x_answers);
}

TEST(Machine, ClosesInFourSteps) {
  Life life;
  life.open();
  const auto fin = life.send(kX, kF, 1, 1);
  expect_step(life.last(kX), State::kEstablished, State::kFinWait1, Proof::kProven, fin, fin);
  const auto ack = life.send(kY, kA, 1, 2);
  expect_step(life.last(kY), State::kEstablished, State::kCloseWait, Proof::kProven, fin, ack);
  expect_step(life.last(kX), State::kFinWait1, State::kFinWait2, Proof::kPresumed, ack, ack);
  const auto fin_back = life.send(kY, kF, 1, 2);
  expect_step(life.last(kY), State::kCloseWait, State::kLastAck, Proof::kProven, fin_back, fin_back);
  EXPECT_EQ(life.state(kX), "FIN-WAIT-2") << "that it has the FIN is not shown yet";
  const auto last_ack = life.send(kX, kA, 2, 2);
  expect_step(life.last(kX), State::kFinWait2, State::kTimeWait, Proof::kProven, fin_back, last_ack);
  expect_step(life.last(kY), State::kLastAck, State::kClosed, Proof::kPresumed, last_ack, last_ack);
}

TEST(Machine, ClosesInThreeSteps) {
  Life life;
  life.open();
  life.send(kX, kF, 1, 1);
  life.send(kY, kF, 1, 2);
  EXPECT_EQ(life.path(kY), "LISTEN SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK") << "one segment moves by two rows";
  EXPECT_EQ(life.state(kX), "FIN-WAIT-2");
  life.send(kX, kA, 2, 2);
  EXPECT_EQ(life.states(), "TIME-WAIT CLOSED");
}

TEST(Machine, ClosesSimultaneously) {
  Life life;
  life.open();
  life.send(kX, kF, 1, 1);
  const auto y = life.send(kY, kF, 1, 1);
  EXPECT_EQ(life.states(), "FIN-WAIT-1 FIN-WAIT-1") << "its FIN does not cover the other's: it closed before it had that";
  const auto x_acks = life.send(kX, kA, 2, 2);
  expect_step(life.last(kX), State::kFinWait1, State::kClosing, Proof::kProven, y, x_acks);
  EXPECT_EQ(life.state(kY), "FIN-WAIT-2") << "as far as is known: that it has the FIN is not shown";
  life.send(kY, kA, 2, 2);
  EXPECT_EQ(life.states(), "TIME-WAIT TIME-WAIT");
  EXPECT_EQ(life.path(kX), "CLOSED SYN-SENT ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT");
  EXPECT_EQ(life.path(kY), "LISTEN SYN-RECEIVED ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT") << "FIN-WAIT-2 was taken back";
}

TEST(Machine, PicksUpInTheMiddle) {
  Life data;
  const auto first = data.send(kX, kA, 1, 1, 10);
  expect_step(data.last(kX), State::kUnknown, State::kEstablished, Proof::kPresumed, first, first);
  EXPECT_EQ(data.states(), "ESTABLISHED UNKNOWN");
  data.send(kY, kA, 1, 11);
  EXPECT_EQ(data.states(), "ESTABLISHED ESTABLISHED");
  Life fin;
  fin.send(kX, kF, 1, 1);
  EXPECT_EQ(fin.path(kX), "UNKNOWN FIN-WAIT-1");
  fin.send(kY, kA, 1, 2);
  EXPECT_EQ(fin.path(kY), "UNKNOWN CLOSE-WAIT");
  EXPECT_EQ(fin.state(kX), "FIN-WAIT-2");
}

TEST(Machine, ClosesBothEndsByAReset) {
  Life life;
  life.open();
  const auto rst = life.send(kX, kR | kA, 1, 1);
  expect_step(life.last(kX), State::kEstablished, State::kClosed, Proof::kProven, rst, rst);
  expect_step(life.last(kY), State::kEstablished, State::kClosed, Proof::kPresumed, rst, rst);
}

TEST(Machine, RefusesByAResetThatAcknowledgesTheSyn) {
  Life refused;
  const auto syn = refused.send(kX, kS, 0);
  const auto rst = refused.apply([&] {
    Segment s = refused.made(kY, kR | kA, 0, 1);
    s.seq = 0;
    return s;
  }());
  EXPECT_LT(syn, rst);
  EXPECT_EQ(refused.states(), "CLOSED UNKNOWN") << "there was no socket to be closed";
  Life wrong;
  wrong.send(kX, kS, 0);
  wrong.send(kY, kR | kA, 0, 7);
  EXPECT_EQ(wrong.state(kX), "SYN-SENT") << "it acknowledges something else";
}

TEST(Machine, EndsTimeWaitByTimerAndByReuse) {
  Life timer;
  timer.open().close();
  timer.machine.expire_time_wait(timer.c, 0, kX, timer.time + 60 * kSecond);
  expect_step(timer.last(kX), State::kTimeWait, State::kClosed, Proof::kTimer, 0, 0);
  Life reuse;
  reuse.open().close();
  reuse.machine.reuse_time_wait(reuse.c, 0, kX, 50, 51, reuse.time + kSecond, true);
  expect_step(reuse.last(kX), State::kTimeWait, State::kClosed, Proof::kProven, 50, 51);
  reuse.machine.undo(reuse.c, 0, kX, Fact::kReused, reuse.time + 2 * kSecond);
  EXPECT_EQ(reuse.last(kX).evidence, Proof::kRefuted);
  EXPECT_EQ(reuse.state(kX), "TIME-WAIT");
}

// ---- what counts

TEST(Machine, DoesNotTakeAnAckBeyondWhatWasSent) {
  Life life;
  life.open();
  life.send(kX, kF, 1, 1);
  life.send(kY, kA, 1, 1000);
  EXPECT_EQ(life.state(kX), "FIN-WAIT-1");
}

TEST(Machine, LatchesWhatWasAcknowledged) {
  Life life;
  life.open();
  life.send(kX, kF, 1, 1);
  life.send(kY, kA, 1, 2);
  life.send(kY, kA, 1, 1);  // an old one
  EXPECT_EQ(life.states(), "FIN-WAIT-2 CLOSE-WAIT");
}

TEST(Machine, RestartsTimeWaitByARepeatedFin) {
  Life life;
  life.open().close();
  const base::Timestamp since = life.c.time_wait_since;
  EXPECT_EQ(since, life.time);
  life.after(10 * kSecond).send(kY, kF, 1, 2);
  EXPECT_EQ(life.c.time_wait_restarts, 1U);
  EXPECT_EQ(life.c.time_wait_since, life.time);
  EXPECT_TRUE(life.found(AnomalyKind::kFinRetransmitted));
}

// ---- refutation (rule 4)

TEST(Machine, TakesBackTheHandshakesEndWhenTheSynAckIsRepeatedLater) {
  Life life;
  life.open();
  life.after(kSecond).send(kY, kSA, 0, 1);
  EXPECT_EQ(life.last(kY).evidence, Proof::kRefuted);
  EXPECT_EQ(life.states(), "ESTABLISHED SYN-RECEIVED");
  const auto again = life.send(kX, kA, 1, 1);
  expect_step(life.last(kY), State::kSynReceived, State::kEstablished, Proof::kPresumed, again, again);
  EXPECT_TRUE(life.found(AnomalyKind::kHandshakeAckLost));
}

TEST(Machine, DoesNotTakeBackByASynAckThatCrossed) {
  Life life;
  life.open();  // the responder answers within 10 ms, so 17 ms are no answer
  life.step = kMillisecond;
  life.send(kY, kSA, 0, 1);
  EXPECT_EQ(life.states(), "ESTABLISHED ESTABLISHED");
}

TEST(Machine, TakesBackTheAckOfAFinThatIsRepeatedLater) {
  Life last;
  last.open().close();
  last.after(kSecond).send(kY, kF, 1, 2);
  EXPECT_EQ(last.states(), "TIME-WAIT LAST-ACK");
  EXPECT_TRUE(last.found(AnomalyKind::kFinalAckLost));
  Life first;
  first.open();
  first.send(kX, kF, 1, 1);
  first.send(kY, kA, 1, 2);
  first.after(kSecond).send(kX, kF, 1, 1);
  EXPECT_EQ(first.states(), "FIN-WAIT-1 CLOSE-WAIT");
}

TEST(Machine, TakesBackOnlyWhatCameLast) {
  Life handshake;
  handshake.open();
  handshake.send(kX, kF, 1, 1);
  handshake.send(kY, kA, 1, 2);
  handshake.after(kSecond).send(kY, kSA, 0, 1);
  EXPECT_FALSE(handshake.found(AnomalyKind::kHandshakeAckLost)) << "it has gone on: the ACK had arrived";
  EXPECT_TRUE(handshake.c.ends[kY].facts.has(Fact::kSynAcked));
  Life fin;
  fin.open().close();
  fin.after(kSecond).send(kX, kF, 1, 1);
  EXPECT_EQ(fin.path(kX), "CLOSED SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT");
}

TEST(Machine, BelievesNoCopyAndNoStaleSegment) {
  Life copy;
  copy.open();
  const Segment fin = copy.made(kX, kF, 1, 1);
  copy.apply(fin);
  copy.send(kY, kA, 1, 2);
  copy.after(kSecond).apply(fin);
  EXPECT_EQ(copy.state(kX), "FIN-WAIT-2") << "rule 2: a copy is made by the network";
  EXPECT_EQ(copy.c.ends[kX].counters.duplicates, 1U);
  EXPECT_EQ(copy.c.ends[kX].counters.fin, 2U) << "and is counted as everything on the wire";
  Life stale;
  stale.open();
  stale.send(kX, kF, 1, 1);
  stale.send(kY, kA, 1, 2);
  Segment old = stale.made(kX, kF, 1, 1);
  old.ip_id = 50;
  stale.after(kSecond).apply(old);
  EXPECT_EQ(stale.state(kX), "FIN-WAIT-2");
}

TEST(Machine, TakesBackAResetItsTargetDidNotHeed) {
  Life life;
  life.open();
  life.send(kX, kR | kA, 1, 1);
  life.after(kSecond).send(kY, kA, 1, 1, 10);
  EXPECT_EQ(life.states(), "CLOSED ESTABLISHED");
  EXPECT_TRUE(life.found(AnomalyKind::kResetIgnored));
}

TEST(Machine, TakesBackAResetWhoseSenderGoesOn) {
  Life life;
  life.open();
  life.send(kX, kR | kA, 1, 1);
  life.send(kX, kA, 1, 1, 10);  // rule 20: fresh data beyond the RST's number
  EXPECT_EQ(life.states(), "ESTABLISHED CLOSED") << "of the peer only its own words say so";
  EXPECT_TRUE(life.c.is(trait::kForgedReset));
}

// ---- RST (rules 10, 17)

TEST(Machine, TakesAResetInTimeWaitOnlyAtTheExactNumber) {
  Life life;
  life.open().close();
  life.send(kY, kR, 5);
  EXPECT_EQ(life.state(kX), "TIME-WAIT");
  life.send(kY, kR, 2);
  EXPECT_EQ(life.state(kX), "CLOSED");
  EXPECT_TRUE(life.found(AnomalyKind::kTimeWaitAssassinated));
}

TEST(Machine, TakesNoResetOutsideOrInsideTheWindowButExact) {
  for (const std::uint32_t seq : {0U, 2U, 500U, 5000U, 0x8000'0000U}) {
    Life life;
    life.open();
    life.send(kX, kR, seq);
    EXPECT_EQ(life.state(kY), "ESTABLISHED") << seq;
  }
}

TEST(Machine, DoesNotCloseAnEndThatOnlyAnswersSomethingUnacceptable) {
  Life life;
  life.send(kX, kS, 0);
  life.send(kY, kSA, 0, 700);  // acknowledges what was not sent
  life.send(kX, kR, 700);
  EXPECT_EQ(life.state(kX), "SYN-SENT") << "rule 10";
}

TEST(Machine, TakesTheThirdAckBackWhenItMeetsNoSocket) {
  Life life;
  life.open();
  const auto ack = life.frame;
  life.send(kY, kR, 1);  // rule 7
  EXPECT_EQ(life.path(kY), "LISTEN SYN-RECEIVED CLOSED");
  EXPECT_EQ(life.last(kY).cause_frame, ack);
  EXPECT_EQ(life.state(kX), "CLOSED");
}

// ---- ICMP (rule 11)

TEST(Machine, ClosesSynSentByAnUnreachableThatQuotesItsNumber) {
  const auto icmp = [](Life& life, std::uint32_t seq, std::uint8_t type) {
    Segment s = life.made(kX, kS, seq);
    s.kind = wire::SegmentKind::kIcmpError;
    s.ack = static_cast<std::uint32_t>(type) << 8 | 1;
    s.frame = ++life.frame;
    s.time = s.clock = life.time;
    life.machine.apply_icmp(life.c, 0, s);
  };
  Life life;
  life.send(kX, kS, 0);
  icmp(life, 7, 3);
  EXPECT_EQ(life.state(kX), "SYN-SENT") << "another number";
  icmp(life, 0, 11);
  EXPECT_EQ(life.state(kX), "SYN-SENT") << "time exceeded closes nothing";
  icmp(life, 0, 3);
  EXPECT_EQ(life.state(kX), "CLOSED");
  EXPECT_TRUE(life.c.is(trait::kUnreachable));
  Life open;
  open.open();
  icmp(open, 0, 3);
  EXPECT_EQ(open.state(kX), "ESTABLISHED");
}

// ---- which copy was received (rule 5)

TEST(Machine, PicksTheCopyWhoseTimestampWasEchoed) {
  Life life;
  Sightings copies;
  for (std::uint64_t n = 1; n <= 3; ++n)
    life.blocks.push_sighting(
        copies,
        {.frame = n, .time = static_cast<base::Timestamp>(n) * kSecond, .ts_val = static_cast<std::uint32_t>(n * 1000), .has_ts = true});
  const Endpoint receiver;
  const auto picked = [&](std::optional<std::uint32_t> echoed, std::uint64_t frame) {
    const auto sighting = life.machine.pick(copies, receiver, echoed, frame);
    return sighting ? sighting->frame : 0;
  };
  EXPECT_EQ(picked(2000, 9), 2U);
  EXPECT_EQ(picked(2999, 9), 2U) << "the greatest that is not newer";
  EXPECT_EQ(picked(3000, 2), 2U) << "only copies before the proof";
  EXPECT_EQ(picked(1, 9), 1U) << "an echo older than all: the first";
  EXPECT_EQ(picked(std::nullopt, 9), 1U);
  EXPECT_EQ(picked(2000, 0), 0U) << "none before";
  life.blocks.change_sightings(copies, [](Sighting& s) { s.dead = s.frame == 1; });
  EXPECT_EQ(picked(std::nullopt, 9), 2U) << "one answered by a challenge ACK was not received";
}

TEST(Machine, PicksTheFirstCopyAfterWhichTheReceiverLackedItNoMore) {
  Life life;
  Sightings copies;
  for (std::uint64_t n = 1; n <= 3; ++n) life.blocks.push_sighting(copies, {.frame = n, .time = static_cast<base::Timestamp>(n) * kSecond});
  Endpoint receiver;
  receiver.learn(known::kNotCovering);
  receiver.not_covering_at = 1500 * kMillisecond;  // half a second after the first, it still lacked it
  EXPECT_EQ(life.machine.pick(copies, receiver, std::nullopt, 9)->frame, 2U);
  receiver.not_covering_at = 1040 * kMillisecond;  // within what an answer takes
  EXPECT_EQ(life.machine.pick(copies, receiver, std::nullopt, 9)->frame, 1U);
  receiver.not_covering_at = 9 * kSecond;
  EXPECT_EQ(life.machine.pick(copies, receiver, std::nullopt, 9)->frame, 3U);
}

// ---- segments that are not of this life

TEST(Machine, CountsAStrayAndMovesNothing) {
  Life life;
  life.open();
  const auto before = life.c.ends[kX].counters.packets;
  Segment s = life.made(kX, kF, 0x4000'0000, 1);
  s.frame = ++life.frame;
  s.time = s.clock = life.time;
  life.machine.apply_stray(life.c, 0, s);
  EXPECT_EQ(life.c.ends[kX].counters.packets, before + 1);
  EXPECT_EQ(life.states(), "ESTABLISHED ESTABLISHED");
  EXPECT_EQ(life.c.last_frame, life.frame);
}

TEST(Machine, AdoptsTheSegmentsOfAnOldDuplicate) {
  Life life;
  life.open();
  Life duplicate;
  duplicate.frame = 70;
  duplicate.time = life.time + kSecond;
  duplicate.send(kX, kS, 5000);
  duplicate.c.originator = kX;
  life.machine.adopt(life.c, 0, duplicate.c);
  EXPECT_EQ(life.c.ends[kX].counters.syn, 2U);
  EXPECT_EQ(life.c.ends[kX].counters.packets, 3U);
  EXPECT_EQ(life.c.last_frame, 71U);
  EXPECT_EQ(life.c.end, duplicate.time);
  EXPECT_EQ(life.states(), "ESTABLISHED ESTABLISHED");
  EXPECT_TRUE(life.found(AnomalyKind::kOldDuplicateSyn));
}

// ---- damaged captures

TEST(Machine, SurvivesStampsOfAnySize) {
  const std::vector<base::Timestamp> stamps{std::numeric_limits<base::Timestamp>::min(), base::kNever, 0, -1, base::kNever,
                                            std::numeric_limits<base::Timestamp>::min()};
  for (std::size_t shift = 0; shift != stamps.size(); ++shift) {
    Life life;
    life.step = 0;
    std::size_t n = shift;
    const auto next = [&] { life.time = stamps[n++ % stamps.size()]; };
    const auto send = [&](unsigned from, std::uint16_t flags, std::uint32_t seq, std::uint32_t ack, std::uint32_t payload = 0) {
      next();
      life.send(from, flags, seq, ack, payload);
    };
    send(kX, kS, 0, 0);
    send(kY, kSA, 0, 1);
    send(kX, kA, 1, 1);
    send(kY, kSA, 0, 1);
    send(kX, kA, 1, 1, 10);
    send(kY, kA, 1, 11, 10);
    send(kX, kF, 11, 11);
    send(kY, kF, 11, 12);
    send(kX, kA, 12, 12);
    send(kY, kF, 11, 12);
    send(kX, kR, 12, 0);
    send(kY, kA, 12, 12);
    EXPECT_EQ(life.c.ends[kX].counters.packets + life.c.ends[kY].counters.packets, 12U);
  }
}

}  // namespace
}  // namespace finwait::tcp

#include "finwait/tcp/classify.h"

#include <gtest/gtest.h>

#include <string>

namespace finwait::tcp {
namespace {

using base::kMillisecond;
using base::kSecond;
using F = Fact;

constexpr base::Timestamp kEnd = 1000 * kSecond;  ///< how far the capture goes

/// A connection put together by hand: end 1 opened it, from a high port to a well-known one, and end 0 listens.
class Made {
 public:
  Made() {
    c.originator = 1;
    c.role_evidence = RoleEvidence::kSyn;
    c.key.low_port = 80;
    c.key.high_port = 40000;
    c.key.network = 1;
  }
  Endpoint& orig() { return c.ends[1]; }
  Endpoint& resp() { return c.ends[0]; }

  static void set(Endpoint& e, Fact fact, std::uint64_t frame, base::Timestamp time, Proof proof = Proof::kProven) {
    e.facts.set(fact, {frame, frame, time}, proof);
  }
  Made& syn() {
    orig().learn(known::kIss | known::kNext | known::kPlainSyn | known::kSaid);
    set(orig(), F::kSyn, 1, kSecond);
    return *this;
  }
  Made& syn_ack() {
    resp().learn(known::kIss | known::kNext | known::kSynAck | known::kSaid);
    set(resp(), F::kPeerSyn, 2, kSecond);
    return *this;
  }
  Made& ack(CompletedBy by = CompletedBy::kAck) {
    set(orig(), F::kPeerSynAck, 3, kSecond);
    set(resp(), F::kSynAcked, 3, kSecond, Proof::kPresumed);
    c.handshake.ack_frame = 3;
    c.handshake.completed_by = by;
    return *this;
  }
  Made& open() { return syn().syn_ack().ack(); }
  Made& fin(Endpoint& e, std::uint64_t frame, base::Timestamp time) {
    e.learn(known::kFin);
    set(e, F::kFin, frame, time);
    e.fins.count = 1;
    e.counters.fin = 1;
    return *this;
  }
  /// The FIN of `e` is acknowledged by its peer.
  Made& fin_acked(Endpoint& e, std::uint64_t frame, base::Timestamp time) {
    Endpoint& peer = &e == &orig() ? resp() : orig();
    set(e, F::kFinAcked, frame, time, Proof::kPresumed);
    set(peer, F::kPeerFin, frame, time);
    return *this;
  }
  Made& own_reset(Endpoint& e, base::Timestamp time = 20 * kSecond) {
    set(e, F::kReset, 20, time);
    e.learn(known::kOwnReset);
    e.counters.rst = 1;
    return *this;
  }
  Made& accepts_reset(Endpoint& e, base::Timestamp time = 20 * kSecond) {
    set(e, F::kReset, 20, time, Proof::kPresumed);
    return *this;
  }
  /// Closed by the originator, acknowledged, closed by the responder at `second`.
  Made& closed(base::Timestamp first, base::Timestamp second) {
    fin(orig(), 10, first).fin_acked(orig(), 11, first);
    fin(resp(), 12, second);
    resp().learn(known::kFinCovers);
    return fin_acked(resp(), 13, second);
  }
  [[nodiscard]] Verdict verdict(base::Timestamp clock = kEnd) const { return classify(c, clock); }
  [[nodiscard]] std::string opening() const { return std::string(name(verdict().opening)); }
  [[nodiscard]] std::string ending(base::Timestamp clock = kEnd) const { return std::string(name(verdict(clock).ending)); }

  Connection c;
};

// ---- openings (section 4)

TEST(Opening, IsThreeWay) {
  Made m;
  EXPECT_EQ(m.open().opening(), "three-way");
  for (const CompletedBy by : {CompletedBy::kAck, CompletedBy::kData, CompletedBy::kFin}) {
    Made other;
    EXPECT_EQ(other.syn().syn_ack().ack(by).verdict().completed_by, by);
  }
}

TEST(Opening, IsThreeWayWhenOnlySynOrSynAckWasNotCaptured) {
  Made no_syn;
  no_syn.syn_ack();
  no_syn.orig().learn(known::kSaid);
  no_syn.c.handshake.ack_frame = 3;
  EXPECT_EQ(no_syn.opening(), "three-way");
  Made no_syn_ack;
  no_syn_ack.syn();
  no_syn_ack.resp().learn(known::kSaid);
  Made::set(no_syn_ack.orig(), F::kPeerSynAck, 3, kSecond);
  EXPECT_EQ(no_syn_ack.opening(), "three-way");
}

TEST(Opening, IsFastOpenWhenTheSynAckAcknowledgedItsData) {
  Made m;
  m.open().c.traits |= trait::kFastOpen;
  EXPECT_EQ(m.opening(), "fast-open");
  Made before_ack;  // data of the responder already flows
  before_ack.syn().syn_ack().c.traits |= trait::kFastOpen;
  EXPECT_EQ(before_ack.opening(), "half-open");
  before_ack.resp().learn(known::kData);
  EXPECT_EQ(before_ack.opening(), "fast-open");
}

TEST(Opening, IsSimultaneousWhenBothSentASyn) {
  Made m;
  m.syn();
  m.resp().learn(known::kIss | known::kPlainSyn | known::kSynAck | known::kSaid);
  EXPECT_EQ(m.opening(), "simultaneous");
  EXPECT_EQ(m.verdict().completed_by, CompletedBy::kNothing);
}

TEST(Opening, IsSplitWhenAListenerAnswersBySynAndNeverBySynAck) {
  Made m;
  m.syn();
  m.resp().learn(known::kIss | known::kPlainSyn | known::kSaid);
  EXPECT_EQ(m.opening(), "split");
  m.c.key.low_port = 40001;  // two clients: nobody listens
  EXPECT_EQ(m.opening(), "simultaneous");
  m.c.key.low_port = 80;
  m.c.key.high_port = 179;  // two servers, as BGP routers
  EXPECT_EQ(m.opening(), "simultaneous");
}

TEST(Opening, IsUnanswered) {
  Made m;
  EXPECT_EQ(m.syn().opening(), "unanswered");
  EXPECT_EQ(m.own_reset(m.orig()).opening(), "unanswered") << "it gave up itself";
}

TEST(Opening, IsRefusedByAResetThatAcknowledgesTheSyn) {
  Made m;
  EXPECT_EQ(m.syn().accepts_reset(m.orig()).opening(), "refused");
}

TEST(Opening, IsUnreachable) {
  Made m;
  m.syn().accepts_reset(m.orig()).c.traits |= trait::kUnreachable;
  EXPECT_EQ(m.opening(), "unreachable");
  EXPECT_EQ(m.verdict().reset_by, Who::kNobody);
}

TEST(Opening, IsHalfOpenWithoutTheLastAck) {
  Made m;
  EXPECT_EQ(m.syn().syn_ack().opening(), "half-open");
}

TEST(Opening, IsAbortedByAResetOfEitherEnd) {
  Made by_originator;
  EXPECT_EQ(by_originator.syn().syn_ack().own_reset(by_originator.orig()).opening(), "aborted");
  Made accepted;
  EXPECT_EQ(accepted.syn().syn_ack().accepts_reset(accepted.resp()).opening(), "aborted");
  Made ineffective;  // a RST that closed nothing: an old duplicate SYN (RFC 9293, figure 8)
  ineffective.syn().syn_ack().orig().counters.rst = 1;
  EXPECT_EQ(ineffective.opening(), "aborted");
  Made third_ack_refused;  // rule 7
  third_ack_refused.open();
  third_ack_refused.resp().facts.erase(F::kSynAcked);
  EXPECT_EQ(third_ack_refused.opening(), "three-way");
  EXPECT_EQ(third_ack_refused.own_reset(third_ack_refused.resp()).opening(), "aborted");
}

TEST(Opening, IsMidstreamWhenTheHandshakeWasNotCaptured) {
  Made m;
  m.orig().learn(known::kSaid);
  m.resp().learn(known::kSaid);
  EXPECT_EQ(m.opening(), "midstream");
  Made reset_behind;
  reset_behind.resp().learn(known::kSaid | known::kData);
  EXPECT_EQ(reset_behind.opening(), "midstream");
}

TEST(Opening, IsBackscatterWhenOnlyAnswersWereSeen) {
  Made rst;
  rst.resp().counters.rst = 1;
  EXPECT_EQ(rst.opening(), "backscatter");
  Made syn_ack;
  syn_ack.syn_ack();
  EXPECT_EQ(syn_ack.opening(), "backscatter");
  syn_ack.resp().learn(known::kData);
  EXPECT_EQ(syn_ack.opening(), "midstream");
  Made closing;
  closing.syn_ack().fin(closing.resp(), 5, kSecond);
  EXPECT_EQ(closing.opening(), "midstream");
}

// ---- endings (section 5)

TEST(Ending, IsGraceful) {
  Made m;
  EXPECT_EQ(m.open().closed(10 * kSecond, 10 * kSecond).ending(), "graceful");
  EXPECT_EQ(m.own_reset(m.orig()).ending(), "graceful") << "a RST afterwards changes nothing";
  m.c.release = Release::kEvicted;
  EXPECT_EQ(m.ending(), "graceful");
}

TEST(Ending, IsFinalAckMissingOnceThereWasTimeForIt) {
  Made m;
  m.open().fin(m.orig(), 10, 10 * kSecond).fin_acked(m.orig(), 11, 10 * kSecond).fin(m.resp(), 12, 11 * kSecond);
  EXPECT_EQ(m.ending(12 * kSecond), "closing");
  EXPECT_EQ(m.ending(12 * kSecond + 1), "final-ack-missing");
  m.resp().counters.fin = 2;
  m.resp().fins.count = 2;
  EXPECT_EQ(m.ending(11 * kSecond), "final-ack-missing") << "it was repeated: that says it at once";
  m.orig().fins.count = 2;
  m.orig().counters.fin = 2;
  m.resp().fins.count = 1;
  m.resp().counters.fin = 1;
  EXPECT_EQ(m.ending(11 * kSecond), "closing") << "the other, which was acknowledged, says nothing";
}

TEST(Ending, IsJudgedTheSameBefore1970) {
  Made m;
  const base::Timestamp then = -1000 * kSecond;
  m.open().fin(m.orig(), 10, then).fin_acked(m.orig(), 11, then).fin(m.resp(), 12, then + kSecond);
  EXPECT_EQ(m.ending(then + 2 * kSecond), "closing");
  EXPECT_EQ(m.ending(then + 2 * kSecond + 1), "final-ack-missing");
}

TEST(Ending, IsFinUnansweredOrHalfClosed) {
  Made m;
  EXPECT_EQ(m.open().fin(m.resp(), 10, 10 * kSecond).ending(), "fin-unanswered");
  EXPECT_EQ(m.fin_acked(m.resp(), 11, 10 * kSecond).ending(), "half-closed");
  Made other;
  EXPECT_EQ(other.open().fin(other.orig(), 10, 10 * kSecond).ending(), "fin-unanswered");
  EXPECT_EQ(other.fin_acked(other.orig(), 11, 10 * kSecond).ending(), "half-closed");
}

TEST(Ending, IsResetOrResetAfterFin) {
  Made m;
  EXPECT_EQ(m.open().accepts_reset(m.resp()).ending(), "reset");
  EXPECT_EQ(m.fin(m.orig(), 10, 10 * kSecond).ending(), "reset-after-fin");
  Made own;
  EXPECT_EQ(own.open().own_reset(own.orig()).ending(), "reset");
  own.c.release = Release::kEvicted;
  EXPECT_EQ(own.ending(), "reset");
}

TEST(Ending, OfWhatNeverOpenedIsItsOpening) {
  Made unanswered;
  EXPECT_EQ(unanswered.syn().ending(), "unanswered");
  Made refused;
  EXPECT_EQ(refused.syn().accepts_reset(refused.orig()).ending(), "refused");
  Made unreachable;
  unreachable.syn().accepts_reset(unreachable.orig()).c.traits |= trait::kUnreachable;
  EXPECT_EQ(unreachable.ending(), "unreachable");
  Made half_open;
  EXPECT_EQ(half_open.syn().syn_ack().ending(), "half-open");
  Made aborted;
  EXPECT_EQ(aborted.syn().syn_ack().own_reset(aborted.orig()).ending(), "aborted");
  Made backscatter;
  EXPECT_EQ(backscatter.syn_ack().ending(), "backscatter");
}

TEST(Ending, IsEvictedWhenThereWasNoRoom) {
  Made m;
  m.open().c.release = Release::kEvicted;
  EXPECT_EQ(m.ending(), "evicted");
  EXPECT_EQ(m.fin(m.orig(), 10, 10 * kSecond).ending(), "evicted");
  Made attempt;
  attempt.syn().c.release = Release::kEvicted;
  EXPECT_EQ(attempt.ending(), "evicted") << "an answer might have come";
  attempt.syn_ack();
  EXPECT_EQ(attempt.ending(), "evicted");
  Made refused;
  refused.syn().accepts_reset(refused.orig()).c.release = Release::kEvicted;
  EXPECT_EQ(refused.ending(), "refused") << "that was over";
}

TEST(Ending, IsSupersededTimeoutOrOpen) {
  Made m;
  EXPECT_EQ(m.open().ending(), "open");
  m.c.release = Release::kIdle;
  EXPECT_EQ(m.ending(), "timeout");
  m.c.traits |= trait::kSuperseded;
  EXPECT_EQ(m.ending(), "superseded");
  EXPECT_EQ(m.closed(10 * kSecond, 10 * kSecond).ending(), "graceful") << "it had ended before";
}

// ---- who

TEST(FirstFin, IsByWhomTheOtherFinCovers) {
  Made m;
  EXPECT_EQ(m.open().verdict().first_fin, Who::kNobody);
  EXPECT_EQ(m.fin(m.orig(), 10, kSecond).verdict().first_fin, Who::kOriginator);
  EXPECT_EQ(m.fin(m.resp(), 11, kSecond).verdict().first_fin, Who::kBoth) << "neither covers the other: simultaneous";
  m.resp().learn(known::kFinCovers);
  EXPECT_EQ(m.verdict().first_fin, Who::kOriginator);
  m.resp().forget(known::kFinCovers);
  m.orig().learn(known::kFinCovers);
  EXPECT_EQ(m.verdict().first_fin, Who::kResponder);
  Made other;
  EXPECT_EQ(other.open().fin(other.resp(), 10, kSecond).verdict().first_fin, Who::kResponder);
}

TEST(ResetBy, IsTheSenderOfWhatWasAccepted) {
  Made m;
  EXPECT_EQ(m.open().verdict().reset_by, Who::kNobody);
  EXPECT_EQ(m.accepts_reset(m.resp()).verdict().reset_by, Who::kOriginator);
  EXPECT_EQ(m.own_reset(m.orig()).verdict().reset_by, Who::kOriginator);
  Made crossed;
  EXPECT_EQ(crossed.open().own_reset(crossed.orig()).own_reset(crossed.resp()).verdict().reset_by, Who::kBoth);
  Made forged;
  forged.open().accepts_reset(forged.orig()).c.traits |= trait::kForgedReset;
  EXPECT_EQ(forged.verdict().reset_by, Who::kThirdPartySuspected);
  EXPECT_EQ(forged.own_reset(forged.resp()).verdict().reset_by, Who::kResponder) << "in the end it did reset";
}

// ---- half close

TEST(HalfClose, IsNewDataAfterTheFirstFinOrMoreThanASecond) {
  const auto closed_after = [](base::Duration open_for, std::uint64_t bytes) {
    Made m;
    m.open().closed(10 * kSecond, 10 * kSecond + open_for);
    m.c.traits |= trait::kHalfClose;
    m.c.half_close_from = 10 * kSecond;
    m.c.half_close_bytes = bytes + 1;  // the FIN counts in it
    m.c.half_close_packets = 4;
    return m.verdict().half_close;
  };
  EXPECT_FALSE(closed_after(kSecond, 0).has_value());
  EXPECT_TRUE(closed_after(kSecond + 1, 0).has_value());
  const auto half = closed_after(500 * kMillisecond, 1);
  ASSERT_TRUE(half.has_value());
  EXPECT_EQ(half->by, Who::kOriginator);
  EXPECT_EQ(half->from, 10 * kSecond);
  EXPECT_EQ(half->to, 10 * kSecond + 500 * kMillisecond);
  EXPECT_EQ(half->bytes, 1U);
  EXPECT_EQ(half->packets, 4U);
}

TEST(HalfClose, LastsUntilFinResetOrTheEndOfTheCapture) {
  Made m;
  m.open().fin(m.resp(), 10, 10 * kSecond).fin_acked(m.resp(), 11, 10 * kSecond);
  m.c.traits |= m.c.originator == 1 ? trait::kHalfClose | trait::kHalfCloseHigh : trait::kHalfClose;
  m.c.half_close_from = 10 * kSecond;
  m.c.end = 15 * kSecond;
  EXPECT_EQ(m.verdict(40 * kSecond).half_close->to, 40 * kSecond);
  EXPECT_EQ(m.verdict(40 * kSecond).half_close->by, Who::kResponder);
  m.c.traits |= trait::kSuperseded;
  EXPECT_EQ(m.verdict(40 * kSecond).half_close->to, 15 * kSecond) << "its last frame: another took its place";
  m.accepts_reset(m.orig(), 20 * kSecond);
  EXPECT_EQ(m.verdict(40 * kSecond).half_close->to, 20 * kSecond);
}

TEST(HalfClose, IsNoneOfAClosingThatCrossed) {
  Made m;
  m.open().fin(m.orig(), 10, 10 * kSecond).fin(m.resp(), 11, 10 * kSecond);
  m.fin_acked(m.orig(), 12, 10 * kSecond).fin_acked(m.resp(), 13, 10 * kSecond);
  m.c.traits |= trait::kHalfClose;
  EXPECT_FALSE(m.verdict().half_close.has_value());
}

// ---- TIME-WAIT

TEST(TimeWait, IsOwnedByWhoClosedFirst) {
  Made m;
  m.open();
  EXPECT_FALSE(m.verdict().time_wait.has_value());
  m.closed(10 * kSecond, 12 * kSecond).c.time_wait_restarts = 2;
  const auto wait = m.verdict(30 * kSecond).time_wait;
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->owner, Who::kOriginator);
  EXPECT_EQ(wait->from, 12 * kSecond);
  EXPECT_EQ(wait->until, 30 * kSecond);
  EXPECT_EQ(wait->ended, TimeWaitEnd::kCaptureEnd);
  EXPECT_EQ(wait->restarts, 2U);
}

TEST(TimeWait, EndsByTimerReuseOrAssassination) {
  const auto ended_by = [](Fact fact) {
    Made m;
    m.open().closed(10 * kSecond, 12 * kSecond);
    Made::set(m.orig(), fact, 50, 25 * kSecond);
    const auto wait = m.verdict(30 * kSecond).time_wait;
    EXPECT_EQ(wait->until, 25 * kSecond);
    return wait->ended;
  };
  EXPECT_EQ(ended_by(F::kTimer), TimeWaitEnd::kExpired);
  EXPECT_EQ(ended_by(F::kReused), TimeWaitEnd::kReused);
  EXPECT_EQ(ended_by(F::kReset), TimeWaitEnd::kAssassinated);
}

TEST(TimeWait, OfASimultaneousCloseIsBothEnds) {
  Made m;
  m.open().fin(m.orig(), 10, 10 * kSecond).fin(m.resp(), 11, 10 * kSecond);
  Made::set(m.orig(), F::kPeerFin, 11, 12 * kSecond);
  Made::set(m.resp(), F::kPeerFin, 10, 12 * kSecond);
  Made::set(m.orig(), F::kFinAcked, 12, 13 * kSecond, Proof::kPresumed);
  Made::set(m.resp(), F::kFinAcked, 13, 14 * kSecond, Proof::kPresumed);
  const auto wait = m.verdict(30 * kSecond).time_wait;
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->owner, Who::kBoth);
  EXPECT_EQ(wait->from, 13 * kSecond) << "the first of the two";
}

// ---- patience (section 6)

TEST(Patience, IsFourRoundTripsOrASecond) {
  Connection c;
  EXPECT_EQ(patience(c), kSecond);
  c.ends[0].learn(known::kRtt);
  c.ends[0].least_rtt = 100 * kMillisecond;
  EXPECT_EQ(patience(c), kSecond);
  c.ends[1].learn(known::kRtt);
  c.ends[1].least_rtt = 400 * kMillisecond;
  EXPECT_EQ(patience(c), 2 * kSecond) << "the tap sees a part of the round trip at each end";
  c.ends[1].forget(known::kRtt);
  EXPECT_EQ(patience(c), kSecond) << "what is not known is not counted";
}

TEST(Patience, HasAnEndWhateverTheStamps) {
  Connection c;
  for (Endpoint& e : c.ends) {
    e.learn(known::kRtt);
    e.least_rtt = base::kNever;
  }
  EXPECT_EQ(patience(c), 2400 * kSecond);
}

TEST(Verdict, TakesOverWhatIsNotedOfTheConnection) {
  Made m;
  m.open().c.replaced = Replaced::kOverHalfOpen;
  m.c.role_evidence = RoleEvidence::kPort;
  m.c.completeness = 31;
  const Verdict v = m.verdict();
  EXPECT_EQ(v.replaced, Replaced::kOverHalfOpen);
  EXPECT_EQ(v.role_evidence, RoleEvidence::kPort);
  EXPECT_EQ(v.completeness, 31);
  EXPECT_TRUE(v.inconclusive.none());
}

}  // namespace
}  // namespace finwait::tcp

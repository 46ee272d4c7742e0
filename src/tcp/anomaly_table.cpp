// The table of kinds: name, severity, who may have caused it, RFC section, and what --describe says. In the order of AnomalyKind.
#include <array>
#include <cstddef>

#include "finwait/base/named_row.h"
#include "finwait/tcp/anomaly.h"

namespace finwait::tcp {
namespace {

using K = AnomalyKind;
constexpr std::uint8_t kEnd = origin::kEndpoint;
constexpr std::uint8_t kNet = origin::kNetwork;
constexpr std::uint8_t kCap = origin::kCapture;
constexpr std::uint8_t kAtt = origin::kAttacker;

constexpr std::uint8_t any_of(int a, int b, int c = 0, int d = 0) { return static_cast<std::uint8_t>(a | b | c | d); }

constexpr Severity kInfo = Severity::kInfo;
constexpr Severity kNotice = Severity::kNotice;
constexpr Severity kWarning = Severity::kWarning;
constexpr Severity kAlert = Severity::kAlert;

constexpr std::array<KindInfo, kAnomalyKinds> kTable{{
    // handshake
    {K::kSynRetransmitted, "syn-retransmitted", "handshake", kNotice, any_of(kEnd, kNet), "RFC 9293, 3.8.1", "A SYN had to be sent again.",
     "The SYN or its answer was lost, the server was slow or its backlog full, or a firewall drops silently.",
     "See whether the SYN arrives at the server, and whether its listen queue overflows.", "The capture may have lost the SYN-ACK."},
    {K::kSynAckRetransmitted, "syn-ack-retransmitted", "handshake", kNotice, any_of(kEnd, kNet), "RFC 9293, 3.8.1",
     "A SYN-ACK had to be sent again.", "The SYN-ACK or the last ACK was lost, the accept queue was full, or the source address is forged.",
     "See whether the client got the SYN-ACK; look at the accept queue of the server.",
     "TCP_DEFER_ACCEPT also repeats SYN-ACKs until data comes."},
    {K::kHandshakeAckMissing, "handshake-ack-missing", "handshake", kInfo, any_of(kNet, kCap), "RFC 9293, 3.5",
     "The handshake's last ACK was not captured.",
     "It was lost before the tap, or the capture dropped it; later segments show that the connection stood.", "Check the capture for loss.",
     "If the SYN-ACK was not repeated, the ACK did arrive and only the capture missed it."},
    {K::kHandshakeAckLost, "handshake-ack-lost", "handshake", kNotice, any_of(kNet, kEnd), "RFC 9293, 3.5",
     "The handshake's last ACK was seen, but the responder went on repeating its SYN-ACK.",
     "The ACK was lost behind the tap, or the responder's accept queue was full and it ignored the ACK.",
     "Look at listen overflows at the responder (nstat TcpExtListenOverflows).", "TCP_DEFER_ACCEPT looks the same."},
    {K::kHandshakeAckInvalid, "handshake-ack-invalid", "handshake", kWarning, any_of(kEnd, kAtt), "RFC 9293, 3.10.7.3",
     "A handshake segment acknowledged a wrong number.",
     "A stray from an earlier connection, a middlebox that rewrites numbers, or a blind attack.",
     "Compare with the connection before on the same ports.", "An old duplicate that arrived late."},
    {K::kSynAckInvalid, "syn-ack-invalid", "handshake", kWarning, any_of(kEnd, kAtt), "RFC 9293, 3.10.7.3",
     "A SYN-ACK acknowledged what was not sent.", "A confused or hostile responder, or the answer to a SYN the capture did not see.",
     "Look for the SYN it answers; compare TTLs.", "The capture may have lost another SYN."},
    {K::kSynAckIsnChanged, "syn-ack-isn-changed", "handshake", kNotice, any_of(kEnd, kNet, kAtt), "RFC 9293, 3.4.1",
     "Repeated SYN-ACKs carried different initial sequence numbers.",
     "SYN cookies, a SYN proxy, two servers behind one address, or a man on the side racing the true answer.",
     "Compare TTL and options of the two SYN-ACKs.", "A responder that dropped its half-open state and began again."},
    {K::kSynWithData, "syn-with-data", "handshake", kNotice, kEnd, "RFC 9293, 3.10.7.2", "A SYN carried data without fast open.",
     "A scanner, an odd stack, or a flood with padded SYNs.", "Look at the originator.",
     "T/TCP or a middlebox that stripped the fast-open option."},
    {K::kFastOpenRefused, "fast-open-refused", "handshake", kInfo, kEnd, "RFC 7413, 4.1",
     "The data in the SYN was not taken; it had to be sent again.",
     "The server does not do fast open, its cookie expired, or its limit was reached.", "Nothing, unless fast open is expected to work.",
     "A middlebox removed the data or the option."},
    {K::kOldDuplicateSyn, "old-duplicate-syn", "handshake", kInfo, kNet, "RFC 9293, 3.5", "An old copy of a SYN arrived late.",
     "A packet held up in the network.", "Nothing, if rare.", "A replay by somebody on the way."},
    {K::kSimultaneousOpen, "simultaneous-open", "handshake", kInfo, kEnd, "RFC 9293, 3.5, figure 7",
     "Both ends connected to each other at the same moment.", "BGP peers, hole punching, a socket that connected to itself.",
     "Nothing, unless unexpected.", "A split handshake, if one end did not mean to connect."},
    {K::kSplitHandshake, "split-handshake", "handshake", kWarning, any_of(kEnd, kAtt), "RFC 9293, 3.5",
     "A SYN was answered by a SYN or an ACK instead of a SYN-ACK.",
     "A broken server, or one that tries to turn the roles round to get past a firewall.",
     "Look at the responder; see that firewalls drop such handshakes.", "A simultaneous open of which the capture missed a part."},
    {K::kHalfOpen, "half-open", "handshake", kNotice, any_of(kNet, kAtt, kEnd), "RFC 4987", "A SYN-ACK was never acknowledged.",
     "The client vanished, a scanner, or one SYN of a flood with forged source.",
     "Count the sources: one is loss or a scan, many are a flood.", "The capture may not see the direction of the client."},
    {K::kConnectionRefused, "connection-refused", "handshake", kNotice, kEnd, "RFC 9293, 3.5.2", "A SYN was answered by a RST.",
     "Nothing listens there, or a firewall rejects.", "Check that the service runs and listens on this address and port.",
     "A port scan, if one source tries many ports."},
    {K::kSynFlagsIllegal, "syn-flags-illegal", "handshake", kWarning, kAtt, "RFC 9293, 3.1", "A segment carried flags that no TCP sends.",
     "A scanner (null, Xmas, SYN+FIN), a test tool, or damaged packets.", "Look at the sender; drop such packets at the border.",
     "Broken hardware or a fuzzed capture."},
    // established
    {K::kSynInEstablished, "syn-in-established", "established", kNotice, any_of(kEnd, kAtt), "RFC 5961, 4",
     "A SYN arrived inside an established connection.",
     "The peer restarted and uses the port again, NAT gave the port to another host, or a blind attack.",
     "See whether a challenge ACK and a RST follow: then the peer had forgotten.", "An old duplicate SYN."},
    {K::kChallengeAck, "challenge-ack", "established", kInfo, any_of(kEnd, kAtt), "RFC 5961, 3 to 5",
     "An end answered an unacceptable segment with a challenge ACK.", "A peer that restarted, a RST that was not exact, or a blind attack.",
     "Look at the segment it answers.", "A plain duplicate ACK that looks like one."},
    {K::kHalfOpenDiscovered, "half-open-discovered", "established", kWarning, kEnd, "RFC 9293, 3.5.1",
     "One end had forgotten the connection while the other still held it.",
     "A crash or reboot, a firewall or NAT that dropped its state, a process that was killed.",
     "Look for a restart of that end; compare idle time with the firewall's timeout.", "A RST from a middlebox in the name of the end."},
    {K::kAckOfUnsentData, "ack-of-unsent-data", "established", kWarning, any_of(kEnd, kCap, kAtt), "RFC 5961, 5",
     "An end acknowledged data that was never sent.", "A confused stack, a middlebox that split the connection, or a blind attack.",
     "Check the capture for loss first.", "The capture may have missed the data."},
    {K::kDataOutsideWindow, "data-outside-window", "established", kNotice, any_of(kEnd, kNet, kAtt), "RFC 9293, 3.10.7.4",
     "Data was sent outside the window the receiver had offered.",
     "A stack that ignores the window, a shrunk window, or data injected blindly.",
     "Look at the receiver's window and scale at that frame.", "The window scale may be unknown when the handshake was not captured."},
    {K::kKeepaliveUnanswered, "keepalive-unanswered", "established", kWarning, any_of(kEnd, kNet), "RFC 9293, 3.8.4",
     "Keepalive probes got no answer.", "The peer is gone, or a firewall forgot the connection.",
     "Compare the keepalive interval with the firewall's idle timeout.", "The capture may see one direction only."},
    {K::kZeroWindowStall, "zero-window-stall", "established", kWarning, kEnd, "RFC 9293, 3.8.6.1",
     "A receiver closed its window: its application did not read.", "A slow or stuck application, too small a receive buffer.",
     "Look at the application of the end that closed its window.", "A deliberate brake (backpressure)."},
    {K::kWindowShrunk, "window-shrunk", "established", kNotice, kEnd, "RFC 9293, 3.8.6",
     "A receiver took back window it had already offered.", "Memory pressure, or a middlebox that rewrites windows.",
     "Look at the receiver.", "Reordered ACKs can look like it."},
    {K::kRetransmission, "retransmission", "established", kNotice, kNet, "RFC 9293, 3.8.1",
     "An unusual share of segments had to be sent again.", "Loss or congestion on the path, a duplex mismatch, a policer.",
     "Compare captures from both sides to find where segments vanish.", "The capture itself may have lost the ACKs."},
    {K::kSpuriousRetransmission, "spurious-retransmission", "established", kInfo, any_of(kNet, kEnd), "RFC 5682",
     "Segments were sent again although they had arrived.",
     "ACKs lost or late, a timer that is too short, sudden delay (wireless, sleeping hosts).", "Look at how the delay varies.",
     "The ACKs may have been lost behind the tap."},
    {K::kOutOfOrder, "out-of-order", "established", kInfo, kNet, "RFC 9293, 3.4", "An unusual share of segments passed out of order.",
     "Several paths (bonding, ECMP per packet), a mirror port that mixes two streams.", "Look at link bundles and at the capturing port.",
     "The capture may have reordered them."},
    {K::kOverlapInconsistent, "overlap-inconsistent", "established", kAlert, any_of(kAtt, kNet, kEnd), "RFC 9293, 3.10.7.4",
     "The same sequence numbers were sent with other bytes.",
     "An attempt to deceive an intrusion detection system, an injected answer, or a broken middlebox.",
     "Compare the bytes, TTLs and IP IDs of the two segments.", "Data damaged on the way with a checksum made new."},
    {K::kTimestampRegression, "timestamp-regression", "established", kNotice, any_of(kNet, kEnd), "RFC 7323, 5",
     "A TCP timestamp went back: receivers drop such segments (PAWS).",
     "Packets held up for long, several hosts behind one address, or a forged segment.", "Compare TTL and IP ID with its neighbours.",
     "Reordering beyond the usual."},
    {K::kDataUnanswered, "data-unanswered", "established", kWarning, any_of(kNet, kEnd), "RFC 9293, 3.8.3",
     "Data was repeated and never acknowledged.",
     "A black hole on the path, a path MTU that is too small with ICMP filtered, a firewall that forgot the connection, a dead peer.",
     "See whether only large segments vanish: then it is the path MTU.", "The capture may not see the peer's direction."},
    {K::kPeerSilent, "peer-silent", "established", kNotice, any_of(kEnd, kNet), "", "One end fell silent while the other went on.",
     "A crashed host, a cut link, a firewall.", "Look for the last frame of the silent end.", "The capture may have lost one direction."},
    {K::kIcmpError, "icmp-error", "established", kNotice, any_of(kNet, kEnd), "RFC 5927",
     "An ICMP error quoted a segment of this connection.", "No route, a path MTU that is too small, a routing loop.",
     "Look at who sent it, its type and code.", "A forged ICMP error."},
    // close
    {K::kFinalAckMissing, "final-ack-missing", "close", kWarning, any_of(kEnd, kNet), "RFC 9293, 3.6",
     "The last FIN was never acknowledged: one end is left in LAST-ACK.",
     "The end that closed first is gone or firewalled, or its last ACK does not get through.",
     "Look at the host that closed first and the firewalls before it.",
     "If the FIN was not repeated, the ACK did arrive and only the capture missed it."},
    {K::kFinalAckLost, "final-ack-lost", "close", kInfo, kNet, "RFC 9293, 3.6",
     "The last ACK was seen, yet the FIN was repeated: the ACK was lost on the way.", "Loss behind the tap.",
     "Nothing, if rare; TIME-WAIT is there to answer it.", "The other end dropped the ACK."},
    {K::kFinRetransmitted, "fin-retransmitted", "close", kNotice, any_of(kNet, kEnd), "RFC 9293, 3.8.1", "A FIN had to be sent again.",
     "Loss, a peer that is slow or gone.", "See whether it was answered in the end.", "The capture may have lost the ACK."},
    {K::kFinUnanswered, "fin-unanswered", "close", kWarning, any_of(kEnd, kNet), "RFC 9293, 3.6", "A FIN was never acknowledged.",
     "The peer or the path to it is gone; a firewall forgot the connection.", "Look for the last frame of the other end.",
     "The capture may see one direction only."},
    {K::kFinMoved, "fin-moved", "close", kWarning, any_of(kEnd, kAtt), "RFC 9293, 3.6",
     "An end sent its FIN again at another sequence number.", "A broken stack or a forged FIN.", "Compare TTL and IP ID of the two FINs.",
     "A middlebox that closes for the end."},
    {K::kDataAfterFin, "data-after-fin", "close", kWarning, any_of(kEnd, kAtt), "RFC 9293, 3.6", "An end sent data beyond its own FIN.",
     "A broken stack, or a FIN that was forged.", "Compare TTL and IP ID of the FIN with its neighbours.",
     "A new connection on the same ports of which the SYN was not captured."},
    {K::kHalfClose, "half-close", "close", kNotice, kEnd, "RFC 9293, 3.6", "One end closed its direction while the other went on sending.",
     "Programs that use shutdown(), such as rsh, some proxies and HTTP clients.", "Nothing, if the program means it.",
     "An application slow to notice the end of input."},
    {K::kCloseWaitLingering, "close-wait-lingering", "close", kWarning, kEnd, "RFC 9293, 3.3.2",
     "An end was told that its peer closed and did not close itself.", "An application that forgot to close its socket: a leak.",
     "Look for sockets in CLOSE-WAIT at that host (ss -t state close-wait).", "A half-close that is meant to last."},
    {K::kFinWait2Lingering, "fin-wait-2-lingering", "close", kNotice, kEnd, "RFC 9293, 3.3.2",
     "An end that closed still waits for the other end's FIN.", "The peer does not close: see close-wait-lingering there.",
     "Look at the peer's application.", "A half-close that is meant to last."},
    {K::kSimultaneousClose, "simultaneous-close", "close", kInfo, kEnd, "RFC 9293, 3.6, figure 13", "Both ends closed at the same moment.",
     "Chance, or a protocol in which both close at once.", "Nothing.", "A close in answer to the same event."},
    {K::kTimeWaitReused, "time-wait-reused", "close", kInfo, kEnd, "RFC 6191",
     "A new connection took the ports while the old one was in TIME-WAIT.", "Many short connections between the same two hosts.",
     "Nothing: this is allowed. If frequent, keep connections open for longer.", "tcp_tw_reuse at the client."},
    {K::kTimeWaitReuseViolation, "time-wait-reuse-violation", "close", kWarning, kEnd, "RFC 9293, 3.6.1",
     "A new connection took ports in TIME-WAIT with numbers that could be mistaken for the old ones.",
     "A stack or NAT that reuses ports too early.", "Look at the end that sent the new SYN.",
     "Numbers that only look old after a long, fast transfer."},
    {K::kTimeWaitAssassinated, "time-wait-assassinated", "close", kNotice, any_of(kEnd, kNet), "RFC 1337", "A RST ended TIME-WAIT early.",
     "A late segment drew an ACK and the peer, whose socket was gone, answered with RST.", "Nothing, if rare.", "A forged RST."},
    {K::kLateSegmentInTimeWait, "late-segment-in-time-wait", "close", kInfo, kNet, "RFC 9293, 3.6.1",
     "A segment of the old connection arrived in TIME-WAIT.", "A packet held up in the network.", "Nothing: this is what TIME-WAIT is for.",
     "A repeated FIN whose ACK was lost."},
    {K::kClosedWithPendingData, "closed-with-pending-data", "close", kNotice, kEnd, "RFC 9293, 3.6; RFC 2525, 2.17",
     "Data came after the application had closed, and was answered with a RST.",
     "An application that closes before it has read everything.",
     "See whether that data mattered; shutdown() and read to the end before closing.", "A client that gave up on purpose."},
    // reset
    {K::kResetInHandshake, "reset-in-handshake", "reset", kNotice, any_of(kEnd, kAtt), "RFC 9293, 3.5.2", "A RST ended the handshake.",
     "A scan, a cancelled attempt, a listener that overflowed.", "See who sent it.", "An old duplicate SYN that was answered."},
    {K::kResetEstablished, "reset-established", "reset", kNotice, any_of(kEnd, kNet, kAtt), "RFC 9293, 3.5.3",
     "An established connection was cut by a RST.", "A crash, an abort by the application, an idle timeout of a firewall or load balancer.",
     "Look at the segment before the RST and at how long it had been idle.", "A forged RST."},
    {K::kResetAfterFin, "reset-after-fin", "reset", kInfo, kEnd, "RFC 9293, 3.5.3", "A RST came after the close had begun.",
     "A client that aborts instead of waiting for TIME-WAIT; data after close.", "Nothing, unless data was lost.",
     "An impatient load balancer."},
    {K::kResetOutOfWindow, "reset-out-of-window", "reset", kNotice, any_of(kNet, kAtt), "RFC 5961, 3",
     "A RST outside the window: its target ignores it.", "A late RST of an earlier segment, or a blind attack.",
     "Count them: many with numbers far apart are an attack.", "A stack that sends RSTs with stale numbers."},
    {K::kResetInWindowNotExact, "reset-in-window-not-exact", "reset", kNotice, any_of(kEnd, kAtt), "RFC 5961, 3.2",
     "A RST inside the window but not at its edge: its target should challenge it.",
     "Data in flight when the RST was sent, or a blind attack.", "See whether a challenge ACK follows, and an exact RST.",
     "An older stack that accepts it at once."},
    {K::kResetIgnored, "reset-ignored", "reset", kWarning, any_of(kEnd, kAtt, kNet), "RFC 9293, 3.5.3",
     "An end went on after a RST it should have accepted.", "The RST was lost behind the tap, or dropped by a firewall as forged.",
     "Compare the RST's TTL with its sender's.", "A stack that checks RSTs more strictly."},
    {K::kResetSuspectedForged, "reset-suspected-forged", "reset", kAlert, any_of(kAtt, kNet), "RFC 5961, 3",
     "A RST was probably not sent by the end in whose name it came.",
     "Censorship or an intrusion prevention system that injects RSTs, an attack.",
     "Compare TTL and IP ID with the sender's other packets to place the injector.", "A load balancer or NAT that resets for its server."},
    {K::kDataAfterReset, "data-after-reset", "reset", kNotice, any_of(kEnd, kNet), "RFC 9293, 3.5.3",
     "Data was sent after the connection had been reset.", "Segments in flight when the RST was sent, or a RST that never arrived.",
     "See whether it stops within a round trip.", "A forged RST that was ignored."},
    {K::kResetStorm, "reset-storm", "reset", kWarning, any_of(kEnd, kAtt), "RFC 9293, 3.5.3", "An end sent RST after RST.",
     "Two confused ends or a middlebox that answer each other, or an attack.", "Look at what each RST answers.",
     "Many segments in flight, each answered by a RST."},
}};

constexpr std::array<std::string_view, 4> kSeverities{"info", "notice", "warning", "alert"};

constexpr bool in_order() {
  for (std::size_t n = 0; n < kTable.size(); ++n) {
    if (static_cast<std::size_t>(kTable[n].kind) != n) return false;
  }
  return true;
}
static_assert(in_order(), "the table is indexed by kind");

}  // namespace

const KindInfo& info(AnomalyKind kind) noexcept { return kTable[static_cast<std::size_t>(kind)]; }

std::span<const KindInfo> anomaly_kinds() noexcept { return kTable; }

std::string_view reported_when(AnomalyKind kind) noexcept {
  switch (kind) {
    case K::kHandshakeAckMissing:
      return "The handshake was completed by data or a FIN, and IP IDs leave room for an ACK that was not seen. Origin is the capture "
             "alone "
             "if a second passed in which the SYN-ACK was not repeated: the ACK did arrive.";
    case K::kHalfOpen:
      return "No ACK within the larger of 4 round trips and 1 s: until then it may still come, and the point is inconclusive.";
    case K::kKeepaliveUnanswered:
      return "3 probes in a row without a word from the peer, or 2 if the prober then resets: one lost probe is chance, and an end that "
             "gives up has decided for itself.";
    case K::kZeroWindowStall:
      return "The window stays closed for 1 s or more while the peer probes it: below the least retransmission timeout (RFC 6298, 2.4) it "
             "is ordinary backpressure, and a window nobody waits for stalls nothing.";
    case K::kWindowShrunk:
      return "The right edge goes back by more than a segment (the MSS) or the unit of the window scale: less is rounding. Not once a FIN "
             "was seen.";
    case K::kDataOutsideWindow:
      return "Beyond the right edge of the window as captured, a probe of one byte aside; or numbers far from the window whose "
             "acknowledgment fits the connection. Only where the window scale of both ends is known.";
    case K::kRetransmission:
      return "5 segments with payload sent again, and 2 % of all the end sent: less is what congestion control itself provokes.";
    case K::kSpuriousRetransmission:
      return "5 segments sent again after they had been acknowledged, and 2 % of all the end sent: a tail loss probe now and then is "
             "ordinary.";
    case K::kOutOfOrder:
      return "10 segments out of order, and 2 % of all the end sent: receivers cope with less without being slowed down.";
    case K::kOverlapInconsistent:
      return "The same range of numbers before it is acknowledged, with another checksum of the payload; never where checksums are wrong "
             "or "
             "left to the device.";
    case K::kTimestampRegression:
      return "500 ticks or more, on a segment with new data or a new acknowledgment: one that was held up says nothing new, and reordering "
             "takes a few ticks.";
    case K::kDataUnanswered:
      return "The same data sent again 3 times (R1 of RFC 9293, 3.8.3) and not acknowledged by the end. A path MTU is suggested if nothing "
             "that large was ever acknowledged (and it is more than the 536 bytes of every path), a firewall if the connection had been "
             "idle for 60 s before.";
    case K::kPeerSilent:
      return "3 s or more without a word, although data, a FIN or probes asked for one at least 3 times again. Not of an end that had "
             "closed.";
    case K::kFinalAckMissing:
    case K::kFinUnanswered:
      return "After the larger of 4 round trips and 1 s, or the first repeated FIN; before that it is inconclusive. Without a repeated FIN "
             "origin includes the capture, and is the capture alone after 3 s, when a FIN would have been repeated.";
    case K::kHalfClose:
      return "The other end sends at least one new byte after acknowledging the first FIN, or keeps its direction open for more than 1 s.";
    case K::kCloseWaitLingering:
    case K::kFinWait2Lingering:
      return "60 s in that state and 60 s of silence: a half-close that is used is meant.";
    case K::kResetSuspectedForged:
      return "Alert or warning if its sender goes on (alert with another TTL). From looks alone never more than a notice, for load "
             "balancers and firewalls reset in the name of their servers: a TTL off by 2 or more hops, or two of: an IP ID 2048 out of "
             "row, a window never used, options never used, a number behind data already sent.";
    case K::kDataAfterReset:
      return "Later after the RST than 1.5 round trips + 2 ms: what was under way crossed it.";
    case K::kResetStorm:
      return "10 RSTs of one end over more than the larger of 4 round trips and 1 s: the answers to one window of segments are over "
             "sooner.";
    default:
      return "";
  }
}

std::optional<AnomalyKind> anomaly_kind(std::string_view wanted) noexcept {
  const KindInfo* row = base::named_row(kTable, wanted);
  return row == nullptr ? std::nullopt : std::optional(row->kind);
}

std::string_view name(Severity severity) noexcept { return kSeverities[static_cast<std::size_t>(severity)]; }

std::optional<Severity> severity(std::string_view wanted) noexcept {
  for (std::size_t n = 0; n < kSeverities.size(); ++n) {
    if (kSeverities[n] == wanted) return static_cast<Severity>(n);
  }
  return std::nullopt;
}

}  // namespace finwait::tcp

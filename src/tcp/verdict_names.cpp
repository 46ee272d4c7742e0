// The words for openings, endings and the other values of a verdict, and what --describe says of them.
#include <algorithm>
#include <array>
#include <string_view>

#include "finwait/tcp/verdict.h"

namespace finwait::tcp {
namespace {

constexpr std::array<std::string_view, kOpenings> kOpeningNames{
    "three-way",   "fast-open", "simultaneous", "split",     "unanswered",  "refused",
    "unreachable", "half-open", "aborted",      "midstream", "backscatter",
};

constexpr std::array<std::string_view, kEndings> kEndingNames{
    "graceful", "final-ack-missing", "fin-unanswered", "half-closed", "reset", "reset-after-fin", "closing",    "refused", "unreachable",
    "aborted",  "unanswered",        "half-open",      "backscatter", "open",  "timeout",         "superseded", "evicted",
};

constexpr std::array<Description, kOpenings> kOpeningTexts{{
    {"SYN, SYN-ACK, and a third segment that shows the originator knew the responder's initial sequence number.",
     "The ordinary way to open a connection.",
     "Nothing. `completed_by` says whether the bare ACK was seen, or data or a FIN stood in for it."},
    {"The SYN carried data, and the SYN-ACK acknowledged it (RFC 7413).",
     "Both ends have TCP fast open switched on and the client had a cookie.", "Nothing."},
    {"Both ends sent a SYN before they had seen the other's (RFC 9293, figure 7).",
     "Peers that connect to each other at the same moment: BGP routers, hole punching through NAT, a socket that connected to itself.",
     "Nothing, unless neither program is meant to connect by itself."},
    {"The SYN was answered by a bare SYN or ACK, and the connection came up all the same.",
     "A broken or hostile server: the split handshake is a known way to confuse firewalls about who is the client.",
     "Look at the responder; see that firewalls on the way drop such handshakes."},
    {"Only SYNs were seen: nobody answered.", "The host is down, a firewall drops silently, the route back is broken, or a scan.",
     "Try from another network; look for the SYN at the server's side; check the firewall's rules for drop against reject."},
    {"The SYN was answered by a RST that acknowledges it.", "Nothing listens on that port, or a firewall rejects with RST.",
     "Check that the service runs and listens on this address and port."},
    {"The SYN was answered by an ICMP unreachable.", "A router has no route or a firewall forbids the way; the host does not answer ARP.",
     "Look at who sent the ICMP error, and at its code."},
    {"SYN and SYN-ACK, but never an ACK that shows the originator got it.",
     "The SYN-ACK or the last ACK is lost on the way; the source address was forged (a SYN flood); a scanner.",
     "One source: look for loss or asymmetric routing. Many sources: look at SYN cookies and the backlog."},
    {"SYN and SYN-ACK, then a RST instead of a connection.",
     "A half-open scan, a client that gave up or raced two addresses, an old duplicate SYN, or a listener that closed or overflowed.",
     "See who sent the RST: the originator cancels, the responder could not take the connection."},
    {"The handshake was not captured; the connection was picked up in the middle.",
     "It was older than the capture, or the capture lost its beginning.",
     "Start the capture earlier if the opening matters; roles are a guess here (see role_evidence)."},
    {"Only segments that answer something unseen: a SYN-ACK or a RST without any SYN.",
     "Somebody else uses this address as a forged source, or the capture sees one direction only.",
     "If it comes from many hosts: it is the echo of a flood elsewhere. If from one: check that the capture sees both directions."},
}};

constexpr std::array<Description, kEndings> kEndingTexts{{
    {"Both ends sent a FIN, and both FINs were acknowledged.", "The ordinary way to close a connection.",
     "Nothing. `first_fin` says who closed first and so who holds TIME-WAIT."},
    {"Both ends sent a FIN, the later one was never acknowledged, and the capture went on long enough to say so.",
     "The end that closed first is gone, or its last ACK does not reach the other, which now sits in LAST-ACK and repeats its FIN.",
     "Look at the host that closed first: firewall, crash, or a state table that forgot the connection too early."},
    {"One end sent a FIN that was never acknowledged.", "The peer or the path to it died before the close.",
     "Look at the other direction just before: did it fall silent earlier?"},
    {"One direction was closed and acknowledged; the other was still open when the capture or the memory of it ended.",
     "A transfer that goes on in one direction by design, or an application that forgot to close its socket (CLOSE-WAIT).",
     "If it lasts: look for sockets in CLOSE-WAIT at the end that has not sent its FIN."},
    {"A RST ended it before any FIN.",
     "A crash, an abort by the application (SO_LINGER 0, unread data), a firewall or load balancer timeout, a forged RST.",
     "`reset_by` says who; look at what the other end had sent just before the RST."},
    {"A RST ended it after at least one FIN had been sent.",
     "Often harmless: a client that aborts instead of waiting; data that arrived after the application closed.",
     "Check whether data was lost: see closed-with-pending-data."},
    {"Both FINs were sent, the last one was not acknowledged yet, and the capture ended too soon to say more.",
     "The capture stopped in the middle of a close.", "Nothing; capture for longer to see the end."},
    {"Never established: the SYN was answered by a RST.", "Nothing listens on that port, or a firewall rejects with RST.",
     "Check that the service runs and listens on this address and port."},
    {"Never established: the SYN was answered by an ICMP unreachable.", "No route, no such host, or a firewall that says so.",
     "Look at who sent the ICMP error, and at its code."},
    {"Never established: SYN and SYN-ACK, then a RST.", "A half-open scan, a cancelled attempt, or a listener that could not take it.",
     "See who sent the RST."},
    {"Never established: SYNs only.", "The host is down, a firewall drops silently, or a scan.", "Look for the SYN at the server's side."},
    {"Never established: the SYN-ACK was never acknowledged.", "Loss on the way, a forged source address, a scanner.",
     "Compare the number of sources: one is loss, many are a flood."},
    {"Never seen to be established: only answers to something unseen.", "A forged source elsewhere, or a capture of one direction.",
     "Check that the capture sees both directions."},
    {"Established, or picked up in the middle, and still alive when the capture ended.", "The capture ended first.", "Nothing."},
    {"Silent for longer than the idle limit, without an end.", "A peer that vanished, or a connection that is simply quiet.",
     "Raise --idle if such connections are expected to live."},
    {"A new connection between the same ports replaced it before it had ended.",
     "One end restarted or forgot the old connection and used its port again.",
     "Look at the end that sent the new SYN: reboot, NAT that ran out of ports, or very fast reuse."},
    {"Forgotten for lack of room, in the state it was in.", "More connections at once than --max-connections or --memory allow.",
     "Raise --memory, or filter the input."},
}};

template <class Value, std::size_t N>
std::optional<Value> find(const std::array<std::string_view, N>& names, std::string_view wanted) noexcept {
  const auto* at = std::find(names.begin(), names.end(), wanted);
  if (at == names.end()) return std::nullopt;
  return static_cast<Value>(at - names.begin());
}

}  // namespace

std::string_view name(Opening value) noexcept { return kOpeningNames[static_cast<std::size_t>(value)]; }
std::string_view name(Ending value) noexcept { return kEndingNames[static_cast<std::size_t>(value)]; }

std::string_view name(CompletedBy by) noexcept {
  static constexpr std::array<std::string_view, 4> kNames{"", "ack", "data", "fin"};
  return kNames[static_cast<std::size_t>(by)];
}

std::string_view name(Replaced replaced) noexcept {
  static constexpr std::array<std::string_view, 6> kNames{
      "", "after-closed", "in-time-wait", "in-time-wait-violating", "over-half-open", "over-established"};
  return kNames[static_cast<std::size_t>(replaced)];
}

std::string_view name(RoleEvidence evidence) noexcept {
  static constexpr std::array<std::string_view, 4> kNames{"syn", "syn-ack", "port", "first-packet"};
  return kNames[static_cast<std::size_t>(evidence)];
}

std::string_view name(TimeWaitEnd end) noexcept {
  static constexpr std::array<std::string_view, 4> kNames{"expired", "reused", "assassinated", "capture-end"};
  return kNames[static_cast<std::size_t>(end)];
}

std::string_view name(Who who) noexcept {
  static constexpr std::array<std::string_view, 5> kNames{"", "originator", "responder", "both", "third-party-suspected"};
  return kNames[static_cast<std::size_t>(who)];
}

std::optional<Opening> opening(std::string_view wanted) noexcept { return find<Opening>(kOpeningNames, wanted); }
std::optional<Ending> ending(std::string_view wanted) noexcept { return find<Ending>(kEndingNames, wanted); }

const Description& describe(Opening value) noexcept { return kOpeningTexts[static_cast<std::size_t>(value)]; }
const Description& describe(Ending value) noexcept { return kEndingTexts[static_cast<std::size_t>(value)]; }

}  // namespace finwait::tcp

// The table of kinds that are about a host.
#include <array>

#include "finwait/base/named_row.h"
#include "finwait/hosts/finding.h"

namespace finwait::hosts {
namespace {

using K = HostKind;
constexpr auto kInfo = tcp::Severity::kInfo;
constexpr auto kNotice = tcp::Severity::kNotice;
constexpr auto kWarning = tcp::Severity::kWarning;
constexpr auto kAlert = tcp::Severity::kAlert;
constexpr std::uint8_t kEnd = tcp::origin::kEndpoint;
constexpr std::uint8_t kNet = tcp::origin::kNetwork;
constexpr std::uint8_t kCap = tcp::origin::kCapture;
constexpr std::uint8_t kAtt = tcp::origin::kAttacker;
constexpr std::uint8_t any_of(std::uint8_t a, std::uint8_t b) { return static_cast<std::uint8_t>(a | b); }

constexpr std::array<HostKindInfo, kHostKinds> kTable{{
    {K::kIsnPredictable, "isn-predictable", kAlert, kEnd, "RFC 6528, 3",
     "The initial sequence numbers of a host can be guessed: whoever does can forge connections from hosts it trusts.",
     "An old or embedded TCP stack, a clock without the keyed hash of RFC 6528, a weak random generator.",
     "See what the numbers follow; update or firewall the host, and trust no address of its peers.",
     "A load balancer or SYN proxy that answers for the host with numbers of its own."},
    {K::kIsnRepeated, "isn-repeated", kAlert, kEnd, "RFC 6528, 3",
     "A host used the same initial sequence number for different connections.",
     "A small pool of numbers, a virtual machine copied together with its random state, a replayed capture.",
     "Look at the connections: same number, other ports.", "A test tool that writes its own segments."},
    {K::kIsnQuality, "isn-quality", kInfo, kEnd, "RFC 6528, 3",
     "What could be told of how a host chooses its initial sequence numbers; no weakness was found.",
     "rfc6528-like: a clock and a hash, as RFC 6528 wants; random-like: no rule found; inconclusive: too few samples.",
     "Nothing. More connections tell more.", "A generator whose weakness no test here knows."},
    {K::kSynFlood, "syn-flood", kAlert, kAtt, "RFC 4987",
     "A listener is filled with half-open connections: SYNs that it answered and nobody completed.",
     "A flood of SYNs from forged addresses.",
     "Turn SYN cookies on (net.ipv4.tcp_syncookies), look at the backlog (ss -lnt; nstat -az TcpExtListenOverflows), filter upstream.",
     "A capture that sees one direction only, clients behind a path that loses the SYN-ACK, a scan of one port from many addresses."},
    {K::kAcceptQueueOverflow, "accept-queue-overflow", kWarning, kEnd, "RFC 9293, 3.10.7.4",
     "A listener goes on repeating its SYN-ACK on many connections whose handshake was complete: it does not take them over.",
     "The application does not call accept() fast enough, and its queue is full.",
     "See the queue (ss -lnt: Recv-Q at Send-Q) and nstat -az TcpExtListenOverflows; raise the backlog, or the application's speed.",
     "TCP_DEFER_ACCEPT with clients that send nothing, or loss between the tap and the listener."},
    {K::kPortScan, "port-scan", kWarning, kAtt, "",
     "A host tried many ports of one host, or one port of many hosts, and most attempts came to nothing.",
     "A scanner looking for services, a worm, an inventory or monitoring system.",
     "Ask who runs that host; look at what answered, above all at ports that were open.",
     "A client with many stale addresses (peer-to-peer), or a service that moved."},
    {K::kTimeWaitPressure, "time-wait-pressure", kWarning, kEnd, "RFC 9293, 3.6.1",
     "TIME-WAITs towards one destination hold a large share of the ports a host can choose from: soon it can open no more connections.",
     "Many short connections that the client closes first.",
     "Keep connections open (pools, keep-alive), let the server close first, widen net.ipv4.ip_local_port_range, or allow "
     "net.ipv4.tcp_tw_reuse.",
     "A load test; a range wider than the ports that were seen."},
    {K::kCloseWaitLeak, "close-wait-leak", kWarning, kEnd, "RFC 9293, 3.3.2",
     "More and more connections of a host are stuck in CLOSE-WAIT: the peer closed, the application does not.",
     "An application that forgets to close its sockets, often after an error.",
     "List them there (ss -tnp state close-wait) and find the code that holds them.", "Half-closes that are meant to last."},
    {K::kFinWait2Leak, "fin-wait-2-leak", kNotice, kEnd, "RFC 9293, 3.3.2",
     "More and more connections of a host are stuck in FIN-WAIT-2: it closed, its peers do not.",
     "The peers' application leaks its sockets (close-wait-leak there), or the peers are gone.",
     "Look at the peers. On Linux net.ipv4.tcp_fin_timeout ends it for sockets without a process.", "Half-closes that are meant to last."},
    {K::kResetRate, "reset-rate", kNotice, any_of(kEnd, kNet), "RFC 9293, 3.5.3",
     "An unusual share of a listener's connections that carried data was cut by a RST.",
     "A crashing or overloaded application, an idle timeout of a firewall or load balancer, clients that abort.",
     "See who sent the RSTs and how long the connections had been idle (finwait --only reset).",
     "A protocol that closes by RST on purpose."},
    {K::kRetransmissionRate, "retransmission-rate", kNotice, kNet, "RFC 9293, 3.8.1",
     "A host had to send an unusual share of its segments again.",
     "Loss or congestion on its path, a duplex mismatch, a policer, bad wireless.",
     "Compare with other hosts behind the same path; capture on both sides of it.",
     "The tap sees packets twice, or misses acknowledgments."},
    {K::kCaptureLoss, "capture-loss", kNotice, kCap, "", "The capture itself lost packets: bytes were acknowledged that it never saw.",
     "A tap, mirror port, disk or snap length that could not keep up.",
     "Capture with a larger buffer (-B), on a quieter port, or headers only (-s 96); distrust findings about what is missing.",
     "One direction takes another path."},
}};

constexpr bool in_order() {
  for (std::size_t n = 0; n < kTable.size(); ++n) {
    if (static_cast<std::size_t>(kTable[n].kind) != n) return false;
  }
  return true;
}
static_assert(in_order(), "the table is indexed by kind");

}  // namespace

const HostKindInfo& info(HostKind kind) noexcept { return kTable[static_cast<std::size_t>(kind)]; }

std::span<const HostKindInfo> host_kinds() noexcept { return kTable; }

std::optional<HostKind> host_kind(std::string_view wanted) noexcept {
  const HostKindInfo* row = base::named_row(kTable, wanted);
  return row == nullptr ? std::nullopt : std::optional(row->kind);
}

}  // namespace finwait::hosts

// The trace notation of tests/traces/README.md: a conversation in tcpdump's words, and what is to be said of it.
//
// Always true: a Trace is a value, numbers in it are relative as written; materialise() alone turns it into segments, for one choice of
// initial sequence numbers, addresses and IP version. Does not judge: trace_test.cpp compares a Trace with what the tracker says. Needs no
// test library, since tools/trace2pcap reads the same notation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "finwait/base/time.h"
#include "finwait/tcp/state.h"
#include "finwait/tcp/verdict.h"
#include "finwait/wire/segment.h"

namespace finwait::testing {

/// A trace that cannot be read; what() is "file:line: what is wrong".
struct TraceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct TraceOptions {
  std::optional<std::uint16_t> mss;
  std::optional<std::uint8_t> window_scale;
  bool sack_permitted = false;
  std::optional<std::pair<std::uint32_t, std::uint32_t>> timestamps;  ///< TSval, TSecr
  std::vector<std::pair<std::int64_t, std::int64_t>> sacks;           ///< absolute distances from the peer's first initial sequence number
  bool fast_open = false;
  bool fast_open_cookie = false;
};

/// One line that is something happening. Side 0 is `>` (left column), side 1 is `<`.
struct TraceStep {
  enum class Kind : std::uint8_t { kSegment, kIcmp, kAdvance };
  Kind kind = Kind::kSegment;
  int line = 0;             ///< in the file
  std::string text;         ///< the line up to the states, for messages
  base::Duration time = 0;  ///< since the start of the trace
  int side = 0;             ///< who sent it; of an ICMP error: from whose direction it comes
  std::uint16_t flags = 0;
  std::int64_t seq = 0;   ///< distance from the sender's first initial sequence number; of an ICMP error: from the other end's
  bool absolute = false;  ///< `seq` is the number on the wire
  std::uint32_t payload = 0;
  std::optional<std::int64_t> ack;
  std::uint16_t window = 65535;
  TraceOptions options;
  std::uint8_t ttl = 0;
  std::uint16_t ip_id = 0;
  std::uint32_t captured = 0;  ///< bytes kept of the frame; 0: all
  std::uint8_t icmp_type = 0;  ///< of IPv4; see icmp_of()
  std::uint8_t icmp_code = 0;
  std::array<std::optional<tcp::State>, 2> states;
  std::vector<std::string> events;
};

struct ExpectedCause {
  int side = 0;
  tcp::State state{};
  std::uint64_t frame = 0;
};

struct ExpectedTimeWait {
  tcp::Who owner{};  ///< kOriginator: the left end
  std::uint32_t restarts = 0;
  tcp::TimeWaitEnd ended{};
};

struct ExpectedHalfClose {
  tcp::Who by{};
  std::optional<std::uint64_t> bytes;
};

/// What is to be said of one connection. "Originator" is always the left end of the trace, whatever the note on roles says.
struct Expected {
  int line = 0;
  std::optional<tcp::Opening> opening;
  std::optional<tcp::Ending> ending;
  std::optional<std::string> completed_by;
  std::optional<tcp::Who> first_fin;
  std::optional<tcp::Who> reset_by;
  tcp::Replaced replaced = tcp::Replaced::kNothing;
  std::optional<std::string> role_evidence;
  int originator = 0;  ///< which side the note on roles must name
  std::optional<ExpectedTimeWait> time_wait;
  std::optional<ExpectedHalfClose> half_close;
  std::vector<std::string> anomalies;
  std::vector<std::string> inconclusive;
  std::vector<std::pair<std::string, std::uint64_t>> times;  ///< how often an anomaly was found
  std::vector<std::pair<std::string, std::string>> origins;  ///< of an anomaly: "capture", "endpoint network" ...
  std::array<std::optional<std::vector<tcp::State>>, 2> path;
  std::vector<ExpectedCause> causes;
  std::vector<std::pair<std::string, std::uint64_t>> counters;  ///< "originator retransmitted" ...
};

struct Trace {
  std::string file;
  std::string name;   ///< "close/simultaneous"
  std::string title;  ///< the first comment
  bool ipv4_only = false;
  std::vector<TraceStep> steps;
  std::vector<Expected> connections;  ///< at least one
};

[[nodiscard]] Trace parse_trace(const std::string& text, const std::string& file);
/// Throws TraceError when it cannot be opened or read.
[[nodiscard]] Trace load_trace(const std::string& file);
/// All *.trace below a folder, sorted.
[[nodiscard]] std::vector<std::string> find_traces(const std::string& folder);

struct Addressing {
  std::array<std::uint32_t, 2> isn{1000, 2000};
  bool exchanged = false;  ///< the left end gets the higher address
  bool ipv6 = false;
  std::uint32_t network = 1;  ///< other numbers give other addresses
  std::uint16_t originator_port = 40000;
  std::uint16_t responder_port = 443;
  base::Timestamp start = 1'700'000'000 * base::kSecond;
};

[[nodiscard]] wire::Address address_of(const Addressing& addressing, int side);
[[nodiscard]] wire::FlowKey key_of(const Addressing& addressing);
/// Index into Connection::ends of a side.
[[nodiscard]] int end_of(const Addressing& addressing, int side);
/// The segment of a step that is no kAdvance; `clock`, `frame` and `hash` are left to the caller.
[[nodiscard]] wire::Segment materialise(const TraceStep& step, const Addressing& addressing);
/// Bytes of the TCP options of a step, as they stand in the header (a multiple of four).
[[nodiscard]] std::vector<std::uint8_t> option_bytes(const TraceStep& step, const Addressing& addressing);
/// Type and code of an ICMP step in this version of IP.
[[nodiscard]] std::pair<std::uint8_t, std::uint8_t> icmp_of(const TraceStep& step, bool ipv6);

}  // namespace finwait::testing

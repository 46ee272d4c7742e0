// The detectors: what a segment, a life or an ending shows to be wrong (lifecycle, section 6).
//
// Each kind has one small function in detect.cpp; the lists at the foot of that file say which look at a segment, which at a whole
// connection. What the values of a finding mean stands in anomaly_text.h. Detectors change nothing but the journal.
#pragma once

#include <cstdint>

#include "finwait/tcp/connection.h"
#include "finwait/tcp/tracker.h"
#include "finwait/tcp/verdict.h"
#include "journal.h"
#include "observation.h"

namespace finwait::tcp {

/// A segment that has been through the machine (or a stray).
void detect(const Observation& o, Journal& journal) noexcept;

// What an ordinary segment never does; each is told as it happens (counting.cpp).
/// Data beyond the window its receiver had offered.
void detect_outside_window(const Observation& o, std::int32_t beyond, Journal& journal) noexcept;
/// The right edge of the sender's window went `back`.
void detect_window_shrunk(const Observation& o, std::int32_t back, Journal& journal) noexcept;
/// The sender opens its window again. `notes`: its own, with the closing in them; `waiting`: its peer's, or nullptr.
void detect_window_opened(const Observation& o, const StreamNotes& notes, const StreamNotes* waiting, const Thresholds& thresholds,
                          Journal& journal) noexcept;
/// A TSval `back` behind the newest, on a segment that says something new.
void detect_old_stamp(const Observation& o, std::int32_t back, Journal& journal) noexcept;
/// Other bytes than frame `other` had at the same numbers.
void detect_overlap(const Observation& o, std::uint64_t other, Journal& journal) noexcept;

/// An ICMP error quotes a segment of this connection.
void detect_icmp(Connection& c, std::uint32_t index, const wire::Segment& s, Journal& journal) noexcept;

/// A SYN with another number came upon a connection that stands.
void detect_candidate(Connection& c, std::uint32_t index, const wire::Segment& syn, Journal& journal) noexcept;

/// A candidate SYN was answered by an acknowledgment of the connection that stands.
void detect_challenge(Connection& c, std::uint32_t index, const Connection& candidate, const wire::Segment& answer,
                      Journal& journal) noexcept;

/// The sender of a challenged candidate resets the connection: it had forgotten it (RFC 9293, figure 9).
void detect_half_open(Connection& c, std::uint32_t index, const Connection& candidate, const wire::Segment& rst, Journal& journal) noexcept;

/// A candidate proved to be an old duplicate.
void detect_old_syn(Connection& c, std::uint32_t index, const Connection& duplicate, Journal& journal) noexcept;

/// A SYN-ACK or later segments that fit no SYN came upon a connection that stands, and their peer never went on from them.
void detect_unanswered(Connection& c, std::uint32_t index, const Connection& candidate, Journal& journal) noexcept;

/// `fresh` takes the place of `c`, by a SYN of end `who`.
void detect_reuse(Connection& c, std::uint32_t index, const Connection& fresh, unsigned who, Journal& journal) noexcept;

/// A connection that is over, or seen for the last time. `clock`: how far the capture went; `dropped`: it says that it lost frames at that
/// time. Also fills `verdict.inconclusive`.
void detect_at_end(Connection& c, std::uint32_t index, Verdict& verdict, const Timers& timers, base::Timestamp clock, bool dropped,
                   Journal& journal) noexcept;

}  // namespace finwait::tcp

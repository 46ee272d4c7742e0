// One plain sentence for one finding, with its numbers in it.
//
// The sentence needs only the finding and who is originator, so it is made when a finding is reported, never before. Plain ASCII, without
// quotes, backslashes or control characters: it can stand in JSON as it is. A number that is 0 is unknown and the sentence does without it.
//
// What Anomaly::end, count and values mean, by kind. Times are nanoseconds, "distance" is a signed difference of sequence numbers.
//
// clang-format off: a table
//   kind                        end: whose              count: of              values[0]                        values[1]
//   syn-retransmitted           sender of the SYN       repetitions            time, first to last SYN          lost:: bits
//   syn-ack-retransmitted       sender of the SYN-ACK   repetitions            time, first to last SYN-ACK      lost:: bits
//   handshake-ack-missing       who owed the ACK        -                      -
//   handshake-ack-lost          who sent the ACK        ACKs lost              SYN-ACKs repeated after it       lost:: bits
//   handshake-ack-invalid       sender of the ACK       such ACKs              distance from the right number
//   syn-ack-invalid             sender of the SYN-ACK   such SYN-ACKs          distance from the right number
//   syn-ack-isn-changed         sender of the SYN-ACK   changes                first ISN                        new ISN
//   syn-with-data               sender of the SYN       such SYNs              payload bytes
//   fast-open-refused           who refused             -                      payload bytes not taken
//   old-duplicate-syn           sender of the SYN       such SYNs              its ISN
//   simultaneous-open           -                       -
//   split-handshake             who answered oddly      -
//   half-open                   sender of the SYN-ACK   -                      SYN-ACKs sent                    time waited after the last
//   connection-refused          who refused             -                      time from SYN to RST
//   syn-flags-illegal           sender                  such segments          flags as sent (wire::tcp_flag)
//   syn-in-established          sender of the SYN       such SYNs              distance from the expected number
//   challenge-ack               sender of the ACK       such ACKs
//   half-open-discovered        who had forgotten       -
//   ack-of-unsent-data          sender of the ACK       such ACKs              bytes beyond what was sent
//   data-outside-window         sender of the data      such segments          bytes beyond the window's right edge (below its left:
//   negative) keepalive-unanswered        sender of the probes    probes                 time from the first probe to the last frame
//   zero-window-stall           who closed its window   stalls                 longest time                     all stalls together
//   window-shrunk               who shrank it           times                  bytes its right edge went back (the most)
//   retransmission              sender                  segments               payload bytes sent again         packets of this end, + 2^32
//   x those lost before the tap spurious-retransmission     sender                  segments               payload bytes sent again packets
//   of this end out-of-order                sender                  segments               -                                packets of this
//   end overlap-inconsistent        sender                  segments               bytes that overlap timestamp-regression        sender
//   segments               how far TSval went back (the most) data-unanswered             sender of the data      times sent again payload
//   bytes + 2^32 x unanswered:: time, first to last try peer-silent                 who fell silent         -                      time of
//   silence icmp-error                  whose segment is quoted errors                 256 x ICMP type + ICMP code      path MTU + icmp::
//   what the end did final-ack-missing           who owed the ACK        -                      time the capture went on after the FIN
//   final-ack-lost              who sent the ACK        ACKs lost              FINs repeated after it         lost:: bits
//   fin-retransmitted           sender of the FIN       repetitions            time, first to last FIN          lost:: bits
//   fin-unanswered              sender of the FIN       FINs sent              time waited after the last
//   fin-moved                   sender of the FIN       moves                  distance from the first FIN's number
//   data-after-fin              sender                  segments               payload bytes beyond the FIN
//   half-close                  who closed first        -                      time the other direction stayed open     bytes sent
//   meanwhile close-wait-lingering        who does not close      -                      time in CLOSE-WAIT fin-wait-2-lingering        who
//   waits               -                      time in FIN-WAIT-2 simultaneous-close          -                       - time-wait-reused
//   sender of the new SYN   -                      time since TIME-WAIT began time-wait-reuse-violation   sender of the new SYN   - time
//   since TIME-WAIT began       distance of the new ISN from the old RCV.NXT time-wait-assassinated      whose TIME-WAIT ended   - time
//   since TIME-WAIT began late-segment-in-time-wait   sender of the segment   such segments          time since TIME-WAIT began payload
//   bytes closed-with-pending-data    who had closed          RSTs                   payload bytes that came too late reset-in-handshake
//   sender of the RST       - reset-established           sender of the RST       -                      peer's payload bytes never
//   acknowledged reset-after-fin             sender of the RST       -                      peer's payload bytes never acknowledged
//   reset-out-of-window         sender of the RST       such RSTs              distance from the number expected
//   reset-in-window-not-exact   sender of the RST       such RSTs              distance from the number expected
//   reset-ignored               who ignored it          RSTs                   time it went on after it
//   reset-suspected-forged      who is said to send it  RSTs                   forged:: bits                    TTL of the RST minus usual
//   TTL data-after-reset            sender of the data      segments               payload bytes reset-storm                 sender of most
//   RSTs     RSTs                   time, first to last
// clang-format on
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "finwait/tcp/anomaly.h"
#include "finwait/tcp/connection.h"

namespace finwait::tcp {

/// Why a RST is thought not to come from its sender: values[0] of reset-suspected-forged.
namespace forged {
inline constexpr std::int64_t kWentOn = 1;    ///< the sender went on after it
inline constexpr std::int64_t kTtl = 2;       ///< another TTL
inline constexpr std::int64_t kIpId = 4;      ///< IP ID out of the sender's row
inline constexpr std::int64_t kWindow = 8;    ///< a window the sender never used
inline constexpr std::int64_t kOptions = 16;  ///< options unlike the sender's
inline constexpr std::int64_t kBehind = 32;   ///< its number lies behind data the sender had already sent
}  // namespace forged

/// What the end did after an ICMP error that quoted it: in values[1] of icmp-error, above the path MTU.
namespace icmp {
inline constexpr std::int64_t kWentOn = std::int64_t{1} << 32;  ///< it did not believe it, or it was soft
inline constexpr std::int64_t kGaveUp = std::int64_t{1} << 33;  ///< it closed, or said nothing any more
}  // namespace icmp

/// On which side of the tap something was lost, as seen from the end that the finding is about.
namespace lost {
inline constexpr std::int64_t kHere = 1;    ///< between the tap and that end: the answer to it had passed the tap
inline constexpr std::int64_t kBeyond = 2;  ///< between the tap and the other end: it had passed the tap, and no answer had
}  // namespace lost

/// What the tries of data-unanswered suggest: values[0] >> 32, beside the size in the lower half.
namespace unanswered {
inline constexpr std::int64_t kLarger = 1;     ///< nothing that large was ever acknowledged: the path MTU
inline constexpr std::int64_t kPeerAlive = 2;  ///< its peer goes on speaking
inline constexpr std::int64_t kAfterIdle = 4;  ///< after a long silence: a firewall that forgot
}  // namespace unanswered

/// Room that is always enough for a sentence.
inline constexpr std::size_t kAnomalyTextRoom = 320;

/// Writes the sentence into `room` (cut off if that is too short) and returns the part written. Allocates nothing. Any thread.
[[nodiscard]] std::string_view anomaly_text(const Anomaly& anomaly, const Connection& connection, std::span<char> room) noexcept;

/// The same as a string.
[[nodiscard]] std::string anomaly_text(const Anomaly& anomaly, const Connection& connection);

}  // namespace finwait::tcp

#include "finwait/tcp/anomaly_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace finwait::tcp {
namespace {

// The sentences, one a kind, in the order of AnomalyKind. In braces:
//   E e  the end the finding is about, P p the other one (capital at the start of a sentence)
//   x    count: "once", "3 times"    c    count: "3"    t    values[0] as x
//   d D  values[0], values[1] as a time    b B  as bytes    n N  as a number
//   h    values[0] as flags    f    values[0] as forged:: reasons    i    an ICMP error
//   s    on which side of the tap something was lost
//   r    the share sent again and where it was lost    u w  the size of what was never acknowledged, and what that suggests
// What stands between square brackets is left out when the numbers in it are 0.
constexpr std::array<std::string_view, kAnomalyKinds> kSentences{
    // handshake
    "{E} repeated its SYN {x}[, the last {d} after the first]{s}",
    "{E} repeated its SYN-ACK {x}[, the last {d} after the first]{s}",
    "The handshake's last ACK, due from {e}, is not in the capture",
    "{E} acknowledged the SYN-ACK, yet {p} repeated it[ {t}]: that ACK was lost beyond the tap, on the side of {p}, or not accepted",
    "{E} acknowledged a wrong number in the handshake {x}[, off by {n}]",
    "{E} sent a SYN-ACK that acknowledges what was not sent {x}[, off by {n}]",
    "{E} changed the initial sequence number of its SYN-ACK {x}[, from {n} to {N}]",
    "{E} sent data in its SYN {x}[ ({b})] without fast open",
    "{E} did not take the data in the SYN[ ({b})]",
    "An old duplicate of a SYN of {e} arrived {x}[ (ISN {n})]",
    "Both ends sent a SYN: the two crossed",
    "{E} answered the SYN with a SYN of its own instead of a SYN-ACK",
    "{E} never got its SYN-ACK acknowledged[, sent {n} in all][ and waited {D}]",
    "{E} refused the connection with a RST[ after {d}]",
    "{E} sent flags that no TCP sends {x}[: {h}]",
    // established
    "{E} sent a SYN inside the established connection {x}[, {n} from the number expected]",
    "{E} answered an unacceptable segment with a challenge ACK {x}",
    "{E} had forgotten the connection while {p} held it open",
    "{E} acknowledged data that was never sent {x}[, {b} beyond]",
    "{E} sent data outside the window {x}[, {b} beyond its edge]",
    "{E} probed {c} times and got no answer[ for {d}]",
    "{E} closed its window {x}[, the longest time for {d}][, {D} in all]",
    "{E} took back window it had offered {x}[, up to {b}]",
    "{E} sent {c} of its {r}",
    "{E} sent {c}[ of its {N}] segments again that had already been acknowledged[, {b}]",
    "Of {e}'s[ {N}] segments {c} passed out of order",
    "{E} sent other bytes at numbers it had already used {x}[, {b} the last time]",
    "{E} sent new words with a timestamp older than its last {x}[, by up to {n} ticks]",
    "{E} sent {u} again {x}[, for {D},] and got no acknowledgment{w}",
    "{E} fell silent[ for {d}] although {p} went on",
    "An ICMP error quoted a segment of {e} {x}: {i}",
    // close
    "{E} never acknowledged the last FIN[ although the capture went on for {d}]",
    "{E} acknowledged the last FIN, yet {p} repeated it[ {t}]: that ACK was lost beyond the tap, on the side of {p}",
    "{E} repeated its FIN {x}[, the last {d} after the first]{s}",
    "{E} sent its FIN {x} and got no acknowledgment[ in {d}]",
    "{E} moved its FIN to another number {x}[, by {n}]",
    "{E} sent data beyond its own FIN {x}[ ({b})]",
    "{E} closed its direction first; {p} kept sending[ for {d}][, {B}]",
    "{E} was told that its peer closed and has not closed itself[ for {d}]",
    "{E} closed and waits for the FIN of {p}[ since {d}]",
    "Both ends sent a FIN before they had the other's",
    "{E} opened a new connection out of TIME-WAIT[, {d} after it began]",
    "{E} reused the ports in TIME-WAIT against the rules[, {d} after it began][, its ISN {N} from the old RCV.NXT]",
    "A RST ended the TIME-WAIT of {e} early[, {d} after it began]",
    "{E} sent a late segment into TIME-WAIT {x}[, {d} after it began][, {B}]",
    "{E} had closed while data for it was still coming[ ({b})] and answered with a RST",
    // reset
    "{E} sent a RST during the handshake",
    "{E} reset the established connection[, {b} of its peer never acknowledged]",
    "{E} sent a RST after a FIN[, {b} of its peer never acknowledged]",
    "{E} sent a RST outside the window {x}[, {n} from the number expected]",
    "{E} sent a RST inside the window, not at its edge {x}[, {n} from the number expected]",
    "{E} went on as if it had not got the RST[, for {d}]",
    "The RST in the name of {e} is probably not its own[: {f}][; its TTL is off by {N}]",
    "{E} sent data after the connection had been reset {x}[ ({b})]",
    "{E} sent {c} RSTs[ within {d}]",
};

/// A writer into a fixed room; what does not fit is cut off.
class Pen {
 public:
  explicit Pen(std::span<char> room) noexcept : room_(room) {}

  void put(std::string_view text) noexcept {
    const std::size_t n = std::min(text.size(), room_.size() - used_);
    std::copy_n(text.data(), n, room_.data() + used_);
    used_ += n;
  }
  template <class... Args>
  void format(fmt::format_string<Args...> text, Args... args) {
    const std::size_t left = room_.size() - used_;
    used_ += std::min(fmt::vformat_to_n(room_.data() + used_, left, text, fmt::make_format_args(args...)).size, left);
  }
  [[nodiscard]] std::size_t used() const noexcept { return used_; }
  void back_to(std::size_t used) noexcept { used_ = used; }
  [[nodiscard]] std::string_view text() const noexcept { return {room_.data(), used_}; }

 private:
  std::span<char> room_;
  std::size_t used_ = 0;
};

void put_time(Pen& pen, std::int64_t nanoseconds) {
  const double seconds = static_cast<double>(nanoseconds) / 1e9;
  if (seconds >= 90.0) {
    pen.format("{:.1f} min", seconds / 60.0);
  } else if (seconds >= 1.0) {
    pen.format("{:.1f} s", seconds);
  } else {
    pen.format("{:.{}f} ms", seconds * 1e3, seconds >= 0.01 ? 0 : 2);
  }
}

void put_times(Pen& pen, std::int64_t count) {
  if (count == 1) {
    pen.put("once");
  } else {
    pen.format("{} times", count);
  }
}

void put_flags(Pen& pen, std::int64_t flags) {
  static constexpr std::array<std::string_view, 9> kNames{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"};
  bool first = true;
  for (std::size_t bit = 0; bit < kNames.size(); ++bit) {
    if ((flags >> bit & 1) == 0) continue;
    pen.put(first ? "" : "+");
    pen.put(kNames[bit]);
    first = false;
  }
}

void put_forged(Pen& pen, std::int64_t reasons) {
  static constexpr std::array<std::string_view, 6> kReasons{
      "it went on", "another TTL", "an IP ID out of its row", "a window it never used", "other options", "it came behind data"};
  bool first = true;
  for (std::size_t bit = 0; bit < kReasons.size(); ++bit) {
    if ((reasons >> bit & 1) == 0) continue;
    pen.put(first ? "" : ", ");
    pen.put(kReasons[bit]);
    first = false;
  }
}

void put_bytes(Pen& pen, std::int64_t bytes) { pen.format("{} byte{}", bytes, bytes == 1 ? "" : "s"); }

/// "40 segments again, 2000 bytes; 12 of them had been lost before the tap"
void put_repeated(Pen& pen, std::int64_t bytes, std::int64_t coded) {
  const std::int64_t before_tap = coded >> 32;
  pen.format("{} segments again, ", coded & 0xffff'ffff);
  put_bytes(pen, bytes);
  if (before_tap != 0) pen.format("; {} of them had been lost before the tap", before_tap);
}

void put_unanswered(Pen& pen, std::int64_t reasons) {
  if ((reasons & unanswered::kLarger) != 0) pen.put("; nothing that large ever was: the path MTU may be smaller");
  if ((reasons & unanswered::kPeerAlive) != 0) pen.put("; its peer still speaks");
  if ((reasons & unanswered::kAfterIdle) != 0) pen.put("; the connection had been idle before: a firewall may have forgotten it");
}

void put_side(Pen& pen, const Anomaly& anomaly, const Connection& connection) {
  const std::int64_t sides = anomaly.values[1];
  const bool originator = anomaly.end == connection.originator;
  const auto side = [&](bool own) { return own == originator ? "the originator" : "the responder"; };
  if (sides == lost::kHere) pen.format("; the answer had passed the tap and was lost or not taken on the side of {}", side(true));
  if (sides == lost::kBeyond) pen.format("; lost beyond the tap, on the side of {}", side(false));
  if (sides == (lost::kHere | lost::kBeyond)) pen.put("; lost on both sides of the tap");
}

std::string_view icmp_name(int version, std::int64_t type, std::int64_t code) {
  if (version == 4) {
    if (type == 3) {
      static constexpr std::array<std::string_view, 5> kUnreachable{"network unreachable", "host unreachable", "protocol unreachable",
                                                                    "port unreachable", "packet too big"};
      if (code == 9 || code == 10 || code == 13) return "administratively prohibited";
      return code < 5 ? kUnreachable[static_cast<std::size_t>(code)] : "unreachable";
    }
    return type == 11 ? "time exceeded" : type == 4 ? "source quench" : type == 12 ? "parameter problem" : "";
  }
  static constexpr std::array<std::string_view, 5> kErrors{"", "unreachable", "packet too big", "time exceeded", "parameter problem"};
  return type > 0 && type < 5 ? kErrors[static_cast<std::size_t>(type)] : "";
}

/// values[0]: type and code; values[1]: path MTU and what the end did then.
void put_icmp(Pen& pen, const Anomaly& anomaly, int version) {
  const std::int64_t type = anomaly.values[0] >> 8 & 0xff;
  const std::int64_t code = anomaly.values[0] & 0xff;
  const std::string_view said = icmp_name(version, type, code);
  if (said.empty()) {
    pen.format("type {}, code {}", type, code);
  } else {
    pen.put(said);
  }
  if (const std::int64_t mtu = anomaly.values[1] & 0xffff'ffff; mtu != 0) pen.format(", path MTU {}", mtu);
  if ((anomaly.values[1] & icmp::kGaveUp) != 0) pen.put("; the end gave up");
  if ((anomaly.values[1] & icmp::kWentOn) != 0) pen.put("; the end went on");
}

void put_end(Pen& pen, const Anomaly& anomaly, const Connection& connection, bool itself, bool capital) {
  const bool originator = (anomaly.end == connection.originator) == itself;
  pen.put(capital ? "The " : "the ");
  pen.put(originator ? "originator" : "responder");
}

/// One token in braces; returns false if it is a number that is 0.
bool put_token(Pen& pen, char token, const Anomaly& anomaly, const Connection& connection) {
  const auto [first, second] = anomaly.values;
  switch (token) {
    case 'E':
    case 'e':
      put_end(pen, anomaly, connection, true, token == 'E');
      return true;
    case 'P':
    case 'p':
      put_end(pen, anomaly, connection, false, token == 'P');
      return true;
    case 'c':
      pen.format("{}", anomaly.count);
      return true;
    case 'x':
      put_times(pen, anomaly.count);
      return true;
    case 't':
      put_times(pen, first);
      return first != 0;
    case 'd':
      put_time(pen, first);
      return first != 0;
    case 'D':
      put_time(pen, second);
      return second != 0;
    case 'b':
      put_bytes(pen, first);
      return first != 0;
    case 'B':
      put_bytes(pen, second);
      return second != 0;
    case 'n':
      pen.format("{}", first);
      return first != 0;
    case 'N':
      pen.format("{}", second);
      return second != 0;
    case 'h':
      put_flags(pen, first);
      return first != 0;
    case 'r':
      put_repeated(pen, first, second);
      return true;
    case 'u':
      put_bytes(pen, first & 0xffff'ffff);
      return true;
    case 'w':
      put_unanswered(pen, first >> 32);
      return true;
    case 's':
      put_side(pen, anomaly, connection);
      return true;
    case 'i':
      put_icmp(pen, anomaly, connection.key.ip_version());
      return true;
    case 'f':
      put_forged(pen, first);
      return first != 0;
    default:
      return true;
  }
}

}  // namespace

std::string_view anomaly_text(const Anomaly& anomaly, const Connection& connection, std::span<char> room) noexcept {
  const std::string_view sentence = kSentences[static_cast<std::size_t>(anomaly.kind)];
  Pen pen(room);
  std::size_t bracket = 0;
  bool keep = true;
  for (std::size_t at = 0; at < sentence.size(); ++at) {
    const char c = sentence[at];
    if (c == '[') {
      bracket = pen.used();
      keep = true;
    } else if (c == ']') {
      if (!keep) pen.back_to(bracket);
    } else if (c == '{') {
      keep = put_token(pen, sentence[at + 1], anomaly, connection) && keep;
      at += 2;
    } else {
      pen.put({&c, 1});
    }
  }
  return pen.text();
}

std::string anomaly_text(const Anomaly& anomaly, const Connection& connection) {
  std::array<char, kAnomalyTextRoom> room{};
  return std::string(anomaly_text(anomaly, connection, room));
}

}  // namespace finwait::tcp

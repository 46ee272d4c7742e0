// finwait_gen: large captures with known truth, the same for the same seed.
//
// Every connection is played to its own end: a handshake, data and acknowledgments, then its fate. At each moment a random one of
// --concurrent connections sends its next packet, or, if it is a large one, its next few. So the truth (how many connections of each
// opening and ending) is exact, and the number of packets is about what was asked for.
//
// Sizes: small64's are geometric; the others' are heavy-tailed, as traffic is: the tenth of the connections that is largest has two fifths
// of the packets (at a million of them). No loss, no retransmission, no reuse of ports: those are the traces' business. Payload is zeros.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "finwait/capture/output_file.h"

namespace {

using finwait::capture::OutputFile;

enum class Profile : std::uint8_t { kSmall64, kWide, kFlood };

/// What comes of invented SYNs: nothing, a SYN-ACK, a RST, or the first two in turn.
enum class Answer : std::uint8_t { kNone, kSynAck, kReset, kHalf };

struct Options {
  std::uint64_t packets = 1'000'000;
  std::uint64_t connections = 0;  // 0: packets over the profile's mean
  std::uint64_t concurrent = 10'000;
  std::uint64_t flood = 4'000'000;
  std::uint64_t seed = 1;
  std::uint64_t rate = 0;  // packets a second; 0: at least 100 000, and each connection about once a second
  std::uint32_t snaplen = 96;
  Profile profile = Profile::kSmall64;
  Answer flood_answer = Answer::kHalf;
  std::string output;
  std::string truth;
  std::string fates;
};

/// xoshiro256++ would be finer; splitmix64 is enough to choose packets with, and quicker.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e37'79b9'7f4a'7c15);
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
    return z ^ (z >> 31);
  }
  std::uint32_t below(std::uint64_t n) { return static_cast<std::uint32_t>(((next() >> 32) * n) >> 32); }

 private:
  std::uint64_t state_;
};

enum class Fate : std::uint8_t {
  kGracefulByOriginator,
  kGracefulByResponder,
  kSimultaneousClose,
  kHalfClosed,
  kResetByOriginator,
  kResetByResponder,
  kOpen,
  kUnanswered,
  kRefused,
  kHalfOpen,
  kAborted,
};

struct FateInfo {
  Fate fate;
  const char* opening;
  const char* ending;
  unsigned weight;  // out of 1000, among connections that are no part of a flood
};

constexpr std::array<FateInfo, 11> kFates{{
    {Fate::kGracefulByOriginator, "three-way", "graceful", 470},
    {Fate::kGracefulByResponder, "three-way", "graceful", 220},
    {Fate::kSimultaneousClose, "three-way", "graceful", 20},
    {Fate::kHalfClosed, "three-way", "half-closed", 20},
    {Fate::kResetByOriginator, "three-way", "reset", 50},
    {Fate::kResetByResponder, "three-way", "reset", 50},
    {Fate::kOpen, "three-way", "open", 60},
    {Fate::kUnanswered, "unanswered", "unanswered", 40},
    {Fate::kRefused, "refused", "refused", 30},
    {Fate::kHalfOpen, "half-open", "half-open", 30},
    {Fate::kAborted, "aborted", "aborted", 10},
}};

constexpr std::uint8_t kFin = 1;
constexpr std::uint8_t kSyn = 2;
constexpr std::uint8_t kRst = 4;
constexpr std::uint8_t kPsh = 8;
constexpr std::uint8_t kAck = 16;

/// One connection being played: what each end sends next, and where in its script it is.
struct Player {
  std::array<std::uint32_t, 2> next{};  // SND.NXT of originator and responder
  std::array<std::uint32_t, 2> ip{};    // the last four bytes of the address
  std::array<std::uint16_t, 2> port{};
  std::array<std::uint16_t, 2> ip_id{};
  std::uint32_t exchanges = 0;  // data segments still to send, each followed by its ACK
  std::uint8_t step = 0;        // 0 SYN, 1 SYN-ACK, 2 ACK, 3 data, 4 ACK of data, from 5: the close
  Fate fate{};
  bool ipv6 = false;
  std::uint8_t talker = 0;  // who sent the data that waits for its ACK
};

struct Packet {
  int sender = 0;
  std::uint8_t flags = 0;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint32_t payload = 0;
};

/// Writes frames into pcap records: nanoseconds, little-endian, Ethernet.
class FrameWriter {
 public:
  FrameWriter(const std::string& path, std::uint32_t snaplen) : file_(path), snaplen_(snaplen), record_(16 + 65536) {
    for (const std::uint32_t word : {0xa1b2'3c4dU, 0x0004'0002U, 0U, 0U, std::max(snaplen, 64U), 1U}) file_.write32(word);
  }

  void write(std::uint64_t nanoseconds, const Player& p, const Packet& s, bool options) {
    std::uint8_t* const frame = record_.data() + 16;
    const std::uint32_t header = 20 + (options && (s.flags & kSyn) != 0 ? 12U : 0U);
    const std::uint32_t ip_header = p.ipv6 ? 40 : 20;
    const std::uint32_t length = 14 + ip_header + header + s.payload;
    const std::uint32_t on_wire = std::max(length, 60U);
    ethernet(frame, p, s);
    const std::uint32_t addresses = p.ipv6 ? ipv6(frame + 14, p, s, header) : ipv4(frame + 14, p, s, header);
    tcp(frame + 14 + ip_header, p, s, header, addresses);
    const std::uint32_t captured = std::min(on_wire, snaplen_);
    const std::uint32_t written = 14 + ip_header + header;
    if (captured > written) std::memset(frame + written, 0, captured - written);
    little32(0, static_cast<std::uint32_t>(nanoseconds / 1'000'000'000));
    little32(4, static_cast<std::uint32_t>(nanoseconds % 1'000'000'000));
    little32(8, captured);
    little32(12, on_wire);
    file_.write({record_.data(), 16 + captured});
  }

  void close() { file_.close(); }

 private:
  void little32(std::size_t at, std::uint32_t v) {
    for (std::size_t i = 0; i < 4; ++i) record_[at + i] = static_cast<std::uint8_t>(v >> (8 * i));
  }
  static void put16(std::uint8_t* to, std::uint32_t v) {
    to[0] = static_cast<std::uint8_t>(v >> 8);
    to[1] = static_cast<std::uint8_t>(v);
  }
  static void put32(std::uint8_t* to, std::uint32_t v) {
    put16(to, v >> 16);
    put16(to + 2, v);
  }
  static std::uint32_t halves(std::uint32_t v) { return (v >> 16) + (v & 0xffff); }
  static std::uint16_t folded(std::uint32_t sum) {
    sum = halves(sum);
    return static_cast<std::uint16_t>(~halves(sum));
  }

  static void ethernet(std::uint8_t* to, const Player& p, const Packet& s) {
    static constexpr std::array<std::uint8_t, 12> kStations{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    std::memcpy(to, kStations.data() + (s.sender == 0 ? 6 : 0), 6);
    std::memcpy(to + 6, kStations.data() + (s.sender == 0 ? 0 : 6), 6);
    put16(to + 12, p.ipv6 ? 0x86dd : 0x0800);
  }

  /// Returns the sum of both addresses, for the pseudo-header.
  static std::uint32_t ipv4(std::uint8_t* to, const Player& p, const Packet& s, std::uint32_t header) {
    const auto from = static_cast<std::size_t>(s.sender);
    const std::uint32_t total = 20 + header + s.payload;
    const std::uint32_t addresses = halves(p.ip[from]) + halves(p.ip[1 - from]);
    const std::uint32_t ttl = s.sender == 0 ? 64 : 57;
    put16(to, 0x4500);
    put16(to + 2, total);
    put16(to + 4, p.ip_id[from]);
    put16(to + 6, 0x4000);
    put16(to + 8, ttl << 8 | 6);
    put16(to + 10, folded(0x4500 + total + p.ip_id[from] + 0x4000 + (ttl << 8 | 6) + addresses));
    put32(to + 12, p.ip[from]);
    put32(to + 16, p.ip[1 - from]);
    return addresses;
  }

  static std::uint32_t ipv6(std::uint8_t* to, const Player& p, const Packet& s, std::uint32_t header) {
    static constexpr std::array<std::uint8_t, 12> kPrefix{0x20, 0x01, 0x0d, 0xb8};
    const auto from = static_cast<std::size_t>(s.sender);
    put32(to, 0x6000'0000);
    put16(to + 4, header + s.payload);
    to[6] = 6;
    to[7] = s.sender == 0 ? 64 : 57;
    for (const std::size_t end : {from, 1 - from}) {
      std::uint8_t* const at = to + 8 + (end == from ? 0 : 16);
      std::memcpy(at, kPrefix.data(), kPrefix.size());
      put32(at + 12, p.ip[end]);
    }
    return 2 * (0x2001 + 0x0db8) + halves(p.ip[0]) + halves(p.ip[1]);
  }

  static void tcp(std::uint8_t* to, const Player& p, const Packet& s, std::uint32_t header, std::uint32_t addresses) {
    const auto from = static_cast<std::size_t>(s.sender);
    const std::uint32_t offset_flags = (header / 4) << 12 | s.flags;
    std::uint32_t sum = addresses + 6 + header + s.payload + p.port[0] + p.port[1] + halves(s.seq) + halves(s.ack) + offset_flags + 0xffff;
    put16(to, p.port[from]);
    put16(to + 2, p.port[1 - from]);
    put32(to + 4, s.seq);
    put32(to + 8, s.ack);
    put16(to + 12, offset_flags);
    put16(to + 14, 0xffff);
    if (header == 32) {
      static constexpr std::array<std::uint8_t, 12> kOptions{2, 4, 0x05, 0xb4, 1, 3, 3, 7, 1, 1, 4, 2};
      std::memcpy(to + 20, kOptions.data(), kOptions.size());
      sum += 0x0204 + 0x05b4 + 0x0103 + 0x0307 + 0x0101 + 0x0402;
    }
    put16(to + 16, folded(sum));
    put16(to + 18, 0);
  }

  OutputFile file_;
  std::uint32_t snaplen_;
  std::vector<std::uint8_t> record_;
};

class Generator {
 public:
  explicit Generator(const Options& o) : o_(o), random_(o.seed), writer_(o.output, o.snaplen) {
    const double mean = o.profile == Profile::kSmall64 ? 20 : 14;
    if (o_.connections == 0) o_.connections = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(static_cast<double>(o.packets) / mean));
    if (o_.profile != Profile::kFlood) o_.flood = 0;
    // A connection's handshake and close take about 6 packets in the mean, each exchange two; the weights above leave 0.89 with data.
    const double per_connection = static_cast<double>(o.packets) / static_cast<double>(o_.connections);
    exchanges_ = std::max(0.0, (per_connection - 6.0) / 2.0 / 0.89);
    // Pareto's mean is least * k / (k - 1), less what the largest size cuts off.
    for (int i = 0; i < 20; ++i) {
      const double cut_off = std::pow(least_, kExponent) * std::pow(kLargest, 1 - kExponent) / (kExponent - 1);
      least_ = (exchanges_ + cut_off) * (kExponent - 1) / kExponent;
    }
    if (o_.rate == 0) o_.rate = std::max<std::uint64_t>(100'000, o_.concurrent);
  }

  void run() {
    std::vector<Player> playing;
    playing.reserve(o_.concurrent);
    while (playing.size() < o_.concurrent && more()) playing.push_back(begin());
    while (!playing.empty()) {
      const std::size_t n = random_.below(playing.size());
      if (burst(playing[n])) continue;
      if (more()) {
        playing[n] = begin();
      } else {
        playing[n] = playing.back();
        playing.pop_back();
      }
    }
    writer_.close();
  }

  /// A line for each connection that is no part of a flood, as they began.
  void write_fates(const std::string& path) const {
    OutputFile file(path);
    file.write({reinterpret_cast<const std::uint8_t*>(fates_.data()), fates_.size()});
    file.close();
  }

  void write_truth(const std::string& path) const {
    std::string text = "{\"packets\":" + std::to_string(packets_) + ",\"connections\":" + std::to_string(begun_ + flooded_);
    const auto object = [&text](const char* name, const std::map<std::string, std::uint64_t>& counts) {
      text += std::string(",\"") + name + "\":{";
      for (const auto& [key, n] : counts) text += (text.back() == '{' ? "\"" : ",\"") + key + "\":" + std::to_string(n);
      text += "}";
    };
    object("openings", openings_);
    object("endings", endings_);
    text += "}\n";
    OutputFile file(path);
    file.write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    file.close();
  }

 private:
  static constexpr double kExponent = 1.3;
  static constexpr double kLargest = 20'000;

  [[nodiscard]] bool more() const { return begun_ < o_.connections || flooded_ < o_.flood; }

  Player begin() {
    const std::uint64_t left = o_.connections - begun_;
    const std::uint64_t floods = o_.flood - flooded_;
    return random_.below(left + floods) < floods ? invented() : real();
  }

  /// A SYN from a source that does not exist.
  Player invented() {
    Player p;
    const auto n = static_cast<std::uint32_t>(flooded_++);
    p.ip = {0x0b00'0000U | ((n * 0x9e37'79b1U) & 0xff'ffffU), 0xc0a8'0001U};
    p.port = {static_cast<std::uint16_t>(1024 + (n >> 24) + random_.below(60'000)), 80};
    p.next = {random(), random()};
    p.ip_id = {static_cast<std::uint16_t>(random()), static_cast<std::uint16_t>(random())};
    const bool syn_ack = o_.flood_answer == Answer::kSynAck || (o_.flood_answer == Answer::kHalf && n % 2 != 0);
    return settle(p, o_.flood_answer == Answer::kReset ? Fate::kRefused : syn_ack ? Fate::kHalfOpen : Fate::kUnanswered);
  }

  Player real() {
    Player p;
    const auto n = static_cast<std::uint32_t>(begun_++);
    const std::uint32_t client = (n * 0x9e37'79b1U) & 0xf'ffffU;
    p.ip = {0x0a00'0000U | client, 0xc0a8'0100U + random_.below(4096)};
    p.port = {static_cast<std::uint16_t>(32768 + ((n >> 20) + client * 7) % 28000), static_cast<std::uint16_t>(n % 3 == 0 ? 80 : 443)};
    p.next = {random(), random()};
    p.ip_id = {static_cast<std::uint16_t>(random()), static_cast<std::uint16_t>(random())};
    p.ipv6 = o_.profile == Profile::kWide && n % 4 == 0;
    p.exchanges = size();
    unsigned at = random_.below(1000);
    for (const FateInfo& f : kFates) {
      if (at < f.weight) return note(settle(p, f.fate));
      at -= f.weight;
    }
    return note(settle(p, Fate::kOpen));
  }

  /// For --fates: "10.1.2.3 32768 192.168.1.4 443 three-way graceful".
  Player note(Player p) {
    if (o_.fates.empty()) return p;
    for (const std::size_t end : {0U, 1U}) {
      if (p.ipv6) {
        std::array<char, 40> text{};
        std::snprintf(text.data(), text.size(), "2001:db8::%x:%x ", p.ip[end] >> 16, p.ip[end] & 0xffff);
        fates_ += text.data();
      } else {
        for (unsigned shift : {24U, 16U, 8U, 0U}) fates_ += std::to_string(p.ip[end] >> shift & 0xff) + (shift != 0 ? "." : " ");
      }
      fates_ += std::to_string(p.port[end]) + " ";
    }
    const FateInfo& f = kFates[static_cast<std::size_t>(p.fate)];
    fates_ += std::string(f.opening) + " " + f.ending + "\n";
    return p;
  }

  /// Exchanges of a connection, `exchanges_` in the mean: geometric, or Pareto's with exponent 1.3.
  std::uint32_t size() {
    const double u = (static_cast<double>(random_.next() >> 11) + 1) * 0x1p-53;
    if (o_.profile == Profile::kSmall64) return static_cast<std::uint32_t>(std::min(10.0 * exchanges_, -exchanges_ * std::log(u)) + 0.5);
    return static_cast<std::uint32_t>(std::min(kLargest, least_ * std::pow(u, -1 / kExponent)) + 0.5);
  }
  std::uint32_t random() { return static_cast<std::uint32_t>(random_.next() >> 16); }

  Player settle(Player p, Fate fate) {
    p.fate = fate;
    const FateInfo& f = kFates[static_cast<std::size_t>(fate)];
    ++openings_[f.opening];
    ++endings_[f.ending];
    return p;
  }

  std::uint32_t payload() {
    if (o_.profile == Profile::kSmall64) return 1 + random_.below(6);
    const std::uint32_t dice = random_.below(100);
    if (dice < 45) return 1448;
    return dice < 75 ? 1 + random_.below(200) : 1 + random_.below(1448);
  }

  void send(Player& p, int sender, std::uint8_t flags, std::uint32_t bytes = 0) {
    const auto x = static_cast<std::size_t>(sender);
    Packet s{sender, flags, p.next[x], (flags & kAck) != 0 ? p.next[1 - x] : 0, bytes};
    if ((flags & kRst) != 0 && p.fate == Fate::kRefused) s.seq = 0;
    ++p.ip_id[x];
    now_ += 1'000'000'000 / o_.rate;
    writer_.write(now_, p, s, o_.profile != Profile::kSmall64);
    p.next[x] += bytes + ((flags & (kSyn | kFin)) != 0 ? 1U : 0U);
    ++packets_;
  }

  /// The next packets of a connection, a train if much is left to send: or the largest would still be at it when all others are over.
  bool burst(Player& p) {
    constexpr std::uint32_t kPart = 16;
    constexpr std::uint32_t kMost = 64;
    for (std::uint32_t n = o_.profile == Profile::kSmall64 ? 0 : std::min(p.exchanges / kPart, kMost); n != 0; --n) {
      if (!play(p)) return false;
    }
    return play(p);
  }

  /// The next packet of a connection; false if it was the last.
  bool play(Player& p) {
    switch (p.step) {
      case 0:
        send(p, 0, kSyn);
        p.step = 1;
        return p.fate != Fate::kUnanswered;
      case 1:
        if (p.fate == Fate::kRefused) return send(p, 1, kRst | kAck), false;
        send(p, 1, kSyn | kAck);
        p.step = 2;
        return p.fate != Fate::kHalfOpen;
      case 2:
        if (p.fate == Fate::kAborted) return send(p, 0, kRst), false;
        send(p, 0, kAck);
        p.step = p.exchanges != 0 ? 3 : 5;
        return p.step == 3 || p.fate != Fate::kOpen;
      case 3:
        p.talker = random_.below(2) != 0 ? 1 : 0;
        send(p, p.talker, kPsh | kAck, payload());
        p.step = 4;
        return true;
      case 4:
        send(p, 1 - p.talker, kAck);
        p.step = --p.exchanges != 0 ? 3 : 5;
        return p.step == 3 || p.fate != Fate::kOpen;
      default:
        return close(p);
    }
  }

  bool close(Player& p) {
    const int n = p.step++ - 5;
    switch (p.fate) {
      case Fate::kResetByOriginator:
      case Fate::kResetByResponder:
        send(p, p.fate == Fate::kResetByOriginator ? 0 : 1, kRst | kAck);
        return false;
      case Fate::kSimultaneousClose:
        return simultaneous(p, n);
      default:
        break;
    }
    const int first = p.fate == Fate::kGracefulByResponder ? 1 : 0;
    if (n == 0) return send(p, first, kFin | kAck), true;
    if (n == 1) return send(p, 1 - first, kAck), p.fate != Fate::kHalfClosed;
    if (n == 2) return send(p, 1 - first, kFin | kAck), true;
    return send(p, first, kAck), false;
  }

  /// Both FINs leave before either arrives: the second acknowledges only what came before the first.
  bool simultaneous(Player& p, int n) {
    if (n == 0) return send(p, 0, kFin | kAck), true;
    if (n == 1) {
      --p.next[0];
      send(p, 1, kFin | kAck);
      ++p.next[0];
      return true;
    }
    send(p, n - 2, kAck);
    return n == 2;
  }

  Options o_;
  Random random_;
  FrameWriter writer_;
  double exchanges_ = 0;
  double least_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t flooded_ = 0;
  std::uint64_t packets_ = 0;
  std::uint64_t now_ = 1'700'000'000'000'000'000;
  std::string fates_;
  std::map<std::string, std::uint64_t> openings_;
  std::map<std::string, std::uint64_t> endings_;
};

[[noreturn]] void usage(const std::string& why) {
  std::fprintf(
      stderr,
      "finwait_gen: %s\n"
      "usage: finwait_gen --output FILE [options]\n"
      "  --truth FILE      json: how many connections of each opening and ending\n"
      "  --fates FILE      a line for each connection that is no part of a flood: ADDRESS PORT ADDRESS PORT OPENING ENDING\n"
      "  --profile NAME    small64 (minimum-size packets), wide (IPv4 and IPv6, real sizes), flood (wide, IPv4, with invented SYNs)\n"
      "  --packets N       about how many, the flood aside (1000000)\n"
      "  --connections N   (packets / 20, or / 14)\n"
      "  --concurrent N    how many are alive at once (10000)\n"
      "  --flood N         SYNs from invented sources, with profile flood (4000000, at most 16777216)\n"
      "  --flood-answer A  what comes of them: none, syn-ack, reset, or half (SYN-ACKs for every second one, the default)\n"
      "  --rate N          packets a second (the larger of 100000 and --concurrent)\n"
      "  --snaplen N       bytes kept of a frame, at least 86 (96)\n"
      "  --seed N          (1)\n",
      why.c_str());
  std::exit(2);
}

std::uint64_t number(const std::string& name, const std::string& text) {
  std::size_t used = 0;
  unsigned long long value = 0;
  try {
    value = std::stoull(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used == 0 || used != text.size() || text[0] == '-') usage(name + " needs a number, not '" + text + "'");
  return value;
}

Answer answer(const std::string& text) {
  if (text == "none") return Answer::kNone;
  if (text == "syn-ack") return Answer::kSynAck;
  if (text == "reset") return Answer::kReset;
  if (text != "half") usage("--flood-answer is none, syn-ack, reset or half");
  return Answer::kHalf;
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (i + 1 >= argc) usage(name + " needs a value");
    const std::string value = argv[++i];
    if (name == "--output")
      o.output = value;
    else if (name == "--truth")
      o.truth = value;
    else if (name == "--fates")
      o.fates = value;
    else if (name == "--flood-answer")
      o.flood_answer = answer(value);
    else if (name == "--packets")
      o.packets = number(name, value);
    else if (name == "--connections")
      o.connections = number(name, value);
    else if (name == "--concurrent")
      o.concurrent = number(name, value);
    else if (name == "--flood")
      o.flood = number(name, value);
    else if (name == "--rate")
      o.rate = number(name, value);
    else if (name == "--seed")
      o.seed = number(name, value);
    else if (name == "--snaplen")
      o.snaplen = static_cast<std::uint32_t>(std::min<std::uint64_t>(number(name, value), 65535));
    else if (name == "--profile" && value == "small64")
      o.profile = Profile::kSmall64;
    else if (name == "--profile" && value == "wide")
      o.profile = Profile::kWide;
    else if (name == "--profile" && value == "flood")
      o.profile = Profile::kFlood;
    else
      usage("unknown option or profile: " + name + " " + value);
  }
  if (o.output.empty()) usage("no --output");
  if (o.snaplen < 86) usage("--snaplen below 86 would cut headers");
  if (o.concurrent == 0 || o.concurrent > 100'000'000) usage("--concurrent from 1 to 100000000");
  if (o.flood > 1U << 24) usage("--flood at most 16777216");
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options o = parse(argc, argv);
    Generator generator(o);
    generator.run();
    if (!o.truth.empty()) generator.write_truth(o.truth);
    if (!o.fates.empty()) generator.write_fates(o.fates);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "finwait_gen: %s\n", e.what());
    return 1;
  }
}

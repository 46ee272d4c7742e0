#include "support/trace.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>
#include <utility>

namespace finwait::testing {
namespace {

using tcp::Who;
namespace tcp_flag = wire::tcp_flag;

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  std::istringstream in{std::string(text)};
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

/// The words of one line, taken one after the other.
class Words {
 public:
  explicit Words(std::vector<std::string> list) : list_(std::move(list)) {}
  [[nodiscard]] bool more() const { return at_ < list_.size(); }
  [[nodiscard]] const std::string& peek() const { return list_.at(at_); }
  std::string next(const char* what) {
    if (!more()) throw std::runtime_error(std::string("expected ") + what);
    return list_[at_++];
  }
  bool take(std::string_view word) {
    if (!more() || peek() != word) return false;
    ++at_;
    return true;
  }

 private:
  std::vector<std::string> list_;
  std::size_t at_ = 0;
};

std::int64_t integer(std::string_view text) {
  std::int64_t value = 0;
  const char* first = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(first, text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::runtime_error("'" + std::string(text) + "' is not a whole number");
  return value;
}

template <class T>
T bounded(std::string_view text) {
  const std::int64_t value = integer(text);
  if (!std::in_range<T>(value)) throw std::runtime_error("'" + std::string(text) + "' is out of range");
  return static_cast<T>(value);
}

base::Duration seconds(const std::string& text) {
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used != text.size() || text.empty()) throw std::runtime_error("'" + text + "' is not a time in seconds");
  return static_cast<base::Duration>(std::llround(value * 1e9));
}

tcp::State state(const std::string& text) {
  for (int s = 0; s < tcp::kStates; ++s) {
    if (tcp::name(static_cast<tcp::State>(s)) == text) return static_cast<tcp::State>(s);
  }
  throw std::runtime_error("'" + text + "' is no state");
}

/// The value of an enumeration whose name is `text`, trying all from 0 to `last`.
template <class E>
E named(const std::string& text, E last, const char* what) {
  for (int n = 0; n <= static_cast<int>(last); ++n) {
    if (tcp::name(static_cast<E>(n)) == text) return static_cast<E>(n);
  }
  throw std::runtime_error("'" + text + "' is no " + what);
}

int side(const std::string& text) {
  if (text == "originator") return 0;
  if (text == "responder") return 1;
  throw std::runtime_error("'" + text + "' is neither originator nor responder");
}

std::uint16_t flags(const std::string& text) {
  std::uint16_t bits = 0;
  for (const char c : text) {
    static constexpr std::string_view kLetters = "FSRP.UEWe";
    const auto at = kLetters.find(c);
    if (at == std::string_view::npos && !(c == '-' && text.size() == 1))
      throw std::runtime_error("'" + text + "' are no flags (S F R P . U E W e, - for none)");
    if (at != std::string_view::npos) bits = static_cast<std::uint16_t>(bits | (1U << at));
  }
  return bits;
}

class Parser {
 public:
  Parser(const std::string& text, const std::string& file) : text_(text) {
    trace_.file = file;
    trace_.connections.resize(1);
  }

  Trace run() {
    std::istringstream in(text_);
    for (std::string line; std::getline(in, line);) {
      ++line_;
      try {
        one(line);
      } catch (const std::exception& e) {
        throw TraceError(trace_.file + ":" + std::to_string(line_) + ": " + e.what());
      }
    }
    if (trace_.steps.empty()) throw TraceError(trace_.file + ": nothing happens in it");
    for (const Expected& c : trace_.connections) {
      if (!c.opening || !c.ending) throw TraceError(trace_.file + ": each connection needs '= opening' and '= ending'");
    }
    return std::move(trace_);
  }

 private:
  void one(const std::string& raw) {
    const std::string line = trimmed(raw);
    if (line.empty()) return;
    if (line.starts_with('#')) {
      if (trace_.title.empty()) trace_.title = trimmed(line.substr(1));
      return;
    }
    if (line.starts_with('=')) return expectation(Words(words(line.substr(1))));
    if (line.starts_with('[')) return section(line);
    const auto first_bar = line.find('|');
    Words w(words(line.substr(0, first_bar)));
    if (w.take("isn")) {
      for (auto& b : base_) b = integer(w.next("two initial sequence numbers"));
    } else if (w.take("ipv4")) {
      trace_.ipv4_only = true;
    } else if (w.take("advance")) {
      TraceStep step;
      step.kind = TraceStep::Kind::kAdvance;
      step.time = seconds(w.next("a time"));
      add(step, line, first_bar);
    } else {
      add(happening(w), line, first_bar);
    }
    if (w.more()) throw std::runtime_error("'" + w.peek() + "' is not understood");
  }

  void section(const std::string& line) {
    const auto n = bounded<std::size_t>(std::string_view(line).substr(1, line.find(']') - 1));
    if (n == 0 || n > 32) throw std::runtime_error("sections count from [1]");
    if (trace_.connections.size() < n) trace_.connections.resize(n);
    section_ = n - 1;
    trace_.connections[section_].line = line_;
  }

  void add(TraceStep step, const std::string& line, std::size_t first_bar) {
    step.line = line_;
    step.text = trimmed(line.substr(0, first_bar));
    if (first_bar != std::string::npos) {
      const auto second = line.find('|', first_bar + 1);
      const auto columns = words(line.substr(first_bar + 1, second == std::string::npos ? second : second - first_bar - 1));
      if (columns.size() != 2) throw std::runtime_error("expected two states between the bars");
      for (std::size_t i = 0; i < 2; ++i) {
        if (columns[i] != "*") step.states[i] = state(columns[i]);
      }
      if (second != std::string::npos) {
        step.events = words(line.substr(second + 1));
        for (const auto& e : step.events) {
          if (e != "refuted" && !tcp::anomaly_kind(e)) throw std::runtime_error("'" + e + "' is neither an anomaly nor 'refuted'");
        }
      }
    }
    trace_.steps.push_back(std::move(step));
  }

  TraceStep happening(Words& w) {
    TraceStep step;
    step.time = seconds(w.next("a time"));
    const std::string direction = w.next("a direction");
    if (direction != ">" && direction != "<") throw std::runtime_error("the direction is > or <, not '" + direction + "'");
    step.side = direction == "<" ? 1 : 0;
    step.ttl = step.side == 0 ? 64 : 57;
    if (w.take("icmp")) {
      icmp(step, w);
      return step;
    }
    step.flags = flags(w.next("flags"));
    numbers(step, w.next("sequence numbers"));
    bool id_given = false;
    bool copy = false;
    while (w.more()) {
      if (w.take("ack"))
        step.ack = integer(w.next("an acknowledgment number")) + base_[1 - mine(step)];
      else if (w.take("win"))
        step.window = bounded<std::uint16_t>(w.next("a window"));
      else if (w.peek().starts_with('<'))
        options(step, w);
      else if (w.take("ttl"))
        step.ttl = bounded<std::uint8_t>(w.next("a TTL"));
      else if (w.take("cap"))
        step.captured = bounded<std::uint32_t>(w.next("a length"));
      else if (w.take("copy"))
        copy = true;
      else if (w.take("id")) {
        step.ip_id = bounded<std::uint16_t>(w.next("an IP ID"));
        id_given = true;
      } else
        break;
    }
    if (step.ack.has_value() != ((step.flags & tcp_flag::kAck) != 0))
      throw std::runtime_error("'ack N' goes with the flag '.', and only with it");
    if (copy)
      step.ip_id = original(step).ip_id;
    else if (!id_given)
      step.ip_id = next_id_[mine(step)]++;
    else if (step.ip_id >= next_id_[mine(step)])
      next_id_[mine(step)] = static_cast<std::uint16_t>(step.ip_id + 1);
    return step;
  }

  static std::size_t mine(const TraceStep& step) { return static_cast<std::size_t>(step.side); }

  /// "a:b(len)" or "a".
  void numbers(TraceStep& step, const std::string& text) {
    if (text.starts_with('@')) {
      step.seq = bounded<std::uint32_t>(std::string_view(text).substr(1));
      step.absolute = true;
      return;
    }
    const auto colon = text.find(':');
    const auto open = text.find('(');
    const std::int64_t first = integer(std::string_view(text).substr(0, std::min(colon, open)));
    step.seq = first + base_[mine(step)];
    if (colon == std::string::npos) return;
    if (open == std::string::npos || text.back() != ')') throw std::runtime_error("sequence numbers are written first:last(length)");
    const std::int64_t last = integer(std::string_view(text).substr(colon + 1, open - colon - 1));
    step.payload = bounded<std::uint32_t>(std::string_view(text).substr(open + 1, text.size() - open - 2));
    if (last != first + step.payload) throw std::runtime_error("'" + text + "': the numbers do not fit the length");
  }

  void icmp(TraceStep& step, Words& w) {
    step.kind = TraceStep::Kind::kIcmp;
    const std::string what = w.next("what kind of ICMP error");
    if (what == "unreachable")
      step.icmp_type = 3, step.icmp_code = 1;
    else if (what == "port-unreachable")
      step.icmp_type = 3, step.icmp_code = 3;
    else if (what == "too-big")
      step.icmp_type = 3, step.icmp_code = 4;
    else if (what == "time-exceeded")
      step.icmp_type = 11, step.icmp_code = 0;
    else
      throw std::runtime_error("'" + what + "' is none of unreachable, port-unreachable, too-big, time-exceeded");
    step.seq = integer(w.next("the quoted sequence number")) + base_[1 - mine(step)];
  }

  const TraceStep& original(const TraceStep& copy) const {
    for (auto s = trace_.steps.rbegin(); s != trace_.steps.rend(); ++s) {
      if (s->kind == TraceStep::Kind::kSegment && s->side == copy.side && s->flags == copy.flags && s->seq == copy.seq &&
          s->ack == copy.ack && s->payload == copy.payload && s->window == copy.window) {
        return *s;
      }
    }
    throw std::runtime_error("a copy of what? No segment before it has the same numbers, flags and window");
  }

  /// <mss 1460,wscale 7,sackOK,TS val 1 ecr 2,sack 3:4,fastopen cookie>
  void options(TraceStep& step, Words& w) {
    std::string text;
    do {
      if (!text.empty()) text += ' ';
      text += w.next("'>'");
    } while (!text.ends_with('>'));
    std::istringstream in(text.substr(1, text.size() - 2));
    for (std::string one_option; std::getline(in, one_option, ',');) {
      Words o(words(one_option));
      const std::string kind = o.next("an option");
      if (kind == "mss")
        step.options.mss = bounded<std::uint16_t>(o.next("a size"));
      else if (kind == "wscale")
        step.options.window_scale = bounded<std::uint8_t>(o.next("a shift"));
      else if (kind == "sackOK")
        step.options.sack_permitted = true;
      else if (kind == "TS") {
        if (!o.take("val")) throw std::runtime_error("expected 'TS val N ecr N'");
        const auto val = bounded<std::uint32_t>(o.next("TSval"));
        if (!o.take("ecr")) throw std::runtime_error("expected 'TS val N ecr N'");
        step.options.timestamps = {val, bounded<std::uint32_t>(o.next("TSecr"))};
      } else if (kind == "sack") {
        while (o.more()) {
          const std::string block = o.next("a block");
          const auto colon = block.find(':');
          if (colon == std::string::npos) throw std::runtime_error("a SACK block is written left:right");
          const std::int64_t peer = base_[1 - mine(step)];
          step.options.sacks.emplace_back(integer(block.substr(0, colon)) + peer, integer(block.substr(colon + 1)) + peer);
        }
      } else if (kind == "fastopen") {
        step.options.fast_open = true;
        step.options.fast_open_cookie = o.take("cookie");
      } else {
        throw std::runtime_error("'" + kind + "' is no option");
      }
      if (o.more()) throw std::runtime_error("'" + o.peek() + "' is not understood in an option");
    }
  }

  void expectation(Words w) {
    Expected& e = trace_.connections[section_];
    if (e.line == 0) e.line = line_;
    const std::string what = w.next("what is expected");
    if (what == "opening")
      e.opening = named(w.next("an opening"), tcp::Opening::kBackscatter, "opening");
    else if (what == "ending")
      e.ending = named(w.next("an ending"), tcp::Ending::kEvicted, "ending");
    else if (what == "completed_by")
      e.completed_by = w.next("ack, data or fin");
    else if (what == "first_fin")
      e.first_fin = who(w.next("who"));
    else if (what == "reset_by")
      e.reset_by = who(w.next("who"));
    else if (what == "replaced")
      e.replaced = named(w.next("what"), tcp::Replaced::kOverEstablished, "way to replace");
    else if (what == "role_evidence")
      e.role_evidence = w.next("evidence");
    else if (what == "roles")
      e.originator = exchanged(w);
    else if (what == "anomaly")
      add_anomalies(e.anomalies, w);
    else if (what == "inconclusive")
      add_anomalies(e.inconclusive, w);
    else if (what == "times") {
      std::vector<std::string> kind;
      Words one_kind({w.next("an anomaly")});
      add_anomalies(kind, one_kind);
      e.times.emplace_back(kind.front(), bounded<std::uint64_t>(w.next("a number")));
    } else if (what == "origins") {
      const std::string kind = w.next("an anomaly");
      std::string all = w.next("an origin");
      while (w.more()) all += ' ' + w.next("an origin");
      e.origins.emplace_back(kind, all);
    } else if (what == "time_wait")
      e.time_wait = time_wait(w);
    else if (what == "half_close")
      e.half_close = half_close(w);
    else if (what == "path")
      path(e, w);
    else if (what == "cause")
      e.causes.push_back(cause(w));
    else if (what == "count") {
      const std::string end = w.next("an end");
      (void)side(end);
      const std::string counter = w.next("a counter");
      e.counters.emplace_back(end + " " + counter, bounded<std::uint64_t>(w.next("a number")));
    } else if (what == "connections") {
      const auto n = bounded<std::size_t>(w.next("a number"));
      if (n == 0 || n > 32) throw std::runtime_error("from 1 to 32 connections");
      trace_.connections.resize(n);
    } else
      throw std::runtime_error("'= " + what + "' is no expectation");
    if (w.more()) throw std::runtime_error("'" + w.peek() + "' is not understood");
  }

  static Who who(const std::string& text) {
    if (text == "simultaneous") return Who::kBoth;
    return named(text, Who::kThirdPartySuspected, "end");
  }

  static int exchanged(Words& w) {
    if (!w.take("exchanged")) throw std::runtime_error("expected '= roles exchanged'");
    return 1;
  }

  static void add_anomalies(std::vector<std::string>& list, Words& w) {
    do {
      const std::string kind = w.next("an anomaly");
      if (!tcp::anomaly_kind(kind)) throw std::runtime_error("'" + kind + "' is no anomaly");
      list.push_back(kind);
    } while (w.more());
  }

  static ExpectedTimeWait time_wait(Words& w) {
    ExpectedTimeWait t;
    t.owner = who(w.next("an owner"));
    t.restarts = bounded<std::uint32_t>(w.next("how many restarts"));
    if (!w.take("restarts")) throw std::runtime_error("expected '= time_wait OWNER N restarts HOW'");
    t.ended = named(w.next("how it ended"), tcp::TimeWaitEnd::kCaptureEnd, "end of TIME-WAIT");
    return t;
  }

  static ExpectedHalfClose half_close(Words& w) {
    ExpectedHalfClose h;
    h.by = who(w.next("by whom"));
    if (w.take("bytes")) h.bytes = bounded<std::uint64_t>(w.next("a number"));
    return h;
  }

  static void path(Expected& e, Words& w) {
    auto& p = e.path[static_cast<std::size_t>(side(w.next("an end")))].emplace();
    while (w.more()) p.push_back(state(w.next("a state")));
  }

  static ExpectedCause cause(Words& w) {
    ExpectedCause c;
    c.side = side(w.next("an end"));
    c.state = state(w.next("a state"));
    c.frame = bounded<std::uint64_t>(w.next("a frame"));
    return c;
  }

  const std::string& text_;
  Trace trace_;
  int line_ = 0;
  std::size_t section_ = 0;
  std::array<std::int64_t, 2> base_{};
  std::array<std::uint16_t, 2> next_id_{1000, 50000};
};

void put32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

void put16(std::vector<std::uint8_t>& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

std::uint32_t absolute(std::int64_t relative, std::uint32_t isn) { return isn + static_cast<std::uint32_t>(relative); }

}  // namespace

Trace parse_trace(const std::string& text, const std::string& file) {
  Trace trace = Parser(text, file).run();
  const std::filesystem::path path(file);
  trace.name = (path.parent_path().filename() / path.stem()).string();
  return trace;
}

Trace load_trace(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw TraceError(file + ": cannot be opened");
  std::stringstream text;
  text << in.rdbuf();
  return parse_trace(text.str(), file);
}

std::vector<std::string> find_traces(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".trace") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

wire::Address address_of(const Addressing& addressing, int side) {
  const bool high = (side == 1) != addressing.exchanged;
  const std::uint32_t n = addressing.network;
  if (addressing.ipv6) {
    const std::array<std::uint8_t, 16> six{0x20,
                                           0x01,
                                           0x0d,
                                           0xb8,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           static_cast<std::uint8_t>(n >> 16),
                                           static_cast<std::uint8_t>(n >> 8),
                                           static_cast<std::uint8_t>(n),
                                           static_cast<std::uint8_t>(high ? 2 : 1)};
    return wire::Address::v6(six.data());
  }
  const std::array<std::uint8_t, 4> four{10, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n),
                                         static_cast<std::uint8_t>(high ? 2 : 1)};
  return wire::Address::v4(four.data());
}

int end_of(const Addressing& addressing, int side) { return (side == 1) != addressing.exchanged ? 1 : 0; }

wire::FlowKey key_of(const Addressing& addressing) {
  wire::FlowKey key;
  const int low = addressing.exchanged ? 1 : 0;
  key.low = address_of(addressing, low);
  key.high = address_of(addressing, 1 - low);
  key.low_port = low == 0 ? addressing.originator_port : addressing.responder_port;
  key.high_port = low == 0 ? addressing.responder_port : addressing.originator_port;
  key.network = addressing.ipv6 ? wire::FlowKey::kIpv6 : 0;
  return key;
}

std::pair<std::uint8_t, std::uint8_t> icmp_of(const TraceStep& step, bool ipv6) {
  if (!ipv6) return {step.icmp_type, step.icmp_code};
  if (step.icmp_type == 11) return {3, 0};  // RFC 4443: time exceeded
  if (step.icmp_code == 4) return {2, 0};   // packet too big
  if (step.icmp_code == 3) return {1, 4};   // port unreachable
  return {1, 3};                            // address unreachable
}

std::vector<std::uint8_t> option_bytes(const TraceStep& step, const Addressing& addressing) {
  const TraceOptions& o = step.options;
  std::vector<std::uint8_t> out;
  if (o.mss) out.insert(out.end(), {2, 4}), put16(out, *o.mss);
  if (o.sack_permitted) out.insert(out.end(), {1, 1, 4, 2});
  if (o.timestamps) out.insert(out.end(), {1, 1, 8, 10}), put32(out, o.timestamps->first), put32(out, o.timestamps->second);
  if (o.window_scale) out.insert(out.end(), {1, 3, 3, *o.window_scale});
  if (!o.sacks.empty()) {
    out.insert(out.end(), {1, 1, 5, static_cast<std::uint8_t>(2 + 8 * o.sacks.size())});
    const std::uint32_t peer = addressing.isn[static_cast<std::size_t>(1 - step.side)];
    for (const auto& [left, right] : o.sacks) put32(out, absolute(left, peer)), put32(out, absolute(right, peer));
  }
  if (o.fast_open) {
    out.insert(out.end(), {34, static_cast<std::uint8_t>(o.fast_open_cookie ? 10 : 2)});
    if (o.fast_open_cookie) put32(out, 0x0102'0304), put32(out, 0x0506'0708);
  }
  while (out.size() % 4 != 0) out.push_back(1);
  return out;
}

wire::Segment materialise(const TraceStep& step, const Addressing& addressing) {
  wire::Segment s;
  const bool icmp = step.kind == TraceStep::Kind::kIcmp;
  const int sender = icmp ? 1 - step.side : step.side;
  s.key = key_of(addressing);
  s.direction = static_cast<std::uint8_t>(end_of(addressing, sender));
  s.time = addressing.start + step.time;
  s.seq = absolute(step.seq, step.absolute ? 0 : addressing.isn[static_cast<std::size_t>(sender)]);
  if (icmp) {
    const auto [type, code] = icmp_of(step, addressing.ipv6);
    s.kind = wire::SegmentKind::kIcmpError;
    s.ack = static_cast<std::uint32_t>(type << 8 | code);
    return s;
  }
  const TraceOptions& o = step.options;
  const std::uint32_t peer = addressing.isn[static_cast<std::size_t>(1 - sender)];
  if (step.ack) s.ack = absolute(*step.ack, peer);
  s.flags = step.flags;
  s.payload_length = step.payload;
  s.ip_length = (addressing.ipv6 ? 60U : 40U) + static_cast<std::uint32_t>(option_bytes(step, addressing).size()) + step.payload;
  s.window = step.window;
  s.ttl = step.ttl;
  s.ip_id = addressing.ipv6 ? std::uint16_t{0} : step.ip_id;
  const auto note = [&s](std::uint16_t bit) { s.present = static_cast<std::uint16_t>(s.present | bit); };
  if (o.mss) note(wire::present::kMss), s.mss = *o.mss;
  if (o.window_scale) note(wire::present::kWindowScale), s.window_scale = *o.window_scale;
  if (o.sack_permitted) note(wire::present::kSackPermitted);
  if (o.timestamps) note(wire::present::kTimestamps), s.ts_val = o.timestamps->first, s.ts_ecr = o.timestamps->second;
  if (!o.sacks.empty())
    note(wire::present::kSack), s.sack_left = absolute(o.sacks[0].first, peer), s.sack_right = absolute(o.sacks[0].second, peer);
  if (o.fast_open) note(wire::present::kFastOpen);
  if (o.fast_open_cookie) note(wire::present::kFastOpenCookie);
  return s;
}

}  // namespace finwait::testing
